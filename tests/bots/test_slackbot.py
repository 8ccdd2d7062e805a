import asyncio
import signal
import socket
import sys

import pytest

from bots.slack_settings import VARIABLES, read_slack_settings
from core.errors import ConfigError
from simulators.slack_service import AppSetup, SlackService
from tests.bots.command_line import PATIENCE, ROOT, environment

TOKENS = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}


def settings_for(slack, **others):
    return {
        "SLACK_API_URL": slack.api_url,
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "DESK_MODEL": "offline",
        **others,
    }


async def deskmate(folder, *args, **settings):
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bots.cli",
        *args,
        cwd=folder,
        env=environment(folder, **settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def finished(process):
    try:
        async with asyncio.timeout(PATIENCE):
            out, err = await process.communicate()
    finally:
        await ended(process)
    return process.returncode, out.decode(), err.decode()


async def ended(process):
    if process.returncode is None:
        process.kill()
        await process.wait()


async def test_the_bot_says_where_it_is_answers_and_leaves_when_told(tmp_path):
    async with SlackService() as slack:
        alice = slack.person("alice")
        process = await deskmate(tmp_path, "slack", **settings_for(slack))
        try:
            async with asyncio.timeout(PATIENCE):
                ready = await process.stdout.readline()
            assert ready == b"Connected to Acme as @helper. Try: DM it, or /ticket-summary\n"
            alice.dm("open a ticket: no ink")
            await slack.until(lambda: bool(slack.calls("chat.postMessage")), timeout=PATIENCE)
            (_, answer) = slack.seen_by(alice, alice.im)
            assert answer.text.startswith("(A stand-in answers here, not a language model.)\n\nI opened TKT-1001")
            process.send_signal(signal.SIGTERM)
            code, _, _ = await finished(process)
            assert code == 0
        finally:
            await ended(process)


async def test_the_bot_over_http_answers_what_slack_has_signed(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with SlackService() as slack:
        alice = slack.person("alice")
        given = settings_for(slack, SLACK_APP_TOKEN="", SLACK_SIGNING_SECRET=slack.signing_secret)
        process = await deskmate(tmp_path, "slack", "--http", f"127.0.0.1:{port}", **given)
        try:
            async with asyncio.timeout(PATIENCE):
                assert (await process.stdout.readline()).startswith(b"Connected to Acme as @helper.")
            slack.deliver_to(f"http://127.0.0.1:{port}/slack/events")
            alice.dm("open a ticket: no ink")
            await slack.until(lambda: bool(slack.calls("chat.postMessage")), timeout=PATIENCE)
            process.send_signal(signal.SIGTERM)
            assert (await finished(process))[0] == 0
        finally:
            await ended(process)


@pytest.mark.parametrize("address", ["3000", "localhost:", ":80", "localhost:99999", "localhost:http"])
async def test_an_address_that_is_none_is_refused(tmp_path, address):
    given = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": "s"}
    code, out, err = await finished(await deskmate(tmp_path, "slack", "--http", address, **given))
    assert (code, out) == (1, "")
    assert err == f"deskmate: --http {address!r} is no HOST:PORT: write for example 127.0.0.1:3000\n"


async def test_a_bot_without_a_model_does_not_serve_people_by_accident(tmp_path):
    async with SlackService() as slack:
        code, out, err = await finished(await deskmate(tmp_path, "slack", **settings_for(slack, DESK_MODEL="")))
    assert (code, out) == (1, "")
    assert err == "deskmate: no model is set: set OPENAI_API_KEY, or DESK_MODEL=offline to serve with the stand-in\n"


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"SLACK_BOT_TOKEN": "xoxb-wrong"}, "SLACK_BOT_TOKEN was refused (invalid_auth): install the app and copy"),
        ({"SLACK_APP_TOKEN": "xapp-wrong"}, "SLACK_APP_TOKEN was refused (invalid_auth): create one under Basic"),
        ({"SLACK_BOT_TOKEN": ""}, "SLACK_BOT_TOKEN is not set: install the app, then copy"),
        ({"SLACK_APP_TOKEN": ""}, "SLACK_APP_TOKEN is not set: create one under Basic Information"),
    ],
)
async def test_a_missing_or_wrong_token_stops_the_start_and_says_where_to_make_it(tmp_path, setting, said):
    async with SlackService() as slack:
        code, out, err = await finished(await deskmate(tmp_path, "slack", **settings_for(slack, **setting)))
    assert (code, out) == (1, "")
    last = [line for line in err.splitlines() if not line.startswith("Key made at ")][-1]
    assert last.startswith(f"deskmate: {said}")


@pytest.mark.parametrize("fault", ["rate_limit", "fail"])
async def test_a_start_while_slack_fails_waits_until_it_works_again(tmp_path, fault):
    async with SlackService() as slack:
        for method in ("auth.test", "apps.connections.open"):
            given = {"retry_after": 0} if fault == "rate_limit" else {}
            getattr(slack.faults, fault)(method, times=1, **given)
        process = await deskmate(tmp_path, "slack", **settings_for(slack))
        try:
            async with asyncio.timeout(PATIENCE):
                assert (await process.stdout.readline()).startswith(b"Connected to Acme")
        finally:
            await ended(process)


async def test_the_doctor_names_each_scope_that_is_missing_and_what_for(tmp_path):
    app = AppSetup(scopes=AppSetup().scopes - {"reactions:read", "users:read.email"})
    async with SlackService(app=app) as slack:
        code, out, _ = await finished(await deskmate(tmp_path, "doctor", "--slack", "--json", **settings_for(slack)))
    assert code == 1
    assert "reactions:read is missing: to undo, redo, retry and the other reactions" in out
    assert "users:read.email" not in out


async def test_the_doctor_finds_nothing_wrong_with_an_app_made_from_the_manifest(tmp_path):
    async with SlackService() as slack:
        code, out, err = await finished(await deskmate(tmp_path, "doctor", "--slack", **settings_for(slack)))
    assert code == 0, out + err
    assert "@helper in Acme" in out


async def test_the_printed_manifest_is_the_one_in_the_repository(tmp_path):
    code, out, _ = await finished(await deskmate(tmp_path, "slack", "manifest"))
    assert (code, out) == (0, (ROOT / "manifest.yml").read_text())


async def test_a_manifest_for_an_address_that_slack_cannot_reach_is_refused(tmp_path):
    code, out, err = await finished(await deskmate(tmp_path, "slack", "manifest", "--http", "ftp://nowhere"))
    assert (code, out) == (1, "")
    assert err.startswith("deskmate: ")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"SLACK_BOT_TOKEN": "xoxp-1"}, "SLACK_BOT_TOKEN does not begin with xoxb-"),
        ({"SLACK_APP_TOKEN": "1"}, "SLACK_APP_TOKEN does not begin with xapp-"),
        ({"SLACK_API_URL": "slack.test"}, "SLACK_API_URL is 'slack.test': it has to begin with https://"),
        ({"SLACK_SIGNING_SECRET": "a,b,c"}, "SLACK_SIGNING_SECRET: 3 secrets were found"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_allowed(tmp_path, given, said):
    with pytest.raises(ConfigError, match=said):
        read_slack_settings(TOKENS | given, tmp_path)


def test_over_http_the_signing_secret_is_needed_and_the_app_token_is_not(tmp_path):
    with pytest.raises(ConfigError, match="SLACK_SIGNING_SECRET is not set"):
        read_slack_settings(TOKENS, tmp_path, http=True)
    given = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": "old, new"}
    assert read_slack_settings(given, tmp_path, http=True).signing_secrets == ("old", "new")


def test_no_token_is_shown_by_the_settings(tmp_path):
    assert "xoxb-1" not in repr(read_slack_settings(TOKENS, tmp_path))


def test_every_variable_has_a_line_in_the_example():
    lines = (ROOT / ".env.example").read_text()
    assert [name for name in VARIABLES if f"# {name}=" not in lines] == []
