"""The comparison of engines finds damage where there is some."""

from dataclasses import replace

import pytest

from benchmarks.engines.truth import Damage, Handled, damage_of, drain, latencies

EXPECTED = {"alice": 4, "bob": 2}


def handled(lane, number, begun, ended=None):
    return Handled(lane, number, begun - 0.25, begun, ended or begun + 0.5, "w0")


SOUND = [
    *(handled("alice", number, float(number)) for number in range(4)),
    # Lanes do not wait for each other.
    handled("bob", 0, 0.1, 2.9),
    handled("bob", 1, 2.9),
]


def changed(number, **changes):
    """What was handled, with one event of Alice's otherwise."""
    return [replace(one, **changes) if (one.lane, one.number) == ("alice", number) else one for one in SOUND]


def test_what_was_handled_once_and_in_order_is_no_damage():
    assert damage_of(SOUND, EXPECTED) == Damage()
    assert damage_of(reversed(SOUND), EXPECTED) == Damage()


def test_an_event_before_an_older_one_is_out_of_order():
    assert damage_of(changed(1, begun=4.0, ended=4.5), EXPECTED) == Damage(disorder=1)


def test_an_event_that_begins_before_another_ended_overlaps():
    assert damage_of(changed(1, ended=2.2), EXPECTED) == Damage(overlaps=1)


def test_an_event_that_is_handled_again_is_doubled_and_nothing_else():
    assert damage_of([*SOUND, handled("alice", 1, 9.0)], EXPECTED) == Damage(doubled=1)


def test_an_event_that_was_handled_by_nobody_is_lost():
    left = [one for one in SOUND if (one.lane, one.number) != ("alice", 2)]
    assert damage_of(left, EXPECTED) == Damage(lost=1)
    assert damage_of([], EXPECTED) == Damage(lost=6)


def test_all_damage_is_counted_lane_by_lane():
    both = [*changed(3, begun=2.5), handled("bob", 0, 9.0)]
    assert damage_of(both, EXPECTED) == Damage(overlaps=0, doubled=1)
    assert damage_of([*changed(3, begun=2.4), handled("bob", 0, 9.0)], EXPECTED) == Damage(overlaps=1, doubled=1)


def test_a_wait_is_counted_from_handing_in_to_the_handler():
    waits = [replace(one, sent=one.begun - 0.01 * place) for place, one in enumerate(SOUND)]
    p50, p99 = latencies(waits)
    assert (p50, p99) == (pytest.approx(30.0), pytest.approx(50.0))


def test_a_backlog_is_drained_from_the_first_beginning_to_the_last_end():
    assert drain(SOUND) == 3.5
