"""The shortcut Review in Slack: a form asks why, and who sends it in is looked at anew."""

import json

import pytest

from adapters.slack import user_groups
from core.access import READINGS
from core.audit import audit_lines
from core.config import Settings
from tests.adapters.slack_staff import StaffHarness
from tests.adapters.slack_town import Town

SECRET = "xylophone-4711"
WHY = "she asked for help"
REFUSED = "You may not do that here."


@pytest.fixture
async def town(tmp_path):
    async with StaffHarness(Settings(store=f"sqlite:///{tmp_path}/desk.db", model="offline")) as harness:
        yield Town(harness)


async def lines(town):
    kit = town.harness._desk._kit
    found = await audit_lines(kit.store, kit.sealer, 100)
    return [(line.action, line.detail["reason"]) for line in found if line.action in READINGS]


async def asked(town, name):
    """Somebody who chose the shortcut on Alice's question, and has the form before them."""
    root, person = town.ask(f"open a ticket: {SECRET}"), town.harness._person(name)
    person.join(town.help)
    await town.quiet()
    person.shortcut(root, "review")
    await town.harness.slack.until(lambda: person.modal is not None)
    return person


async def sent(town, person, reason):
    envelope = person.submit(reason=reason)
    await town.quiet()
    return envelope


async def test_the_form_asks_why_and_then_shows_the_conversation_to_who_asked_alone(town):
    mo = await asked(town, "mo")
    assert (mo.modal.body["title"]["text"], await lines(town)) == ("Review", [])
    await sent(town, mo, WHY)
    assert mo.modal is None
    page = town.ours(mo, town.help)[-1]
    assert page.ephemeral
    assert SECRET in page.text
    assert "Tool create_ticket(" in page.text
    assert not [text for text in town.texts(town.alice, town.help) if "create_ticket" in text]
    assert await lines(town) == [("review", WHY)]


async def test_who_has_no_role_is_refused_when_the_form_is_sent(town):
    bob = await asked(town, "bob")
    await sent(town, bob, "curious")
    assert town.texts(bob, town.help)[-1] == REFUSED
    assert await lines(town) == []


async def test_a_role_lost_while_the_form_is_open_counts_when_it_is_sent(town, monkeypatch):
    mo = await asked(town, "mo")
    town.harness.helpers.members.clear()
    monkeypatch.setattr(user_groups, "KNOWN_FOR_SECONDS", 0.0)
    await sent(town, mo, WHY)
    assert town.texts(mo, town.help)[-1] == REFUSED
    assert await lines(town) == []


@pytest.mark.parametrize("reason", ["", "  ", "\n"])
async def test_a_form_without_a_reason_reads_nothing(town, reason):
    mo = await asked(town, "mo")
    await sent(town, mo, reason)
    assert town.texts(mo, town.help)[-1].startswith("Say why you need to read it")
    assert await lines(town) == []


@pytest.mark.parametrize(
    "metadata",
    ["", "[]", "{", "null", '{"channel": 5, "ts": []}', '{"channel": "C9", "ts": "1.2"}', "[" * 3000],
)
async def test_a_form_that_is_about_nothing_we_know_reads_nothing(town, metadata):
    mo = await asked(town, "mo")
    mo.modal.body["private_metadata"] = metadata
    await sent(town, mo, WHY)
    assert not [text for text in town.texts(mo, town.help) if "create_ticket" in text]
    assert await lines(town) == []


async def test_a_form_that_is_delivered_twice_is_read_once(town):
    mo = await asked(town, "mo")
    envelope = mo.submit(reason=WHY)
    await town.quiet()
    again = json.loads(json.dumps(envelope.payload))
    await town.harness._app._take(again, town.harness.slack.acme.id)
    await town.quiet()
    assert await lines(town) == [("review", WHY)]
