import asyncio
import signal
import socket
from contextlib import asynccontextmanager

import httpx
import pytest

from adapters.slack.permissions import EVENTS
from bots.slack_settings import VARIABLES, read_slack_settings
from core.errors import ConfigError
from simulators.slack_service import AppSetup, SlackService
from tests.bots.command_line import PATIENCE, ROOT
from tests.bots.processes import deskmate, ended, finished

TOKENS = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}


def settings_for(slack, **others):
    return {
        "SLACK_API_URL": slack.api_url,
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "DESK_MODEL": "offline",
        **others,
    }


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
    port = free_port()
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


def settings_for_many(slack, port, **others):
    return {
        "SLACK_API_URL": slack.api_url,
        "SLACK_CLIENT_ID": slack.world.app.client_id,
        "SLACK_CLIENT_SECRET": slack.world.app.client_secret,
        "SLACK_SIGNING_SECRET": slack.signing_secret,
        "SLACK_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "DESK_MODEL": "offline",
        **others,
    }


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


@asynccontextmanager
async def bot_for_many(folder, slack, port, **others):
    """A bot that says what its first line is."""
    given = settings_for_many(slack, port, **others)
    process = await deskmate(folder, "slack", "--http", f"127.0.0.1:{port}", **given)
    try:
        async with asyncio.timeout(PATIENCE):
            yield (await process.stdout.readline()).decode().strip()
        process.send_signal(signal.SIGTERM)
        assert (await finished(process))[0] == 0
    finally:
        await ended(process)


async def test_the_bot_serves_every_workspace_that_installs_it_and_still_does_after_a_restart(tmp_path):
    port = free_port()
    async with SlackService() as slack:
        alice, team = slack.person("alice"), slack.team("Globex")
        bob = slack.person("bob", team=team)
        slack.deliver_to(f"http://127.0.0.1:{port}/slack/events")
        async with bot_for_many(tmp_path, slack, port) as said:
            assert said == f"No workspace yet: open http://127.0.0.1:{port}/slack/install"
            await install_in(slack.acme, port)
            await install_in(team, port)
        async with bot_for_many(tmp_path, slack, port) as said:
            assert said == "Connected to Acme and Globex. Try: DM it, or /ticket-summary"
            for person in (alice, bob):
                person.dm("open a ticket: no ink")
            await slack.until(lambda: len(slack.calls("chat.postMessage")) == 2, timeout=PATIENCE)
        assert {call.token for call in slack.calls("chat.postMessage")} == set(slack.world.installs)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".bolt")]


async def install_in(team, port):
    """Click through it, as somebody of the team."""
    async with httpx.AsyncClient() as browser:
        begun = await browser.get(f"http://127.0.0.1:{port}/slack/install")
        ended = await browser.get(f"{begun.headers['location']}&team={team.id}", follow_redirects=True)
    assert f"Installed in {team.name}" in ended.text


async def test_without_a_public_address_the_start_says_what_to_open_there(tmp_path):
    async with SlackService() as slack, bot_for_many(tmp_path, slack, free_port(), SLACK_PUBLIC_URL="") as said:
        assert said == "No workspace yet: open /slack/install at the desk's public address"


async def test_the_doctor_tries_the_token_of_each_install(tmp_path):
    port = free_port()
    async with SlackService() as slack:
        team = slack.team("Globex")
        slack.person("alice"), slack.person("bob", team=team)
        async with bot_for_many(tmp_path, slack, port):
            await install_in(slack.acme, port)
            await install_in(team, port)
        slack.world.install_in(team.id).dead = "account_inactive"
        given = settings_for_many(slack, port)
        code, out, _ = await finished(await deskmate(tmp_path, "doctor", "--slack", "--json", **given))
    assert code == 1
    assert "@helper in Acme" in out
    assert "Globex: Slack refused the token" in out
    assert "xoxb-" not in out


@pytest.mark.parametrize(
    ("secret", "code", "found"),
    [
        ("client-secret-of-the-simulated-app", 0, "none yet: open /slack/install at the desk's public address"),
        ("wrong", 1, "SLACK_CLIENT_ID or SLACK_CLIENT_SECRET was refused (bad_client_secret)"),
        ("", 1, "SLACK_CLIENT_SECRET is not set"),
    ],
)
async def test_the_doctor_looks_at_the_client_before_anybody_installs(tmp_path, secret, code, found):
    async with SlackService() as slack:
        given = settings_for_many(slack, 3000, SLACK_CLIENT_SECRET=secret)
        done = await finished(await deskmate(tmp_path, "doctor", "--slack", "--json", **given))
    assert done[0] == code
    assert found in done[1]


@pytest.mark.parametrize(
    ("given", "http", "said"),
    [
        ({"SLACK_BOT_TOKEN": "xoxb-1"}, True, "SLACK_BOT_TOKEN and SLACK_CLIENT_ID are both set: keep the token"),
        ({"SLACK_BOT_TOKEN": "xoxb-1"}, False, "SLACK_BOT_TOKEN and SLACK_CLIENT_ID are both set: keep the token"),
        ({}, False, "SLACK_CLIENT_ID is set, and many workspaces are served over HTTP alone: start with --http"),
        ({"SLACK_CLIENT_SECRET": ""}, True, "SLACK_CLIENT_SECRET is not set: copy it from Basic Information"),
        ({"SLACK_CLIENT_ID": ""}, True, "SLACK_CLIENT_ID is not set: copy it from Basic Information"),
        ({"SLACK_SIGNING_SECRET": ""}, True, "SLACK_SIGNING_SECRET is not set: copy it from Basic Information"),
        ({"SLACK_PUBLIC_URL": "desk.example.com"}, True, "SLACK_PUBLIC_URL is 'desk.example.com': it has to begin"),
    ],
)
def test_what_does_not_go_with_a_client_is_said(tmp_path, given, http, said):
    client = {"SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "planted", "SLACK_SIGNING_SECRET": "s"}
    with pytest.raises(ConfigError) as refused:
        read_slack_settings(client | given, tmp_path, http=http)
    assert str(refused.value).startswith(said)
    assert "planted" not in str(refused.value)


def test_a_client_serves_many_workspaces_and_shows_no_secret(tmp_path):
    client = {"SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "planted", "SLACK_SIGNING_SECRET": "s"}
    slack = read_slack_settings(client | {"SLACK_PUBLIC_URL": "https://desk.example.com/"}, tmp_path, http=True)
    assert (slack.for_many, slack.public_url) == (True, "https://desk.example.com")
    assert "planted" not in repr(slack)


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
    for event in EVENTS:
        assert event.name in out


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
