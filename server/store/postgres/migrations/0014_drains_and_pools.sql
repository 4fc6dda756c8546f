ALTER TABLE steps ADD COLUMN displaced integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN steps.displaced IS
  'How often the step was queued again because its machine was to be emptied.';

CREATE TABLE pools (
  name bytea PRIMARY KEY,
  revision bigint NOT NULL,
  pool bytea NOT NULL
);
COMMENT ON TABLE pools IS
  'Registered pools: each a potok.journal.v1.Batch of one PoolChanged. Projected.';
