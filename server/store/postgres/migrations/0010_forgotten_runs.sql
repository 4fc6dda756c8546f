CREATE TABLE forgotten_runs (
  run bigint PRIMARY KEY,
  at_us bigint NOT NULL
);
COMMENT ON TABLE forgotten_runs IS
  'Ended runs whose outputs and logs are no longer kept, and since when (Unix microseconds): what they alone named is removed '
  'from the store. Written by the collection of garbage, before it removes anything.';
