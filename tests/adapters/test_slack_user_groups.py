"""Who is staff in Slack: by name, or by a user group; where Slack does not tell, nobody is by group."""

import pytest

from adapters.slack import user_groups
from core.config import Settings
from tests.adapters.slack_harness import SlackHarness
from tests.adapters.slack_staff import StaffHarness
from tests.adapters.slack_town import Town

UNDO = "leftwards_arrow_with_hook"


@pytest.fixture
async def harness(tmp_path):
    async with StaffHarness(Settings(store=f"sqlite:///{tmp_path}/desk.db", model="offline")) as harness:
        yield harness


async def role_of(harness, name):
    await harness.command("whoami", user=name)
    return harness.sees(name)[-1].text.partition(", role ")[2].partition(".")[0]


@pytest.mark.parametrize(("name", "role"), [("mo", "agent"), ("bob", ""), ("alice", "")])
async def test_a_group_makes_its_members_staff_and_nobody_else(harness, name, role):
    assert await role_of(harness, name) == role


@pytest.mark.parametrize("way", ["word", "reaction", "button"])
@pytest.mark.parametrize(("name", "taken_back"), [("mo", True), ("bob", False)])
async def test_a_group_counts_on_every_way(harness, way, name, taken_back):
    town = Town(harness)
    root, person = town.ask("open a ticket: no ink"), harness._person(name)
    person.join(town.help)
    await town.quiet()
    (answer,) = town.ours(town.alice, town.help)
    if way == "word":
        person.say(town.help, f"{harness.slack.mention} !undo", thread=root.ts)
    elif way == "reaction":
        person.react(answer, UNDO)
    else:
        person.press(answer, "Undo")
    await town.quiet()
    assert town.texts(town.alice, town.help)[0].startswith("Taken back") is taken_back


async def test_who_was_taken_out_of_a_group_is_no_staff_any_more(harness, monkeypatch):
    assert await role_of(harness, "mo") == "agent"
    harness.helpers.members.remove(harness._person("mo").id)
    monkeypatch.setattr(user_groups, "KNOWN_FOR_SECONDS", 0.0)
    assert await role_of(harness, "mo") == ""


async def test_a_disabled_group_gives_no_role(harness):
    harness.helpers.disabled = True
    assert await role_of(harness, "mo") == ""


@pytest.mark.parametrize("trouble", ["missing_scope", "internal_error", "plan_upgrade_required"])
async def test_where_slack_does_not_tell_nobody_is_staff_by_group(harness, trouble, monkeypatch):
    assert await role_of(harness, "mo") == "agent"
    monkeypatch.setattr(user_groups, "KNOWN_FOR_SECONDS", 0.0)
    harness.slack.faults.refuse("usergroups.list", trouble)
    assert await role_of(harness, "mo") == ""


async def test_where_slack_is_slow_to_tell_nobody_waits_and_nobody_is_staff_by_group(harness, monkeypatch):
    monkeypatch.setattr(user_groups, "PATIENCE_SECONDS", 0.01)
    harness.slack.faults.rate_limit("usergroups.list", retry_after=30)
    assert [await role_of(harness, "mo"), await role_of(harness, "mo")] == ["", ""]
    assert len(harness.slack.calls("usergroups.list")) == 1


async def test_many_who_speak_are_one_question(harness):
    for name in ("mo", "ada", "bob", "mo"):
        await role_of(harness, name)
    assert len(harness.slack.calls("usergroups.list")) == 1


async def test_a_workspace_where_no_group_gives_a_role_is_not_asked(tmp_path):
    async with SlackHarness(Settings(store=f"sqlite:///{tmp_path}/desk.db", model="offline")) as harness:
        await role_of(harness, "alice")
        assert harness.slack.calls("usergroups.list") == []


async def test_staff_by_group_reviews_a_person_they_mention_page_by_page(harness, monkeypatch):
    for number in range(12):
        await harness.say(f"message number {number}")
    alice = harness._person("alice")
    await harness.command("review", f"<@{alice.id}|alice>", "she asked for help", user="mo")
    page = harness.slack.seen_by(harness._person("mo"), harness._person("mo").im)[-1]
    assert "message number 0" in page.text
    harness._person("mo").press(page, "More")
    await harness._quiet()
    assert "message number 11" in harness.sees("mo")[-1].text
    harness.helpers.members.clear()
    monkeypatch.setattr(user_groups, "KNOWN_FOR_SECONDS", 0.0)
    harness._person("mo").press(page, "More")
    await harness._quiet()
    assert harness.sees("mo")[-1].text == "You may not do that here."
