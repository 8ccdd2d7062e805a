"""What is Slack's own, through the real Bolt app against the simulated workspace."""

import pytest

from adapters.slack.catch_up import HEARD
from core.agent import SupportAgent
from core.config import Settings
from core.instructions import known as facts
from simulators.slack_service import Timing
from tests.adapters.slack_harness import SlackHarness

UNDO = "leftwards_arrow_with_hook"


class StreamingHarness(SlackHarness):
    """Streams every answer, however quick."""

    stream_after = 0.0


@pytest.fixture(params=[SlackHarness])
async def harness(request, tmp_path):
    settings = Settings(store=f"sqlite:///{tmp_path}/desk.db", model="offline")
    async with request.param(settings) as harness:
        yield harness


class ForgetfulHarness(SlackHarness):
    """Slack sends nothing again."""

    timing = Timing(acknowledge=0.2, retries=())


streaming = pytest.mark.parametrize("harness", [StreamingHarness], indirect=True)


@pytest.fixture
async def alice(harness):
    return harness.slack.person("alice")


@pytest.fixture
async def bob(harness):
    return harness.slack.person("bob")


@pytest.fixture
async def help_(harness, alice, bob):
    return harness.slack.channel("general", alice, bob)


def ours(harness, person, channel):
    return [one for one in harness.slack.seen_by(person, channel) if one.user == harness.slack.install.user]


def texts(harness, person, channel):
    return [one.text for one in ours(harness, person, channel)]


async def mention(harness, person, channel, text, thread=None):
    message = person.say(channel, f"{harness.slack.mention} {text}", thread=thread)
    await harness._quiet()
    return message


# --- direct messages --------------------------------------------------------------------------------------------------


async def test_an_answer_stands_in_the_thread_of_the_message_that_asked(harness, alice):
    for text in ("hello", "again"):
        message = alice.dm(text)
        await harness._quiet()
        assert ours(harness, alice, alice.im)[-1].thread_ts == message.ts


async def test_a_person_is_called_by_the_name_slack_knows(harness, alice):
    alice.user.name = "Alice Adams"
    alice.dm("hello")
    await harness._quiet()
    alice.slash("/desk", "whoami")
    await harness._quiet()
    assert texts(harness, alice, alice.im)[-1].startswith("You are Alice Adams")


def title_of(harness, person, thread):
    return harness.slack.shown_beside(person.im, thread).get("title")


async def test_a_thread_is_called_by_the_words_it_began_with_and_stays_so(harness, alice):
    question = alice.dm("the printer upstairs\nis out of ink")
    await harness._quiet()
    assert title_of(harness, alice, question) == "the printer upstairs is out of ink"
    await harness.restart()
    alice.dm("and it smells", thread=question)
    await harness._quiet()
    assert title_of(harness, alice, question) == "the printer upstairs is out of ink"
    assert len(harness.slack.calls("assistant.threads.setTitle")) == 1


async def test_a_long_beginning_makes_a_short_title(harness, alice):
    question = alice.dm("word " * 40)
    await harness._quiet()
    assert title_of(harness, alice, question) == "word " * 11 + "word…"


async def test_a_thread_in_a_channel_has_no_title(harness, alice, help_):
    await mention(harness, alice, help_, "hello")
    assert not harness.slack.calls("assistant.threads.setTitle")


@pytest.mark.parametrize(("error", "tried"), [("missing_scope", 1), ("unknown_method", 2), ("internal_error", 2)])
async def test_where_titles_are_refused_answers_go_out_all_the_same(harness, alice, error, tried):
    harness.slack.faults.refuse("assistant.threads.setTitle", error)
    for text in ("hello", "again"):
        alice.dm(text)
        await harness._quiet()
    assert len(ours(harness, alice, alice.im)) == 2
    assert len(harness.slack.calls("assistant.threads.setTitle")) == tried


async def test_slack_tells_a_persons_address_locale_and_time_zone(harness):
    known, answer = [], SupportAgent.answer

    async def watched(*args, **rest):
        known.append(facts(args[2], "triage"))
        return await answer(*args, **rest)

    carol = harness.slack.person("carol", email="carol@example.com", tz="Asia/Tokyo", locale="ja-JP")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(SupportAgent, "answer", watched)
        carol.dm("hello")
        await harness._quiet()
    assert known[0]["locale"] == "ja-JP"
    assert known[0]["local_time"].endswith("(Asia/Tokyo)")
    carol.slash("/desk", "whoami")
    await harness._quiet()
    assert texts(harness, carol, carol.im)[-1].startswith("You are carol, carol@example.com, tier")


async def test_without_the_scope_for_it_no_address_is_known(harness, alice):
    alice.user.email = "alice@example.com"
    harness.slack.install.scopes -= {"users:read.email"}
    alice.dm("hello")
    await harness._quiet()
    alice.slash("/desk", "whoami")
    await harness._quiet()
    assert texts(harness, alice, alice.im)[-1].startswith("You are alice, tier")


async def test_a_file_is_noted_and_said_not_to_be_read(harness, alice):
    alice.share_file(alice.im, "invoice.pdf")
    await harness._quiet()
    items = await harness._desk.items_at(_ref(harness, alice))
    assert "(file: invoice.pdf" in items[0]["content"]
    assert "its content was not read" in items[0]["content"]


@streaming
async def test_a_streamed_answer_ends_as_the_whole_answer_once(harness, alice):
    alice.dm("open a ticket: no ink")
    await harness._quiet()
    (answer,) = ours(harness, alice, alice.im)
    assert answer.text.startswith("I opened TKT-1001: “no ink” (priority normal).")
    assert answer.text.count("TKT-1001") == 1
    assert not answer.streaming
    assert [button.label for button in answer.buttons] == ["Undo", "Retry", "Helpful", "Not helpful"]


@streaming
async def test_where_streams_are_unknown_there_is_one_post(harness, alice):
    harness.slack.faults.forget_method("chat.startStream")
    alice.dm("open a ticket: no ink")
    await harness._quiet()
    (answer,) = ours(harness, alice, alice.im)
    assert answer.text.startswith("I opened TKT-1001")


# --- channels ---------------------------------------------------------------------------------------------------------


async def test_in_a_channel_only_who_called_it_is_heard(harness, alice, bob, help_):
    alice.say(help_, "nobody is called here")
    root = await mention(harness, alice, help_, "the printer is broken")
    bob.say(help_, "mine is fine", thread=root)
    alice.say(help_, "it is the one upstairs", thread=root)
    alice.say(help_, f"{bob.mention} have you seen it?", thread=root)
    await harness._quiet()
    assert len(ours(harness, alice, help_)) == 2
    assert "it is the one upstairs" in texts(harness, alice, help_)[-1]


async def test_a_mention_is_answered_once_though_slack_tells_of_it_twice(harness, alice, help_):
    await mention(harness, alice, help_, "open a ticket: no ink")
    assert len(ours(harness, alice, help_)) == 1


async def test_called_into_a_thread_it_reads_along_what_others_said(harness, alice, bob, help_):
    bob.user.name = "Bob Brown"
    root = bob.say(help_, "the printer upstairs is out of ink")
    await harness._quiet()
    await mention(harness, alice, help_, "what did he say?", thread=root)
    items = await harness._desk.items_at(_ref(harness, alice, help_, root))
    assert items[0]["content"].startswith("(read along, Bob Brown said:) the printer upstairs is out of ink\n")


async def test_another_bot_starts_no_loop(harness, alice, help_):
    root = await mention(harness, alice, help_, "hello")
    other = harness.slack.other_bot("echo")
    other.say(help_, f"{harness.slack.mention} hello", thread=root)
    other.webhook(help_, f"{harness.slack.mention} hello")
    await harness._quiet()
    assert len(ours(harness, alice, help_)) == 1


async def test_what_slack_itself_changes_starts_no_turn(harness, alice, help_):
    root = await mention(harness, alice, help_, "see https://acme.example")
    harness.slack.detect_language(root)
    await harness._quiet()
    assert len(ours(harness, alice, help_)) == 1


async def test_nobody_is_pinged_by_what_is_quoted_back(harness, alice, help_):
    await mention(harness, alice, help_, "say <!channel> and @everyone")
    assert ours(harness, alice, help_)[0].pings == ()


# --- words ------------------------------------------------------------------------------------------------------------


async def test_a_button_takes_back_what_it_stands_under(harness, alice):
    alice.dm("open a ticket: no ink")
    await harness._quiet()
    alice.press(ours(harness, alice, alice.im)[0], "Undo")
    await harness._quiet()
    assert texts(harness, alice, alice.im) == [
        "Taken back. TKT-1001 is withdrawn. Remove the reaction or say `redo` to bring it back."
    ]


async def test_what_is_brought_back_has_its_buttons_again(harness, alice):
    question = alice.dm("open a ticket: no ink")
    await harness._quiet()
    alice.react(question, UNDO)
    await harness._quiet()
    alice.unreact(question, UNDO)
    await harness._quiet()
    (answer,) = ours(harness, alice, alice.im)
    assert answer.text.startswith("I opened TKT-1001")
    assert [button.label for button in answer.buttons] == ["Undo", "Retry", "Helpful", "Not helpful"]


@pytest.mark.parametrize("value", ["{}", "nonsense", '{"c":"undo","a":["turn","0"]}', '{"c":["undo"]}'])
async def test_a_forged_button_does_nothing(harness, alice, bob, value):
    bob.dm("open a ticket: bobs")
    alice.dm("hello")
    await harness._quiet()
    alice.press(ours(harness, alice, alice.im)[0], "desk:undo", value=value)
    await harness._quiet()
    assert "TKT-1001" in texts(harness, bob, bob.im)[0]
    assert not texts(harness, alice, alice.im)[0].startswith("Taken back")


async def test_a_slash_command_in_a_channel_is_about_the_conversation_there(harness, alice, bob, help_):
    await mention(harness, alice, help_, "open a ticket: no ink")
    alice.slash("/ticket-summary", channel=help_)
    await harness._quiet()
    seen = ours(harness, alice, help_)[-1]
    assert seen.ephemeral
    assert seen.text.startswith("About: open a ticket: no ink (http")
    assert "TKT-1001: no ink" in seen.text
    assert len(ours(harness, bob, help_)) == 1


async def test_where_a_word_could_mean_two_conversations_the_person_picks_one(harness, alice, help_):
    await mention(harness, alice, help_, "open a ticket: no ink")
    await mention(harness, alice, help_, "open a ticket: no paper")
    alice.slash("/desk", "undo", channel=help_)
    await harness._quiet()
    asked = ours(harness, alice, help_)[-1]
    assert asked.text.startswith("Which conversation do you mean with `undo`?")
    assert asked.ephemeral
    alice.press(asked, "open a ticket: no ink")
    await harness._quiet()
    first, second = [one for one in ours(harness, alice, help_) if not one.ephemeral]
    assert first.text.startswith("Taken back. TKT-1001")
    assert "I opened TKT-1002" in second.text


async def test_a_shortcut_opens_a_ticket_about_a_message(harness, alice, bob, help_):
    said = bob.say(help_, "the printer upstairs is out of ink")
    alice.shortcut(said, "create_ticket")
    await harness._quiet()
    assert texts(harness, alice, help_)[0].startswith("I opened TKT-1001: “the printer upstairs is out of ink”")


async def test_a_shortcut_takes_back_from_a_message_on(harness, alice):
    question = alice.dm("open a ticket: no ink")
    await harness._quiet()
    alice.shortcut(question, "undo_from_here")
    await harness._quiet()
    assert texts(harness, alice, alice.im)[0].startswith("Taken back. TKT-1001")


async def test_the_home_tab_shows_how_the_person_stands(harness, alice):
    alice.dm("open a ticket: no ink")
    await harness._quiet()
    alice.open_home()
    await harness._quiet()
    await harness.slack.until(lambda: bool(harness.slack.calls("views.publish")))
    assert "TKT-1001" in alice.home
    assert "Clear our conversation" in alice.home


async def test_a_button_on_the_home_tab_brings_all_that_is_kept_into_the_direct_conversation(harness, alice, bob):
    alice.dm("open a ticket: no ink")
    bob.dm("open a ticket: no paper")
    await harness._quiet()
    alice.open_home()
    await harness.slack.until(lambda: bool(harness.slack.calls("views.publish")))
    alice.press_home("Export what is kept of me")
    await harness._quiet()
    shown = ours(harness, alice, alice.im)[-1]
    assert shown.files == ("deskmate-export.json",)
    assert shown.text == "This is all I keep of you: 1 turn, 1 ticket."
    (content,) = harness.slack.content_of(shown)
    assert b"no ink" in content
    assert b"no paper" not in content


# --- while nobody listened --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("harness", [ForgetfulHarness], indirect=True)
async def test_what_was_said_while_it_was_away_is_answered_once_when_it_is_back(harness, alice, help_):
    alice.dm("hello")
    root = await mention(harness, alice, help_, "hello")
    await harness._bot.aclose()
    alice.dm("open a ticket: no ink")
    alice.say(help_, "open a ticket: no paper", thread=root)
    await harness.slack.settled()
    assert harness.slack.unacknowledged
    await harness.restart()
    for _ in range(2):
        await harness._app.catch_up()
        await harness._quiet()
    said = texts(harness, alice, alice.im) + texts(harness, alice, help_)
    assert len([text for text in said if "no ink" in text]) == 1
    assert len([text for text in said if "no paper" in text]) == 1


async def test_of_a_busy_workspace_only_those_conversations_are_noted_that_would_be_read_again(
    harness, alice, monkeypatch
):
    monkeypatch.setattr("adapters.slack.catch_up.MOST", 4)
    said = [alice.dm(f"hello, this is line {number}") for number in range(6)]
    await harness._quiet()
    await harness._app._catch_up.keep()
    await harness._desk.writer.flush()
    direct = f"{harness.slack.install.team}/{alice.im.id}"
    noted = await harness._app._catch_up._notes.all(HEARD)
    assert noted == {direct: said[-1].ts, **{f"{direct}/{one.ts}": one.ts for one in said[-3:]}}


async def test_no_client_of_the_web_api_is_made_for_an_event(harness, alice, monkeypatch):
    monkeypatch.setattr("slack_bolt.app.async_app.AsyncWebClient", None)
    alice.dm("hello, my printer is broken")
    await harness._quiet()
    assert texts(harness, alice, alice.im)


async def test_catching_up_slows_down_to_what_slack_allows_and_says_so(harness, alice, help_, monkeypatch, caplog):
    monkeypatch.setattr("adapters.slack.catch_up.SLOW_SECONDS", 0.5)
    alice.dm("hello")
    await mention(harness, alice, help_, "hello")
    await harness.restart()
    await harness._app.catch_up()
    assert harness.slack.calls("conversations.history")
    assert "catching up" not in caplog.text
    harness.slack.faults.rate_limit("conversations.history", retry_after=1, times=1)
    await harness._app.catch_up()
    assert caplog.text.count("catching up in workspace") == 1


def _ref(harness, person, channel=None, root=None):
    from core.models import ConversationRef

    place = channel or person.im
    thread = root.ts if root else None
    return ConversationRef("slack", harness.slack.acme.id, place.id, person.id, thread, direct=channel is None)
