import signal

import pytest

from tests.crash.test_poison import play


@pytest.fixture(scope="module")
def away():
    return play("away")


def test_twenty_messages_written_on_discord_while_a_killed_desk_was_away_are_answered(away):
    answered = [line["to"] for line in away["lines"] if line["type"] == "reply"]
    assert sorted(set(answered), key=lambda id_: int(id_[1:])) == [f"e{number}" for number in range(22)]
    assert away["rows"]["queued"] == away["rows"]["open"] == away["rows"]["unknown"] == 0


def test_none_of_them_is_answered_twice_or_elsewhere(away):
    assert away["damage"] == {}
    assert away["rows"]["turn"] == 22


def test_they_are_answered_in_the_order_they_were_written_in_their_place(away):
    turns = list(dict.fromkeys(line["to"] for line in away["lines"] if line["type"] == "reply"))
    for place in (0, 1):
        numbers = [int(id_[1:]) for id_ in turns if int(id_[1:]) % 2 == place]
        assert numbers == sorted(numbers)


def test_nobody_on_discord_says_again_what_a_desk_is_still_to_read():
    late = play("late")
    assert late["ended"] == [-signal.SIGKILL, 0]
    assert [line["id"] for line in late["lines"] if line["type"] == "accepted"] == ["e0"]
    assert late["rows"]["turn"] == 1
