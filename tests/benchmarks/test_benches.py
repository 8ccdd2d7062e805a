"""Every bench can be started: what it measures moves on, and nobody runs them all."""

from importlib import import_module

import pytest

from benchmarks.__main__ import BENCHES


@pytest.mark.parametrize("name", [*BENCHES, "costs", "growth", "search"])
def test_a_bench_finds_what_it_measures(name):
    assert callable(import_module(f"benchmarks.{name}").main)
