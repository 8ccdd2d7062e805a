import pytest

from adapters.sealing import MasterKey, open_sealer
from core.errors import UnreadableError
from core.sealed import change_row, decode, decode_list, encode, item_row, joined, open_json, seal_json

VALUES = [None, "", "é", {"a": [1, 2.5, "x"]}, "\ud800 alone", 2**70, [{"deep": -(2**65)}], "\n"]


@pytest.fixture
async def sealer():
    async with open_sealer(":memory:", MasterKey(bytes(32)), fresh=True) as sealer:
        await sealer.prepare(["c1", "c2"])
        yield sealer


@pytest.mark.parametrize("value", VALUES)
def test_every_json_value_reads_back(value):
    assert decode(encode(value)) == value


def test_many_read_back_together():
    assert decode_list(joined(map(encode, VALUES))) == VALUES
    assert decode_list(joined([encode("a"), encode(1)])) == ["a", 1]
    assert decode_list(joined([])) == []


@pytest.mark.parametrize(
    ("table", "owner", "row"), [("turn", "c1", "t:0"), ("item", "c2", "t:0"), ("item", "c1", "t:1")]
)
async def test_a_body_opens_only_where_it_was_sealed(sealer, table, owner, row):
    sealed = seal_json(sealer, "item", "c1", item_row("t", 0), {"said": "hello"})
    assert open_json(sealer, "item", "c1", "t:0", sealed) == {"said": "hello"}
    with pytest.raises(UnreadableError):
        open_json(sealer, table, owner, row, sealed)


async def test_what_a_field_was_does_not_open_as_what_it_became(sealer):
    before = seal_json(sealer, "ticket_change", "c1", change_row("x", "before"), "low")
    with pytest.raises(UnreadableError):
        open_json(sealer, "ticket_change", "c1", change_row("x", "after"), before)
