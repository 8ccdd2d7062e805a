-- The desk's tables. Blobs named body, before, after or sent hold sealed content; others are keyed hashes, for look-up.
-- Times are microseconds since 1970 UTC. Row ids are made by the desk before sealing, because the seal binds them.

-- The one clock of leases: the machine that holds the database, whoever asks. It stands still within one statement.
CREATE VIEW clock AS SELECT CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER) AS now;

CREATE TABLE counter (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Refusals: a commit inserts here when a condition it stands on no longer holds; the constraint's name says which.
CREATE TABLE refusal (
    fenced   INTEGER CONSTRAINT fenced CHECK (fenced IS NULL),
    changed  INTEGER CONSTRAINT changed CHECK (changed IS NULL),
    stopped  INTEGER CONSTRAINT stopped CHECK (stopped IS NULL)
) STRICT;

CREATE TABLE customer (
    id        TEXT PRIMARY KEY,
    workspace TEXT NOT NULL,
    version   INTEGER NOT NULL DEFAULT 1,
    at        INTEGER NOT NULL,
    body      BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE identity (
    key      BLOB PRIMARY KEY,
    customer TEXT NOT NULL REFERENCES customer (id) ON DELETE CASCADE,
    at       INTEGER NOT NULL,
    body     BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX identity_customer ON identity (customer);

CREATE TABLE session (
    id          BLOB PRIMARY KEY,
    workspace   TEXT NOT NULL,
    owner       TEXT NOT NULL,
    strategy    TEXT NOT NULL,
    branch      BLOB NOT NULL,
    version     INTEGER NOT NULL DEFAULT 1,
    revision    INTEGER NOT NULL DEFAULT 0,
    answered_by TEXT NOT NULL DEFAULT 'bot',
    muted       INTEGER NOT NULL DEFAULT 0,
    started     INTEGER NOT NULL,
    spoken      INTEGER NOT NULL,
    body        BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_owner ON session (owner);

CREATE TABLE place (
    key     BLOB PRIMARY KEY,
    session BLOB NOT NULL REFERENCES session (id),
    owner   TEXT NOT NULL,
    at      INTEGER NOT NULL,
    body    BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE turn (
    id      TEXT PRIMARY KEY,
    session BLOB NOT NULL REFERENCES session (id),
    parent  TEXT,
    depth   INTEGER NOT NULL,
    status  TEXT NOT NULL,
    speaker TEXT NOT NULL,
    agent   TEXT NOT NULL,
    event   TEXT,
    edited  INTEGER NOT NULL DEFAULT 0,
    at      INTEGER NOT NULL,
    body    BLOB NOT NULL
) STRICT, WITHOUT ROWID;
-- Both carry what else their questions ask for, so that a long history is not read row by row.
CREATE INDEX turn_session ON turn (session, id, depth);
-- Nobody asks for what was spoken in a standalone session, whose speakers are all different and each its own page.
CREATE INDEX turn_speaker ON turn (speaker, id, session) WHERE speaker NOT GLOB 'session/*';

CREATE TABLE item (
    turn TEXT NOT NULL REFERENCES turn (id) ON DELETE CASCADE,
    seq  INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (turn, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE branch (
    session BLOB NOT NULL REFERENCES session (id),
    name    BLOB NOT NULL,
    head    TEXT,
    forked  TEXT,
    at      INTEGER NOT NULL,
    body    BLOB NOT NULL,
    PRIMARY KEY (session, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE head_move (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT,
    session   BLOB NOT NULL,
    branch    BLOB NOT NULL,
    from_turn TEXT,
    to_turn   TEXT,
    kind      TEXT NOT NULL,
    actor     TEXT NOT NULL,
    at        INTEGER NOT NULL,
    -- A head that moved on a branch that is gone would lose its turn: such a commit is refused.
    FOREIGN KEY (session, branch) REFERENCES branch (session, name) ON DELETE CASCADE
) STRICT;
CREATE INDEX head_move_branch ON head_move (session, branch, seq);

CREATE TABLE summary (
    turn  TEXT PRIMARY KEY REFERENCES turn (id) ON DELETE CASCADE,
    owner TEXT NOT NULL,
    at    INTEGER NOT NULL,
    body  BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE feedback (
    turn    TEXT NOT NULL REFERENCES turn (id) ON DELETE CASCADE,
    speaker TEXT NOT NULL,
    value   TEXT NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (turn, speaker)
) STRICT, WITHOUT ROWID;

-- Which turn a platform's message belongs to: part is 'question' or 'answer'. A question is known before its turn is.
CREATE TABLE message (
    key     BLOB PRIMARY KEY,
    session BLOB NOT NULL,
    turn    TEXT,
    part    TEXT NOT NULL,
    owner   TEXT NOT NULL,
    at      INTEGER NOT NULL,
    body    BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX message_turn ON message (turn);
CREATE INDEX message_session ON message (session);

CREATE TABLE ticket (
    id        TEXT PRIMARY KEY,
    workspace TEXT NOT NULL,
    number    INTEGER NOT NULL,
    customer  TEXT NOT NULL,
    session   BLOB NOT NULL,
    turn      TEXT,
    status    TEXT NOT NULL,
    priority  TEXT NOT NULL,
    version   INTEGER NOT NULL DEFAULT 1,
    at        INTEGER NOT NULL,
    changed   INTEGER NOT NULL,
    body      BLOB NOT NULL,
    UNIQUE (workspace, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX ticket_customer ON ticket (customer, status);

-- The ticket's timeline. turn is the turn that made the change, cause is 'turn', 'undo', 'redo' or 'staff'.
CREATE TABLE ticket_change (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    id      TEXT NOT NULL UNIQUE,
    ticket  TEXT NOT NULL REFERENCES ticket (id) ON DELETE CASCADE,
    turn    TEXT,
    version INTEGER NOT NULL,
    field   TEXT NOT NULL,
    cause   TEXT NOT NULL,
    actor   TEXT NOT NULL,
    at      INTEGER NOT NULL,
    before  BLOB,
    after   BLOB
) STRICT;
CREATE INDEX ticket_change_ticket ON ticket_change (ticket, seq);
CREATE INDEX ticket_change_turn ON ticket_change (turn);

CREATE TABLE usage (
    id               TEXT PRIMARY KEY,
    customer         TEXT NOT NULL,
    session          BLOB NOT NULL,
    turn             TEXT,
    branch           BLOB,
    purpose          TEXT NOT NULL,
    model            TEXT NOT NULL,
    requests         INTEGER NOT NULL,
    input_tokens     INTEGER NOT NULL,
    cached_tokens    INTEGER NOT NULL,
    output_tokens    INTEGER NOT NULL,
    reasoning_tokens INTEGER NOT NULL,
    cost_nano        INTEGER,
    estimated        INTEGER NOT NULL DEFAULT 0,
    at               INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_customer ON usage (customer, at);
CREATE INDEX usage_session ON usage (session, turn);

-- Events, in the order they were accepted. status is 'queued', 'done' or 'parked'; a finished event keeps its key only.
CREATE TABLE inbox (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    id       TEXT NOT NULL UNIQUE,
    key      BLOB NOT NULL UNIQUE,
    session  BLOB NOT NULL,
    customer TEXT NOT NULL,
    kind     TEXT NOT NULL,
    status   TEXT NOT NULL DEFAULT 'queued',
    attempts INTEGER NOT NULL DEFAULT 0,
    stopped  INTEGER NOT NULL DEFAULT 0,
    at       INTEGER NOT NULL,
    body     BLOB NOT NULL
) STRICT;
CREATE INDEX inbox_queued ON inbox (session, seq) WHERE status = 'queued';
CREATE INDEX inbox_message ON inbox (session, seq) WHERE kind = 'message';
CREATE INDEX inbox_parked ON inbox (session, seq) WHERE status = 'parked';

-- One lane per session: pending counts its queued events; worker holds it under epoch until the clock passes lease.
CREATE TABLE lane (
    session BLOB PRIMARY KEY,
    pending INTEGER NOT NULL DEFAULT 0,
    epoch   INTEGER NOT NULL DEFAULT 0,
    worker  TEXT,
    lease   INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX lane_waiting ON lane (session) WHERE pending > 0;
CREATE INDEX lane_worker ON lane (worker) WHERE worker IS NOT NULL;

CREATE TRIGGER inbox_queue AFTER INSERT ON inbox BEGIN
    INSERT INTO lane (session, pending) VALUES (NEW.session, 1)
    ON CONFLICT (session) DO UPDATE SET pending = pending + 1;
END;
CREATE TRIGGER inbox_finish AFTER UPDATE OF status ON inbox WHEN OLD.status = 'queued' AND NEW.status <> 'queued' BEGIN
    UPDATE lane SET pending = pending - 1 WHERE session = NEW.session;
END;

-- A claim is an attempt of the event that runs first.
CREATE TRIGGER lane_claim AFTER UPDATE OF epoch ON lane WHEN NEW.worker IS NOT NULL BEGIN
    UPDATE inbox SET attempts = attempts + 1
    WHERE seq = (SELECT min(seq) FROM inbox WHERE session = NEW.session AND status = 'queued');
END;

-- status is 'pending', 'sending', 'sent', 'unknown' or 'failed'. place orders the pieces of one conversation.
CREATE TABLE outbox (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    key      TEXT NOT NULL UNIQUE,
    platform TEXT NOT NULL,
    place    BLOB NOT NULL,
    session  BLOB NOT NULL,
    turn     TEXT,
    owner    TEXT NOT NULL,
    kind     TEXT NOT NULL,
    status   TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    at       INTEGER NOT NULL,
    body     BLOB NOT NULL,
    sent     BLOB
) STRICT;
CREATE INDEX outbox_open ON outbox (platform, seq) WHERE status IN ('pending', 'sending');
CREATE INDEX outbox_unknown ON outbox (seq) WHERE status = 'unknown';
CREATE INDEX outbox_turn ON outbox (turn);
CREATE INDEX outbox_session ON outbox (session);

CREATE TABLE audit (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    id      TEXT NOT NULL UNIQUE,
    actor   TEXT NOT NULL,
    action  TEXT NOT NULL,
    subject TEXT NOT NULL,
    owner   TEXT NOT NULL,
    at      INTEGER NOT NULL,
    body    BLOB NOT NULL
) STRICT;
