CREATE TABLE tracked_runs (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  mlflow_id text COLLATE "C" NOT NULL,
  run bigint NOT NULL,
  index integer NOT NULL,
  attempt integer NOT NULL,
  is_child boolean NOT NULL,
  run_name text COLLATE "C" NOT NULL,
  step_name text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  experiment text COLLATE "C" NOT NULL,
  user_name text COLLATE "C" NOT NULL,
  status smallint NOT NULL,
  is_deleted boolean NOT NULL DEFAULT false,
  start_ms bigint NOT NULL,
  end_ms bigint NOT NULL,
  UNIQUE (mlflow_id, run, index, attempt)
);
COMMENT ON TABLE tracked_runs IS
  'What logs metrics: attempts of steps, from their first call on, and the runs that they make below themselves (is_child). '
  'mlflow_id is the MLflow run id, which all attempts of a step share, and rarely steps of two runs (step b_c of run a, step c of run a_b); status is MLflow''s number (1 running, 3 finished, '
  '4 failed, 5 killed); times are Unix milliseconds, 0: not yet. Not projected: the journal knows nothing of it.';
CREATE INDEX tracked_runs_step ON tracked_runs (run, index);
CREATE INDEX tracked_runs_experiment ON tracked_runs (experiment, start_ms);

CREATE TABLE metrics (
  tracked bigint NOT NULL,
  key text COLLATE "C" NOT NULL,
  step bigint NOT NULL,
  timestamp_ms bigint NOT NULL,
  value double precision NOT NULL,
  PRIMARY KEY (tracked, key, step, timestamp_ms, value)
);
COMMENT ON TABLE metrics IS
  'Every value of every metric, as MLflow has them. The key makes a call that is sent twice count once.';

CREATE TABLE latest_metrics (
  tracked bigint NOT NULL,
  key text COLLATE "C" NOT NULL,
  step bigint NOT NULL,
  timestamp_ms bigint NOT NULL,
  value double precision NOT NULL,
  count bigint NOT NULL,
  min double precision NOT NULL,
  max double precision NOT NULL,
  PRIMARY KEY (tracked, key)
) WITH (fillfactor = 60);
COMMENT ON TABLE latest_metrics IS
  'Of each metric the value of the highest step, then time, then value; how many there are, the least and the greatest.';

CREATE TABLE params (
  tracked bigint NOT NULL,
  key text COLLATE "C" NOT NULL,
  value text NOT NULL,
  PRIMARY KEY (tracked, key)
);
COMMENT ON TABLE params IS 'Parameters that programs logged. Never changed.';

CREATE TABLE tracking_tags (
  tracked bigint NOT NULL,
  key text COLLATE "C" NOT NULL,
  value text NOT NULL,
  PRIMARY KEY (tracked, key)
);
COMMENT ON TABLE tracking_tags IS 'Tags of tracked runs; those of Potok''s runs are in run_terms.';

CREATE TABLE tracking_experiments (
  name text COLLATE "C" PRIMARY KEY,
  created_ms bigint NOT NULL
);
COMMENT ON TABLE tracking_experiments IS
  'Experiments that programs made. Those of runs need no row. The name is also the id.';

CREATE TABLE logged_artifacts (
  holder text COLLATE "C" NOT NULL,
  path text COLLATE "C" NOT NULL,
  sha256 bytea NOT NULL,
  size_bytes bigint NOT NULL,
  run bigint NOT NULL,
  logged_ms bigint NOT NULL,
  PRIMARY KEY (holder, path)
);
COMMENT ON TABLE logged_artifacts IS
  'Files that programs logged. holder is RUN.INDEX.ATTEMPT, a child run''s MLflow id or a logged model''s id; the bytes are in '
  'the store of artifacts, which must keep what is named here; run is the number of the run it goes with.';
CREATE INDEX logged_artifacts_run ON logged_artifacts (run);

CREATE TABLE logged_models (
  id text COLLATE "C" PRIMARY KEY,
  run bigint NOT NULL,
  index integer NOT NULL,
  attempt integer NOT NULL,
  model bytea NOT NULL
);
COMMENT ON TABLE logged_models IS
  'MLflow 3''s logged models, as the JSON that clients get; run, index and attempt are of the attempt that made it.';
