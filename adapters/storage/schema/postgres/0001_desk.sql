-- The desk's tables. Blobs named body, before, after or sent hold sealed content; others are keyed hashes, for look-up.
-- Times are microseconds since 1970 UTC. Row ids are made by the desk before sealing, because the seal binds them.

-- The one clock of leases: the machine that holds the database, whoever asks. Not the transaction's time: a commit may
-- have waited for the locks of another one.
CREATE VIEW clock AS SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint) AS now;

CREATE TABLE counter (
    name  text COLLATE "C" PRIMARY KEY,
    value bigint NOT NULL
);

-- Refusals: a commit inserts here when a condition it stands on no longer holds; the constraint's name says which.
CREATE TABLE refusal (
    fenced   bigint CONSTRAINT fenced CHECK (fenced IS NULL),
    changed  bigint CONSTRAINT changed CHECK (changed IS NULL),
    stopped  bigint CONSTRAINT stopped CHECK (stopped IS NULL),
    moved    bigint CONSTRAINT moved CHECK (moved IS NULL)
);

CREATE TABLE customer (
    id        text COLLATE "C" PRIMARY KEY,
    workspace text COLLATE "C" NOT NULL,
    version   bigint NOT NULL DEFAULT 1,
    at        bigint NOT NULL,
    body      bytea NOT NULL
) WITH (fillfactor = 70);

CREATE TABLE identity (
    key      bytea PRIMARY KEY,
    customer text COLLATE "C" NOT NULL REFERENCES customer (id) ON DELETE CASCADE,
    at       bigint NOT NULL,
    body     bytea NOT NULL
);
CREATE INDEX identity_customer ON identity (customer);

CREATE TABLE session (
    id          bytea PRIMARY KEY,
    workspace   text COLLATE "C" NOT NULL,
    owner       text COLLATE "C" NOT NULL,
    strategy    text COLLATE "C" NOT NULL,
    branch      bytea NOT NULL,
    version     bigint NOT NULL DEFAULT 1,
    revision    bigint NOT NULL DEFAULT 0,
    answered_by text COLLATE "C" NOT NULL DEFAULT 'bot',
    muted       bigint NOT NULL DEFAULT 0,
    started     bigint NOT NULL,
    spoken      bigint NOT NULL,
    body        bytea NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX session_owner ON session (owner);

CREATE TABLE place (
    key     bytea PRIMARY KEY,
    session bytea NOT NULL REFERENCES session (id),
    owner   text COLLATE "C" NOT NULL,
    at      bigint NOT NULL,
    body    bytea NOT NULL
);

CREATE TABLE turn (
    id      text COLLATE "C" PRIMARY KEY,
    session bytea NOT NULL REFERENCES session (id),
    parent  text COLLATE "C",
    depth   bigint NOT NULL,
    status  text COLLATE "C" NOT NULL,
    speaker text COLLATE "C" NOT NULL,
    agent   text COLLATE "C" NOT NULL,
    event   text COLLATE "C",
    edited  bigint NOT NULL DEFAULT 0,
    at      bigint NOT NULL,
    body    bytea NOT NULL
);
-- Both carry what else their questions ask for, so that a long history is not read row by row.
CREATE INDEX turn_session ON turn (session, id, depth);
-- Nobody asks for what was spoken in a standalone session, whose speakers are all different and each its own page.
CREATE INDEX turn_speaker ON turn (speaker, id, session) WHERE speaker NOT LIKE 'session/%';

CREATE TABLE item (
    turn text COLLATE "C" NOT NULL REFERENCES turn (id) ON DELETE CASCADE,
    seq  bigint NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (turn, seq)
);

-- What is sealed cannot be made smaller.
ALTER TABLE item ALTER body SET STORAGE EXTERNAL;

CREATE TABLE branch (
    session bytea NOT NULL REFERENCES session (id),
    name    bytea NOT NULL,
    head    text COLLATE "C",
    forked  text COLLATE "C",
    at      bigint NOT NULL,
    body    bytea NOT NULL,
    PRIMARY KEY (session, name)
) WITH (fillfactor = 70);

CREATE TABLE head_move (
    seq       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session   bytea NOT NULL,
    branch    bytea NOT NULL,
    from_turn text COLLATE "C",
    to_turn   text COLLATE "C",
    kind      text COLLATE "C" NOT NULL,
    actor     text COLLATE "C" NOT NULL,
    at        bigint NOT NULL,
    -- A head that moved on a branch that is gone would lose its turn: such a commit is refused.
    FOREIGN KEY (session, branch) REFERENCES branch (session, name) ON DELETE CASCADE
);
CREATE INDEX head_move_branch ON head_move (session, branch, seq);

CREATE TABLE summary (
    turn  text COLLATE "C" PRIMARY KEY REFERENCES turn (id) ON DELETE CASCADE,
    owner text COLLATE "C" NOT NULL,
    at    bigint NOT NULL,
    body  bytea NOT NULL
);

CREATE TABLE feedback (
    turn    text COLLATE "C" NOT NULL REFERENCES turn (id) ON DELETE CASCADE,
    speaker text COLLATE "C" NOT NULL,
    value   text COLLATE "C" NOT NULL,
    at      bigint NOT NULL,
    PRIMARY KEY (turn, speaker)
);

-- Which turn a platform's message belongs to: part is 'question' or 'answer'. A question is known before its turn is.
CREATE TABLE message (
    key     bytea PRIMARY KEY,
    session bytea NOT NULL,
    turn    text COLLATE "C",
    part    text COLLATE "C" NOT NULL,
    owner   text COLLATE "C" NOT NULL,
    at      bigint NOT NULL,
    body    bytea NOT NULL
);
CREATE INDEX message_turn ON message (turn);
CREATE INDEX message_session ON message (session);

CREATE TABLE ticket (
    id        text COLLATE "C" PRIMARY KEY,
    workspace text COLLATE "C" NOT NULL,
    number    bigint NOT NULL,
    customer  text COLLATE "C" NOT NULL,
    session   bytea NOT NULL,
    turn      text COLLATE "C",
    status    text COLLATE "C" NOT NULL,
    priority  text COLLATE "C" NOT NULL,
    version   bigint NOT NULL DEFAULT 1,
    at        bigint NOT NULL,
    changed   bigint NOT NULL,
    body      bytea NOT NULL,
    UNIQUE (workspace, number)
);
CREATE INDEX ticket_customer ON ticket (customer, status);

-- The ticket's timeline. turn is the turn that made the change, cause is 'turn', 'undo', 'redo' or 'staff'.
CREATE TABLE ticket_change (
    seq     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id      text COLLATE "C" NOT NULL UNIQUE,
    ticket  text COLLATE "C" NOT NULL REFERENCES ticket (id) ON DELETE CASCADE,
    turn    text COLLATE "C",
    version bigint NOT NULL,
    field   text COLLATE "C" NOT NULL,
    cause   text COLLATE "C" NOT NULL,
    actor   text COLLATE "C" NOT NULL,
    at      bigint NOT NULL,
    before  bytea,
    after   bytea
);
CREATE INDEX ticket_change_ticket ON ticket_change (ticket, seq);
CREATE INDEX ticket_change_turn ON ticket_change (turn);

CREATE TABLE usage (
    id               text COLLATE "C" PRIMARY KEY,
    customer         text COLLATE "C" NOT NULL,
    session          bytea NOT NULL,
    turn             text COLLATE "C",
    branch           bytea,
    purpose          text COLLATE "C" NOT NULL,
    model            text COLLATE "C" NOT NULL,
    requests         bigint NOT NULL,
    input_tokens     bigint NOT NULL,
    cached_tokens    bigint NOT NULL,
    output_tokens    bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    cost_nano        bigint,
    estimated        bigint NOT NULL DEFAULT 0,
    at               bigint NOT NULL
);
CREATE INDEX usage_customer ON usage (customer, at);
CREATE INDEX usage_session ON usage (session, turn);

-- Events, in the order they were accepted. status is 'queued', 'done' or 'parked'; a finished event keeps its key only.
CREATE TABLE inbox (
    seq      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id       text COLLATE "C" NOT NULL UNIQUE,
    key      bytea NOT NULL UNIQUE,
    session  bytea NOT NULL,
    customer text COLLATE "C" NOT NULL,
    kind     text COLLATE "C" NOT NULL,
    status   text COLLATE "C" NOT NULL DEFAULT 'queued',
    attempts bigint NOT NULL DEFAULT 0,
    stopped  bigint NOT NULL DEFAULT 0,
    at       bigint NOT NULL,
    body     bytea NOT NULL
);
CREATE INDEX inbox_queued ON inbox (session, seq) WHERE status = 'queued';
CREATE INDEX inbox_message ON inbox (session, seq) WHERE kind = 'message';
CREATE INDEX inbox_parked ON inbox (session, seq) WHERE status = 'parked';

-- One lane per session: pending counts its queued events; worker holds it under epoch until the clock passes lease.
CREATE TABLE lane (
    session bytea PRIMARY KEY,
    pending bigint NOT NULL DEFAULT 0,
    epoch   bigint NOT NULL DEFAULT 0,
    worker  text COLLATE "C",
    lease   bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 70);
CREATE INDEX lane_waiting ON lane (session) WHERE pending > 0;
CREATE INDEX lane_worker ON lane (worker) WHERE worker IS NOT NULL;

-- status is 'pending', 'sending', 'sent', 'unknown' or 'failed'. place orders the pieces of one conversation.
CREATE TABLE outbox (
    seq      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key      text COLLATE "C" NOT NULL UNIQUE,
    platform text COLLATE "C" NOT NULL,
    place    bytea NOT NULL,
    session  bytea NOT NULL,
    turn     text COLLATE "C",
    owner    text COLLATE "C" NOT NULL,
    kind     text COLLATE "C" NOT NULL,
    status   text COLLATE "C" NOT NULL,
    attempts bigint NOT NULL DEFAULT 0,
    at       bigint NOT NULL,
    body     bytea NOT NULL,
    sent     bytea
);
CREATE INDEX outbox_open ON outbox (platform, seq) WHERE status IN ('pending', 'sending');
CREATE INDEX outbox_unknown ON outbox (seq) WHERE status = 'unknown';
CREATE INDEX outbox_turn ON outbox (turn);
CREATE INDEX outbox_session ON outbox (session);

-- The audit log is a chain: each line names the one before it by a hash whose key is not in the database.
CREATE TABLE audit (
    seq     bigint PRIMARY KEY,
    id      text COLLATE "C" NOT NULL UNIQUE,
    actor   text COLLATE "C" NOT NULL,
    action  text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    owner   text COLLATE "C" NOT NULL,
    at      bigint NOT NULL,
    digest  bytea NOT NULL,
    link    bytea NOT NULL,
    body    bytea NOT NULL
);
CREATE TABLE audit_end (
    seq  bigint NOT NULL,
    link bytea NOT NULL
);
INSERT INTO audit_end (seq, link) VALUES (0, '');

-- What a platform's adapter has to remember over a restart: which stream it began, how far it read, who installed it.
CREATE TABLE note (
    platform text COLLATE "C" NOT NULL,
    kind     text COLLATE "C" NOT NULL,
    key      bytea NOT NULL,
    at       bigint NOT NULL,
    body     bytea NOT NULL,
    PRIMARY KEY (platform, kind, key)
);
