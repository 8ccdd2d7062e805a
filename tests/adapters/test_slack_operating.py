"""The words of who looks after the desk, as `/desk` in Slack."""

import pytest

from adapters.slack import user_groups
from core.config import Settings
from tests.adapters.slack_staff import AdminHarness
from tests.adapters.slack_town import Town

REFUSED = "You may not do that here."


@pytest.fixture
async def town(tmp_path):
    async with AdminHarness(Settings(store=f"sqlite:///{tmp_path}/desk.db", model="offline")) as harness:
        yield Town(harness)


async def said(town, name, words):
    """What somebody is shown, and they alone, after `/desk` in a channel."""
    town.ask("open a ticket: no ink")
    person = town.harness._person(name)
    person.join(town.help)
    await town.quiet()
    before = len(town.texts(town.alice, town.help))
    person.slash("/desk", words, town.help)
    await town.quiet()
    assert len(town.texts(town.alice, town.help)) == before
    return town.ours(person, town.help)[-1]


@pytest.mark.parametrize("words", ["usage by session", "Usage By session"])
async def test_what_was_used_is_added_up(town, words):
    shown = await said(town, "mo", words)
    assert shown.ephemeral
    assert "Total" in shown.text and f"slack/{town.harness.slack.acme.id}/thread/" in shown.text


async def test_the_audit_log_is_listed_and_checked(town):
    await said(town, "mo", "audit")
    listed = await said(town, "mo", "audit 1")
    assert listed.ephemeral and f"slack/{town.harness.slack.acme.id}/" in listed.text and "audit_list" in listed.text
    assert (await said(town, "mo", "audit verify")).text.startswith("The audit log holds")


async def test_keys_are_counted_and_made_anew_by_the_button(town):
    assert (await said(town, "mo", "keys")).text.startswith("Data keys of ")
    mo = town.harness._person("mo")
    mo.press(await said(town, "mo", "keys rotate"), "Make new keys")
    await town.quiet()
    assert "new data keys made" in town.texts(mo, town.help)[-1]


async def test_who_was_taken_out_of_the_group_presses_in_vain(town, monkeypatch):
    asked, mo = await said(town, "mo", "keys rotate"), town.harness._person("mo")
    town.harness.helpers.members.clear()
    monkeypatch.setattr(user_groups, "KNOWN_FOR_SECONDS", 0.0)
    mo.press(asked, "Make new keys")
    await town.quiet()
    assert town.texts(mo, town.help)[-1] == REFUSED


async def test_what_is_old_is_asked_for(town):
    assert (await said(town, "mo", "retention run")).text.startswith("Nothing goes by its age")


@pytest.mark.parametrize("words", ["usage by session", "audit", "audit verify", "retention", "keys"])
async def test_a_group_that_means_nothing_is_refused(town, words):
    assert (await said(town, "bob", words)).text == REFUSED
