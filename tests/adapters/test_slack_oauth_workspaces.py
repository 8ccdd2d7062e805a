"""One desk in many workspaces: each with its own token, none with anything of another one."""

import asyncio
import json
import time
from dataclasses import replace

import pytest

from adapters.slack import translate
from adapters.slack.refs import Us
from adapters.slack.workspaces import Install, ManyWorkspaces
from core.agent import SupportAgent
from core.config import Settings
from core.errors import StoreError
from core.models import ConversationRef, UserMessage
from simulators.slack_service.model import Message
from tests.adapters.slack_many import ManyHarness


@pytest.fixture(autouse=True)
def _hurried(monkeypatch):
    monkeypatch.setattr("adapters.slack.api.BURST", 1_000_000)
    monkeypatch.setattr("adapters.slack.streams.SECONDS_BETWEEN", 0.0)
    monkeypatch.setattr("core.posting.FIRST_PAUSE", 0.005)
    monkeypatch.setattr("core.posting.LONGEST_PAUSE", 0.02)
    monkeypatch.setattr("core.desk.STOP_SECONDS", 0.1)


@pytest.fixture(params=[60.0])
async def house(request, tmp_path):
    settings = Settings(store=f"sqlite:///{tmp_path}/desk.db", model="offline")
    async with ManyHarness(settings, stream_after=request.param) as house:
        yield house


@pytest.fixture
async def gate(monkeypatch):
    """Keeps every answer from being written until it is set."""
    gate, answer = asyncio.Event(), SupportAgent.answer

    async def held(*args, **rest):
        await gate.wait()
        return await answer(*args, **rest)

    monkeypatch.setattr(SupportAgent, "answer", held)
    return gate


@pytest.fixture
async def half_way(house, monkeypatch):
    """Keeps every answer that has begun to show from going on until it is set."""
    half_way, show = asyncio.Event(), house.app.show

    async def held(progress):
        await show(progress)
        if progress.text:
            await half_way.wait()

    monkeypatch.setattr(house.app, "show", held)
    return half_way


streamed_or_not = pytest.mark.parametrize("house", [60.0, 0.0], indirect=True)


async def becomes(condition):
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0)


# --- side by side -----------------------------------------------------------------------------------------------------


@streamed_or_not
async def test_each_workspace_is_answered_with_its_own_token(house):
    await house.install_both()
    house.alice.dm("open a ticket: no ink")
    house.bob.dm("open a ticket: no paper")
    await house.quiet()
    assert "no ink" in house.said(house.alice)[0]
    assert "no paper" in house.said(house.bob)[0]
    rooms = {house.alice.im.id: house.acme.token, house.bob.im.id: house.globex.token}
    spoken = [call for call in house.slack.calls() if "channel" in call.args or "channel_id" in call.args]
    assert spoken
    for call in spoken:
        assert call.token == rooms[call.args.get("channel") or call.args["channel_id"]]
    asked = [(call.args["user"], call.token) for call in house.slack.calls("users.info")]
    assert set(asked) == {(house.alice.id, house.acme.token), (house.bob.id, house.globex.token)}


class Twins:
    """The same channel, person and message as far as their ids go, in both workspaces."""

    def __init__(self, house):
        self.house = house
        self.channel = house.slack.channel(
            "general", house.alice, shared_with=house.slack.world.teams[house.globex.team]
        )
        self.channel.members.append(house.globex.user)
        self.ts = house.slack.world.stamps.new()
        self.channel.put(Message(self.ts, self.channel.id, house.alice.id, house.acme.team, "hello"))

    async def say(self, install, text, ts=None):
        event = {"type": "app_mention", "user": self.house.alice.id, "channel": self.channel.id, "ts": ts or self.ts}
        event |= {"text": f"<@{install.user}> {text}", "thread_ts": self.ts}
        await self.house.post(install, event, team_id=install.team)

    async def remembered(self, install):
        ref = ConversationRef("slack", install.team, self.channel.id, self.house.alice.id, self.ts, direct=False)
        return json.dumps([item["content"] for item in await self.house.desk.items_at(ref) if "content" in item])


@streamed_or_not
async def test_the_same_ids_in_two_workspaces_are_two_people_in_two_conversations(house, gate):
    await house.install_both()
    twins = Twins(house)
    await twins.say(house.acme, "open a ticket: the secret of acme")
    await twins.say(house.globex, "open a ticket: the secret of globex")
    gate.set()
    await house.quiet()
    assert "secret of acme" in await twins.remembered(house.acme)
    assert "globex" not in await twins.remembered(house.acme)
    assert "secret of globex" in await twins.remembered(house.globex)
    assert "acme" not in await twins.remembered(house.globex)
    for mine, other, install in (("acme", "globex", house.acme), ("globex", "acme", house.globex)):
        calls = json.dumps([call.args for call in house.slack.calls() if call.token == install.token])
        assert f"the secret of {mine}" in calls
        assert f"the secret of {other}" not in calls


@pytest.mark.parametrize("house", [0.0], indirect=True)
async def test_answers_to_the_same_message_id_are_streamed_apart(house, half_way):
    await house.install_both()
    twins = Twins(house)
    for install in (house.acme, house.globex):
        await twins.say(install, "open a ticket: no ink")
    await house.slack.until(lambda: len([call for call in house.slack.calls("chat.appendStream") if call.ok]) == 2)
    half_way.set()
    await house.quiet()
    assert house.tokens("chat.startStream") == {house.acme.token, house.globex.token}
    assert not any(message.stream == "in_progress" for message in twins.channel.messages.values())


async def test_the_same_message_id_in_two_workspaces_is_two_messages(house):
    await house.install_both()
    twins = Twins(house)
    for install in (house.acme, house.globex):
        await twins.say(install, "open a ticket: no ink")
    await house.quiet()
    assert {call.token for call in house.slack.calls("chat.postMessage")} == {house.acme.token, house.globex.token}


async def test_what_is_said_in_a_shared_channel_is_answered_as_the_workspace_it_came_for(house):
    await house.install_both()
    shared = house.slack.channel(
        "shared", house.alice, house.bob, shared_with=house.slack.world.teams[house.globex.team]
    )
    house.bob.say(shared, f"<@{house.acme.user}> open a ticket: no ink")
    await house.quiet()
    (answer,) = house.said(house.bob, shared)
    assert "no ink" in answer
    assert house.tokens("chat.postMessage") == {house.acme.token}


@streamed_or_not
@pytest.mark.parametrize("method", ["chat.postMessage", "chat.startStream"])
async def test_what_was_cut_in_one_workspace_is_found_again_as_the_bot_of_that_one(house, method):
    await house.install_both()
    house.slack.faults.cut_answer(method, times=1)
    house.bob.dm("open a ticket: no paper")
    await house.quiet()
    (answer,) = [one for one in house.slack.seen_by(house.bob, house.bob.im) if one.user == house.globex.user]
    assert "no paper" in answer.text
    assert not answer.streaming


async def test_the_home_tab_is_drawn_by_the_workspace_it_is_in(house):
    await house.install_both()
    house.bob.open_home()
    await house.slack.until(lambda: bool(house.slack.calls("views.publish")))
    assert house.tokens("views.publish") == {house.globex.token}


async def test_slash_commands_and_buttons_belong_to_their_workspace(house):
    await house.install_both()
    house.bob.dm("open a ticket: no paper")
    await house.quiet()
    (answer,) = [one for one in house.slack.seen_by(house.bob, house.bob.im) if one.user == house.globex.user]
    house.bob.press(answer, "Undo")
    house.bob.slash("/desk", "whoami")
    await house.quiet()
    assert house.said(house.bob)[0].startswith("Taken back.")
    assert house.said(house.bob)[1].startswith("You are bob")
    assert house.tokens("chat.postMessage", "chat.update") == {house.globex.token}


async def test_what_was_said_while_the_desk_was_away_is_read_in_each_workspace(house):
    await house.install_both()
    for person in (house.alice, house.bob):
        person.dm("hello")
    await house.quiet()
    await house.stop()
    house.alice.dm("open a ticket: no ink")
    house.bob.dm("open a ticket: no paper")
    await house.slack.settled()
    before = len(house.slack.calls())
    await house.start()
    await house.app.catch_up()
    await house.quiet()
    assert "no ink" in house.said(house.alice)[-1]
    assert "no paper" in house.said(house.bob)[-1]
    read = [call for call in house.slack.calls()[before:] if call.method.startswith("conversations.")]
    assert all(call.ok for call in read)
    assert {call.token for call in read} == {house.acme.token, house.globex.token}


# --- where it is not installed ----------------------------------------------------------------------------------------


async def test_what_comes_from_a_workspace_without_an_install_is_acknowledged_and_dropped(house):
    await house.install(house.acme)
    house.bob.dm("open a ticket: no paper")
    house.alice.dm("open a ticket: no ink")
    await house.quiet()
    assert not house.slack.unacknowledged
    assert [call.args["channel"] for call in house.slack.calls("chat.postMessage")] == [house.alice.im.id]


async def test_what_names_no_workspace_is_acknowledged_and_dropped(house):
    await house.install(house.acme)
    for team in (None, 5, ["T1"], {"id": []}, "T-none"):
        odd = replace(house.acme, team=team)
        await house.post(odd, {"type": "app_mention", "user": "U1", "channel": "C1", "ts": "1.000001", "text": "hello"})
    await house.quiet()
    assert not house.slack.calls("chat.postMessage")


# --- taken back -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("taken_back", ["uninstall", "revoke_tokens"])
async def test_an_install_slack_takes_back_is_gone_and_stays_gone(house, taken_back):
    await house.install_both()
    getattr(house.slack, taken_back)(house.globex)
    await house.slack.settled()
    assert not house.slack.unacknowledged
    for _ in range(2):
        assert [us.team for us in await house.workspaces.all()] == [house.acme.team]
        await house.restart()


@pytest.mark.parametrize("taken_back", ["uninstall", "revoke_tokens"])
async def test_what_was_to_be_said_waits_for_a_new_install_and_nobody_else_waits(house, gate, taken_back, caplog):
    caplog.set_level("INFO", "core.posting")
    await house.install_both()
    root = house.bob.dm("open a ticket: thing 1")
    for number in (2, 3):
        house.bob.dm(f"open a ticket: thing {number}", thread=root)
    await house.slack.until(lambda: not house.slack.unacknowledged)
    getattr(house.slack, taken_back)(house.globex)
    await house.slack.until(lambda: not house.slack.unacknowledged)
    gate.set()
    await becomes(lambda: "is not installed in workspace" in caplog.text)
    house.alice.dm("open a ticket: thing of alice")
    await house.slack.until(lambda: bool(house.slack.calls("chat.postMessage")))
    assert house.tokens("chat.postMessage") == {house.acme.token}
    await house.restart()
    house.come_back(house.globex)
    assert (await house.install(house.globex)).status_code == 200
    await house.quiet()
    answers = house.said(house.bob)
    assert [f"thing {number}" in answer for number, answer in enumerate(answers, 1)] == [True, True, True]
    assert house.globex.token in house.tokens("chat.postMessage")
    assert not [record for record in caplog.records if record.exc_info]


async def test_what_waited_for_a_new_install_goes_out_at_once(house, monkeypatch, caplog):
    caplog.set_level("INFO", "core.posting")
    monkeypatch.setattr("core.posting.FIRST_PAUSE", 3_600.0)
    monkeypatch.setattr("core.posting.LONGEST_PAUSE", 3_600.0)
    await house.install_both()
    root = house.bob.dm("hello")
    await house.quiet()
    await house.workspaces.drop(house.globex.team, at=time.time())
    ref = ConversationRef("slack", house.globex.team, house.bob.im.id, house.bob.id, root.ts)
    await house.desk.accept(UserMessage(f"{root.ts}1", ref, "open a ticket: no paper"))
    await becomes(lambda: "is not installed in workspace" in caplog.text)
    house.come_back(house.globex)
    assert (await house.install(house.globex)).status_code == 200
    async with asyncio.timeout(20):
        await house.quiet()
    assert "no paper" in house.said(house.bob)[-1]


async def test_a_new_install_is_used_at_once_in_place_of_the_old_token(house):
    await house.install_both()
    house.bob.dm("hello")
    await house.quiet()
    old = house.globex.token
    house.come_back(house.globex)
    assert (await house.install(house.globex)).status_code == 200
    house.bob.dm("open a ticket: no paper")
    before = len(house.slack.calls())
    await house.quiet()
    assert "no paper" in house.said(house.bob)[-1]
    assert old not in {call.token for call in house.slack.calls()[before:]}


async def test_when_only_peoples_own_tokens_are_revoked_the_app_stays(house):
    await house.install_both()
    event = {"type": "tokens_revoked", "tokens": {"oauth": [house.bob.id], "bot": []}}
    await house.post(house.globex, event, event_time=int(time.time()))
    assert len(await house.workspaces.all()) == 2


async def test_told_late_of_an_old_install_the_new_one_stays(house):
    await house.install_both()
    event = {"type": "app_uninstalled"}
    await house.post(house.globex, event, event_time=int(time.time()) - 60)
    assert len(await house.workspaces.all()) == 2
    await house.post(house.globex, event, event_time=int(time.time()))
    assert len(await house.workspaces.all()) == 1


async def test_where_the_removal_cannot_be_kept_slack_sends_it_again(house, monkeypatch):
    async def fail(*_):
        raise StoreError("the disk is full")

    await house.install_both()
    with monkeypatch.context() as broken:
        broken.setattr("core.notes.PlatformNotes.drop", fail)
        house.slack.revoke_tokens(house.globex)
        await house.slack.settled()
    assert house.slack.unacknowledged
    assert len(await house.workspaces.all()) == 2


async def test_a_token_slack_refuses_without_a_word_stops_nobody_else(house, gate, caplog):
    await house.install_both()
    house.bob.dm("open a ticket: no paper")
    await house.slack.until(lambda: not house.slack.unacknowledged)
    house.globex.dead = "account_inactive"
    gate.set()
    await becomes(lambda: "account_inactive" in caplog.text)
    house.alice.dm("open a ticket: no ink")
    await house.slack.until(lambda: bool(house.said(house.alice)))
    house.globex.dead = ""
    await house.quiet()
    assert "no paper" in house.said(house.bob)[0]


@pytest.mark.parametrize(
    ("event", "gone"),
    [
        ({"type": "app_uninstalled"}, True),
        ({"type": "tokens_revoked", "tokens": {"bot": ["U1"]}}, True),
        ({"type": "tokens_revoked", "tokens": {"oauth": ["U2"], "bot": []}}, False),
        ({"type": "tokens_revoked", "tokens": []}, False),
        ({"type": "tokens_revoked"}, False),
        ({"type": "message"}, False),
    ],
)
def test_what_takes_the_bots_token_back(event, gone):
    assert (translate.removed_at({"event": event, "event_time": 5}) == 5.0) is gone


async def test_what_another_process_was_told_of_installs_is_soon_known_here(house, monkeypatch):
    here, there = house.workspaces, ManyWorkspaces()
    there.remember_in(here._notes)
    known = len(await here.all())
    await there.add(Install(Us("T9", "U9"), "Nine", "xoxb-nine", frozenset(), time.time()))
    assert len(await here.all()) == known
    monkeypatch.setattr("adapters.slack.workspaces.FRESH", 0.0)
    assert await here.token_of("T9") == "xoxb-nine"
    await there.drop("T9", at=time.time() + 1)
    assert await here.at("T9") is None
