"""`deskmate usage`: whatever it is asked by, the sums are those of the ledger, to the last unit."""

import csv
import random
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest

from bots.commands.bill import GROUPINGS
from tests.bots.command_line import refusal

COUNTED = (
    "requests", "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "cost_nano", "estimated",
)  # fmt: skip
SVG = "{http://www.w3.org/2000/svg}"


def micros(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


@pytest.fixture(scope="module")
def billed(first_day, tmp_path_factory):
    """A copy of the first day's folder whose desk was busy in January and February 2026."""
    folder = tmp_path_factory.mktemp("billed") / "desk"
    shutil.copytree(first_day[0], folder)
    drawn = random.Random(7)
    with closing(sqlite3.connect(folder / "desk.db")) as store:
        sessions = store.execute("SELECT owner, id FROM session").fetchall()
        (ticket,) = store.execute("SELECT id FROM ticket").fetchone()
        turns = [turn for (turn,) in store.execute("SELECT id FROM turn")]
        store.execute("DELETE FROM usage")
        for number in range(300):
            owner, session = drawn.choice([*sessions, ("gone", b"gone")])
            at = drawn.randrange(micros("2026-01-01"), micros("2026-03-01"))
            figures = [drawn.randrange(1, 10**9) for _ in range(6)]
            cost = drawn.choice([None, drawn.randrange(10**15)])
            made_for = drawn.choice([None, ticket]), drawn.choice([None, "gone", *turns])
            store.execute(
                "INSERT INTO usage VALUES (?, ?, ?, ?, NULL, 'turn', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)",
                (f"u{number}", owner, session, made_for[1], drawn.choice("abcdef"), *figures[:5], cost, number % 2, at,
                 made_for[0]),
            )  # fmt: skip
        store.commit()
    return folder


def ledger(folder, since="1970-01-01", until="2100-01-01"):
    """What is booked, added up by nothing but the database."""
    sums = ", ".join(f"sum({name})" for name in COUNTED)
    where = "WHERE at >= ? AND at < ?"
    with closing(sqlite3.connect(folder / "desk.db")) as store:
        asked = f"SELECT {sums}, count(*), sum(cost_nano IS NULL) FROM usage {where}"
        row = store.execute(asked, (micros(since), micros(until))).fetchone()
    return dict(zip((*COUNTED, "calls", "unpriced"), row, strict=True))


def added(groups, names):
    return {name: sum(int(group[name]) for group in groups) for name in names}


@pytest.mark.parametrize("by", GROUPINGS)
def test_the_sums_of_every_grouping_are_those_of_the_ledger(billed, deskmate, by):
    booked = ledger(billed)
    groups = deskmate.json("usage", "--by", by, folder=billed)
    outcomes = [sums for group in groups for sums in group["outcomes"].values()]
    assert booked["calls"] == 300
    assert len(groups) > 1
    assert added(groups, booked) == booked
    assert added(outcomes, booked) == booked


@pytest.mark.parametrize("by", GROUPINGS)
def test_the_columns_of_a_csv_file_add_up_to_the_ledger(billed, deskmate, by):
    lines = list(csv.DictReader(deskmate("usage", "--by", by, "--csv", folder=billed).stdout.splitlines()))
    booked = ledger(billed)
    assert added(lines, booked) == booked
    assert (
        sum(int(line["cost"].replace(".", "").ljust(len(line["cost"].split(".")[0]) + 9, "0")) for line in lines)
        == (booked["cost_nano"])
    )


def test_a_month_is_what_was_booked_in_it_in_utc(billed, deskmate):
    with closing(sqlite3.connect(billed / "desk.db")) as store:
        store.execute("UPDATE usage SET at = ? WHERE id = 'u0'", (micros("2026-02-01") - 1,))
        store.execute("UPDATE usage SET at = ? WHERE id = 'u1'", (micros("2026-02-01"),))
        store.commit()
    months = [deskmate.json("usage", "--month", month, folder=billed) for month in ("2026-01", "2026-02", "2026-03")]
    january, february = ledger(billed, "2026-01-01", "2026-02-01"), ledger(billed, "2026-02-01", "2026-03-01")
    assert [added(groups, january) for groups in months] == [january, february, dict.fromkeys(january, 0)]


def test_groups_are_called_what_people_call_them(billed, deskmate):
    def labels(by):
        return {group["label"] for group in deskmate.json("usage", "--by", by, folder=billed)}

    assert labels("customer") == {"Alice", "bob", "gone"}
    assert labels("session") >= {"terminal/local/dm/alice", "terminal/local/dm/bob"}
    assert labels("ticket") == {"TKT-1001 (local)", "(no ticket)"}
    assert labels("model") == set("abcdef")


@pytest.mark.parametrize("month", ["2026-13", "2026-1", "last", "0000-01", "2026-01-01"])
def test_what_is_no_month_is_refused(billed, deskmate, month):
    assert "such as 2026-01" in refusal(deskmate("usage", "--month", month, folder=billed))


def test_a_name_is_no_formula_in_a_spreadsheet(billed, deskmate, tmp_path):
    folder = tmp_path / "desk"
    shutil.copytree(billed, folder)
    with closing(sqlite3.connect(folder / "desk.db")) as store:
        store.execute("UPDATE usage SET model = '=1+1'")
        store.commit()
    lines = list(csv.DictReader(deskmate("usage", "--by", "model", "--csv", folder=folder).stdout.splitlines()))
    assert {line["model"] for line in lines} == {"'=1+1"}


def test_the_chart_has_a_line_for_each_day_and_the_month_as_a_whole(billed, deskmate):
    shown = deskmate("usage", "--by", "model", "--month", "2026-02", "--chart", folder=billed, COLUMNS="120").stdout
    cost = ledger(billed, "2026-02-01", "2026-03-01")["cost_nano"]
    days = [line for line in shown.splitlines() if line[4:6].isdigit() and line[:3] in "Mon Tue Wed Thu Fri Sat Sun"]
    assert [line[4:6] for line in days] == [f"{day:02}" for day in range(1, 29)]
    assert f"Usage in February 2026: USD {cost // 10**9:,}.{cost % 10**9:09}".rstrip("0") in shown
    written = [line.split()[-1].replace(",", "") for line in days if len(line.split()) > 2]
    assert (
        sum(int(whole) * 10**9 + int(rest.ljust(9, "0")) for whole, rest in (one.split(".") for one in written)) == cost
    )
    assert max(line.count("█") for line in days) == 50


def test_the_drawing_is_valid_and_its_bars_are_as_high_as_what_was_used(billed, deskmate, tmp_path):
    args = ("usage", "--by", "model", "--month", "2026-01", "--svg", str(tmp_path / "usage.svg"))
    assert deskmate(*args, folder=billed).returncode == 0
    bars = [
        bar
        for bar in ElementTree.parse(tmp_path / "usage.svg").iter(f"{SVG}rect")
        if bar.find(f"{SVG}title") is not None
    ]
    heights = {}
    for bar in bars:
        said, value = bar.find(f"{SVG}title").text.rsplit(": ", 1)
        heights[said] = float(bar.get("height")), float(value.replace(",", ""))
    assert len(bars) > 31
    assert {said.split(", ")[1] for said in heights} >= {"others"}
    scale = max(high for high, _ in heights.values()) / max(value for _, value in heights.values())
    assert all(abs(high - value * scale) < 1 for high, value in heights.values())
    assert "is there already" in refusal(deskmate(*args, folder=billed))


def test_a_month_of_nothing_can_be_drawn(billed, deskmate):
    shown = deskmate("usage", "--month", "2020-02", "--chart", folder=billed).stdout
    assert "Usage in February 2020: 0 tokens" in shown
    assert "Sat 29" in shown
