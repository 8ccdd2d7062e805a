-- Many processes on one store: who posts the pieces of a conversation, and which lane has waited longest.

-- The pieces of one place are posted by one worker at a time, who holds the outlet under epoch until the clock passes
-- lease. On a store that one desk holds alone nobody claims any.
CREATE TABLE outlet (
    place    BLOB PRIMARY KEY,
    platform TEXT NOT NULL,
    epoch    INTEGER NOT NULL,
    worker   TEXT,
    lease    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX outlet_worker ON outlet (worker) WHERE worker IS NOT NULL;
CREATE INDEX outbox_place ON outbox (place, seq) WHERE status IN ('pending', 'sending');

-- since is the event with which the lane began to wait: who has waited longest is served first.
ALTER TABLE lane ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
UPDATE lane SET since = coalesce((SELECT min(seq) FROM inbox WHERE session = lane.session AND status = 'queued'), 0);
DROP INDEX lane_waiting;
CREATE INDEX lane_waiting ON lane (since, session) WHERE pending > 0;

DROP TRIGGER inbox_queue;
CREATE TRIGGER inbox_queue AFTER INSERT ON inbox BEGIN
    INSERT INTO lane (session, pending, since) VALUES (NEW.session, 1, NEW.seq)
    ON CONFLICT (session) DO UPDATE SET
        since = CASE pending WHEN 0 THEN excluded.since ELSE since END, pending = pending + 1;
END;
DROP TRIGGER inbox_move;
CREATE TRIGGER inbox_move AFTER UPDATE OF session ON inbox WHEN NEW.session <> OLD.session AND NEW.status = 'queued' BEGIN
    UPDATE lane SET pending = pending - 1 WHERE session = OLD.session;
    INSERT INTO lane (session, pending, since) VALUES (NEW.session, 1, NEW.seq)
    ON CONFLICT (session) DO UPDATE SET
        since = CASE pending WHEN 0 THEN excluded.since ELSE since END, pending = pending + 1;
END;
