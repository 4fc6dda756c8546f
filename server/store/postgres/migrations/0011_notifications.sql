CREATE TABLE ended_runs (
  run bigint PRIMARY KEY,
  revision bigint NOT NULL
);
COMMENT ON TABLE ended_runs IS
  'Runs that have ended and of which nobody has been told yet, and the revision in which each ended. A trigger of runs '
  'writes it in the transaction that shows the end; who makes notifications of a run removes it.';

CREATE FUNCTION note_ended_run() RETURNS trigger LANGUAGE plpgsql AS '
BEGIN
  INSERT INTO ended_runs (run, revision) VALUES (NEW.id, NEW.revision) ON CONFLICT (run) DO NOTHING;
  RETURN NULL;
END';
CREATE TRIGGER runs_ended_at_once AFTER INSERT ON runs
  FOR EACH ROW WHEN (NEW.ended_us <> 0) EXECUTE FUNCTION note_ended_run();
CREATE TRIGGER runs_ended AFTER UPDATE ON runs
  FOR EACH ROW WHEN (OLD.ended_us = 0 AND NEW.ended_us <> 0) EXECUTE FUNCTION note_ended_run();

CREATE TABLE notification_receivers (
  kind smallint NOT NULL,
  address bytea NOT NULL,
  since bigint NOT NULL,
  PRIMARY KEY (kind, address)
);
COMMENT ON TABLE notification_receivers IS
  'Whom the server tells of every run, as its flags say (kind: ReceiverKind), and the last revision of the journal of which '
  'each is not told, because it was not given yet.';

CREATE TABLE notifications (
  id text COLLATE "C" PRIMARY KEY,
  run bigint NOT NULL,
  kind smallint NOT NULL,
  address bytea NOT NULL,
  body bytea NOT NULL,
  state smallint NOT NULL,
  tries integer NOT NULL,
  last_error bytea NOT NULL,
  created_us bigint NOT NULL,
  next_us bigint NOT NULL,
  finished_us bigint NOT NULL
);
COMMENT ON TABLE notifications IS
  'That a run has ended, for one receiver each: what it is told, and whether it has been (state: DeliveryState, 1 waits). '
  'Times are Unix microseconds, 0: none. Those that are finished go after 7 days.';
CREATE INDEX notifications_run ON notifications (run);
CREATE INDEX notifications_waiting ON notifications (next_us) WHERE state = 1;
CREATE INDEX notifications_finished ON notifications (finished_us) WHERE state <> 1;
