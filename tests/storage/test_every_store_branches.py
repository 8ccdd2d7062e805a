import pytest

from core.errors import ChangedError, ConflictError
from core.queries.bill import UsageByTurn
from core.queries.branches import BranchByName, BranchesOf, MovesOf
from core.queries.counts import Counts
from core.queries.lanes import NextEvent, ParkedEvents
from core.queries.outbox import DeliveriesOf
from core.queries.people import SessionById
from core.queries.said import FeedbackOf, MessageByKey, MessagesOf, SummaryUpTo
from core.queries.tickets import TicketById
from core.queries.turns import ItemsOf, TurnById, TurnsOf, WindowOf
from core.records.lanes import FinishEvent
from core.records.turns import ClearSession, DropBranch, EnsureMain, GrowBranch, PutFeedback, PutSummary, SwitchBranch
from tests.storage.samples import (
    MAIN_BRANCH,
    S,
    branch,
    commit,
    delivery,
    event,
    head,
    items,
    message,
    move,
    one,
    session,
    ticket,
    turn,
    usage,
    version,
)


def ids(rows):
    return [row.id for row in rows]


def bodies(rows):
    return [row.body for row in rows]


# --- heads and branches -----------------------------------------------------------------------------------------------


async def test_a_move_sets_the_head_and_is_noted(talk):
    before = await one(talk, SessionById(S))
    await commit(talk, move("t4", "t5", kind="undo", actor="d", at=77))
    assert await head(talk) == "t4"
    after = await one(talk, SessionById(S))
    assert (after.version, after.spoken, after.revision) == (before.version + 1, 77, before.revision)
    row = (await talk.read(MovesOf(S, MAIN_BRANCH, 1)))[0]
    assert (row.from_turn, row.to_turn, row.kind, row.actor, row.at) == ("t5", "t4", "undo", "d", 77)


async def test_moves_of_a_branch_come_newest_first(talk):
    await commit(talk, branch(head="t2"), move("t3", "t2", branch=b"other"))
    await commit(talk, move(None, "t5", kind="undo"))
    rows = await talk.read(MovesOf(S, MAIN_BRANCH, 3))
    assert [(row.from_turn, row.to_turn) for row in rows] == [("t5", None), ("t4", "t5"), ("t3", "t4")]
    assert rows[0].seq > rows[1].seq > rows[2].seq
    assert len(await talk.read(MovesOf(S, b"other", 9))) == 1


async def test_a_head_may_move_to_no_turn(talk):
    await commit(talk, move(None, "t5", kind="undo"))
    row = await one(talk, SessionById(S))
    assert (row.head, row.depth, row.agent) == (None, 0, "")


async def test_a_grown_branch_ends_in_the_new_turn_and_notes_no_move(talk):
    before = await one(talk, SessionById(S))
    await commit(talk, turn("t6", parent="t5", depth=6), GrowBranch(S, MAIN_BRANCH, "t6", 77))
    after = await one(talk, SessionById(S))
    assert (after.head, after.depth, after.version, after.spoken) == ("t6", 6, before.version + 1, 77)
    assert len(await talk.read(MovesOf(S, MAIN_BRANCH, 9))) == 5


@pytest.mark.parametrize("to_gone", [move("t6", branch=b"gone"), GrowBranch(S, b"gone", "t6", 1)])
async def test_a_head_that_moves_on_a_branch_that_is_gone_is_refused(talk, to_gone):
    with pytest.raises(ChangedError):
        await commit(talk, turn("t6"), to_gone)
    assert await talk.read(TurnById("t6")) == []


async def test_a_branch_is_a_head_of_its_own(talk):
    await commit(talk, branch(head="t2", forked="t2", at=8))
    await commit(talk, turn("x3", parent="t2", depth=3), move("x3", "t2", branch=b"other"))
    row = await one(talk, BranchByName(S, b"other"))
    assert (row.name, row.head, row.depth, row.forked, row.at) == (b"other", "x3", 3, "t2", 8)
    assert row.body == b"body of a branch"
    assert await head(talk) == "t5"


async def test_a_branch_name_in_use_conflicts(talk):
    await commit(talk, branch())
    with pytest.raises(ConflictError):
        await commit(talk, branch(head="t1"))
    await commit(talk, *session(b"other session"), branch(session=b"other session"))


async def test_the_first_branch_is_made_once(talk):
    await commit(talk, EnsureMain(S, MAIN_BRANCH, 99, b"another body"))
    row = await one(talk, BranchByName(S, MAIN_BRANCH))
    assert (row.head, row.body) == ("t5", b"body of main")


async def test_branches_are_listed_oldest_first(talk):
    await commit(talk, branch(b"a", at=9), branch(b"b", at=3, head="t2"))
    rows = await talk.read(BranchesOf(S))
    assert [(row.name, row.depth) for row in rows] == [(MAIN_BRANCH, 5), (b"b", 2), (b"a", 0)]


async def test_a_dropped_branch_leaves_its_turns(talk):
    await commit(talk, branch(head="t2"), turn("x3", parent="t2", depth=3), move("x3", "t2", branch=b"other"))
    await commit(talk, DropBranch(S, b"other"))
    assert await talk.read(BranchByName(S, b"other")) == []
    assert await talk.read(MovesOf(S, b"other", 9)) == []
    assert ids(await talk.read(TurnById("x3"))) == ["x3"]
    await commit(talk, branch())
    assert await talk.read(MovesOf(S, b"other", 9)) == []
    assert len(await talk.read(MovesOf(S, MAIN_BRANCH, 9))) == 5


async def test_a_switch_makes_another_branch_the_current_one(talk):
    before = await version(talk)
    await commit(talk, branch(head="t2"))
    await commit(talk, SwitchBranch(S, b"other"))
    row = await one(talk, SessionById(S))
    assert (row.branch, row.branch_body, row.head, row.depth) == (b"other", b"body of a branch", "t2", 2)
    assert row.version == before + 1


async def test_a_switch_to_a_branch_that_is_gone_is_refused(talk):
    with pytest.raises(ChangedError):
        await commit(talk, SwitchBranch(S, b"gone"))
    assert (await one(talk, SessionById(S))).branch == MAIN_BRANCH


# --- clearing ---------------------------------------------------------------------------------------------------------


@pytest.fixture
async def full(talk):
    """`talk` with all that can hang on a session, and another session that has the same."""
    await commit(talk, *session(b"other"), turn("o1", session=b"other"), *items("o1"), move("o1", session=b"other"))
    await commit(talk, branch(head="t2"), move("t3", "t2", branch=b"other"), SwitchBranch(S, b"other"))
    for name, id_ in ((S, "t2"), (b"other", "o1")):
        key = id_.encode()
        await commit(
            talk, PutSummary(id_, "c", 1, b"summary"), PutFeedback(id_, "c", "helpful", 1),
            message(b"1" + key, session=name, turn=id_), message(b"2" + key, session=name, turn=None),
            ticket(f"k{id_}", session=name, turn=id_, number=int(id_[1:])), usage(f"u{id_}", session=name, turn=id_),
            delivery(f"d{id_}", session=name, turn=id_), event(f"p{id_}", session=name), event(f"q{id_}", session=name),
        )  # fmt: skip
        await commit(talk, FinishEvent(f"p{id_}", "parked"))
    return talk


async def test_a_cleared_session_has_lost_every_word(full):
    before = await one(full, SessionById(S))
    await commit(full, ClearSession(S, MAIN_BRANCH))
    after = await one(full, SessionById(S))
    assert (after.branch, after.head, after.depth) == (MAIN_BRANCH, None, 0)
    assert (after.version, after.revision) == (before.version + 1, before.revision + 1)
    assert await full.read(TurnsOf(S)) == []
    assert await full.read(ItemsOf("t2")) == []
    assert await full.read(FeedbackOf(S)) == []
    assert await full.read(MessagesOf("t2")) == []
    assert await full.read(MessageByKey(b"2t2")) == []
    assert await full.read(DeliveriesOf("t2")) == []
    assert [(row.name, row.head, row.forked) for row in await full.read(BranchesOf(S))] == [(MAIN_BRANCH, None, None)]
    assert await full.read(MovesOf(S, MAIN_BRANCH, 99)) == []
    assert await full.read(MovesOf(S, b"other", 99)) == []
    assert {row.id: row.body for row in await full.read(ParkedEvents(9))} == {"pt2": b"", "po1": b"body of po1"}
    assert (await one(full, NextEvent(S))).body == b"body of qt2"


async def test_a_summary_does_not_survive_a_clear(full):
    await commit(full, ClearSession(S, MAIN_BRANCH))
    await commit(full, turn("t2"))
    assert await full.read(SummaryUpTo("t2", 9)) == []


async def test_a_clear_leaves_tickets_and_the_bill(full):
    await commit(full, ClearSession(S, MAIN_BRANCH))
    assert (await one(full, TicketById("kt2"))).turn == "t2"
    assert [row.key for row in await full.read(UsageByTurn(S))] == ["t2"]


async def test_a_clear_leaves_other_sessions_alone(full):
    await commit(full, ClearSession(S, MAIN_BRANCH))
    assert len(await full.read(WindowOf("o1", 9))) == 2
    assert len(await full.read(SummaryUpTo("o1", 9))) == 1
    assert len(await full.read(FeedbackOf(b"other"))) == 1
    assert len(await full.read(MessagesOf("o1"))) == 1
    assert len(await full.read(DeliveriesOf("o1"))) == 1
    assert len(await full.read(MovesOf(b"other", MAIN_BRANCH, 9))) == 1
    assert (await one(full, SessionById(b"other"))).revision == 0


async def test_a_cleared_session_goes_on(full):
    await commit(full, ClearSession(S, MAIN_BRANCH))
    await commit(full, turn("t9"), move("t9"))
    assert await head(full) == "t9"


async def test_what_a_clear_says_itself_is_sent(full):
    await commit(full, ClearSession(S, MAIN_BRANCH), delivery("reply", turn=None))
    counts = {row.table: row.rows for row in await full.read(Counts())}
    assert counts["open"] == 2
