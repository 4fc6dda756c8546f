CREATE TABLE teams (
  name bytea PRIMARY KEY,
  revision bigint NOT NULL,
  team bytea NOT NULL
);
COMMENT ON TABLE teams IS
  'Teams as they were last changed: team is a potok.journal.v1.TeamChanged. Those that were removed have no row. Projected.';

CREATE TABLE team_uses (
  team bytea NOT NULL,
  user_name bytea NOT NULL,
  revision bigint NOT NULL,
  used bytea NOT NULL,
  PRIMARY KEY (team, user_name)
) WITH (fillfactor = 50);
COMMENT ON TABLE team_uses IS
  'What teams with a half-life and their users held on average up to when one of them last began or ended to hold something: '
  'used is the last potok.journal.v1.TeamUsed of the user. Of the team as a whole the one of the highest revision counts. Projected.';
