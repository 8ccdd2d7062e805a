"""The simulated desk obeys what is known of queues; the same seed gives the same run."""

from dataclasses import replace

import pytest

from benchmarks.queues import Simulation, Town, exponential

ONE_QUEUE = Town(
    rate=4.0,
    workers=1,
    turns_at_once=5,
    cpu=0.0,
    calls=1,
    model=exponential(1.0),
    turns=1.0,
    think=exponential(1.0),
    hasty=0.0,
    hurry=exponential(1.0),
    seconds=8_000.0,
    warm=200.0,
    seed=7,
)
"""Arrivals without a memory, one line, five servers without a memory: M/M/5, four fifths busy."""
TALK = replace(
    ONE_QUEUE,
    rate=1.0,
    turns=4.0,
    think=exponential(20.0),
    hasty=0.3,
    hurry=exponential(1.0),
    workers=3,
    cpu=0.02,
    calls=2,
    model=exponential(0.5),
    seconds=1500.0,
)
"""Conversations, some in haste, on three workers."""


def run(town):
    return Simulation(town).run()


def waiting_by_erlang(servers, offered):
    """The mean wait of M/M/c in mean service times: Erlang's C over what is free."""
    blocked = 1.0
    for number in range(1, servers + 1):
        blocked = offered * blocked / (number + offered * blocked)
    queues = blocked / (1 - offered / servers * (1 - blocked))
    return queues / (servers - offered)


@pytest.mark.parametrize("rate", [2.5, 3.5])
def test_the_mean_wait_is_the_one_erlang_computed(rate):
    outcome = run(replace(ONE_QUEUE, rate=rate))
    assert outcome.wait_mean == pytest.approx(waiting_by_erlang(5, rate), rel=0.10)


def test_a_core_that_is_the_only_server_is_an_m_d_1():
    outcome = run(replace(ONE_QUEUE, rate=8.0, turns_at_once=10_000, calls=0, cpu=0.1, seconds=4_000.0))
    assert outcome.wait_mean == pytest.approx(0.8 / (2 * 0.2) * 0.1, rel=0.10)
    assert outcome.cpu_busy == pytest.approx(0.8, rel=0.03)


@pytest.mark.parametrize("town", [ONE_QUEUE, TALK], ids=["one queue", "talk"])
def test_who_is_inside_is_the_rate_times_the_stay_as_little_has_it(town):
    outcome = run(town)
    assert outcome.in_house == pytest.approx(outcome.per_second * outcome.stay_mean, rel=0.03)


def test_slots_are_busy_as_long_as_turns_take():
    outcome = run(ONE_QUEUE)
    assert outcome.slots_busy == pytest.approx(4.0 * 1.0 / 5, rel=0.03)


def test_conversations_have_as_many_turns_as_was_asked():
    assert run(TALK).per_second == pytest.approx(4.0, rel=0.05)


def test_a_lane_takes_one_message_at_a_time():
    calm, hasty = run(replace(TALK, hasty=0.0)), run(replace(TALK, hasty=0.9))
    assert calm.lane_p99 == 0.0
    assert hasty.lane_p99 > 0.5


def test_a_seed_gives_one_run_and_another_one_another():
    assert run(TALK) == run(TALK)
    assert run(TALK) != run(replace(TALK, seed=8))
