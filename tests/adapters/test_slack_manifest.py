from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from adapters.slack.manifest import PROMPTS, manifest
from adapters.slack.manifest_fields import Manifest
from adapters.slack.manifest_yaml import to_yaml
from adapters.slack.permissions import EVENTS, SCOPES
from adapters.slack.saying import SHORTCUTS, slash_words
from core.errors import ConfigError

ROOT = Path(__file__).parents[2]
VARIANTS = [{}, {"plain": True}, {"url": "https://desk.example"}, {"url": "https://desk.example", "plain": True}]


def scopes(made):
    return set(made["oauth_config"]["scopes"]["bot"])


def events(made):
    return made["settings"]["event_subscriptions"]["bot_events"]


def test_the_file_at_the_root_is_the_manifest():
    assert (ROOT / "manifest.yml").read_text() == to_yaml(manifest())


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_manifest_reads_back_from_its_yaml(variant):
    assert yaml.safe_load(to_yaml(manifest(**variant))) == manifest(**variant)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_keeps_slacks_limits(variant):
    Manifest.model_validate(manifest(**variant))


def test_every_scope_and_event_has_its_reason_beside_it():
    written = to_yaml(manifest())
    assert all(f'- "{one.name}"  # {one.why}\n' in written for one in (*SCOPES, *EVENTS))


def test_every_event_has_the_scope_it_needs():
    for made in (manifest(), manifest(plain=True)):
        needed = {scope for event in EVENTS if event.name in events(made) for scope in event.scopes}
        assert needed <= scopes(made)


def test_optional_scopes_are_asked_for_now_and_may_be_refused():
    asked = manifest()["oauth_config"]["scopes"]
    assert asked["bot_optional"] == ["usergroups:read", "users:read.email"]
    assert set(asked["bot_optional"]) < set(asked["bot"])


def test_the_messages_tab_can_be_written_in_and_there_is_a_home_tab():
    assert manifest()["features"]["app_home"] == {
        "home_tab_enabled": True,
        "messages_tab_enabled": True,
        "messages_tab_read_only_enabled": False,
    }


def test_a_plain_app_knows_nothing_of_slacks_agent_surface():
    made = manifest(plain=True)
    assert "agent_view" not in made["features"]
    assert "assistant:write" not in scopes(made)
    assert "agent_session_stopped" not in events(made)


def test_the_agent_surface_is_the_new_one():
    features = manifest()["features"]
    assert "assistant_view" not in features
    assert len(features["agent_view"]["suggested_prompts"]) == len(PROMPTS) == 4


def test_in_socket_mode_slack_posts_nowhere():
    assert manifest()["settings"]["socket_mode_enabled"]
    assert "https://" not in to_yaml(manifest())


def test_over_http_slack_posts_everything_to_one_address():
    made = manifest(url="https://desk.example/")
    addresses = {
        made["settings"]["event_subscriptions"]["request_url"],
        made["settings"]["interactivity"]["request_url"],
        *(command["url"] for command in made["features"]["slash_commands"]),
    }
    assert addresses == {"https://desk.example/slack/events"}
    assert not made["settings"]["socket_mode_enabled"]
    assert made["oauth_config"]["redirect_urls"] == ["https://desk.example/slack/oauth_redirect"]


@pytest.mark.parametrize("url", ["", "desk.example", "http://desk.example", "https://", "https://a b"])
def test_an_address_slack_cannot_post_to_is_refused_with_what_is_allowed(url):
    with pytest.raises(ConfigError, match="https://"):
        manifest(url=url)


def test_every_command_and_shortcut_is_one_we_understand():
    features = manifest()["features"]
    assert all(slash_words(command["command"], "help") for command in features["slash_commands"])
    assert {shortcut["callback_id"] for shortcut in features["shortcuts"]} == set(SHORTCUTS)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("features", "agent_view", "agent_description"), "x" * 301),
        (("features", "agent_view", "suggested_prompts"), [{"title": "a", "message": "b"}] * 5),
        (("features", "shortcuts"), [{"name": "x" * 25, "type": "message", "callback_id": "x", "description": "x"}]),
        (("features", "slash_commands"), []),
        (("features", "assistant_view"), {"assistant_description": "old"}),
        (("display_information", "name"), "x" * 36),
        (("display_information", "long_description"), "short"),
        (("oauth_config", "scopes", "bot_optional"), ["pins:read"]),
        (("settings", "socket_mode_enabled"), False),
        (("settings", "interactivity", "request_url"), "https://desk.example"),
    ],
)
def test_what_slack_would_refuse_is_refused_here(path, value):
    made = manifest()
    part = made
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    with pytest.raises(ValidationError):
        Manifest.model_validate(made)
