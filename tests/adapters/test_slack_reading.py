import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.reading import mentioned, profile_of, quotes_of, readable, team_of_user, without_us
from adapters.slack.refs import Us
from core.models import Profile, Quote

US = Us("T1", "U0BOT")
USER = json.loads((Path(__file__).parent / "payloads" / "slack" / "user_info.json").read_text())


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("plain", "plain"),
        ("a &amp; b &lt;c&gt; &amp;lt;", "a & b <c> &lt;"),
        ("<@U2|bob>", "@bob"),
        ("<@U2>", "@U2"),
        ("<#C1|general> <#C2>", "#general #C2"),
        ("<!here> <!subteam^S1|@staff> <!subteam^S1>", "@here @staff @subteam"),
        ("<!date^1392734382^{date}|18 February>", "18 February"),
        ("<https://x.example/?a=1&amp;b=2>", "https://x.example/?a=1&b=2"),
        ("<https://x.example|label>", "label (https://x.example)"),
        ("<http://x.example|x.example>", "http://x.example"),
        ("<mailto:a@x.example|a@x.example>", "a@x.example"),
        ("1 < 2 > 0", "1 < 2 > 0"),
    ],
)
def test_escapes_become_text(text, read):
    assert readable(text) == read


def test_names_are_said_where_they_are_known():
    assert readable("<@U2> and <@U3>", {"U2": "Bob"}) == "@Bob and @U3"


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("<@U0BOT> hello", "hello"),
        ("<@U0BOT|deskmate>: hello", "hello"),
        ("<@U0BOT>, hello", "hello"),
        ("hey <@U0BOT> there", "hey there"),
        ("thanks <@U0BOT>!", "thanks!"),
        ("<@U0BOT>", ""),
        ("<@U0BOT> !undo", "!undo"),
        ("<@U0BOT2> hello", "<@U0BOT2> hello"),
        ("<@U0BOT> <@U0BOT> twice", "twice"),
    ],
)
def test_our_own_mention_is_cut_out(text, rest):
    assert without_us(text, US) == rest


def test_groups_are_mentioned_as_people_are():
    assert mentioned("<@U2|bob> <!subteam^S1> <!here> U3") == {"U2", "subteam"}


def test_a_profile_has_the_name_people_chose():
    told = Profile("Alice", locale="en-GB", email="alice@example.com", timezone="Europe/Vienna")
    assert profile_of(USER) == told


def test_a_profile_without_a_chosen_name_has_the_real_one():
    assert profile_of(USER | {"profile": {"display_name": " "}}).name == "Alice Example"
    assert profile_of({}) == Profile()


def test_a_profile_has_the_address_where_slack_tells_it():
    assert profile_of({"profile": {"email": "alice@example.com"}}) == Profile(email="alice@example.com")


def test_what_others_said_before_is_quoted_by_name_and_ours_is_not():
    messages = [
        {"user": "U2", "text": "it is <https://x.example|here>", "ts": "1"},
        {"user": "U0BOT", "text": "hello", "ts": "2"},
        {"username": "monitor", "text": "down", "ts": "3"},
        {"user": "U3", "text": " ", "ts": "4"},
        {"user": "U3", "text": "the question", "ts": "5"},
    ]
    assert quotes_of(messages, US, before="5", names={"U2": "Bob"}) == (
        Quote("Bob", "it is here (https://x.example)"),
        Quote("monitor", "down"),
    )


def test_at_most_the_last_twenty_messages_are_quoted():
    messages = [{"user": "U2", "text": str(number), "ts": f"{number:03}"} for number in range(30)]
    assert [quote.text for quote in quotes_of(messages, US, before="999", names={})] == [str(n) for n in range(10, 30)]


@given(st.text(alphabet="<>@!#|&;ampltg U0BOT:,.^\n", max_size=60))
def test_any_text_can_be_read(text):
    assert isinstance(readable(text), str)
    assert "<@U0BOT>" not in without_us(text, US)


@pytest.mark.parametrize(
    ("user", "team"),
    [
        ({"team_id": "T2"}, "T2"),
        ({"team_id": "T2", "enterprise_user": {"id": "W1", "teams": ["T2", "T1"]}}, "T1"),
        ({"team_id": "T2", "enterprise_user": {"id": "W1", "teams": ["T2", "T3"]}}, "T2"),
        ({"team_id": "T2", "enterprise_user": {"teams": None}}, "T2"),
        ({}, ""),
    ],
)
def test_the_team_of_a_person_is_ours_where_that_is_one_of_theirs(user, team):
    assert team_of_user(user, US) == team
