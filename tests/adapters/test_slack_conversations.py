"""What is a conversation in Slack, how words are said there, and that nothing goes unanswered, in both modes."""

import pytest

from core.config import Settings
from core.errors import StoreError
from core.queries.said import FeedbackOf
from core.writer import GroupWriter
from simulators.slack_service.delivery import Envelope
from tests.adapters.slack_harness import SlackHarness, SlackHttpHarness
from tests.adapters.slack_town import QuickHarness

pytestmark = pytest.mark.usefixtures("hurried")


class ThreadsHarness(SlackHarness):
    """Each message to the app begins a conversation of its own."""

    def __init__(self, settings):
        super().__init__(Settings(store=settings.store, model="offline", strategies={"direct": "conversation"}))


@pytest.fixture(params=[SlackHarness])
async def harness(request, tmp_path):
    async with request.param(Settings(store=f"sqlite:///{tmp_path}/desk.db", model="offline")) as harness:
        yield harness


async def history_of(town, thread=None):
    town.alice.dm("!history", thread=thread)
    await town.quiet()
    return town.texts(town.alice, town.alice.im)[-1]


@pytest.mark.parametrize(("harness", "both"), [(SlackHarness, True), (ThreadsHarness, False)], indirect=["harness"])
async def test_messages_to_the_app_are_one_memory_or_each_its_own_as_configured(town, both):
    town.alice.dm("open a ticket: no ink")
    second = town.alice.dm("open a ticket: no paper")
    await town.quiet()
    history = await history_of(town, second)
    assert "no paper" in history
    assert ("no ink" in history) is both


async def test_a_group_direct_message_is_like_a_channel(town):
    group = town.slack.group_dm(town.alice, town.bob)
    town.alice.say(group, "open a ticket: no ink")
    await town.quiet()
    assert town.ours(town.alice, group) == []
    root = town.alice.say(group, f"{town.slack.mention} open a ticket: no ink")
    town.alice.say(group, "open a ticket: no paper", thread=root)
    town.bob.say(group, "open a ticket: no light", thread=root)
    await town.quiet()
    assert town.tickets(town.bob, group) == ["no ink", "no paper"]


async def test_a_thread_that_is_muted_is_left_alone_until_it_is_unmuted(town):
    root = town.ask("open a ticket: no ink")
    await town.quiet()
    for words in ("!mute", "open a ticket: no paper", "!unmute", "open a ticket: no light"):
        town.alice.say(town.help, words, thread=root)
        await town.quiet()
    assert town.tickets(town.alice, town.help) == ["no ink", "no light"]


async def test_a_shortcut_summarises_for_who_chose_it(town):
    root = town.ask("open a ticket: no ink")
    await town.quiet()
    town.alice.shortcut(root, "summarise")
    await town.quiet()
    summary = town.ours(town.alice, town.help)[-1]
    assert summary.ephemeral
    assert "no ink" in summary.text
    assert summary.text not in town.texts(town.bob, town.help)


@pytest.mark.parametrize(("button", "kept"), [("Helpful", "helpful"), ("Not helpful", "not helpful")])
async def test_feedback_is_kept_with_the_turn(town, button, kept):
    town.alice.dm("open a ticket: no ink")
    await town.quiet()
    (answer,) = town.ours(town.alice, town.alice.im)
    town.alice.press(answer, button)
    await town.quiet()
    kit = town.harness._desk._kit
    session = kit.sealer.lookup("session", f"slack/{town.slack.acme.id}/dm/{town.alice.id}")
    assert [row.value for row in await kit.store.read(FeedbackOf(session))] == [kept]


both_modes = pytest.mark.parametrize("harness", [QuickHarness, SlackHttpHarness], indirect=True)


@both_modes
async def test_what_nobody_handles_is_acknowledged(town):
    team = {"id": town.slack.acme.id}
    for kind, payload in (
        ("events_api", {"type": "event_callback", "team_id": team["id"], "event": {"type": "pin_added"}}),
        ("interactive", {"type": "view_submission", "team": team, "user": {"id": "U1"}, "view": {}}),
        ("interactive", {"type": "shortcut", "team": team, "user": {"id": "U1"}, "callback_id": "nothing"}),
        ("slash_commands", {"command": "/nothing", "team_id": team["id"], "channel_id": "C1", "user_id": "U1"}),
    ):
        town.slack._send(Envelope(kind, payload))
    await town.quiet()
    assert not town.slack.unacknowledged


@both_modes
async def test_what_could_not_be_kept_is_not_acknowledged_and_answered_once_when_it_comes_again(town, monkeypatch):
    commit, failed = GroupWriter.commit, []

    async def failing(writer, given):
        if not failed:
            failed.append(given)
            raise StoreError("the disk is full")
        return await commit(writer, given)

    monkeypatch.setattr(GroupWriter, "commit", failing)
    town.alice.dm("open a ticket: no ink")
    await town.slack.until(lambda: town.slack.envelopes[0].attempts > 1)
    await town.quiet()
    assert town.slack.envelopes[0].reasons
    assert town.tickets(town.alice, town.alice.im) == ["no ink"]
