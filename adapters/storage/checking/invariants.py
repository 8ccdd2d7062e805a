"""What must be true of the rows of a store: each a name, a sentence and the question for the rows that break it.

A question gives back ids and hashes only. It is in the SQL that every engine here speaks, without parameters.
"""

from dataclasses import dataclass
from enum import StrEnum

from core.models import TicketStatus, TurnStatus


@dataclass(frozen=True, slots=True)
class Invariant:
    """What must be true; `question` finds the rows of which it is not."""

    name: str
    sentence: str
    question: str


@dataclass(frozen=True, slots=True)
class Orphan:
    """Rows of `table` whose parent is gone, found by pairs of columns: the row's, which is called `child`, and its."""

    table: str
    parent: str
    on: tuple[tuple[str, str], ...]

    @property
    def missing(self) -> str:
        """The condition that the parent of a row is gone."""
        return _without(self.parent, *self.on)

    @property
    def doomed(self) -> str:
        """The condition that a row goes: its parent is gone, or goes itself."""
        ours, theirs = (", ".join(f"child.{pair[side]}" for pair in self.on) for side in (0, 1))
        above = (
            f"({ours}) IN (SELECT {theirs} FROM {self.parent} AS child WHERE {one.doomed})"  # noqa: S608 - names of our own schema
            for one in ORPHANS
            if one.table == self.parent
        )
        return f"({' OR '.join((self.missing, *above))})"


def _without(parent: str, *on: tuple[str, str]) -> str:
    where = " AND ".join(f"parent.{theirs} = child.{ours}" for ours, theirs in on)
    return f"NOT EXISTS (SELECT 1 FROM {parent} AS parent WHERE {where})"  # noqa: S608 - names of our own schema


def _list(words: type[StrEnum]) -> str:
    return "({})".format(", ".join(f"'{word}'" for word in words))


ORPHANS = (
    Orphan("identity", "customer", (("customer", "id"),)),
    Orphan("place", "session", (("session", "id"),)),
    Orphan("turn", "session", (("session", "id"),)),
    Orphan("branch", "session", (("session", "id"),)),
    Orphan("item", "turn", (("turn", "id"),)),
    Orphan("summary", "turn", (("turn", "id"),)),
    Orphan("feedback", "turn", (("turn", "id"),)),
    Orphan(
        "head_move",
        "branch",
        (
            ("session", "session"),
            ("branch", "name"),
        ),
    ),
    Orphan("ticket_change", "ticket", (("ticket", "id"),)),
)
"""Rows nothing leads to, parents before children."""

_KEYS = {
    "identity": "key",
    "place": "key",
    "turn": "id",
    "branch": "session, name",
    "item": "turn, seq",
    "summary": "turn",
    "feedback": "turn, speaker",
    "head_move": "seq",
    "ticket_change": "id",
}

_DANGLING = """
    head IS NOT NULL AND NOT EXISTS (SELECT 1 FROM turn WHERE turn.id = branch.head AND turn.session = branch.session)
"""

DANGLING_HEADS = f"SELECT session, name FROM branch WHERE {_DANGLING}"  # noqa: S608 - a text of our own
MISCOUNTED_LANES = """
SELECT session FROM lane
WHERE pending <> (SELECT count(*) FROM inbox WHERE inbox.session = lane.session AND inbox.status = 'queued')
UNION
SELECT DISTINCT session FROM inbox
WHERE status = 'queued' AND NOT EXISTS (SELECT 1 FROM lane WHERE lane.session = inbox.session)
"""

INVARIANTS = (
    *(
        Invariant(
            f"{orphan.table}-has-{orphan.parent}",
            f"every row of {orphan.table} belongs to a {orphan.parent} that is there",
            f"SELECT {_KEYS[orphan.table]} FROM {orphan.table} AS child WHERE {orphan.missing}",  # noqa: S608
        )
        for orphan in ORPHANS
    ),
    Invariant("heads", "every branch ends in a turn of its own session, or is empty", DANGLING_HEADS),
    Invariant(
        "current-branch",
        "the branch a session is on is one of its branches",
        """
        SELECT id FROM session
        WHERE NOT EXISTS (SELECT 1 FROM branch WHERE branch.session = session.id AND branch.name = session.branch)
        """,
    ),
    Invariant(
        "parents",
        "every turn on a branch has the parent it names, in the same session",
        """
        WITH RECURSIVE chain (id, parent, session) AS (
            SELECT t.id, t.parent, t.session FROM branch AS b JOIN turn AS t ON t.id = b.head
            UNION
            SELECT t.id, t.parent, t.session FROM chain JOIN turn AS t ON t.id = chain.parent
        )
        SELECT id FROM chain
        WHERE parent IS NOT NULL
          AND NOT EXISTS (SELECT 1 FROM turn WHERE turn.id = chain.parent AND turn.session = chain.session)
        """,
    ),
    Invariant(
        "depths",
        "a turn is one deeper than its parent, and the first one has depth 1: so no turn is its own ancestor",
        """
        SELECT t.id FROM turn AS t JOIN turn AS p ON p.id = t.parent WHERE t.depth <> p.depth + 1
        UNION ALL SELECT id FROM turn WHERE parent IS NULL AND depth <> 1
        """,
    ),
    Invariant(
        "item-numbers",
        "the items of a turn are numbered from 0 without a gap",
        "SELECT turn FROM item GROUP BY turn HAVING min(seq) <> 0 OR max(seq) <> count(*) - 1",
    ),
    Invariant(
        "moves",
        "the newest move of a conversation's branch ends where the branch does",
        """
        SELECT b.session, b.name FROM branch AS b
        JOIN session AS s ON s.id = b.session
        JOIN head_move AS m ON m.seq = (
            SELECT max(seq) FROM head_move WHERE head_move.session = b.session AND head_move.branch = b.name
        )
        WHERE s.strategy <> 'session' AND (coalesce(b.head, '') <> coalesce(m.to_turn, ''))
        """,
    ),
    Invariant(
        "words",
        "every status is one the desk knows",
        f"""
        SELECT 'turn', id FROM turn WHERE status NOT IN {_list(TurnStatus)}
        UNION ALL SELECT 'inbox', id FROM inbox WHERE status NOT IN ('queued', 'done', 'parked')
        UNION ALL SELECT 'outbox', key FROM outbox
            WHERE status NOT IN ('pending', 'sending', 'sent', 'unknown', 'failed')
        UNION ALL SELECT 'ticket', id FROM ticket
            WHERE status NOT IN {_list(TicketStatus)}
        """,  # noqa: S608 - words of our own
    ),
    Invariant("lanes", "a lane counts the events that wait in it", MISCOUNTED_LANES),
    Invariant(
        "waiting-events",
        "an event that waits still has what was said",
        "SELECT id FROM inbox WHERE status = 'queued' AND length(body) = 0",
    ),
    Invariant(
        "open-pieces",
        "what is still to be posted belongs to a session that is there, or takes leave of who was forgotten",
        """
        SELECT key FROM outbox WHERE status IN ('pending', 'sending') AND owner <> 'farewell'
          AND NOT EXISTS (SELECT 1 FROM session WHERE session.id = outbox.session)
        """,
    ),
    Invariant(
        "ticket-versions",
        "a ticket has the version of its newest change",
        """
        SELECT id FROM ticket
        WHERE version <> coalesce((SELECT max(version) FROM ticket_change WHERE ticket_change.ticket = ticket.id), 0)
        """,
    ),
    Invariant(
        "ticket-customers",
        "every ticket is of a customer who is known",
        "SELECT id FROM ticket WHERE NOT EXISTS (SELECT 1 FROM customer WHERE customer.id = ticket.customer)",
    ),
    Invariant(
        "ticket-numbers",
        "no ticket has a number that is still to be given, and none has another's",
        """
        SELECT id FROM ticket
        WHERE number > coalesce((SELECT value FROM counter WHERE name = 'ticket/' || ticket.workspace), 0)
        UNION
        SELECT t.id FROM ticket AS t JOIN ticket AS o
            ON o.workspace = t.workspace AND o.number = t.number AND o.id <> t.id
        """,
    ),
    Invariant(
        "usage-customers",
        "what was used is on the bill of a customer or a standalone session that is known",
        """
        SELECT id FROM usage
        WHERE NOT EXISTS (SELECT 1 FROM customer WHERE customer.id = usage.customer)
          AND NOT EXISTS (SELECT 1 FROM session WHERE session.id = usage.session AND session.owner = usage.customer)
        """,
    ),
    Invariant(
        "usage-amounts",
        "no amount on the bill is below zero",
        """
        SELECT id FROM usage
        WHERE requests < 0 OR input_tokens < 0 OR cached_tokens < 0 OR output_tokens < 0 OR reasoning_tokens < 0
            OR cost_nano < 0
        """,
    ),
    Invariant(
        "audit",
        "the audit log has no gap",
        """
        SELECT seq FROM audit AS line
        WHERE seq > (SELECT seq + 1 FROM audit_start)
          AND NOT EXISTS (SELECT 1 FROM audit AS before WHERE before.seq = line.seq - 1)
        """,
    ),
    Invariant(
        "audit-start",
        "the audit log begins after the line it is noted to be cut off at",
        """
        SELECT seq FROM audit_start WHERE seq + 1 <> coalesce((SELECT min(seq) FROM audit), seq + 1)
        """,
    ),
    Invariant(
        "audit-end",
        "the audit log ends where it is noted to end",
        """
        SELECT seq FROM audit_end
        WHERE seq <> coalesce((SELECT max(seq) FROM audit), 0)
            OR link <> coalesce((SELECT link FROM audit ORDER BY seq DESC LIMIT 1), link)
        """,
    ),
)
