import pytest

from core.errors import ChangedError, ConflictError
from core.queries.counts import Counts
from core.queries.people import SessionById
from core.queries.said import FeedbackOf, MessageByKey, MessagesOf, SummaryUpTo
from core.queries.turns import ItemsOf, TurnAt, TurnById, TurnsAfter, TurnsOf, TurnsSpokenBy, TurnsUpTo, WindowOf
from core.records.turns import (
    AddItem,
    BumpRevision,
    DropItem,
    DropItems,
    DropTurn,
    MoveMessage,
    PutFeedback,
    PutSummary,
    RewriteItem,
    RewriteTurn,
)
from tests.storage.samples import (
    S,
    commit,
    head,
    items,
    message,
    move,
    one,
    said,
    session,
    turn,
)


def ids(rows):
    return [row.id for row in rows]


def bodies(rows):
    return [row.body for row in rows]


# --- turns and items --------------------------------------------------------------------------------------------------


async def test_a_turn_is_kept_as_it_was_written(store):
    await commit(store, *session(), turn("t0"))
    await commit(store, turn("t1", parent="t0", depth=2, status="failed", speaker="d", agent="x", event="e", at=9))
    row = await one(store, TurnById("t1"))
    assert (row.id, row.session, row.parent, row.depth, row.status, row.speaker) == ("t1", S, "t0", 2, "failed", "d")
    assert (row.agent, row.event, row.edited, row.at, row.body) == ("x", "e", 0, 9, b"body of t1")
    assert not await store.read(TurnById("unknown"))


async def test_a_new_turn_is_on_no_branch_until_a_head_moves_to_it(store):
    await commit(store, *session(), turn())
    assert await head(store) is None
    await commit(store, move("t1"))
    assert await head(store) == "t1"


async def test_a_turn_needs_its_session(store):
    with pytest.raises(ChangedError):
        await commit(store, turn())


async def test_two_turns_under_one_id_conflict(store):
    await commit(store, *session(), turn())
    with pytest.raises(ConflictError):
        await commit(store, turn(body=b"another"))
    assert (await one(store, TurnById("t1"))).body == b"body of t1"


async def test_an_item_that_is_there_conflicts(talk):
    with pytest.raises(ConflictError):
        await commit(talk, AddItem("t1", 0, b"another"))
    assert bodies(await talk.read(ItemsOf("t1"))) == [b"t1.0", b"t1.1"]


async def test_an_item_needs_its_turn(store):
    with pytest.raises(ChangedError):
        await commit(store, AddItem("t1", 0, b"item"))


async def test_the_items_of_a_turn_come_in_order_with_what_opens_them(store):
    await commit(store, *session(), turn("t1", depth=4, speaker="d"), *reversed(items("t1", 12)))
    rows = await store.read(ItemsOf("t1"))
    assert [row.seq for row in rows] == list(range(12))
    assert (rows[11].turn, rows[11].depth, rows[11].speaker, rows[11].body) == ("t1", 4, "d", b"t1.11")


async def test_a_dropped_item_is_gone_and_its_neighbours_stay(talk):
    await commit(talk, DropItem("t1", 0))
    assert bodies(await talk.read(ItemsOf("t1"))) == [b"t1.1"]
    assert len(await talk.read(ItemsOf("t2"))) == 2


async def test_dropped_items_leave_their_turn(talk):
    await commit(talk, DropItems("t2"))
    assert await talk.read(ItemsOf("t2")) == []
    assert (await one(talk, TurnById("t2"))).status == "done"
    assert len(await talk.read(ItemsOf("t1"))) == 2


async def test_summaries_that_could_hold_dropped_items_go_with_them(talk):
    await commit(talk, *session(b"other"), turn("theirs", session=b"other", depth=9))
    await commit(talk, *(PutSummary(id_, "c", 1, b"summary") for id_ in ("t1", "t2", "t4", "theirs")))
    await commit(talk, DropItems("t2"))
    kept = [id_ for id_ in ("t1", "t2", "t4", "theirs") if await talk.read(SummaryUpTo(id_, 1))]
    assert kept == ["t1", "theirs"]


async def test_a_rewritten_item_has_its_new_body_only(talk):
    await commit(talk, RewriteItem("t1", 1, b"new"))
    assert bodies(await talk.read(ItemsOf("t1"))) == [b"t1.0", b"new"]
    assert bodies(await talk.read(ItemsOf("t2"))) == [b"t2.0", b"t2.1"]


async def test_a_rewritten_turn_has_its_new_status_mark_and_body(talk):
    await commit(talk, RewriteTurn("t1", "erased", 1, b"stub"))
    row = await one(talk, TurnById("t1"))
    assert (row.status, row.edited, row.body) == ("erased", 1, b"stub")
    assert (await one(talk, TurnById("t2"))).status == "done"


async def test_a_bump_raises_revision_and_version(talk):
    before = await one(talk, SessionById(S))
    await commit(talk, BumpRevision(S))
    after = await one(talk, SessionById(S))
    assert (after.revision, after.version) == (before.revision + 1, before.version + 1)


async def test_a_dropped_turn_takes_all_that_hangs_on_it(talk):
    await commit(
        talk, PutSummary("t5", "c", 1, b"summary"), PutFeedback("t5", "c", "helpful", 1), message(turn="t5"),
        message(b"kept", turn="t4"),
    )  # fmt: skip
    await commit(talk, DropTurn("t5"))
    assert await talk.read(TurnById("t5")) == []
    assert await talk.read(ItemsOf("t5")) == []
    assert await talk.read(SummaryUpTo("t5", 9)) == []
    assert await talk.read(FeedbackOf(S)) == []
    assert await talk.read(MessageByKey(b"message")) == []
    assert (await one(talk, MessageByKey(b"kept"))).turn == "t4"
    counts = {row.table: row.rows for row in await talk.read(Counts())}
    assert (counts["turn"], counts["item"]) == (4, 8)


async def test_the_turns_of_a_session_come_in_the_order_they_were_made(talk):
    await commit(talk, *session(b"other"), turn("t9", session=b"other"), turn("t6", status="failed", parent="t5"))
    assert ids(await talk.read(TurnsOf(S))) == ["t1", "t2", "t3", "t4", "t5", "t6"]


async def test_the_turns_a_customer_spoke_come_newest_first_from_any_session(talk):
    await commit(talk, *session(b"other"), turn("t6", session=b"other"), turn("t7", speaker="d"))
    await commit(talk, turn("t8", status="failed"))
    assert ids(await talk.read(TurnsSpokenBy("c", 3))) == ["t6", "t5", "t4"]
    assert ids(await talk.read(TurnsSpokenBy("d", 3))) == ["t7"]


# --- the chain --------------------------------------------------------------------------------------------------------


async def test_the_window_holds_the_items_of_the_newest_turns_oldest_first(tree):
    rows = await tree.read(WindowOf("t5", 2))
    assert bodies(rows) == [b"t4.0", b"t4.1", b"t5.0", b"t5.1"]
    assert [(row.turn, row.depth, row.seq) for row in rows] == [("t4", 4, 0), ("t4", 4, 1), ("t5", 5, 0), ("t5", 5, 1)]


async def test_the_window_follows_the_parents_of_its_head(tree):
    assert [row.turn for row in await tree.read(WindowOf("x4", 3)) if row.seq == 0] == ["t2", "x3", "x4"]
    assert [row.turn for row in await tree.read(WindowOf("t3", 99)) if row.seq == 0] == ["t1", "t2", "t3"]


@pytest.mark.parametrize(("head_", "turns"), [("unknown", 9), ("t5", 0)])
async def test_the_window_of_nothing_is_empty(tree, head_, turns):
    await commit(tree, PutSummary("t5", "c", 1, b"summary"))
    assert await tree.read(WindowOf(head_, turns)) == []
    assert await tree.read(TurnsUpTo(head_, turns)) == []
    assert await tree.read(SummaryUpTo(head_, turns)) == []


async def test_a_turn_without_items_counts_in_the_window(talk):
    await commit(talk, DropItems("t4"))
    assert [row.turn for row in await talk.read(WindowOf("t5", 3)) if row.seq == 0] == ["t3", "t5"]


async def test_the_newest_turns_up_to_a_head_come_oldest_first(tree):
    assert ids(await tree.read(TurnsUpTo("t5", 2))) == ["t4", "t5"]
    assert ids(await tree.read(TurnsUpTo("x4", 99))) == ["t1", "t2", "x3", "x4"]
    row = (await tree.read(TurnsUpTo("x4", 1)))[0]
    assert (row.session, row.parent, row.depth, row.status, row.body) == (S, "x3", 4, "done", b"body of x4")


async def test_the_turns_after_a_depth_are_those_of_the_heads_chain(tree):
    assert ids(await tree.read(TurnsAfter("x4", 2))) == ["x3", "x4"]
    assert ids(await tree.read(TurnsAfter("t5", 0))) == ["t1", "t2", "t3", "t4", "t5"]
    assert await tree.read(TurnsAfter("t5", 5)) == []


async def test_the_turn_at_a_depth_is_the_one_on_the_heads_chain(tree):
    assert ids(await tree.read(TurnAt("x4", 3))) == ["x3"]
    assert ids(await tree.read(TurnAt("t5", 3))) == ["t3"]
    assert ids(await tree.read(TurnAt("x4", 1))) == ["t1"]
    assert await tree.read(TurnAt("x4", 5)) == []
    assert await tree.read(TurnAt("x4", 0)) == []


async def test_a_chain_longer_than_any_stack_is_read(store):
    await commit(store, *session(), *said(3000))
    assert len(await store.read(TurnsUpTo("t3000", 5000))) == 3000
    assert ids(await store.read(TurnAt("t3000", 1))) == ["t1"]


# --- what hangs on turns ----------------------------------------------------------------------------------------------


async def test_the_newest_summary_on_the_chain_is_found(tree):
    await commit(tree, PutSummary("t1", "c", 1, b"of t1"), PutSummary("t4", "d", 1, b"of t4"))
    row = await one(tree, SummaryUpTo("t5", 99))
    assert (row.turn, row.depth, row.owner, row.body) == ("t4", 4, "d", b"of t4")
    assert (await one(tree, SummaryUpTo("x4", 99))).turn == "t1"
    assert (await one(tree, SummaryUpTo("t3", 3))).turn == "t1"
    assert await tree.read(SummaryUpTo("t3", 2)) == []


async def test_a_summary_is_replaced_by_a_newer_one(talk):
    await commit(talk, PutSummary("t1", "c", 1, b"old"))
    await commit(talk, PutSummary("t1", "d", 2, b"new"))
    row = await one(talk, SummaryUpTo("t1", 1))
    assert (row.owner, row.body) == ("d", b"new")


async def test_the_last_word_of_a_speaker_on_a_turn_counts(talk):
    await commit(talk, PutFeedback("t1", "c", "helpful", 1), PutFeedback("t1", "d", "helpful", 2))
    await commit(talk, PutFeedback("t1", "c", "not helpful", 3))
    rows = await talk.read(FeedbackOf(S))
    assert [(row.turn, row.speaker, row.value, row.at) for row in rows] == [
        ("t1", "c", "not helpful", 3),
        ("t1", "d", "helpful", 2),
    ]


async def test_a_message_belongs_to_the_turn_it_was_first_said_to(talk):
    await commit(talk, message(owner="d"))
    await commit(talk, message(turn="t2", part="answer", body=b"another"))
    row = await one(talk, MessageByKey(b"message"))
    assert (row.key, row.session, row.turn, row.part, row.owner) == (b"message", S, "t1", "question", "d")
    assert row.body == b"body of a message"


async def test_a_question_is_kept_before_the_turn_that_answers_it(store):
    await commit(store, *session(), message(turn="later"))
    assert (await one(store, MessagesOf("later"))).key == b"message"
    await commit(store, message(b"no turn", turn=None))
    assert (await one(store, MessageByKey(b"no turn"))).turn is None


async def test_a_message_can_be_moved_to_another_turn(talk):
    await commit(talk, message(), message(b"second"), MoveMessage(b"message", "t2"))
    assert [row.key for row in await talk.read(MessagesOf("t2"))] == [b"message"]
    assert [row.key for row in await talk.read(MessagesOf("t1"))] == [b"second"]
