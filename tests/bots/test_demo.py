import asyncio
import io
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from bots import demo
from bots.demo_drawing import Drawing
from bots.demo_stage import DemoError, Stage
from bots.demo_story import tell

ROOT = Path(__file__).parents[2]
# It takes a third of this; a busy machine takes longer.
pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    temporary = tmp_path_factory.mktemp("temporary")
    played = subprocess.run(
        [sys.executable, "-m", "bots.demo"],
        cwd=ROOT,
        env={"PATH": "", "TMPDIR": str(temporary), "PYTHONUTF8": "1", "DESK_STORE": "sqlite:////nowhere/desk.db"},
        capture_output=True,
        encoding="utf-8",
    )
    assert (played.returncode, played.stderr) == (0, "")
    assert list(temporary.iterdir()) == []
    return played.stdout


@pytest.fixture
def flat(shown):
    """The demo without its frames and line breaks."""
    return " ".join(re.sub(r"[^\w\s.,:;!?/`'“”()✓-]", " ", shown).split())


def test_it_is_plain_text_of_80_columns_where_nobody_watches(shown):
    assert "\x1b" not in shown
    assert max(len(line) for line in shown.splitlines()) <= 80


def test_each_day_and_each_restart_is_a_process_of_its_own(flat):
    days = re.findall(r"(Day \d|A minute later): .*? Process (\d+)", flat)
    assert [day for day, _ in days] == ["Day 1", "Day 2", "A minute later"]
    assert len({process for _, process in days}) == 3


def test_alice_is_greeted_on_the_second_day_and_her_number_found_from_a_new_thread(flat):
    second = flat[flat.index("Day 2") : flat.index("Hi! Please list my tickets.")]
    assert "Desk Welcome back, Alice. TKT-1001 “the printer prints blank pages”: open" in second
    assert "in a new thread" in second
    assert "Your invoice number was INV-2041." in second


def test_bob_gets_the_same_answer_for_her_ticket_and_for_none(flat):
    answers = re.findall(r"Bob /ticket (TKT-\d+) Desk (.*?to see them\.)", flat)
    assert [ticket for ticket, _ in answers] == ["TKT-1001", "TKT-9999"]
    assert answers[0][1] == answers[1][1]


def test_the_mistyped_ticket_is_withdrawn(flat):
    assert "Taken back. TKT-1002 is withdrawn." in flat
    assert "TKT-1002 “teh scaner is jamed”: withdrawn" in flat


def test_after_the_kill_the_same_messages_are_answered_once(flat):
    killed = flat.index("(SIGKILL)")
    after = flat[killed : flat.index("The figures")]
    assert re.search(r"[123] of 3 are acknowledged", after)
    opened = re.findall(r"I opened (TKT-\d+): “([^”]+)”", after)
    assert [subject for _, subject in opened] == ["the scanner is jammed", "no ink left", "the tray is stuck"]
    assert len({ticket for ticket, _ in opened}) == 3


def test_the_figures_keep_the_customers_apart(flat):
    figures = flat[flat.index("The figures") :]
    for fact, alice, bob in (
        ("conversations", 2, 1),
        ("turns", 7, 2),
        ("turns taken back, or on another branch", 3, 0),
        ("tickets", 5, 0),
        ("tickets that are open", 4, 0),
        ("turns with INV-2041 in them", 2, 0),
    ):
        assert f" {fact} {alice} {bob} " in figures
    assert re.search(r"model calls [1-9]\d* [1-9]\d* tokens [\d,]+ [\d,]+", figures)
    assert "All of it held" in figures


def test_what_does_not_hold_ends_the_demo():
    drawing = Drawing(Console(file=io.StringIO()))
    with pytest.raises(DemoError, match="this should hold and does not: two and two are five"):
        drawing.proves("two and two are five", "arithmetic", holds=False)


def test_a_desk_that_fails_ends_the_demo_with_its_own_words(tmp_path):
    (tmp_path / "desk.toml").write_text("modle = 'x'")
    with pytest.raises(DemoError, match=r"ended without an answer to 'Hello!(.|\n)*deskmate: modle in desk\.toml: no"):
        asyncio.run(tell(Stage(tmp_path), Drawing(Console(file=io.StringIO()))))


def test_a_demo_that_fails_says_why_and_exits_with_1(monkeypatch, capsys):
    async def fail(*_):
        raise DemoError("this should hold and does not: all of it")

    monkeypatch.setattr(demo, "tell", fail)
    assert demo.main() == 1
    assert capsys.readouterr().err == "deskmate demo: this should hold and does not: all of it\n"
