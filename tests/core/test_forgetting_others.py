"""The word `forget` with a person: asked first, ordered by who asked, and told when it is done."""

import pytest

from core.audit import audit_lines
from core.models import Command
from core.of_others import BEGUN, HELD, STALE
from core.queries.outbox import DeliveriesTo
from core.replies import FAREWELL, open_delivery
from tests.core.staffed import REFUSED, id_of, id_of_new, kept, lines, open_staffed
from tests.core.talk import place


@pytest.fixture
async def talk():
    async with open_staffed() as talk:
        yield talk


async def asked(talk, user="ada", who="alice"):
    await talk.command(user, "forget", who, "she", "asked", "us")
    (button,) = talk.last.buttons
    return button


async def press(talk, user, button, *args):
    return await talk.command(user, button.command, *(args or button.args))


async def test_nobody_is_forgotten_before_it_is_confirmed_and_then_the_receipt_is_for_who_asked(talk):
    id_ = await id_of(talk)
    button = await asked(talk)
    assert "forget Alice for good" in talk.last.text
    assert f"`forget {button.args[0]} confirm`" in talk.last.text
    assert "turn" in await kept(talk, id_)
    told = await press(talk, "ada", button)
    receipt = next(one for one in talk.street.posted if one.text.startswith(f"{id_} is forgotten"))
    assert receipt.text in told
    assert (receipt.private, receipt.ref.user) == (True, "ada")
    assert ", turn 1," in receipt.text
    assert "What stays, without a name: " in receipt.text
    assert "turn" not in await kept(talk, id_)


async def test_it_can_be_confirmed_in_words(talk):
    id_, button = await id_of(talk), await asked(talk)
    await talk.say("ada", f"!forget {button.args[0]} confirm")
    assert "turn" not in await kept(talk, id_)


async def test_who_asked_and_who_ordered_are_in_the_log_with_role_and_reason(talk):
    await press(talk, "ada", await asked(talk))
    who = {"by": "terminal/local/ada", "role": "admin", "reason": "she asked us"}
    found = await lines(talk, "forget asked", "forget ordered", "forget")
    # The first one went with her key.
    assert found[:2] == [("forget asked", None), ("forget ordered", who)]
    assert found[2][1]["gone"]["turn"] == 1


async def test_nothing_of_who_was_forgotten_is_kept_with_who_asked(talk):
    ada = await id_of_new(talk)
    await press(talk, "ada", await asked(talk))
    await talk.desk.writer.flush()
    assert await talk.store.read(DeliveriesTo(FAREWELL)) == []
    told = [open_delivery(talk.sealer, row).text for row in await talk.store.read(DeliveriesTo(ada))]
    assert [text for text in told if "alice" in text.lower()] == []


async def test_a_button_is_good_for_who_asked_alone(talk):
    button, id_ = await asked(talk), await id_of(talk)
    assert await press(talk, "eve", button) == [STALE]
    assert (await press(talk, "sue", button))[0].startswith(REFUSED)
    assert (await press(talk, "alice", button))[0].startswith(REFUSED)
    assert "turn" in await kept(talk, id_)
    assert await lines(talk, "forget ordered") == []


async def test_a_role_taken_away_meanwhile_counts_when_it_is_confirmed(talk):
    button, id_ = await asked(talk), await id_of(talk)
    talk.settings.roles.pop("terminal/local/ada")
    assert (await press(talk, "ada", button))[0].startswith(REFUSED)
    assert "turn" in await kept(talk, id_)


@pytest.mark.parametrize(
    "forge",
    [
        lambda name: (name, "confirm", "bob"),
        lambda name: (name, "bob", "confirm"),
        lambda name: (name,),
        lambda name: (name[:-1] + ("0" if name[-1] != "0" else "1"), "confirm"),
        lambda name: (name + "0", "confirm"),
        lambda name: ("by:0.000000000000", "confirm"),
        lambda name: ("by:", "confirm"),
        lambda name: ("by:9999999999999999999.0123456789ab", "confirm"),
    ],
)
async def test_a_forged_confirmation_forgets_nobody(talk, forge):
    await talk.say("bob", "hello")
    button, ids = await asked(talk), [await id_of(talk), await id_of(talk, "bob")]
    assert await press(talk, "ada", button, *forge(button.args[0])) == [STALE]
    assert ["turn" in await kept(talk, id_) for id_ in ids] == [True, True]


async def test_a_line_about_something_else_confirms_nothing(talk):
    await asked(talk)
    start = talk.last.buttons[0].args[0].partition(".")[0]
    for word in ("hold", "export"):
        await talk.command("ada", word, "alice", "case", "7")
    for line in await audit_lines(talk.store, talk.sealer, 100):
        if line.action != "forget asked":
            assert await talk.command("ada", "forget", f"{start}.{line.id[-12:]}", "confirm") == [STALE]
    assert await lines(talk, "forget ordered") == []


async def test_a_confirmation_is_good_after_a_restart_and_once(talk):
    button, id_ = await asked(talk), await id_of(talk)
    async with talk.with_desk(talk.street) as desk:
        await desk.accept(Command("again", place("ada"), "forget", button.args))
        await desk.drain()
    assert "turn" not in await kept(talk, id_)
    await talk.say("alice", "I am back")
    assert await press(talk, "ada", button) == [STALE]
    assert "turn" in await kept(talk, await id_of(talk))


async def test_a_hold_wins_also_over_what_was_asked_before_it(talk):
    button = await asked(talk)
    await talk.command("eve", "hold", "alice", "case", "7")
    assert await press(talk, "ada", button) == [HELD]
    assert await talk.command("ada", "forget", "alice", "she", "asked") == [HELD]
    await talk.command("eve", "hold", "end", "alice", "over")
    id_ = await id_of(talk)
    await press(talk, "ada", button)
    assert "turn" not in await kept(talk, id_)


async def test_who_is_being_forgotten_is_not_asked_about_again(talk, monkeypatch):
    button, again = await asked(talk), await asked(talk, "eve")

    async def later(self):
        return []

    with monkeypatch.context() as patched:
        patched.setattr("core.forgetting.Forgetting.resume", later)
        await press(talk, "ada", button)
        assert await press(talk, "eve", again) == [BEGUN]
        assert await talk.command("eve", "forget", "alice", "she", "asked") == [BEGUN]
