ALTER TABLE steps ADD COLUMN facts bytea NOT NULL DEFAULT '';
COMMENT ON COLUMN steps.facts IS
  'What the latest attempt used, once it has ended, and what attempts ask for since one ran out of memory '
  '(potok.journal.v1.AttemptFacts). Projected.';
ALTER TABLE attempts ADD COLUMN facts bytea NOT NULL DEFAULT '';
COMMENT ON COLUMN attempts.facts IS 'What it used (potok.journal.v1.AttemptFacts). Projected.';
