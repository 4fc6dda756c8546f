CREATE TABLE journal (
  revision bigint PRIMARY KEY,
  writer text NOT NULL,
  batch bytea NOT NULL,
  epoch bigint,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE journal IS
  'The truth: one row for each turn of the scheduler, its changes as a potok.journal.v1.Batch. '
  'Rows go a day after they were projected; the last one stays.';
COMMENT ON COLUMN journal.epoch IS 'Set where the batch says that a server started.';
CREATE INDEX journal_epoch ON journal (epoch) WHERE epoch IS NOT NULL;

CREATE TABLE claims (
  kind text NOT NULL,
  key bytea NOT NULL,
  value bytea NOT NULL,
  PRIMARY KEY (kind, key)
);
COMMENT ON TABLE claims IS
  'What must be unique (request ids, run names), made in the transaction of the turn it belongs to.';

CREATE TABLE specs (
  sha256 bytea NOT NULL,
  size_bytes bigint NOT NULL,
  spec bytea NOT NULL,
  PRIMARY KEY (sha256, size_bytes)
);
-- Storing a pipeline of 100,000 steps takes half the time that it does with the default, pglz. A PostgreSQL that was built
-- without lz4 keeps that.
DO $$ BEGIN
  ALTER TABLE journal ALTER COLUMN batch SET COMPRESSION lz4;
  ALTER TABLE specs ALTER COLUMN spec SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN NULL;
END $$;
COMMENT ON TABLE specs IS 'Pipelines as submitted (serialised potok.v1.PipelineSpec), by content.';

CREATE TABLE projection (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  projected_revision bigint NOT NULL
);
COMMENT ON TABLE projection IS
  'One row: up to which revision of the journal the tables below are made.';
INSERT INTO projection (projected_revision) VALUES (0);

CREATE TABLE servers (
  epoch bigint PRIMARY KEY,
  writer text NOT NULL,
  started_us bigint NOT NULL
);
COMMENT ON TABLE servers IS 'Every start of a server. Projected.';

CREATE TABLE machines (
  id bigint PRIMARY KEY,
  name text NOT NULL,
  liveness smallint NOT NULL,
  revision bigint NOT NULL,
  machine bytea NOT NULL
);
COMMENT ON TABLE machines IS
  'Machines as last described (potok.journal.v1.MachineChanged). Projected.';

CREATE TABLE runs (
  id bigint PRIMARY KEY,
  name text COLLATE "C" NOT NULL,
  experiment text COLLATE "C" NOT NULL,
  status smallint NOT NULL,
  reason bytea NOT NULL,
  created_us bigint NOT NULL,
  started_us bigint NOT NULL,
  ended_us bigint NOT NULL,
  moved_us bigint NOT NULL,
  revision bigint NOT NULL,
  completed integer NOT NULL,
  failed integer NOT NULL,
  canceled integer NOT NULL,
  running integer NOT NULL,
  added bytea NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE runs IS
  'Runs with the counters of their steps. Times are Unix microseconds, 0: not yet. status is a '
  'potok.journal.v1.RunStatus, added a RunAdded. Projected.';
CREATE INDEX runs_name ON runs (name);
CREATE INDEX runs_experiment ON runs (experiment, id);
CREATE INDEX runs_unfinished ON runs (id) WHERE ended_us = 0;

CREATE TABLE steps (
  run bigint NOT NULL,
  index integer NOT NULL,
  revision bigint NOT NULL,
  attempt integer NOT NULL,
  machine_lost integer NOT NULL,
  status smallint NOT NULL,
  machine bigint NOT NULL,
  queued_us bigint NOT NULL,
  started_us bigint NOT NULL,
  ended_us bigint NOT NULL,
  since_us bigint NOT NULL,
  state bytea NOT NULL,
  PRIMARY KEY (run, index)
) WITH (fillfactor = 60);
COMMENT ON TABLE steps IS
  'Steps that ever moved, as they are; of the others, those that need no other are queued. status is the field number of potok.journal.v1.StepState, '
  'which state holds whole; since_us is when it came into it. Projected.';
CREATE INDEX steps_revision ON steps (run, revision);
COMMENT ON INDEX steps_revision IS
  'What changed since a revision. Costs the projector heap-only updates, and saves each watcher '
  'the reading of a whole run.';

CREATE TABLE attempts (
  run bigint NOT NULL,
  index integer NOT NULL,
  attempt integer NOT NULL,
  machine bigint NOT NULL,
  started_us bigint NOT NULL,
  ended_us bigint NOT NULL,
  cause text NOT NULL,
  code integer NOT NULL,
  PRIMARY KEY (run, index, attempt)
);
COMMENT ON TABLE attempts IS
  'Attempts that have ended and were not the last of their step, and why: explains why it ran again. Projected.';
