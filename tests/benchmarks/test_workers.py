"""The bench of worker processes runs, and says what it found."""

import re
from statistics import median

import pytest

from benchmarks import servers, workers
from benchmarks.page import tell
from tests.backends import POSTGRES, in_postgres

MARKS = "# Title\n\n<!-- workers -->\n<!-- /workers -->\n\nThe end.\n"


def quick():
    in_postgres("SELECT 1")
    with servers.database_on(POSTGRES) as url:
        return workers.run(url, quick=True)


@pytest.mark.timeout(180)
def test_a_quick_run_measures_both_numbers_of_workers_and_both_ways_to_a_handler(tmp_path):
    found = quick()
    assert {count: len(rounds) for count, rounds in found.per_second.items()} == {1: 1, 2: 1}
    assert all(speed > 0 for rounds in found.per_second.values() for speed in rounds)
    # An event is one start: neither more nor fewer than were said.
    assert {who: len(took) for who, took in found.starts.items()} == dict.fromkeys(found.starts, workers.FEW)
    page = tmp_path / "bench.md"
    page.write_text(MARKS)
    tell("workers", workers.table_of(found, "a machine"), page=page, write=True)
    assert re.search(rf"\| {found.factor:.2f} x \| at least 1.3 x \|", page.read_text())
    assert f"{median(found.starts['another process']):.2f} ms" in page.read_text()


def test_the_factor_is_the_middle_of_the_rounds_each_beside_its_own_peer():
    found = workers.Figures({1: [10.0, 20.0, 10.0], 2: [15.0, 28.0, 30.0]}, {})
    assert found.factor == 1.5
