"""What admins say of somebody in Slack: `/desk hold @person REASON` and the others."""

import json

import pytest

from core.audit import audit_lines
from core.config import Settings
from core.noted import OTHERS_READ
from tests.adapters.slack_staff import AdminHarness
from tests.adapters.slack_town import Town

WHY = "she asked us"
REFUSED = "You may not do that here."


@pytest.fixture
async def town(tmp_path):
    async with AdminHarness(Settings(store=f"sqlite:///{tmp_path}/desk.db", model="offline")) as harness:
        town = Town(harness)
        town.alice.dm("open a ticket: xylophone")
        await town.quiet()
        yield town


@pytest.fixture
def mo(town):
    person = town.harness._person("mo")
    person.join(town.help)
    return person


async def said(town, person, text, channel=None):
    person.slash("/desk", text, channel)
    await town.quiet()
    return town.texts(person, channel or person.im)[-1]


def alice(town):
    return f"<@{town.alice.id}|alice>"


async def lines(town):
    kit = town.harness._desk._kit
    return [line.action for line in await audit_lines(kit.store, kit.sealer, 100)]


async def test_a_person_who_is_mentioned_is_put_on_hold_and_off(town, mo):
    assert (await said(town, mo, f"hold {alice(town)} case 7", town.help)).startswith("alice is on hold now")
    assert town.alice.id in await said(town, mo, "hold", town.help)
    assert town.texts(town.bob, town.help) == []
    assert await said(town, mo, f"hold end {alice(town)} over") == "alice is not on hold any more."
    assert await lines(town) == ["hold", "hold_list", "end hold"]


@pytest.mark.parametrize("word", ["hold", "forget", "export", "unlink"])
async def test_who_is_in_no_group_that_gives_a_role_is_refused(town, word):
    bob = town.harness._person("bob")
    for who in (alice(town), "<@U404|nobody>"):
        assert (await said(town, bob, f"{word} {who} {WHY}")).startswith(REFUSED)
    assert await lines(town) == []


async def test_somebody_is_forgotten_once_the_button_is_pressed(town, mo):
    assert "forget alice for good" in await said(town, mo, f"forget {alice(town)} {WHY}")
    question = town.ours(mo, mo.im)[-1]
    assert await lines(town) == ["forget asked"]
    mo.press(question, "Forget them for good")
    await town.quiet()
    await town.slack.until(lambda: "their key destroyed" in town.texts(mo, mo.im)[-1])
    assert await lines(town) == ["forget asked", "forget ordered", "forget"]


async def test_an_export_is_a_file_in_the_direct_conversation_and_nowhere_else(town, mo):
    assert await said(town, mo, f"export {alice(town)} {WHY}", town.help) == OTHERS_READ
    assert await lines(town) == []
    await said(town, mo, f"export {alice(town)} {WHY}")
    (shown,) = [one for one in town.ours(mo, mo.im) if one.files]
    (content,) = town.slack.content_of(shown)
    assert json.loads(content)["tickets"][0]["subject"] == "xylophone"
    assert await lines(town) == ["export_person"]
