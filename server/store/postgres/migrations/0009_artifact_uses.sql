CREATE TABLE artifact_uses (
  sha256 bytea NOT NULL,
  size_bytes bigint NOT NULL,
  run bigint NOT NULL,
  index integer NOT NULL,
  role smallint NOT NULL,
  port text NOT NULL
);
COMMENT ON TABLE artifact_uses IS
  'Which steps made (role 1) or took (2) an artifact, or ran its code (3). Of runs that have ended, and '
  'written when somebody asks for the lineage of something: runs pay nothing for it.';
CREATE INDEX artifact_uses_sha256 ON artifact_uses (sha256, run DESC, index);

ALTER TABLE runs ADD COLUMN has_uses boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN runs.has_uses IS 'Its artifacts are in artifact_uses.';
CREATE INDEX runs_without_uses ON runs (id) WHERE NOT has_uses;
