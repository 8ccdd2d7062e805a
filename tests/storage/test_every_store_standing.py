import pytest

from core.errors import ChangedError
from core.queries.people import StandOf, StandRow
from core.records.guards import TurnEnds
from core.records.turns import AddItem, BumpRevision, DropItem, SwitchBranch
from tests.storage.samples import S, branch, commit, move, one, session, version


async def test_a_session_stands_at_its_version_head_and_next_item(talk):
    assert await one(talk, StandOf(S)) == StandRow(await version(talk), "t5", 2)
    assert await talk.read(StandOf(b"nobody")) == []


async def test_a_session_without_a_turn_stands_at_none(store):
    await commit(store, *session())
    assert await one(store, StandOf(S)) == StandRow(1, None, 0)


@pytest.mark.parametrize(
    "change",
    [
        (AddItem("t5", 2, b"more"),),
        (BumpRevision(S), DropItem("t5", 1)),
        (move("t4", "t5"),),
        (branch(b"other", head="t5"), SwitchBranch(S, b"other")),
    ],
)
async def test_whatever_changes_what_a_branch_holds_changes_where_it_stands(talk, change):
    before = await one(talk, StandOf(S))
    await commit(talk, *change)
    assert await one(talk, StandOf(S)) != before


async def test_a_commit_is_refused_where_the_turn_does_not_end_there(talk):
    await commit(talk, TurnEnds("t5", 2), AddItem("t5", 2, b"third"))
    for turn, seq in (("t5", 2), ("t5", 4), ("absent", 1)):
        with pytest.raises(ChangedError):
            await commit(talk, TurnEnds(turn, seq), BumpRevision(S))
    await commit(talk, TurnEnds("absent", 0), TurnEnds("t5", 3), BumpRevision(S))
