-- Most batches are short-lived and on the way of every turn, where compressing costs more than writing.
ALTER TABLE journal ALTER COLUMN batch SET STORAGE EXTERNAL;
-- The default, pglz, takes a second for a pipeline of 100,000 steps. A PostgreSQL that was built without lz4 keeps it.
DO $$ BEGIN
  ALTER TABLE specs ALTER COLUMN spec SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN NULL;
END $$;
COMMENT ON TABLE steps IS
  'Steps that ever moved, as they are; of the others, those that need no other are queued. status is the field number of '
  'potok.journal.v1.StepState, which state holds whole; since_us is when it came into it. Projected.';
COMMENT ON TABLE attempts IS
  'Attempts that have ended and were not the last of their step, and why: explains why it ran again. Projected.';
