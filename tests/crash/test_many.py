"""Many processes on one database: no damage, and damage where what keeps them apart is broken."""

import re

import pytest

from tests.backends import postgres_url
from tests.warm_starts import run

SEEDS = ("1", "2", "3")
"""What is broken shows when two processes meet: by chance, so several runs are tried where one finds nothing."""


def run_many(*words, seed="1"):
    with postgres_url() as url:
        ran = run("tests.crash.many:main", "--store", url, "--seed", seed, *words, timeout=100)
    return ran.returncode, ran.stdout + ran.stderr


def count(what, report):
    found = re.search(rf"^ *(\d+)  {what}", report, re.MULTILINE)
    assert found, report
    return int(found[1])


@pytest.mark.timeout(120)
def test_processes_that_are_killed_stalled_and_cut_off_do_no_damage():
    words = ("--kills", "1", "--stalls", "1", "--cuts", "1", "--lanes", "12", "--events", "5")
    status, report = run_many(*words)
    assert status == 0, report


@pytest.mark.timeout(200)
@pytest.mark.parametrize(
    ("broken", "counted", "words"),
    [
        ("fence", "late commits that were taken", ("--stalls", "8", "--lanes", "24", "--events", "8")),
        ("outlet", "pieces posted twice", ("--stalls", "0", "--lanes", "12", "--events", "5")),
    ],
)
def test_what_is_broken_on_purpose_is_counted(broken, counted, words):
    tried = (run_many("--kills", "0", *words, "--broken", broken, seed=seed) for seed in SEEDS)
    assert any(status == 1 and count(counted, report) > 0 for status, report in tried)
