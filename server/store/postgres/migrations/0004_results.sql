CREATE TABLE results (
  fingerprint bytea PRIMARY KEY,
  kin bigint NOT NULL,
  run bigint NOT NULL,
  index integer NOT NULL,
  offered_us bigint NOT NULL
);
COMMENT ON TABLE results IS
  'Completed steps whose outputs equal steps take, by what determines them (docs/decisions/0032-fingerprint.md); of two the later. '
  'Projected; a row goes when the bytes of its outputs do.';
CREATE INDEX results_kin ON results (kin, offered_us);
COMMENT ON INDEX results_kin IS 'Tries at the same thing, for explanations: the nearest earlier one.';
CREATE INDEX results_run ON results (run);
COMMENT ON INDEX results_run IS 'All of one run: who takes one of its results takes many.';
ALTER TABLE steps ADD COLUMN lack smallint NOT NULL DEFAULT 0;
COMMENT ON COLUMN steps.lack IS 'Why a result was not taken: a potok.journal.v1.ResultLack.';
