"""Which kills a run plans."""

from tests.crash.killer import Pace, plan


def test_half_of_the_kills_come_at_random_times_and_half_between_calls():
    kills = plan(8, 100, Pace())
    at_random = [kill for kill in kills if not kill.points]
    assert len(at_random) == 50
    assert len({kill.seconds for kill in at_random}) == 50
    between = [kill for kill in kills if kill.points]
    assert len([kill for kill in between if kill.name]) == 25
    assert {kill.name for kill in between if kill.name} == set(Pace().named)


def test_the_same_seed_plans_the_same_kills():
    assert plan(8, 40, Pace()) == plan(8, 40, Pace())
    assert plan(8, 40, Pace()) != plan(9, 40, Pace())
