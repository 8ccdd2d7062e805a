"""Many processes on one database: no damage, and damage where what keeps them apart is broken."""

import re
import subprocess
import sys

from tests.backends import postgres_url
from tests.crash.test_bench import ROOT


def run_many(*words):
    with postgres_url() as url:
        command = [sys.executable, "-m", "tests.crash.many", "--store", url, "--seed", "1", *words]
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    return ran.returncode, ran.stdout + ran.stderr


def count(what, report):
    found = re.search(rf"^ *(\d+)  {what}", report, re.MULTILINE)
    assert found, report
    return int(found[1])


def test_processes_that_are_killed_stalled_and_cut_off_do_no_damage():
    words = ("--kills", "1", "--stalls", "1", "--cuts", "1", "--lanes", "12", "--events", "5")
    status, report = run_many(*words)
    assert status == 0, report


def test_without_the_fence_commits_that_come_late_are_counted():
    status, report = run_many("--kills", "0", "--stalls", "8", "--lanes", "24", "--events", "8", "--broken", "fence")
    assert status == 1
    assert count("late commits that were taken", report) > 0, report


def test_with_outlets_for_all_pieces_posted_twice_are_counted():
    status, report = run_many("--kills", "0", "--stalls", "0", "--lanes", "12", "--events", "5", "--broken", "outlet")
    assert status == 1
    assert count("pieces posted twice", report) > 0, report
