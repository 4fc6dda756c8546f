CREATE TABLE assets (
  id bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  kind smallint NOT NULL,
  name text COLLATE "C" NOT NULL,
  version text COLLATE "C" NOT NULL,
  number bigint,
  document text NOT NULL,
  artifacts text[] NOT NULL,
  description text NOT NULL,
  display_name text NOT NULL,
  tags jsonb NOT NULL,
  properties jsonb NOT NULL,
  created_us bigint NOT NULL,
  created_by text NOT NULL,
  modified_us bigint NOT NULL,
  archived boolean NOT NULL DEFAULT false,
  origin text COLLATE "C" NOT NULL UNIQUE,
  made_by text NOT NULL,
  PRIMARY KEY (kind, name, version)
);
COMMENT ON TABLE assets IS
  'What is registered: one row a version. kind is potok.v1.AssetKind; document and artifacts never '
  'change. Not projected: written by the registry itself.';
COMMENT ON COLUMN assets.number IS 'The version, if it is a whole number without leading zeros.';
COMMENT ON COLUMN assets.artifacts IS
  'What the document names of the store (potok-artifact:...): these bytes must stay.';
COMMENT ON COLUMN assets.origin IS 'Unique to one act of creation, so that it can be repeated.';
CREATE INDEX assets_newest ON assets (kind, name, id DESC);
CREATE INDEX assets_number ON assets (kind, name, number DESC) WHERE number IS NOT NULL;

CREATE TABLE asset_labels (
  kind smallint NOT NULL,
  name text COLLATE "C" NOT NULL,
  label text COLLATE "C" NOT NULL,
  version text COLLATE "C" NOT NULL,
  PRIMARY KEY (kind, name, label),
  FOREIGN KEY (kind, name, version) REFERENCES assets
);
COMMENT ON TABLE asset_labels IS 'Labels that point at versions; "latest" is computed.';
