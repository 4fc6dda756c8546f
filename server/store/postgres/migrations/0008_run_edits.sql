CREATE TABLE run_edits (
  run bigint PRIMARY KEY,
  archived boolean NOT NULL,
  added bytea NOT NULL
);
COMMENT ON TABLE run_edits IS
  'How users have described runs since they were submitted: added is a potok.journal.v1.RunAdded that '
  'stands for that of the run. Written beside the journal; runs.experiment and run_terms follow it.';
CREATE INDEX run_edits_archived ON run_edits (run) WHERE archived;
-- The terms of runs that were there before are written again (run_terms.h): there are more kinds.
COMMENT ON TABLE run_terms IS
  'What runs are found by besides their columns: kind is submitter or text (with an empty key) or tag. A '
  'table of its own, because it is written once, when a run is added, and when one is edited. Projected.';
