ALTER TABLE runs ADD COLUMN added_steps integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN runs.added_steps IS
  'Steps that control steps of the run made, beyond those that it was added with.';

CREATE TABLE run_growth (
  run bigint NOT NULL,
  revision bigint NOT NULL,
  position integer NOT NULL,
  first_step integer NOT NULL,
  change bytea NOT NULL,
  PRIMARY KEY (run, revision, position)
);
COMMENT ON TABLE run_growth IS
  'What made runs grow while they went on, and what their sweeps measured: each a potok.journal.v1.Batch '
  'of one StepsAdded (first_step is its first) or TrialMeasured (first_step is -1). position is its '
  'place in the batch of the revision. Projected.';
CREATE INDEX run_growth_steps ON run_growth (run, first_step) WHERE first_step >= 0;
