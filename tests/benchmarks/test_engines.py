"""The comparison of engines with what is the desk's own: the others are not installed here."""

from benchmarks.engines.house import House
from benchmarks.engines.scenes import figures_of
from benchmarks.engines.truth import Damage
from tests.backends import POSTGRES, postgres_url


async def test_the_desks_own_lanes_are_put_through_all_scenes_without_damage():
    with postgres_url():  # there is a server, or this is skipped
        house = House(postgres=POSTGRES.removesuffix("/postgres"))
        # One after the other: the comparison has one database.
        for name in ("desk", "desk-sqlite"):
            figures = await figures_of(name, "short", house, scale=0.1)
            assert figures.damage == Damage()
            assert figures.drained is not None
            assert figures.takeover is not None
