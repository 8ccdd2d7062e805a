"""How much one person may say in a minute."""

import pytest

from core.errors import ConfigError
from core.models import Accepted, Command, Profile, Reaction, UserMessage
from core.pace_settings import PaceSettings
from tests.core.talk import open_talk, place

MINUTE = 60_000_000
NOON = 1_800_000_000_000_000


def pace(**limits):
    return {"customer": limits}


def said(number, *, user="alice", at=None, text="hello", tier=None):
    return UserMessage(f"{user}-{number}", place(user), text, Profile(user.title(), tier), at=at)


async def outcomes(talk, events):
    found = [await talk.desk.accept(event) for event in events]
    await talk.desk.drain()
    return found


def told(talk, most=3, thing="messages"):
    return sum(f"more than {most} {thing} a minute" in each.text for each in talk.street.posted)


@pytest.fixture
async def slow():
    async with open_talk(pace=pace(messages_a_minute=3, commands_a_minute=2)) as talk:
        yield talk


async def test_one_message_too_many_is_answered_kindly_and_those_after_it_are_left_out(slow):
    found = await outcomes(slow, [said(number) for number in range(6)])
    assert found == [Accepted.NEW] * 4 + [Accepted.REFUSED] * 2
    assert (len(slow.street.posted), told(slow)) == (4, 1)
    assert await outcomes(slow, [said(0, user="bob")]) == [Accepted.NEW]


async def test_the_model_is_not_asked_about_a_message_too_many_and_it_is_in_no_history(slow):
    await outcomes(slow, [said(number, text=f"my invoice is INV-{number}") for number in range(4)])
    items = str(await slow.desk.items_at(place("alice")))
    assert "INV-2" in items
    assert "INV-3" not in items


async def test_what_waited_while_nobody_listened_counts_as_it_was_said(slow):
    found = await outcomes(slow, [said(number, at=NOON + number * MINUTE // 3) for number in range(12)])
    assert found == [Accepted.NEW] * 12
    assert told(slow) == 0


async def test_a_minute_later_more_may_be_said_and_one_is_told_anew(slow):
    times = [*range(6), 61, 62, 63, 64, 65]
    await outcomes(slow, [said(number, at=NOON + number * 1_000_000) for number in times])
    assert (len(slow.street.posted), told(slow)) == (8, 2)


async def test_the_same_message_counts_once_however_often_it_comes(slow):
    found = await outcomes(slow, [said(0)] * 5 + [said(1), said(2)])
    assert found == [Accepted.NEW, *[Accepted.DUPLICATE] * 4, Accepted.NEW, Accepted.NEW]
    twice = await outcomes(slow, [said(3), said(3)])
    assert twice == [Accepted.NEW, Accepted.DUPLICATE]
    assert told(slow) == 1


async def test_commands_however_they_are_said_are_counted_apart_from_messages(slow):
    commands = [Command("c1", place("alice"), "tickets"), said(1, text="!tickets"), said(2, text="!tickets")]
    assert await outcomes(slow, [*commands, Command("c2", place("alice"), "tickets")]) == [
        *[Accepted.NEW] * 3,
        Accepted.REFUSED,
    ]
    assert told(slow, 2, "commands") == 1
    assert await outcomes(slow, [said(number) for number in range(3, 6)]) == [Accepted.NEW] * 3


async def test_reactions_that_are_too_many_are_passed_over_in_silence(slow):
    (answer,) = await slow.say("alice", "hello")
    assert answer
    found = await outcomes(slow, [Reaction(f"r{n}", place("alice"), "m1", "repeat") for n in range(5)])
    assert found == [Accepted.NEW] * 2 + [Accepted.REFUSED] * 3
    assert told(slow, 2, "commands") == 0


async def test_stop_is_never_too_many(slow):
    found = await outcomes(slow, [Command(f"c{n}", place("alice"), "stop") for n in range(9)])
    assert found == [Accepted.NEW] * 9


async def test_staff_may_say_as_much_as_they_want():
    roles = {"terminal/local/alice": "agent"}
    async with open_talk(pace=pace(messages_a_minute=1), roles=roles) as talk:
        assert await outcomes(talk, [said(number) for number in range(5)]) == [Accepted.NEW] * 5


async def test_a_tier_may_have_another_limit():
    tiers = {"premium": {"messages_a_minute": 3}, "free": {"messages_a_minute": 0}}
    async with open_talk(pace=pace(messages_a_minute=1) | {"tiers": tiers}) as talk:
        for tier, taken in (("standard", 2), ("premium", 4), ("free", 6)):
            # The first message makes the tier known.
            found = await outcomes(talk, [said(number, user=tier, tier=tier) for number in range(6)])
            assert found.count(Accepted.NEW) == taken, tier


async def test_one_person_has_one_limit_in_all_their_conversations(slow):
    where = [place("alice"), *(place("alice", channel="help", thread=f"t{number}") for number in range(4))]
    found = await outcomes(slow, [UserMessage(f"x{number}", ref, "hello") for number, ref in enumerate(where)])
    assert found.count(Accepted.REFUSED) == 1
    assert told(slow) == 1


def test_where_strangers_write_there_is_a_limit_unless_one_is_told():
    told = PaceSettings.model_validate(pace(commands_a_minute=0)).for_people()
    assert (told.most("messages", "standard"), told.most("commands", "standard")) == (20, 0)
    assert PaceSettings().most("messages", "standard") == 0


async def test_a_limit_of_a_tier_that_is_not_there_is_refused():
    with pytest.raises(ConfigError, match=r"pace\.tiers\.gold"):
        async with open_talk(pace={"tiers": {"gold": {"messages_a_minute": 1}}}):
            pass
