import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.config import StrategySettings
from core.errors import ConfigError, NoSuchSessionError
from core.models import ConversationRef
from core.session_ids import (
    is_private,
    name_of,
    next_generation,
    parse,
    place_key,
    session_id,
    strategy_for,
    ticket_of,
)

SLACK_DM = ConversationRef("slack", "T1", "D1", "U7")
SLACK_THREAD = ConversationRef("slack", "T1", "C2", "U7", thread="1700000000.000100", direct=False)

# Few and hostile: what looks like a separator, an escape, a generation, a keyword, nothing, a lone surrogate.
parts = st.sampled_from(
    ["a", "b", "", "/", "a/b", "%2F", "~2", "~", "dm", "thread", "ticket", "%74icket", "é", "\ud800"]
)
part = parts | st.text(max_size=4)
refs = st.builds(
    ConversationRef,
    platform=part,
    workspace=part,
    channel=part,
    user=part,
    thread=st.none() | part,
    device=part,
    direct=st.booleans(),
)
names = st.builds(
    name_of,
    refs,
    st.sampled_from(["user", "conversation", "ticket", "device"]),
    generation=st.integers(1, 12),
    ticket=part,
)


@given(names)
def test_an_id_reads_back_as_what_it_was_made_of(name):
    assert parse(str(name)) == name


@given(names, names)
def test_two_different_things_never_share_an_id(one, other):
    assert (str(one) == str(other)) == (one == other)


@given(st.text(alphabet="ab/~%2dmchanel", max_size=20) | st.text(max_size=12))
def test_what_reads_as_an_id_is_written_the_same_again(text):
    try:
        name = parse(text)
    except NoSuchSessionError:
        return
    assert str(name) == text


@pytest.mark.parametrize(
    ("ref", "strategy", "expected"),
    [
        (SLACK_DM, "user", "slack/T1/dm/U7"),
        (SLACK_DM, "conversation", "slack/T1/dm/U7/D1"),
        (SLACK_THREAD, "conversation", "slack/T1/thread/C2/1700000000.000100"),
        (SLACK_THREAD, "user", "slack/T1/dm/U7"),
        (ConversationRef("slack", "T1", "C2", "U7", direct=False), "conversation", "slack/T1/channel/C2"),
        (
            ConversationRef("discord", "G1", "991", "5", thread="991", direct=False),
            "conversation",
            "discord/G1/thread/991",
        ),
        (ConversationRef("terminal", "local", "alice", "alice"), "user", "terminal/local/dm/alice"),
        (ConversationRef("slack", "T1", "D1", "U7", device="D"), "device", "slack/T1/device/D"),
        (ConversationRef("discord", "@dm", "1", "5"), "user", "discord/@dm/dm/5"),
    ],
)
def test_ids_read_as_the_design_says(ref, strategy, expected):
    assert session_id(ref, strategy) == expected


def test_a_ticket_has_one_session_on_every_platform():
    discord = ConversationRef("discord", "T1", "1", "5")
    assert session_id(SLACK_DM, "ticket", ticket="TKT-1001") == "ticket/T1/TKT-1001"
    assert session_id(discord, "ticket", ticket="TKT-1001") == "ticket/T1/TKT-1001"


def test_starting_afresh_counts_on():
    first = session_id(SLACK_DM, "user")
    assert next_generation(first) == "slack/T1/dm/U7/~2" == session_id(SLACK_DM, "user", generation=2)
    assert next_generation(next_generation(first)) == "slack/T1/dm/U7/~3"


@pytest.mark.parametrize(
    "text",
    ["", "x", "a/b", "slack/T1/dm", "slack/T1/dm/U7/~1", "slack/T1/dm/U7/~02", "slack/T1/dm/U7/~x", "slack/T1/dm/U%37",
     "slack/T1/device/D/E", "ticket/T1", "ticket/T1/a/b", "slack/T1/thread/991/991", "slack/T1/what/U7", "a/%FF/dm/c"],
)  # fmt: skip
def test_what_no_session_is_called_is_no_such_session(text):
    with pytest.raises(NoSuchSessionError):
        parse(text)


def test_a_ticket_session_knows_its_ticket_and_others_have_none():
    assert ticket_of("ticket/T1/TKT-1001/~2") == "TKT-1001"
    assert ticket_of("slack/T1/dm/U7") is None
    assert ticket_of("any name of a session that stands alone") is None


def test_only_a_place_of_one_user_is_private():
    assert is_private("slack/T1/dm/U7") and is_private("slack/T1/dm/U7/D1")
    assert not is_private("slack/T1/thread/C2/17.1")
    assert not is_private("ticket/T1/TKT-1001")
    assert not is_private("any name of a session that stands alone")


def test_direct_places_and_threads_have_each_their_configured_strategy():
    strategies = StrategySettings(direct="conversation", thread="ticket")
    assert strategy_for(SLACK_DM, strategies) == "conversation"
    assert strategy_for(SLACK_THREAD, strategies) == "ticket"


def test_a_device_strategy_where_there_is_no_device_is_a_wrong_setting():
    with pytest.raises(ConfigError, match="slack names no device"):
        strategy_for(SLACK_DM, StrategySettings(direct="device"))


def test_a_ticket_strategy_without_a_ticket_is_refused():
    with pytest.raises(ConfigError, match="ticket"):
        session_id(SLACK_DM, "ticket")


def test_the_same_user_means_one_place_and_two_threads_mean_two():
    elsewhere = ConversationRef("slack", "T1", "D9", "U7")
    assert place_key(SLACK_DM, "user") == place_key(elsewhere, "user")
    assert place_key(SLACK_DM, "ticket") != place_key(elsewhere, "ticket")
    assert place_key(SLACK_DM) != place_key(SLACK_THREAD)
