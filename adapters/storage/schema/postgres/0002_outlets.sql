-- Many processes on one store: who posts the pieces of a conversation, and which lane has waited longest.

-- The pieces of one place are posted by one worker at a time, who holds the outlet under epoch until the clock passes
-- lease.
CREATE TABLE outlet (
    place    bytea PRIMARY KEY,
    platform text NOT NULL,
    epoch    bigint NOT NULL,
    worker   text,
    lease    bigint NOT NULL
);
CREATE INDEX outlet_worker ON outlet (worker) WHERE worker IS NOT NULL;
CREATE INDEX outbox_place ON outbox (place, seq) WHERE status IN ('pending', 'sending');

-- since is the event with which the lane began to wait: who has waited longest is served first.
ALTER TABLE lane ADD COLUMN since bigint NOT NULL DEFAULT 0;
UPDATE lane SET since = coalesce(
    (SELECT min(seq) FROM inbox WHERE inbox.session = lane.session AND status = 'queued'), 0
);
DROP INDEX lane_waiting;
CREATE INDEX lane_waiting ON lane (since, session) WHERE pending > 0;
