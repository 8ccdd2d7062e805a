-- What SQLite runs for each record of core.records and each question of core.queries, by the name of its class; the
-- parameters are the fields of that class. A record may be several statements; the last one gives back the rows.
-- The columns of a question's answer are the fields of its row class, in order.
-- To update or delete what is not there changes nothing and is no error.

-- === guards ==========================================================================================================

-- name: LaneIs
INSERT INTO refusal (fenced)
SELECT 1 FROM given WHERE NOT EXISTS (SELECT 1 FROM lane WHERE session = given.session AND epoch = given.epoch);

-- name: NotStopped
INSERT INTO refusal (stopped) SELECT 1 FROM inbox WHERE id = :event AND stopped;

-- name: SessionAt
INSERT INTO refusal (changed)
SELECT 1 FROM given WHERE NOT EXISTS (SELECT 1 FROM session WHERE id = given.session AND version = given.version);

-- name: TurnEnds
INSERT INTO refusal (changed)
SELECT 1 FROM given WHERE (SELECT coalesce(max(seq) + 1, 0) FROM item WHERE turn = given.turn) <> given.seq;

-- name: PlaceIs
INSERT INTO refusal (changed)
SELECT 1 FROM given WHERE (SELECT session FROM place WHERE key = given.key) IS NOT given.session;

-- name: QueueEnds
INSERT INTO refusal (changed)
SELECT 1 WHERE (SELECT max(seq) FROM inbox WHERE session = :session AND status = 'queued') IS NOT :seq;

-- name: OutletIs
INSERT INTO refusal (fenced)
SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM outlet WHERE place = :place AND epoch = :epoch);

-- name: CustomerAt
INSERT INTO refusal (changed)
SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM customer WHERE id = :customer AND version = :version);

-- name: TicketAt
INSERT INTO refusal (changed)
SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM ticket WHERE id = :ticket AND version = :version);

-- name: AuditEnds
INSERT INTO refusal (moved) SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM audit_end WHERE link = :link);

-- === numbers, people, sessions =======================================================================================

-- name: Reserve
INSERT INTO counter (name, value) VALUES (:name, :start)
ON CONFLICT (name) DO UPDATE SET value = value + 1
RETURNING value;

-- name: AddCustomer
INSERT INTO customer (id, workspace, at, body) VALUES (:id, :workspace, :at, :body);

-- name: AddIdentity
INSERT INTO identity (key, customer, at, body) VALUES (:key, :customer, :at, :body);

-- name: PutCustomer
UPDATE customer SET body = :body, version = version + 1 WHERE id = :id;

-- name: AddSession
INSERT INTO session (id, workspace, owner, strategy, branch, started, spoken, body)
VALUES (:id, :workspace, :owner, :strategy, :branch, :at, :at, :body)
ON CONFLICT (id) DO NOTHING;

-- name: BindPlace
INSERT INTO place (key, session, owner, at, body) VALUES (:key, :session, :owner, :at, :body)
ON CONFLICT (key) DO UPDATE
SET session = excluded.session, owner = excluded.owner, at = excluded.at, body = excluded.body;

-- name: HandOver
UPDATE session SET owner = :owner, body = :body, version = version + 1 WHERE id = :session;

-- name: PutSession
UPDATE session SET answered_by = :answered_by, muted = :muted, version = version + 1 WHERE id = :id;

-- === inbox and lanes =================================================================================================
-- Triggers of the inbox make its lanes and keep their pending; one of the lanes counts the attempt of a claim.

-- name: AddEvent
INSERT INTO inbox (id, key, session, customer, kind, at, body)
SELECT given.id, given.key, given.session, given.customer, given.kind, given.at, given.body FROM given WHERE true
ON CONFLICT (key) DO NOTHING
RETURNING id, seq;

-- name: ClaimLane
UPDATE lane SET
    worker = given.worker,
    epoch = epoch + 1,
    lease = (SELECT now FROM clock) + CAST(given.lease * 1000000 AS INTEGER)
FROM given
WHERE lane.session = given.session AND pending > 0
  AND (lane.worker IS NULL OR lane.lease <= (SELECT now FROM clock))
RETURNING session, epoch, pending;

-- name: RenewLanes
UPDATE lane SET lease = (SELECT now FROM clock) + CAST(:lease * 1000000 AS INTEGER) WHERE worker = :worker;

-- name: FreeLanes
UPDATE lane SET epoch = epoch + 1, worker = NULL, lease = 0 WHERE worker IS NOT NULL;

-- name: MarkStop
UPDATE inbox SET stopped = (SELECT seq FROM inbox WHERE id = :before)
WHERE seq = (SELECT min(seq) FROM inbox WHERE session = :session AND status = 'queued')
  AND stopped = 0 AND seq < (SELECT seq FROM inbox WHERE id = :before)
  AND (:customer IS NULL OR customer = :customer)
RETURNING id;

-- name: MoveEvent
UPDATE message SET session = :session
WHERE turn = :event AND part = 'question' AND EXISTS (SELECT 1 FROM inbox WHERE id = :event AND status = 'queued');
UPDATE inbox SET session = :session WHERE id = :event AND status = 'queued';

-- name: PutEvent
UPDATE inbox SET body = :body WHERE id = :id AND status = 'queued';

-- name: FinishEvent
UPDATE inbox SET status = given.status, body = CASE given.status WHEN 'parked' THEN body ELSE x'' END FROM given
WHERE inbox.id = given.id AND inbox.status = 'queued';

-- name: GiveBackAttempt
UPDATE inbox SET attempts = attempts - 1 WHERE id = :id AND attempts > 0;

-- name: GiveBackLanes
UPDATE inbox SET attempts = attempts - 1 WHERE attempts > 0 AND seq IN (
    SELECT (SELECT min(seq) FROM inbox AS i WHERE i.session = lane.session AND i.status = 'queued')
    FROM lane WHERE worker = :worker
);
UPDATE lane SET worker = NULL, lease = 0 WHERE worker = :worker;

-- name: CountAttempt
UPDATE inbox SET attempts = attempts + 1
WHERE seq IN (
    SELECT (SELECT min(seq) FROM inbox WHERE session = given.session AND status = 'queued') FROM given
    WHERE EXISTS (SELECT 1 FROM lane WHERE session = given.session AND worker = given.worker)
);

-- name: ReleaseLane
UPDATE lane SET
    worker = CASE WHEN pending = 0 OR given.always THEN NULL ELSE worker END,
    lease = CASE WHEN pending = 0 OR given.always THEN 0 ELSE lease END
FROM given
WHERE lane.session = given.session AND lane.epoch = given.epoch
RETURNING session, pending, worker;

-- === turns ===========================================================================================================

-- name: AddTurn
INSERT INTO turn (id, session, parent, depth, status, speaker, agent, event, at, body)
SELECT given.id, given.session, given.parent, given.depth, given.status, given.speaker, given.agent, given.event, given.at,
    given.body FROM given;

-- name: AddItem
INSERT INTO item (turn, seq, body) SELECT given.turn, given.seq, given.body FROM given;

-- name: DropItem
DELETE FROM item WHERE turn = :turn AND seq = :seq;

-- name: DropItems
DELETE FROM item WHERE turn = :turn;
DELETE FROM summary WHERE turn IN (
    SELECT deeper.id FROM turn AS dropped JOIN turn AS deeper ON deeper.session = dropped.session
    WHERE dropped.id = :turn AND deeper.depth >= dropped.depth
);

-- name: RewriteItem
UPDATE item SET body = :body WHERE turn = :turn AND seq = :seq;

-- name: RewriteTurn
UPDATE turn SET status = :status, edited = :edited, body = :body WHERE id = :id;

-- name: BumpRevision
UPDATE session SET revision = revision + 1, version = version + 1 WHERE id = :session;

-- name: AddBranch
INSERT INTO branch (session, name, head, forked, at, body) VALUES (:session, :name, :head, :forked, :at, :body);

-- name: EnsureMain
INSERT INTO branch (session, name, at, body) VALUES (:session, :name, :at, :body)
ON CONFLICT (session, name) DO NOTHING;

-- name: RewriteBranch
UPDATE branch SET body = :body WHERE session = :session AND name = :name;

-- name: DropBranch
-- Its head moves go with it, by reference.
DELETE FROM branch WHERE session = :session AND name = :name;

-- name: DropTurn
-- Items, summary and feedback go with it, by reference.
DELETE FROM message WHERE turn = :id;
DELETE FROM turn WHERE id = :id;

-- name: MoveHead
UPDATE branch SET head = :to_turn WHERE session = :session AND name = :branch;
INSERT INTO head_move (session, branch, from_turn, to_turn, kind, actor, at)
VALUES (:session, :branch, :from_turn, :to_turn, :kind, :actor, :at);
UPDATE session SET version = version + 1, spoken = :at WHERE id = :session;

-- name: GrowBranch
INSERT INTO refusal (changed)
SELECT 1 FROM given
WHERE NOT EXISTS (SELECT 1 FROM branch WHERE session = given.session AND name = given.branch);
UPDATE branch SET head = given.head FROM given WHERE branch.session = given.session AND branch.name = given.branch;
UPDATE session SET version = version + 1, spoken = given.at FROM given WHERE session.id = given.session;

-- name: SwitchBranch
INSERT INTO refusal (changed)
SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM branch WHERE session = :session AND name = :branch);
UPDATE session SET branch = :branch, version = version + 1 WHERE id = :session;

-- name: ClearSession
-- Messages that wait to be answered keep their names: their turns are still to come.
DELETE FROM message WHERE session = :session
  AND (turn IS NULL OR turn NOT IN (SELECT id FROM inbox WHERE session = :session AND status = 'queued'));
DELETE FROM turn WHERE session = :session;
DELETE FROM branch WHERE session = :session AND name <> :branch;
DELETE FROM head_move WHERE session = :session;
DELETE FROM outbox WHERE session = :session;
UPDATE branch SET head = NULL, forked = NULL WHERE session = :session;
UPDATE inbox SET body = x'' WHERE session = :session AND status = 'parked';
UPDATE session SET branch = :branch, revision = revision + 1, version = version + 1 WHERE id = :session;

-- name: PutSummary
INSERT INTO summary (turn, owner, at, body) VALUES (:turn, :owner, :at, :body)
ON CONFLICT (turn) DO UPDATE SET owner = excluded.owner, at = excluded.at, body = excluded.body;

-- name: PutFeedback
INSERT INTO feedback (turn, speaker, value, at) VALUES (:turn, :speaker, :value, :at)
ON CONFLICT (turn, speaker) DO UPDATE SET value = excluded.value, at = excluded.at;

-- name: AddMessage
INSERT INTO message (key, session, turn, part, owner, at, body)
SELECT given.key, given.session, given.turn, given.part, given.owner, given.at, given.body FROM given WHERE true
ON CONFLICT (key) DO NOTHING;

-- name: MoveMessage
UPDATE message SET turn = :turn WHERE key = :key;

-- === tickets, usage, outbox, audit ===================================================================================

-- name: AddTicket
INSERT INTO ticket (id, workspace, number, customer, session, turn, status, priority, at, changed, body)
VALUES (:id, :workspace, :number, :customer, :session, :turn, :status, :priority, :at, :at, :body);

-- name: PutTicket
UPDATE ticket SET status = :status, priority = :priority, version = :version, changed = :changed, body = :body
WHERE id = :id;

-- name: AddTicketChange
INSERT INTO ticket_change (id, ticket, turn, version, field, cause, actor, at, before, after)
VALUES (:id, :ticket, :turn, :version, :field, :cause, :actor, :at, :before, :after);

-- name: ReplaceUsage
DELETE FROM usage WHERE session = :session AND turn = :turn AND branch = :branch;

-- name: BookUsage
INSERT INTO usage (
    id, customer, session, turn, branch, purpose, model, requests,
    input_tokens, cached_tokens, output_tokens, reasoning_tokens, cost_nano, estimated, at, ticket, calls
) SELECT
    given.id, given.customer, given.session, given.turn, given.branch, given.purpose, given.model, given.requests,
    given.input_tokens, given.cached_tokens, given.output_tokens, given.reasoning_tokens, given.cost_nano,
    given.estimated, given.at, given.ticket, given.calls
FROM given;

-- name: ReserveBudget
INSERT INTO budget (counter, period, tokens, nano, crossings) VALUES (
    :counter, :period, :tokens, :nano, coalesce(:tokens >= :warn_tokens, 0) OR coalesce(:nano >= :warn_nano, 0)
)
ON CONFLICT (counter) DO UPDATE SET
    period = max(period, excluded.period),
    tokens = CASE WHEN excluded.period > period THEN 0 ELSE tokens END + excluded.tokens,
    nano = CASE WHEN excluded.period > period THEN 0 ELSE nano END + excluded.nano,
    crossings = CASE
        WHEN excluded.period > period THEN excluded.crossings
        ELSE crossings
            + (coalesce(tokens + excluded.tokens >= :warn_tokens, 0) OR coalesce(nano + excluded.nano >= :warn_nano, 0))
    END;
INSERT INTO refusal (spent)
SELECT 1 FROM budget WHERE counter = :counter AND (tokens > :most_tokens OR nano > :most_nano);
SELECT period, crossings FROM budget WHERE counter = :counter;

-- name: SettleBudget
UPDATE budget SET tokens = tokens + :tokens, nano = nano + :nano WHERE counter = :counter AND period = :period;

-- name: MarkDelivery
UPDATE outbox SET status = :status, attempts = attempts + (:status = 'sending'), sent = coalesce(:sent, sent)
WHERE key = :key;

-- name: BlankDeliveries
DELETE FROM outbox WHERE turn = :turn AND status <> 'sent';
UPDATE outbox SET body = x'' WHERE turn = :turn;

-- name: DropDelivery
DELETE FROM outbox WHERE key = :key;

-- name: ForgetCustomer
-- First what they said where others speak too, then the sessions that are theirs alone, children before parents.
UPDATE session SET revision = revision + 1, version = version + 1
WHERE id IN (SELECT session FROM turn WHERE speaker = :customer AND speaker NOT GLOB 'session/*');
DELETE FROM summary WHERE turn IN (
    SELECT id FROM turn WHERE session IN (SELECT session FROM turn WHERE speaker = :customer AND speaker NOT GLOB 'session/*')
);
DELETE FROM item WHERE turn IN (SELECT id FROM turn WHERE speaker = :customer AND speaker NOT GLOB 'session/*');
UPDATE turn SET status = 'erased', body = x'' WHERE speaker = :customer AND speaker NOT GLOB 'session/*';
DELETE FROM feedback WHERE speaker = :customer;
DELETE FROM message WHERE owner = :customer;
DELETE FROM outbox WHERE owner = :customer;
UPDATE inbox SET status = 'done', body = x'' WHERE customer = :customer;
DELETE FROM message WHERE session IN (
    SELECT id FROM session WHERE owner = :customer
        AND NOT EXISTS (SELECT 1 FROM turn WHERE turn.session = session.id AND speaker <> :customer)
);
DELETE FROM place WHERE session IN (
    SELECT id FROM session WHERE owner = :customer
        AND NOT EXISTS (SELECT 1 FROM turn WHERE turn.session = session.id AND speaker <> :customer)
);
DELETE FROM branch WHERE session IN (
    SELECT id FROM session WHERE owner = :customer
        AND NOT EXISTS (SELECT 1 FROM turn WHERE turn.session = session.id AND speaker <> :customer)
);
DELETE FROM turn WHERE session IN (
    SELECT id FROM session WHERE owner = :customer
        AND NOT EXISTS (SELECT 1 FROM turn WHERE turn.session = session.id AND speaker <> :customer)
);
DELETE FROM session WHERE id IN (
    SELECT id FROM session WHERE owner = :customer
        AND NOT EXISTS (SELECT 1 FROM turn WHERE turn.session = session.id AND speaker <> :customer)
);
DELETE FROM place WHERE owner = :customer;
UPDATE ticket_change SET before = NULL, after = NULL WHERE ticket IN (SELECT id FROM ticket WHERE customer = :customer);
UPDATE ticket SET body = x'' WHERE customer = :customer;
DELETE FROM identity WHERE customer = :customer;
UPDATE customer SET body = x'', version = version + 1 WHERE id = :customer;

-- name: BlankBodies
UPDATE inbox SET body = x'' WHERE customer = :owner AND status = 'parked' AND at < :inbox AND length(body) > 0;
UPDATE outbox SET body = x''
WHERE owner = :owner AND status IN ('sent', 'failed') AND at < :outbox AND length(body) > 0;

-- name: DropTicket
-- Its timeline goes with it, by reference.
DELETE FROM ticket WHERE id = :id;

-- name: FoldUsage
INSERT INTO usage (
    id, customer, session, purpose, model, requests,
    input_tokens, cached_tokens, output_tokens, reasoning_tokens, cost_nano, estimated, at, calls
)
SELECT
    'total/' || customer || '/' || model || '/' || month || '/' || (cost_nano IS NULL), customer, x'', 'total', model,
    sum(requests), sum(input_tokens), sum(cached_tokens), sum(output_tokens), sum(reasoning_tokens), sum(cost_nano),
    sum(estimated), month, sum(calls)
FROM (
    SELECT *, CAST(strftime('%s', at / 1000000, 'unixepoch', 'start of month') AS INTEGER) * 1000000 AS month
    FROM usage WHERE customer = :customer AND at < :before AND purpose <> 'total'
)
GROUP BY customer, model, month, cost_nano IS NULL
ON CONFLICT (id) DO UPDATE SET
    requests = requests + excluded.requests,
    input_tokens = input_tokens + excluded.input_tokens,
    cached_tokens = cached_tokens + excluded.cached_tokens,
    output_tokens = output_tokens + excluded.output_tokens,
    reasoning_tokens = reasoning_tokens + excluded.reasoning_tokens,
    cost_nano = cost_nano + excluded.cost_nano,
    estimated = estimated + excluded.estimated,
    calls = calls + excluded.calls;
DELETE FROM usage WHERE customer = :customer AND at < :before AND purpose <> 'total';

-- name: DropUsage
DELETE FROM usage WHERE customer = :customer AND at < :before;

-- name: ReleaseOutlet
UPDATE outlet SET worker = NULL, lease = 0 WHERE place = :place AND epoch = :epoch AND (
    :always OR NOT EXISTS (SELECT 1 FROM outbox WHERE place = :place AND status IN ('pending', 'sending'))
);

-- name: ClaimOutlet
INSERT INTO outlet (place, platform, epoch, worker, lease)
SELECT :place, :platform, 1, :worker, now + CAST(:lease * 1000000 AS INTEGER) FROM clock WHERE true
ON CONFLICT (place) DO UPDATE SET
    epoch = epoch + (worker IS NOT excluded.worker), worker = excluded.worker, lease = excluded.lease
WHERE worker IS NULL OR worker = excluded.worker OR lease <= (SELECT now FROM clock)
RETURNING epoch,
    (SELECT count(*) FROM outbox WHERE outbox.place = outlet.place AND status IN ('pending', 'sending'));

-- name: RenewOutlets
UPDATE outlet SET lease = (SELECT now FROM clock) + CAST(:lease * 1000000 AS INTEGER) WHERE worker = :worker;

-- name: GiveBackOutlets
UPDATE outlet SET worker = NULL, lease = 0 WHERE worker = :worker;

-- name: AddDelivery
INSERT INTO outbox (key, platform, place, session, turn, owner, kind, status, attempts, at, body)
SELECT given.key, given.platform, given.place, given.session, given.turn, given.owner, given.kind, given.status,
    given.status = 'sending', given.at, given.body FROM given;

-- name: AddAudit
INSERT INTO refusal (moved) SELECT 1 WHERE :link = x'';
INSERT INTO audit (seq, id, actor, action, subject, owner, at, digest, link, body)
VALUES (:seq, :id, :actor, :action, :subject, :owner, :at, :digest, :link, :body);
UPDATE audit_end SET seq = :seq, link = :link;

-- name: CutAudit
INSERT INTO refusal (changed) SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM audit WHERE seq = :seq AND link = :link);
DELETE FROM audit WHERE seq <= :seq;
UPDATE audit_start SET seq = :seq, link = :link;

-- name: PutNote
INSERT INTO note (platform, kind, key, at, body) VALUES (:platform, :kind, :key, :at, :body)
ON CONFLICT (platform, kind, key) DO UPDATE SET at = excluded.at, body = excluded.body;

-- name: DropNote
DELETE FROM note WHERE platform = :platform AND kind = :kind AND key = :key;

-- === questions: people and places ====================================================================================

-- name: CustomerOfIdentity
SELECT c.id, c.workspace, c.version, c.at, c.body FROM identity AS i JOIN customer AS c ON c.id = i.customer
WHERE i.key = :key;

-- name: CustomerById
SELECT id, workspace, version, at, body FROM customer WHERE id = :id;

-- name: Customers
SELECT id, workspace, version, at, body FROM customer ORDER BY at, id;

-- name: OtherWorkspace
SELECT workspace FROM customer WHERE workspace <> :workspace AND workspace NOT LIKE '@%' ORDER BY workspace LIMIT 1;

-- name: IdentitiesOf
SELECT key, customer, body FROM identity WHERE customer = :customer ORDER BY at, key;

-- name: SessionById
SELECT s.id, s.workspace, s.owner, s.strategy, s.branch, coalesce(b.body, x''), b.head, coalesce(t.depth, 0),
    coalesce(t.agent, ''), s.version, s.revision, s.answered_by, s.muted, s.started, s.spoken, s.body
FROM session AS s LEFT JOIN branch AS b ON b.session = s.id AND b.name = s.branch LEFT JOIN turn AS t ON t.id = b.head
WHERE s.id = :id;

-- name: StandOf
SELECT s.version, b.head, (SELECT coalesce(max(seq) + 1, 0) FROM item WHERE turn = b.head)
FROM session AS s LEFT JOIN branch AS b ON b.session = s.id AND b.name = s.branch
WHERE s.id = :session;

-- name: Sessions
SELECT s.id, s.workspace, s.owner, s.strategy, s.branch, coalesce(b.body, x''), b.head, coalesce(t.depth, 0),
    coalesce(t.agent, ''), s.version, s.revision, s.answered_by, s.muted, s.started, s.spoken, s.body
FROM session AS s LEFT JOIN branch AS b ON b.session = s.id AND b.name = s.branch LEFT JOIN turn AS t ON t.id = b.head
ORDER BY s.spoken DESC, s.id LIMIT :limit;

-- name: SilentSessions
SELECT s.id, s.workspace, s.owner, s.strategy, s.branch, coalesce(b.body, x''), b.head, coalesce(t.depth, 0),
    coalesce(t.agent, ''), s.version, s.revision, s.answered_by, s.muted, s.started, s.spoken, s.body
FROM session AS s LEFT JOIN branch AS b ON b.session = s.id AND b.name = s.branch LEFT JOIN turn AS t ON t.id = b.head
WHERE s.spoken < :before AND EXISTS (SELECT 1 FROM turn WHERE session = s.id)
    AND NOT EXISTS (SELECT 1 FROM lane WHERE session = s.id AND pending > 0)
ORDER BY s.spoken, s.id LIMIT :limit OFFSET :offset;

-- name: SessionsSpokenBy
SELECT s.id, s.workspace, s.owner, s.strategy, s.branch, coalesce(b.body, x''), b.head, coalesce(t.depth, 0),
    coalesce(t.agent, ''), s.version, s.revision, s.answered_by, s.muted, s.started, s.spoken, s.body
FROM session AS s LEFT JOIN branch AS b ON b.session = s.id AND b.name = s.branch LEFT JOIN turn AS t ON t.id = b.head
WHERE s.id IN (SELECT id FROM session WHERE owner = :customer UNION
    SELECT session FROM turn WHERE speaker = :customer AND speaker NOT GLOB 'session/*')
ORDER BY s.spoken DESC, s.id LIMIT :limit;

-- name: PlaceByKey
SELECT session, owner, body FROM place WHERE key = :key;

-- name: PlacesOf
SELECT key, session, body FROM place WHERE owner = :owner ORDER BY key;

-- === questions: lanes and events =====================================================================================

-- name: WaitingLanes
SELECT session, pending, epoch, worker, 0 FROM lane, clock WHERE pending > 0 AND (worker IS NULL OR lease <= now)
ORDER BY since, session LIMIT :limit;

-- name: LaneById
SELECT session, pending, epoch, worker, worker IS NOT NULL AND lease > now FROM lane, clock WHERE session = :session;

-- name: NextEvent
SELECT seq, id, session, customer, kind, status, attempts, stopped, at, body FROM inbox
WHERE session = :session AND status = 'queued' ORDER BY seq LIMIT 1;

-- name: QueuedAfter
SELECT seq, id, session, customer, kind, status, attempts, stopped, at, body FROM inbox
WHERE session = :session AND status = 'queued' AND seq > :seq ORDER BY seq;

-- name: MessageBefore
SELECT seq, id, session, customer, kind, status, attempts, stopped, at, body FROM inbox
WHERE session = :session AND kind = 'message' AND seq < :seq ORDER BY seq DESC LIMIT 1;

-- name: StoppedBy
SELECT seq, id, session, customer, kind, status, attempts, stopped, at, body FROM inbox
WHERE session = :session AND stopped = :seq LIMIT 1;

-- name: ParkedEvents
SELECT seq, id, session, customer, kind, status, attempts, stopped, at, body FROM inbox
WHERE status = 'parked' ORDER BY seq LIMIT :limit;

-- === questions: the tree =============================================================================================
-- A chain follows parents from the head down; `rest` counts the turns that may still come.

-- name: WindowOf
WITH RECURSIVE chain (id, parent, depth, speaker, rest) AS (
    SELECT id, parent, depth, speaker, :turns FROM turn WHERE id = :head AND :turns > 0
    UNION ALL
    SELECT t.id, t.parent, t.depth, t.speaker, rest - 1 FROM chain JOIN turn AS t ON t.id = chain.parent WHERE rest > 1
)
SELECT chain.id, chain.depth, chain.speaker, item.seq, item.body FROM chain JOIN item ON item.turn = chain.id
ORDER BY chain.depth, item.seq;

-- name: TurnById
SELECT id, session, parent, depth, status, speaker, agent, event, edited, at, body FROM turn WHERE id = :id;

-- name: TurnsUpTo
WITH RECURSIVE chain (id, parent, rest) AS (
    SELECT id, parent, :limit FROM turn WHERE id = :head AND :limit > 0
    UNION ALL
    SELECT t.id, t.parent, rest - 1 FROM chain JOIN turn AS t ON t.id = chain.parent WHERE rest > 1
)
SELECT t.id, t.session, t.parent, t.depth, t.status, t.speaker, t.agent, t.event, t.edited, t.at, t.body
FROM chain JOIN turn AS t ON t.id = chain.id ORDER BY t.depth;

-- name: TurnsAfter
WITH RECURSIVE chain (id, parent, depth) AS (
    SELECT id, parent, depth FROM turn WHERE id = :head AND depth > :depth
    UNION ALL
    SELECT t.id, t.parent, t.depth FROM chain JOIN turn AS t ON t.id = chain.parent WHERE t.depth > :depth
)
SELECT t.id, t.session, t.parent, t.depth, t.status, t.speaker, t.agent, t.event, t.edited, t.at, t.body
FROM chain JOIN turn AS t ON t.id = chain.id ORDER BY t.depth;

-- name: TurnAt
WITH RECURSIVE chain (id, parent, depth) AS (
    SELECT id, parent, depth FROM turn WHERE id = :head AND depth >= :depth
    UNION ALL
    SELECT t.id, t.parent, t.depth FROM chain JOIN turn AS t ON t.id = chain.parent WHERE t.depth >= :depth
)
SELECT t.id, t.session, t.parent, t.depth, t.status, t.speaker, t.agent, t.event, t.edited, t.at, t.body
FROM chain JOIN turn AS t ON t.id = chain.id WHERE t.depth = :depth;

-- name: TurnsOf
SELECT id, session, parent, depth, status, speaker, agent, event, edited, at, body FROM turn
WHERE session = :session ORDER BY id;

-- name: TurnsSpokenBy
SELECT id, session, parent, depth, status, speaker, agent, event, edited, at, body FROM turn
WHERE speaker = :speaker AND speaker NOT GLOB 'session/*' AND status = 'done' ORDER BY id DESC LIMIT :limit;

-- name: TurnsBefore
SELECT t.id, t.session, t.parent, t.depth, t.status, t.speaker, t.agent, t.event, t.edited, t.at,
    CASE WHEN (:workspace IS NULL OR s.workspace = :workspace) AND t.speaker NOT GLOB 'session/*' THEN t.body ELSE x'' END
FROM (SELECT * FROM turn WHERE id < :before ORDER BY id DESC LIMIT :limit) AS t JOIN session AS s ON s.id = t.session
ORDER BY t.id DESC;

-- name: TurnsSpokenBefore
SELECT t.id, t.session, t.parent, t.depth, t.status, t.speaker, t.agent, t.event, t.edited, t.at,
    CASE WHEN (:workspace IS NULL OR s.workspace = :workspace) THEN t.body ELSE x'' END
FROM (
    SELECT * FROM turn
    WHERE speaker = :speaker AND speaker NOT GLOB 'session/*' AND id < :before ORDER BY id DESC LIMIT :limit
) AS t JOIN session AS s ON s.id = t.session
ORDER BY t.id DESC;

-- name: TurnsOfTicket
SELECT t.id, t.session, t.parent, t.depth, t.status, t.speaker, t.agent, t.event, t.edited, t.at, t.body
FROM turn AS t
WHERE t.id IN (
    SELECT turn FROM ticket_change WHERE ticket = :ticket UNION SELECT id FROM turn WHERE session = :session
) AND t.id < :before
ORDER BY t.id DESC LIMIT :limit;

-- name: PageOf
WITH RECURSIVE line (id, parent) AS (
    SELECT id, parent FROM turn WHERE id = :head
    UNION ALL SELECT t.id, t.parent FROM line JOIN turn AS t ON t.id = line.parent
), placed (id, depth, here) AS (
    SELECT id, depth, CASE
        WHEN id IN (SELECT id FROM line) THEN 1
        WHEN status NOT IN ('failed', 'stopped', 'blocked') THEN 0
        WHEN parent IS NULL OR parent IN (SELECT id FROM line) THEN 1
        ELSE 0
    END FROM turn WHERE session = :session
), page (id, here) AS (
    SELECT id, here FROM placed ORDER BY here DESC, depth, id LIMIT :limit OFFSET :skip
)
SELECT t.id, t.session, t.parent, t.depth, t.status, t.speaker, t.agent, t.event, t.edited, t.at, t.body, page.here
FROM page JOIN turn AS t ON t.id = page.id ORDER BY page.here DESC, t.depth, t.id;

-- name: CountOfTurns
SELECT count(*) FROM turn WHERE session = :session;

-- name: PlaceOfTurn
WITH RECURSIVE line (id, parent) AS (
    SELECT id, parent FROM turn WHERE id = :head
    UNION ALL SELECT t.id, t.parent FROM line JOIN turn AS t ON t.id = line.parent
), placed (id, depth, here) AS (
    SELECT id, depth, CASE
        WHEN id IN (SELECT id FROM line) THEN 1
        WHEN status NOT IN ('failed', 'stopped', 'blocked') THEN 0
        WHEN parent IS NULL OR parent IN (SELECT id FROM line) THEN 1
        ELSE 0
    END FROM turn WHERE session = :session
)
SELECT count(*) FILTER (
    WHERE o.here > p.here OR (o.here = p.here AND (o.depth < p.depth OR (o.depth = p.depth AND o.id < p.id)))
)
FROM placed AS p CROSS JOIN placed AS o WHERE p.id = :turn GROUP BY p.id;

-- name: TurnsSpokenIn
SELECT id, session, parent, depth, status, speaker, agent, event, edited, at, body FROM turn
WHERE session = :session AND speaker = :speaker AND speaker NOT GLOB 'session/*' ORDER BY id DESC LIMIT 1;

-- name: ItemsOf
SELECT t.id, t.depth, t.speaker, item.seq, item.body FROM turn AS t JOIN item ON item.turn = t.id
WHERE t.id = :turn ORDER BY item.seq;

-- name: BranchesOf
SELECT b.name, b.head, coalesce(t.depth, 0), b.forked, b.at, b.body
FROM branch AS b LEFT JOIN turn AS t ON t.id = b.head
WHERE b.session = :session ORDER BY b.at, b.name;

-- name: BranchByName
SELECT b.name, b.head, coalesce(t.depth, 0), b.forked, b.at, b.body
FROM branch AS b LEFT JOIN turn AS t ON t.id = b.head
WHERE b.session = :session AND b.name = :name;

-- name: MovesOf
SELECT seq, from_turn, to_turn, kind, actor, at FROM head_move
WHERE session = :session AND branch = :branch ORDER BY seq DESC LIMIT :limit;

-- name: SummaryUpTo
WITH RECURSIVE chain (id, parent, depth, rest) AS (
    SELECT id, parent, depth, :turns FROM turn WHERE id = :head AND :turns > 0
    UNION ALL
    SELECT t.id, t.parent, t.depth, rest - 1 FROM chain JOIN turn AS t ON t.id = chain.parent WHERE rest > 1
)
SELECT s.turn, chain.depth, s.owner, s.body FROM chain JOIN summary AS s ON s.turn = chain.id
ORDER BY chain.depth DESC LIMIT 1;

-- name: MessageByKey
SELECT key, session, turn, part, owner, body FROM message WHERE key = :key;

-- name: QuestionBy
SELECT key, session, turn, part, owner, body FROM message
WHERE session = :session AND owner = :owner AND part = 'question' LIMIT 1;

-- name: MessagesOf
SELECT key, session, turn, part, owner, body FROM message WHERE turn = :turn ORDER BY at, key;

-- name: FeedbackOf
SELECT f.turn, f.speaker, f.value, f.at FROM turn AS t JOIN feedback AS f ON f.turn = t.id
WHERE t.session = :session ORDER BY f.turn, f.speaker;

-- name: FeedbackOn
SELECT turn, speaker, value, at FROM feedback WHERE turn = :turn ORDER BY speaker;

-- === questions: tickets ==============================================================================================

-- name: TicketsOf
SELECT id, workspace, number, customer, session, turn, status, priority, version, at, changed, body FROM ticket
WHERE customer = :customer ORDER BY number;

-- name: Tickets
SELECT id, workspace, number, customer, session, turn, status, priority, version, at, changed, body FROM ticket
ORDER BY at DESC, id DESC LIMIT :limit;

-- name: SettledTickets
SELECT id, workspace, number, customer, session, turn, status, priority, version, at, changed, body FROM ticket
WHERE status IN ('resolved', 'withdrawn') AND changed < :before ORDER BY changed, id LIMIT :limit OFFSET :offset;

-- name: TicketByNumber
SELECT id, workspace, number, customer, session, turn, status, priority, version, at, changed, body FROM ticket
WHERE workspace = :workspace AND number = :number;

-- name: TicketById
SELECT id, workspace, number, customer, session, turn, status, priority, version, at, changed, body FROM ticket
WHERE id = :id;

-- name: ChangesOf
SELECT id, ticket, turn, version, field, cause, actor, at, before, after FROM ticket_change
WHERE ticket = :ticket ORDER BY seq DESC LIMIT :limit;

-- name: ChangesBy
SELECT id, ticket, turn, version, field, cause, actor, at, before, after FROM ticket_change
WHERE turn = :turn ORDER BY seq;

-- === questions: usage, outbox, audit =================================================================================

-- name: UsageOfCustomer
SELECT customer, sum(calls), sum(requests), sum(input_tokens), sum(cached_tokens), sum(output_tokens),
    sum(reasoning_tokens), coalesce(sum(cost_nano), 0), sum(calls * (cost_nano IS NULL)), sum(estimated)
FROM usage WHERE customer = :customer GROUP BY customer;

-- name: UsageOfSession
SELECT '', sum(calls), sum(requests), sum(input_tokens), sum(cached_tokens), sum(output_tokens),
    sum(reasoning_tokens), coalesce(sum(cost_nano), 0), sum(calls * (cost_nano IS NULL)), sum(estimated)
FROM usage WHERE session = :session GROUP BY session;

-- name: UsageByTurn
SELECT coalesce(turn, ''), sum(calls), sum(requests), sum(input_tokens), sum(cached_tokens), sum(output_tokens),
    sum(reasoning_tokens), coalesce(sum(cost_nano), 0), sum(calls * (cost_nano IS NULL)), sum(estimated)
FROM usage WHERE session = :session GROUP BY turn ORDER BY turn;

-- name: UsageOfTurn
SELECT coalesce(turn, ''), sum(calls), sum(requests), sum(input_tokens), sum(cached_tokens), sum(output_tokens),
    sum(reasoning_tokens), coalesce(sum(cost_nano), 0), sum(calls * (cost_nano IS NULL)), sum(estimated)
FROM usage WHERE session = :session AND turn = :turn GROUP BY turn;

-- name: UsageByTurnOfBranch
SELECT coalesce(turn, ''), sum(calls), sum(requests), sum(input_tokens), sum(cached_tokens), sum(output_tokens),
    sum(reasoning_tokens), coalesce(sum(cost_nano), 0), sum(calls * (cost_nano IS NULL)), sum(estimated)
FROM usage WHERE session = :session AND branch = :branch GROUP BY turn ORDER BY turn;

-- name: UsageMonths
SELECT model, CAST(strftime('%s', at / 1000000, 'unixepoch', 'start of month') AS INTEGER) * 1000000 AS month,
    sum(calls), sum(requests), sum(input_tokens), sum(cached_tokens), sum(output_tokens), sum(reasoning_tokens)
FROM usage WHERE customer = :customer GROUP BY month, model ORDER BY month, model;

-- name: UsageLedger
WITH RECURSIVE used AS (
    SELECT * FROM usage WHERE at >= :since AND at < :until
), line (id) AS (
    SELECT head FROM branch WHERE head IS NOT NULL AND session IN (SELECT session FROM used)
    UNION SELECT turn.parent FROM line JOIN turn ON turn.id = line.id WHERE turn.parent IS NOT NULL
)
SELECT used.customer, used.session, coalesce(used.ticket, ''), used.model, used.at / 86400000000 AS day,
    CASE
        WHEN used.purpose = 'total' THEN 'total'
        WHEN used.turn IS NULL THEN 'none'
        WHEN turn.id IS NULL THEN 'deleted'
        WHEN turn.status = 'done' AND used.turn NOT IN (SELECT id FROM line) THEN 'undone'
        ELSE turn.status
    END AS outcome,
    sum(calls), sum(requests), sum(input_tokens), sum(cached_tokens), sum(output_tokens), sum(reasoning_tokens),
    coalesce(sum(cost_nano), 0), sum(calls * (cost_nano IS NULL)), sum(estimated)
FROM used LEFT JOIN turn ON turn.id = used.turn
GROUP BY used.customer, used.session, used.ticket, used.model, day, outcome
ORDER BY used.customer, used.session, used.ticket, used.model, day, outcome;

-- name: PlacedUsage
WITH page AS (
    SELECT DISTINCT customer FROM usage WHERE customer > :after ORDER BY customer LIMIT :limit
)
SELECT page.customer, coalesce(session.workspace, customer.workspace, ''), coalesce(used.session, x''),
    coalesce(used.ticket, ''), coalesce(used.model, ''), coalesce(sum(calls), 0), coalesce(sum(requests), 0),
    coalesce(sum(input_tokens), 0), coalesce(sum(cached_tokens), 0), coalesce(sum(output_tokens), 0),
    coalesce(sum(reasoning_tokens), 0), coalesce(sum(cost_nano), 0), coalesce(sum(calls * (cost_nano IS NULL)), 0),
    coalesce(sum(estimated), 0)
FROM page
    LEFT JOIN usage AS used ON used.customer = page.customer AND used.at >= :since AND used.at < :until
    LEFT JOIN session ON session.id = used.session
    LEFT JOIN customer ON customer.id = page.customer
GROUP BY page.customer, session.workspace, customer.workspace, used.session, used.ticket, used.model
ORDER BY page.customer, used.session, used.ticket, used.model;

-- name: BudgetOf
SELECT period, tokens, nano FROM budget WHERE counter = :counter;

-- name: OpenDeliveries
SELECT seq, key, platform, place, session, turn, owner, kind, status, attempts, at, body, sent FROM outbox
WHERE platform = :platform AND seq > :after AND status IN ('pending', 'sending') ORDER BY seq LIMIT :limit;

-- name: OpenAt
SELECT seq, key, platform, place, session, turn, owner, kind, status, attempts, at, body, sent FROM outbox
WHERE place = :place AND status IN ('pending', 'sending') ORDER BY seq LIMIT :limit;

-- name: WaitingOutlets
SELECT o.place, coalesce(t.epoch, 0), t.worker, coalesce(t.worker IS NOT NULL AND t.lease > now, 0)
FROM outbox AS o CROSS JOIN clock LEFT JOIN outlet AS t ON t.place = o.place
WHERE o.platform = :platform AND o.status IN ('pending', 'sending')
    AND (t.worker IS NULL OR t.worker = :worker OR t.lease <= now)
GROUP BY o.place ORDER BY min(o.seq) LIMIT :limit;

-- name: OutletAt
SELECT place, epoch, worker, worker IS NOT NULL AND lease > now FROM outlet, clock WHERE place = :place;

-- name: DeliveriesOf
SELECT seq, key, platform, place, session, turn, owner, kind, status, attempts, at, body, sent FROM outbox
WHERE turn = :turn ORDER BY seq;

-- name: DeliveriesTo
SELECT seq, key, platform, place, session, turn, owner, kind, status, attempts, at, body, sent FROM outbox
WHERE owner = :owner ORDER BY seq;

-- name: AuditLines
SELECT * FROM (
    SELECT seq, id, actor, action, subject, owner, at, digest, link, body FROM audit ORDER BY seq DESC LIMIT :limit
) ORDER BY seq;

-- name: AuditAfter
SELECT seq, id, actor, action, subject, owner, at, digest, link, body FROM audit
WHERE seq > :seq ORDER BY seq LIMIT :limit;

-- name: AuditStart
SELECT seq, link FROM audit_start;

-- name: AuditEnd
SELECT seq, link FROM audit_end;

-- name: NoteByKey
SELECT key, at, body FROM note WHERE platform = :platform AND kind = :kind AND key = :key;

-- name: NotesOf
SELECT key, at, body FROM note WHERE platform = :platform AND kind = :kind ORDER BY at, key;

-- name: AllNotesOf
SELECT kind, key, body FROM note WHERE platform = :platform ORDER BY kind, key;

-- name: SchemaNumber
SELECT max(number) FROM migration;

-- name: CounterOf
SELECT value FROM counter WHERE name = :name;

-- name: Counts
SELECT 'customer', count(*) FROM customer
UNION ALL SELECT 'session', count(*) FROM session
UNION ALL SELECT 'turn', count(*) FROM turn
UNION ALL SELECT 'item', count(*) FROM item
UNION ALL SELECT 'ticket', count(*) FROM ticket
UNION ALL SELECT 'queued', count(*) FROM inbox WHERE status = 'queued'
UNION ALL SELECT 'parked', count(*) FROM inbox WHERE status = 'parked'
UNION ALL SELECT 'open', count(*) FROM outbox WHERE status IN ('pending', 'sending')
UNION ALL SELECT 'unknown', count(*) FROM outbox WHERE status = 'unknown';

-- name: Backlog
SELECT (SELECT count(*) FROM inbox WHERE status = 'queued'),
       (SELECT coalesce(min(at), 0) FROM inbox WHERE status = 'queued'),
       (SELECT count(*) FROM inbox WHERE status = 'parked'),
       (SELECT count(*) FROM outbox WHERE status IN ('pending', 'sending')),
       (SELECT count(*) FROM outbox WHERE status = 'unknown');

-- name: HeldOf
SELECT 'customer', count(*) FROM customer WHERE id = :customer AND length(body) > 0
UNION ALL SELECT 'identity', count(*) FROM identity WHERE customer = :customer
UNION ALL SELECT 'session', count(*) FROM session WHERE owner = :customer
UNION ALL SELECT 'turn', count(*) FROM turn WHERE speaker = :customer AND speaker NOT GLOB 'session/*' AND length(body) > 0
UNION ALL SELECT 'item', count(*) FROM item WHERE turn IN (SELECT id FROM turn WHERE speaker = :customer AND speaker NOT GLOB 'session/*')
UNION ALL SELECT 'summary', count(*) FROM summary WHERE owner = :customer
UNION ALL SELECT 'message', count(*) FROM message WHERE owner = :customer
UNION ALL SELECT 'feedback', count(*) FROM feedback WHERE speaker = :customer
UNION ALL SELECT 'ticket', count(*) FROM ticket WHERE customer = :customer AND length(body) > 0
UNION ALL SELECT 'ticket_change', count(*) FROM ticket_change
    WHERE ticket IN (SELECT id FROM ticket WHERE customer = :customer) AND (before IS NOT NULL OR after IS NOT NULL)
UNION ALL SELECT 'inbox', count(*) FROM inbox WHERE customer = :customer AND length(body) > 0
UNION ALL SELECT 'outbox', count(*) FROM outbox WHERE owner = :customer
UNION ALL SELECT 'usage', count(*) FROM usage WHERE customer = :customer
UNION ALL SELECT 'audit', count(*) FROM audit WHERE owner = :customer;

-- name: OldBodies
SELECT 'inbox', customer, count(*) FROM inbox
WHERE status = 'parked' AND at < :inbox AND length(body) > 0 GROUP BY customer
UNION ALL SELECT 'outbox', owner, count(*) FROM outbox
WHERE status IN ('sent', 'failed') AND at < :outbox AND length(body) > 0 GROUP BY owner
ORDER BY 1, 2;

-- name: OldUsage
SELECT 'usage', customer, count(*) FROM usage
WHERE at < :before AND customer NOT GLOB 'session/*' AND (purpose <> 'total' OR :totals = 1)
GROUP BY customer ORDER BY customer;
