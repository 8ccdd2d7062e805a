import json
import signal

import pytest

from tests.warm_starts import run


def play(scenario):
    played = run("tests.crash.scenarios:main", scenario, timeout=50)
    assert played.returncode == 0, played.stderr
    return json.loads(played.stdout)


@pytest.fixture(scope="module")
def poison():
    return play("poison")


@pytest.fixture(scope="module")
def sigterm():
    return play("sigterm")


def replies_to(played, event):
    return [line["text"] for line in played["lines"] if line.get("to") == event]


def test_a_message_that_kills_the_desk_three_times_is_not_tried_a_fourth_time(poison):
    assert poison["ended"] == [-signal.SIGKILL] * 3 + [0]
    assert poison["rows"]["parked"] == 1


def test_the_person_is_told_that_a_poisonous_message_was_set_aside(poison):
    (told,) = set(replies_to(poison, "e2"))
    assert "set aside" in told


def test_the_lane_goes_on_after_a_poisonous_message(poison):
    assert len(set(replies_to(poison, "e3"))) == 1
    assert poison["rows"]["queued"] == 0
    answered = [line["to"] for line in poison["lines"] if line["type"] == "reply"]
    assert answered.index("e1") < answered.index("e2") < answered.index("e3")


def test_a_desk_that_is_asked_to_stop_ends_well(sigterm):
    assert set(sigterm["ended"]) == {0}


def test_a_turn_cut_off_by_a_stop_is_no_attempt_and_is_answered_later(sigterm):
    (answer,) = replies_to(sigterm, "e1")
    assert "set aside" not in answer
    assert sigterm["rows"]["parked"] == sigterm["rows"]["queued"] == 0
