CREATE TABLE run_terms (
  run bigint NOT NULL,
  kind text NOT NULL,
  key text COLLATE "C" NOT NULL,
  value text COLLATE "C" NOT NULL,
  PRIMARY KEY (run, kind, key)
);
COMMENT ON TABLE run_terms IS
  'What runs are found by besides their columns: kind is submitter (with an empty key) or tag. A table '
  'of its own, because it is written once, when a run is added. Projected.';
CREATE INDEX run_terms_value ON run_terms (kind, key, value, run);
