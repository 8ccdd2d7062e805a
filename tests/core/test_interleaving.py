import os

import pytest

from tests.core.interleaving import run

SEEDS = range(int(os.environ.get("INTERLEAVINGS", "100")))
PEOPLE, EVENTS = 3, 4


def broken(came):
    """What is wrong with a run, in words; empty where nothing is."""
    wrong = list(came.wrongs)
    if (came.queued, came.open) != (0, 0):
        wrong.append(f"{came.queued} events and {came.open} pieces were left after {came.seconds:.0f} s")
    if len(came.finished) != PEOPLE * EVENTS or len(set(came.finished)) != len(came.finished):
        wrong.append(f"{len(came.finished)} events were finished, {len(set(came.finished))} different ones")
    for person in range(PEOPLE):
        expected = [f"p{person}-{number}.{piece}" for number in range(EVENTS) for piece in (1, 2)]
        if came.said.get(f"p{person}") != expected:
            wrong.append(f"p{person} read {came.said.get(f'p{person}')}")
    return wrong


@pytest.mark.parametrize("tens", range(0, len(SEEDS), 10))
def test_whoever_stalls_or_dies_each_event_is_finished_once_and_each_piece_said_once_and_in_order(tens):
    for seed in SEEDS[tens : tens + 10]:
        assert not broken(run(seed)), f"seed {seed}"


def test_one_seed_is_one_run():
    assert run(7).steps == run(7).steps
    assert run(7).steps != run(8).steps
