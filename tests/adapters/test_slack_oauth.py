"""Installing the app in a workspace: who gets through, who does not, and what is kept of it."""

import os
import sqlite3
from dataclasses import replace

import httpx
import pytest

from adapters.slack import oauth
from adapters.slack.app import SlackApp
from adapters.slack.installs import OneWorkspace
from adapters.slack.oauth import Client, NotInstalledError, States, consent_url
from adapters.slack.permissions import SCOPES
from adapters.slack.web import http_app
from core.config import Settings
from core.errors import StoreError, UnreadableError
from simulators.slack_service.methods import METHODS
from tests.adapters.slack_many import ManyHarness, asked, begin
from tests.bots.test_planted import forms

SECURE = "https://desk.example.com"


@pytest.fixture
def settings(tmp_path):
    return Settings(store=f"sqlite:///{tmp_path}/desk.db", model="offline")


@pytest.fixture
async def house(settings):
    async with ManyHarness(settings) as house:
        yield house


async def installed(house):
    return [us.team for us in await house.workspaces.all()]


# --- there and back ---------------------------------------------------------------------------------------------------


async def test_who_begins_is_led_to_slack_with_all_the_desk_asks_for(house):
    async with house.browser() as visitor:
        answer = await visitor.get("/slack/install")
    assert answer.status_code == 302
    assert answer.headers["location"].startswith(house.slack.api_url.replace("/api/", "/oauth/v2/authorize?"))
    assert asked(answer)["client_id"] == house.slack.world.app.client_id
    assert asked(answer)["scope"].split(",") == [scope.name for scope in SCOPES]


async def test_an_app_without_the_agent_surface_does_not_ask_for_it(house):
    async with house.browser() as visitor:
        answer = await visitor.get("/slack/install?plain")
    assert set(asked(answer)["scope"].split(",")) == {scope.name for scope in SCOPES if not scope.agent}


async def test_slacks_own_consent_page_is_beside_its_api():
    client = Client("1.2", "secret", "https://slack.com/api/", SECURE)
    where = consent_url(client, "state")
    assert where.startswith("https://slack.com/oauth/v2/authorize?")
    assert where.endswith("&redirect_uri=https%3A%2F%2Fdesk.example.com%2Fslack%2Foauth_redirect")


@pytest.mark.parametrize(("public_url", "secure"), [(SECURE, True), ("http://127.0.0.1:3000", False), (None, False)])
async def test_the_browser_keeps_the_state_where_no_script_and_no_other_site_gets_at_it(settings, public_url, secure):
    async with ManyHarness(settings, public_url=public_url) as house, house.browser() as visitor:
        cookie = (await visitor.get("/slack/install")).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "max-age=600" in cookie
    assert ("secure" in cookie) is secure


async def test_behind_a_proxy_that_ends_tls_the_state_is_kept_for_https_alone(house):
    async with house.browser() as visitor:
        answer = await visitor.get("/slack/install", headers={"X-Forwarded-Proto": "https"})
    assert "secure" in answer.headers["set-cookie"].lower()


async def test_who_comes_back_is_told_where_it_is_installed_and_what_to_do(house):
    answer = await house.install(house.globex)
    assert answer.status_code == 200
    assert "Installed in Globex" in answer.text
    assert "write the app a direct message" in answer.text
    assert await installed(house) == [house.globex.team]


async def test_no_page_of_an_install_is_kept_or_tells_others_its_address(house):
    for answer in (await house.install(house.globex), await house.install(house.globex, state="none")):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")


async def test_a_workspace_cannot_write_into_the_page(house):
    house.slack.world.teams[house.globex.team].name = "<script>alert(1)</script>"
    assert "<script>" not in (await house.install(house.globex)).text


async def test_an_install_is_finished_by_the_desk_after_a_restart_too(house):
    async with house.browser() as visitor:
        state = await begin(visitor)
        await house.restart()
        given = {"state": state, "code": house.slack.consent(house.slack.acme, house.alice)}
        # The port is another one, which no cookie knows of.
        answer = await visitor.get(f"{house.url}/slack/oauth_redirect", params=given)
    assert answer.status_code == 200


async def test_after_a_restart_every_install_is_there_without_asking_slack(house):
    await house.install_both()
    await house.restart()
    before = len(house.slack.calls())
    assert await installed(house) == [house.acme.team, house.globex.team]
    assert await house.workspaces.token_of(house.globex.team) == house.globex.token
    assert len(house.slack.calls()) == before


# --- refused ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [None, "", "none", "a.b.c", "ü", "x" * 5_000])
async def test_with_a_state_that_is_none_of_ours_nothing_is_installed(house, state):
    answer = await house.install(house.globex, state=state)
    assert answer.status_code == 400
    assert "not begun in this browser" in answer.text
    assert not house.slack.calls("oauth.v2.access")


async def test_what_one_browser_began_no_other_one_ends(house):
    async with house.browser() as mallory:
        state = await begin(mallory)
    answer = await house.install(house.globex, state=state)
    assert answer.status_code == 400
    assert await installed(house) == []


async def test_a_visit_is_good_once(house):
    async with house.browser() as visitor:
        state = await begin(visitor)
        codes = [house.slack.consent(house.slack.acme, house.alice) for _ in range(2)]
        answers = []
        for code in codes:
            visitor.cookies.set("deskmate_install", state)
            answers.append(await visitor.get("/slack/oauth_redirect", params={"state": state, "code": code}))
    assert [answer.status_code for answer in answers] == [200, 400]
    assert len(house.slack.calls("oauth.v2.access")) == 1


def test_a_state_is_good_for_ten_minutes():
    now = 1_780_000_000.0
    states = States("secret", clock=lambda: now)
    in_time, late = states.new(), states.new()
    now += 599
    states.use(in_time, held=in_time)
    now += 2
    with pytest.raises(NotInstalledError, match="more than ten minutes"):
        states.use(late, held=late)


def test_a_state_of_another_app_is_none():
    state = States("another secret").new()
    with pytest.raises(NotInstalledError, match="not begun"):
        States("secret").use(state, held=state)


def test_of_used_states_none_is_remembered_that_has_run_out():
    now = 1_780_000_000.0
    states = States("secret", clock=lambda: now)
    for _ in range(100):
        now += 60
        state = states.new()
        states.use(state, held=state)
    assert len(states._used) == oauth.STATE_SECONDS // 60 + 1


async def test_who_does_not_allow_it_is_told_so(house):
    async with house.browser() as visitor:
        given = {"error": "access_denied", "state": await begin(visitor)}
        answer = await visitor.get("/slack/oauth_redirect", params=given)
    assert answer.status_code == 403
    assert "You did not allow it" in answer.text


async def test_what_stands_in_the_address_is_never_shown(house):
    async with house.browser() as visitor:
        answer = await visitor.get("/slack/oauth_redirect?error=<b>planted</b>&state=planted&code=planted")
    assert "planted" not in answer.text


@pytest.mark.parametrize("code", [None, "", "code.none"])
async def test_with_a_code_that_is_none_nothing_is_installed(house, code):
    assert (await house.install(house.globex, code=code)).status_code == 400
    assert await installed(house) == []


@pytest.mark.parametrize("fault", ["fail", "rate_limit", "cut_request"])
async def test_while_slack_is_away_who_comes_back_is_asked_to_try_again(house, fault):
    getattr(house.slack.faults, fault)("oauth.v2.access", times=1, **({"retry_after": 1} if "rate" in fault else {}))
    answer = await house.install(house.globex)
    assert answer.status_code == 503
    assert 'href="install"' in answer.text
    assert await installed(house) == []
    assert (await house.install(house.globex)).status_code == 200


async def test_a_wrong_client_secret_is_the_operators_to_mend(settings, caplog):
    async with ManyHarness(settings, client_secret="planted-secret") as house:
        answer = await house.install(house.globex)
    assert answer.status_code == 503
    assert "bad_client_secret" in caplog.text
    assert "bad_client_secret" not in answer.text
    assert "planted-secret" not in caplog.text


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"is_enterprise_install": True, "team": None, "enterprise": {"id": "E1", "name": "Acme"}}, 400),
        ({"expires_in": 43_200, "refresh_token": "xoxe-1-planted"}, 503),
        ({"access_token": ""}, 503),
        ({"team": "Globex"}, 503),
    ],
)
async def test_what_the_desk_does_not_serve_is_not_kept(house, monkeypatch, said, status):
    method = METHODS["oauth.v2.access"]
    other = replace(method, run=lambda context: method.run(context) | said)
    monkeypatch.setitem(METHODS, "oauth.v2.access", other)
    assert (await house.install(house.globex)).status_code == status
    assert await installed(house) == []


async def test_where_the_store_fails_nothing_is_installed(house, monkeypatch):
    async def fail(*_):
        raise StoreError("the disk is full")

    monkeypatch.setattr("core.notes.PlatformNotes.put", fail)
    answer = await house.install(house.globex)
    assert answer.status_code == 503
    assert "disk" not in answer.text
    assert await installed(house) == []


# --- what is kept -----------------------------------------------------------------------------------------------------


async def test_no_token_is_found_in_files_logs_or_representations(house, tmp_path, caplog):
    caplog.set_level("DEBUG")
    await house.install_both()
    house.bob.dm("hello")
    await house.quiet()
    house.slack.uninstall(house.globex)
    await house.slack.settled()
    kept = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    kept |= {"logs": caplog.text.encode(), "shown": repr(await house.workspaces.installs()).encode()}
    assert {"desk.db", "desk.db-wal", "desk.db.keys"} <= set(kept)
    secrets = (house.acme.token, house.globex.token, house.slack.world.app.client_secret)
    for form in (form for secret in secrets for form in forms(secret)):
        assert [name for name, content in kept.items() if form in content] == []


async def test_an_install_that_does_not_open_is_not_taken_for_a_missing_one(house, settings, tmp_path):
    await house.install_both()
    await house.stop()
    with sqlite3.connect(tmp_path / "desk.db") as store:
        store.execute("UPDATE note SET body = zeroblob(60) WHERE kind = 'install'")
    with pytest.raises(UnreadableError, match="install cannot be opened"):
        await house.start()


async def test_bolt_does_not_install_by_itself(settings, tmp_path, monkeypatch):
    given = {"SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "secret", "HOME": str(tmp_path)}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    app = SlackApp(OneWorkspace("xoxb-1", "http://127.0.0.1:1/api/"), "http://127.0.0.1:1/api/")
    assert (app.bolt.oauth_flow, app.bolt.installation_store) == (None, None)
    assert not list(tmp_path.iterdir())
    assert {name: os.environ.get(name) for name in given} == given


async def test_a_desk_for_one_workspace_has_no_page_to_install_it(settings, house):
    install = OneWorkspace(house.slack.bot_token, house.slack.api_url)
    await install.connect()
    async with SlackApp(install, house.slack.api_url) as app:
        door = httpx.ASGITransport(http_app(app, [house.slack.signing_secret]))
        async with httpx.AsyncClient(transport=door, base_url="http://desk") as visitor:
            assert (await visitor.get("/slack/install")).status_code == 404


def test_a_client_shows_no_secret():
    client = Client("1.2", "planted", "https://slack.com/api/")
    assert "planted" not in repr(client)
