"""Files the desk sends on Slack, through the real Bolt app: each once, also when something goes wrong on the way."""

import json

import pytest

from core.config import Settings
from core.posting import Poster
from tests.adapters.slack_harness import SlackHarness, SlackHttpHarness
from tests.adapters.slack_town import QuickHarness, becomes

FILE = ("deskmate-export.json",)
SAID = "This is all I keep of you: 1 turn, 1 ticket."
ANNOUNCE, UPLOAD, COMPLETE = "files.getUploadURLExternal", "upload", "files.completeUploadExternal"
STEPS = (ANNOUNCE, UPLOAD, COMPLETE)

both_modes = pytest.mark.parametrize("harness", [QuickHarness, SlackHttpHarness], indirect=True)
pytestmark = pytest.mark.usefixtures("hurried")


@pytest.fixture(params=[SlackHarness])
async def harness(request, tmp_path, monkeypatch):
    monkeypatch.setattr("adapters.slack.files.LOOKS", (0.0,))
    settings = Settings(store=f"sqlite:///{tmp_path}/desk.db", model="offline")
    async with request.param(settings) as harness:
        yield harness


@pytest.fixture
async def town(town):
    town.alice.dm("open a ticket: no ink")
    await town.quiet()
    return town


def files(town):
    return [one for one in town.ours(town.alice, town.alice.im) if one.files]


def done(town, method):
    return [call for call in town.slack.calls(method) if call.ok]


async def killed(town):
    """End the desk in the middle of a delivery; Slack is well again afterwards."""
    await town.harness._bot.aclose()
    town.slack.faults.clear()


async def one_file(town):
    await town.quiet()
    (shown,) = files(town)
    assert (shown.files, shown.text) == (FILE, SAID)
    assert "could not send" not in "".join(town.texts(town.alice, town.alice.im))
    return shown


# --- a file -----------------------------------------------------------------------------------------------------------


@both_modes
async def test_an_export_comes_as_a_file_in_the_thread_of_the_message_that_asked(town):
    question = town.alice.dm("!export")
    shown = await one_file(town)
    assert shown.thread_ts == question.ts
    (content,) = town.slack.content_of(shown)
    assert json.loads(content)["tickets"][0]["subject"] == "no ink"


@both_modes
async def test_an_export_asked_for_with_a_slash_command_comes_into_the_direct_conversation(town):
    town.alice.slash("/desk", "export")
    await one_file(town)
    assert town.texts(town.bob, town.bob.im) == []


@both_modes
async def test_in_a_channel_nothing_is_exported_and_the_person_alone_is_told_where_to_ask(town):
    town.alice.slash("/desk", "export", town.help)
    await town.quiet()
    (told,) = town.ours(town.alice, town.help)
    assert told.text == "Others read this place. Say `export` in a direct message to me."
    assert told.ephemeral
    assert town.slack.calls(ANNOUNCE) == []


# --- on the way -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("fault", ["cut_answer", "cut_request", "fail"])
async def test_a_step_that_is_cut_or_fails_leaves_one_file(town, step, fault):
    getattr(town.slack.faults, fault)(step, times=2)
    town.alice.dm("!export")
    await one_file(town)
    assert len(done(town, COMPLETE)) == 1


@pytest.mark.parametrize("step", [*STEPS, "files.info"])
async def test_a_rate_limit_is_waited_for(town, step):
    town.slack.faults.rate_limit(step, retry_after=0, times=2)
    town.alice.dm("!export")
    await one_file(town)
    assert [call.faults for call in town.slack.calls(step)] == [("rate_limited",), ("rate_limited",), ()]


async def test_a_file_that_slack_shows_late_is_waited_for_and_sent_once(town):
    town.slack.hold_files()
    town.alice.dm("!export")
    await becomes(lambda: len(town.slack.calls("files.info")) > 3)
    town.slack.let_files_through()
    await one_file(town)
    assert len(town.slack.calls(COMPLETE)) == 1


async def test_a_file_whose_sharing_was_cut_and_that_slack_shows_late_is_sent_once(town):
    town.slack.hold_files()
    town.slack.faults.cut_answer(COMPLETE, times=1)
    town.alice.dm("!export")
    await becomes(lambda: len(town.slack.calls(COMPLETE)) > 1 and len(town.slack.calls("files.info")) > 3)
    town.slack.let_files_through()
    await one_file(town)
    assert len(done(town, UPLOAD)) == len(done(town, COMPLETE)) == 1


async def test_a_file_that_slack_never_shows_is_held_and_nothing_is_sent_again(town, monkeypatch, caplog):
    monkeypatch.setattr("adapters.slack.files.SETTLE_SECONDS", 0.0)
    town.slack.hold_files()
    town.alice.dm("!export")
    await town.quiet()
    assert files(town) == []
    assert len(town.slack.calls(COMPLETE)) == 1
    assert "may or may not have reached slack: hold" in caplog.text


async def test_a_file_that_somebody_deletes_at_once_is_not_sent_again(town, monkeypatch, caplog):
    monkeypatch.setattr("adapters.slack.files.SETTLE_SECONDS", 0.0)
    town.slack.hold_files()
    town.slack.faults.refuse("files.info", "file_deleted")
    town.alice.dm("!export")
    await town.quiet()
    assert len(town.slack.calls(UPLOAD)) == 1
    assert "may or may not have reached slack: hold" in caplog.text


async def test_a_file_that_slack_threw_away_is_uploaded_again(town, monkeypatch):
    monkeypatch.setattr("adapters.slack.files.SETTLE_SECONDS", 0.0)
    town.slack.faults.cut_request(COMPLETE)
    town.alice.dm("!export")
    await town.slack.until(lambda: bool(town.slack.calls(COMPLETE)))
    town.slack.forget_uploads()
    town.slack.faults.clear()
    await one_file(town)
    assert len(done(town, UPLOAD)) == 2


# --- a desk that is killed --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [UPLOAD, COMPLETE])
@both_modes
async def test_a_desk_that_was_killed_before_a_step_goes_on_with_it(town, step):
    town.slack.faults.fail(step)
    town.alice.dm("!export")
    await town.slack.until(lambda: bool(town.slack.calls(step)))
    await killed(town)
    await town.harness.restart()
    await one_file(town)
    # What was uploaded is not uploaded again.
    assert len(done(town, UPLOAD)) == len(done(town, COMPLETE)) == 1


async def test_a_desk_that_was_killed_while_slack_took_the_file_sends_it_once(town):
    town.slack.faults.cut_answer(COMPLETE)
    town.slack.faults.fail("files.info")
    town.alice.dm("!export")
    await town.slack.until(lambda: bool(town.slack.calls("files.info")))
    await killed(town)
    await town.harness.restart()
    await one_file(town)
    assert len(town.slack.calls(COMPLETE)) == 1


async def test_a_desk_that_was_killed_before_it_knew_the_file_to_be_posted_sends_it_once(town, monkeypatch):
    with monkeypatch.context() as forgetful:
        forgetful.setattr(Poster, "_note", lambda *_: None)
        town.alice.dm("!export")
        await town.quiet()
    await killed(town)
    await town.harness.restart()
    await one_file(town)
    assert len(town.slack.calls(COMPLETE)) == 1


async def test_what_is_known_of_a_file_is_forgotten_once_it_is_shown_and_that_is_written_down(town, monkeypatch):
    monkeypatch.setattr("adapters.slack.files._SHOWN_FOR", -1.0)
    for _ in range(3):
        town.alice.dm("!export")
        await town.quiet()
        await town.harness.restart()
    await town.harness._app._files.tidy()
    assert await town.harness._app._files._notes.all("file") == {}


# --- what the desk may not --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", ["storage_limit_reached", "unknown_method", "file_uploads_disabled"])
@pytest.mark.parametrize("step", STEPS)
async def test_where_slack_takes_no_file_the_person_gets_the_text_and_is_told(town, step, error, caplog):
    town.slack.faults.refuse(step, error)
    town.alice.dm("!export")
    await town.quiet()
    told = town.texts(town.alice, town.alice.im)[-1]
    assert told.startswith(SAID)
    assert "could not send the file deskmate-export.json here. Please ask those who run this desk" in told
    assert len(town.slack.calls(step)) == 1
    assert "cannot be sent" in caplog.text


async def test_a_file_that_is_refused_after_a_failure_is_told_of_once_slack_surely_has_not_taken_it(town, monkeypatch):
    monkeypatch.setattr("adapters.slack.files.SETTLE_SECONDS", 0.0)
    town.slack.faults.fail(COMPLETE, times=1)
    town.slack.faults.refuse(COMPLETE, "file_uploads_disabled")
    town.alice.dm("!export")
    await town.quiet()
    assert len([text for text in town.texts(town.alice, town.alice.im) if "could not send the file" in text]) == 1
    assert files(town) == []


async def test_without_the_scope_the_person_is_told_and_the_log_names_it(town, caplog):
    town.slack.install.scopes -= {"files:write", "files:read"}
    town.alice.dm("!export")
    await town.quiet()
    assert len([text for text in town.texts(town.alice, town.alice.im) if "could not send the file" in text]) == 1
    assert "scope files:write is missing" in caplog.text


async def test_where_only_reading_is_not_granted_the_file_is_found_in_the_conversation(town):
    town.slack.install.scopes -= {"files:read"}
    town.slack.faults.cut_answer(COMPLETE, times=1)
    town.alice.dm("!export")
    await one_file(town)
    assert len(town.slack.calls(COMPLETE)) == 1


async def test_the_text_in_place_of_a_file_is_said_once_though_its_answer_was_cut(town):
    town.slack.install.scopes -= {"files:write"}
    town.slack.faults.cut_answer("chat.postMessage", times=1)
    town.alice.dm("!export")
    await town.quiet()
    assert len([text for text in town.texts(town.alice, town.alice.im) if "could not send the file" in text]) == 1
