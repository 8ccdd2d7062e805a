"""The page on growth and the decision on lanes say what was measured, and the code still gives those figures."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from benchmarks.costs import tables_of
from benchmarks.engines.report import HEAD
from benchmarks.growth import chart_of, limits_of, load, measured_cpu, probe, table_of
from benchmarks.measured import PAGE, kept

ROOT = Path(__file__).parents[2]
RECORD = (ROOT / "docs/decisions/0001-lanes-in-the-database.md").read_text()
QUOTED = re.compile(r"`([^`]+)`")
PINS = (ROOT / "benchmarks/engines/requirements.txt").read_text()


def marked(page, mark):
    return re.search(rf"<!-- {mark} -->\n(.*?)\n<!-- /{mark} -->", page, re.DOTALL)[1]


def test_the_tables_of_costs_are_those_that_were_measured():
    assert marked(PAGE.read_text(), "costs") == tables_of(kept("costs"))


def test_the_table_of_growth_and_its_chart_are_those_of_the_simulation():
    assert marked(PAGE.read_text(), "growth") == table_of(kept("growth"))
    assert PAGE.with_suffix(".svg").read_text() == chart_of(kept("growth"))


def test_what_a_store_has_to_carry_is_worked_out_from_the_costs():
    assert marked(PAGE.read_text(), "limits") == limits_of(kept("costs"))


def test_the_page_tells_of_every_table_whether_it_carries_its_workspace():
    said = {name: how for names, how in cells(marked(PAGE.read_text(), "tables")) for name in QUOTED.findall(names)}
    with closing(sqlite3.connect(":memory:")) as store:
        for migration in sorted((ROOT / "adapters/storage/schema/sqlite").glob("*.sql")):
            store.executescript(migration.read_text())
        made = store.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        columns = {name: columns_of(store, name) for (name,) in made.fetchall()}
    assert sorted(said) == sorted(columns)
    for name, how in said.items():
        assert ("workspace" in columns[name]) == ("column `workspace`" in how), name
        by = [word for word in QUOTED.findall(how) if how.startswith("by ")][:1]
        assert set(by) <= columns[name], name


def columns_of(store, table):
    return {name for _, name, *_ in store.execute(f"PRAGMA table_info({table})")}


def cells(table):
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_growth_was_simulated_with_the_costs_that_were_measured():
    assert (kept("growth")["store"], kept("growth")["cpu_ms"]) == measured_cpu()


def test_the_simulation_still_gives_what_is_kept_of_it():
    assert probe(kept("growth")["cpu_ms"]) == kept("growth")["probe"]


def test_the_busiest_hour_of_the_curve_is_a_twelfth_of_a_day():
    assert load().turns_per_second * 3600 / load().turns_per_day > 1 / 12


def test_the_engines_of_the_record_are_those_that_are_pinned():
    table = marked(RECORD, "engines")
    assert table.startswith(HEAD)
    pinned = dict(line.split("==") for line in PINS.splitlines() if "==" in line)
    for package in ("procrastinate", "dbos", "nats-py", "redis"):
        assert pinned[package] in table, package
