import csv
import io
import re
from dataclasses import replace
from decimal import Decimal

import pytest

from core.access import READINGS
from core.audit import audit_lines
from core.ids import new_id
from core.models import Command, Profile, UserMessage
from core.noted import OTHERS_READ
from core.queries.bill import UsageLedger
from core.queries.people import Customers
from core.reckoning import HOW, MOST_LINES
from core.records.bill import BookUsage
from core.records.erasing import FoldUsage
from tests.core.talk import open_talk, place

ROLES = {"terminal/local/sue": "supervisor", "terminal/other/sue": "supervisor"}
PRICES = {"models": {"offline": {"input": "3", "output": "15"}}}
ASKED = ("customer", "session", "ticket", "model")
JANUARY, FEBRUARY = 1_767_225_600_000_000, 1_769_904_000_000_000


def elsewhere(user):
    return replace(place(user), workspace="other")


async def planted(talk):
    """What Alice used here, and Bob in the other workspace."""
    await talk.say("alice", "open a ticket: no ink")
    await talk.say("alice", "the weather is fine", channel="c", thread="t")
    await talk.hand_in(UserMessage("b1", elsewhere("bob"), "open a ticket: xylophone", Profile("Bob")))
    await talk.hand_in(UserMessage("b2", elsewhere("bob"), "so it is", Profile("Bob")))


@pytest.fixture
async def talk():
    async with open_talk(roles=ROLES, prices=PRICES) as talk:
        await planted(talk)
        yield talk


async def asked(talk, *args, ref=None):
    (text,) = await talk.hand_in(Command(talk.next_id(), ref or place("sue"), "usage", ("by", *args)))
    return text


def lines_of(text):
    """Label and figures of each line of the table, without its head."""
    table = text.split("```")[1].strip().splitlines()[1:]
    cells = [re.split(r"\s{2,}", line.strip()) for line in table]
    return [(label, *(Decimal(figure.replace(",", "")) for figure in figures)) for label, *figures in cells]


def added(lines):
    return [sum(column) for column in zip(*(figures for _, *figures in lines), strict=True)]


async def booked(talk, workspace):
    """Calls, tokens in and out of a workspace, read off the bill itself."""
    homes = {row.id: row.workspace for row in await talk.store.read(Customers())}
    rows = [row for row in await talk.store.read(UsageLedger(0, 2**62)) if homes[row.customer] == workspace]
    return [sum(getattr(row, name) for row in rows) for name in ("calls", "input_tokens", "output_tokens")]


async def book(talk, customer, **changes):
    call = BookUsage(new_id(), customer, b"", None, None, "turn", "m", 1, 10, 0, 1, 0, 5_000_000, 0, JANUARY)
    await talk.desk.writer.commit((replace(call, **changes),))


async def customer_named(talk, workspace):
    return next(row.id for row in await talk.store.read(Customers()) if row.workspace == workspace)


@pytest.mark.parametrize("what", ASKED)
async def test_the_lines_come_to_the_total_and_the_total_to_the_bill(talk, what):
    *lines, (label, *total) = lines_of(await asked(talk, what))
    assert label == "Total"
    assert added(lines) == total
    assert total[:3] == await booked(talk, "local")


@pytest.mark.parametrize("what", ASKED)
async def test_nothing_of_another_workspace_is_shown_or_counted(talk, what):
    here, there = await asked(talk, what), await asked(talk, what, ref=elsewhere("sue"))
    assert not [word for word in ("Bob", "other", "bob") if word in here.replace("others", "")]
    assert not [word for word in ("Alice", "local") if word in there]
    assert lines_of(there)[-1][1:4] == (*await booked(talk, "other"),)
    assert lines_of(here)[-1] != lines_of(there)[-1]


async def test_groups_are_called_as_people_know_them(talk):
    assert [line[0] for line in lines_of(await asked(talk, "customer"))] == ["Alice", "Total"]
    sessions = {line[0] for line in lines_of(await asked(talk, "session"))}
    assert sessions == {"terminal/local/dm/alice", "terminal/local/thread/c/t", "Total"}
    assert {line[0] for line in lines_of(await asked(talk, "ticket"))} == {"TKT-1001", "(no ticket)", "Total"}
    assert [line[0] for line in lines_of(await asked(talk, "model"))] == ["offline", "Total"]


async def test_one_month_is_of_that_month(talk):
    alice = await customer_named(talk, "local")
    for at in (JANUARY - 1, JANUARY, FEBRUARY - 1, FEBRUARY):
        await book(talk, alice, at=at)
    lines = lines_of(await asked(talk, "customer", "2026-01"))
    assert lines == [("Alice", 2, 20, 2, Decimal("0.01")), ("Total", 2, 20, 2, Decimal("0.01"))]
    assert (await asked(talk, "customer", "2025-01")).endswith(": nothing.")


async def test_more_than_fit_are_summed_in_one_line(talk):
    alice = await customer_named(talk, "local")
    for number in range(MOST_LINES + 5):
        await book(talk, alice, model=f"m{number:02}", cost_nano=10**9 * (100 - number))
    lines = lines_of(await asked(talk, "model"))
    assert len(lines) == MOST_LINES + 2
    assert lines[0][0] == "m00"
    assert lines[-2][0] == "6 others"
    assert added(lines[:-1]) == [*lines[-1][1:]]


async def test_calls_without_a_price_are_told_and_never_counted_as_free(talk):
    alice = await customer_named(talk, "local")
    await book(talk, alice, cost_nano=None)
    await book(talk, alice, cost_nano=None)
    assert (await asked(talk, "customer")).endswith("Among them 2 calls without a price.")


async def test_lines_folded_into_totals_stay_in_the_sums_of_their_workspace(talk):
    before = lines_of(await asked(talk, "customer"))
    for row in await talk.store.read(Customers()):
        await talk.desk.writer.commit((FoldUsage(row.id, 2**62),))
    assert lines_of(await asked(talk, "customer")) == before
    assert [line[0] for line in lines_of(await asked(talk, "session"))] == ["(no session)", "Total"]


async def test_all_customers_count_however_many_are_read_at_once(talk, monkeypatch):
    whole = lines_of(await asked(talk, "customer"))
    monkeypatch.setattr("core.ledger.AT_ONCE", 1)
    assert lines_of(await asked(talk, "customer")) == whole


async def test_who_was_forgotten_stays_on_the_bill_without_a_name(talk):
    await talk.command("alice", "forget", "confirm")
    assert [line[0] for line in lines_of(await asked(talk, "customer"))] == ["(erased)", "Total"]


async def test_a_person_linked_from_elsewhere_is_called_as_they_are_here(talk):
    (code,) = re.findall(r"link ([A-Z0-9-]+)`", "\n".join(await talk.hand_in(Command("l1", elsewhere("bob"), "link"))))
    await talk.hand_in(Command("l2", place("alice"), "link", (code, "apart")))
    await talk.say("alice", "and now")
    lines = lines_of(await asked(talk, "customer", ref=elsewhere("sue")))
    assert [line[0] for line in lines] == ["Bob", "Total"]


async def test_a_name_cannot_end_the_block_it_stands_in(talk):
    await talk.hand_in(UserMessage("n1", place("alice"), "hello", Profile("Al```ice")))
    text = await asked(talk, "customer")
    assert "Al'''ice" in text
    assert text.count("```") == 2


@pytest.mark.parametrize(
    "args", [(), ("customers",), ("customer", "January"), ("customer", "2026-13"), ("model", "2026-01", "x")]
)
async def test_what_cannot_be_read_is_answered_with_how_to_say_it_and_not_noted(talk, args):
    assert await asked(talk, *args) == HOW
    assert [line for line in await audit_lines(talk.store, talk.sealer, 99) if line.action in READINGS] == []


async def test_each_look_is_for_the_asker_alone_and_noted_with_what_was_asked(talk):
    await asked(talk, "model", "2026-01")
    assert talk.last.private
    (line,) = [line for line in await audit_lines(talk.store, talk.sealer, 99) if line.action in READINGS]
    assert (line.action, line.owner) == ("usage_list", "desk")
    assert line.detail == {"by": "terminal/local/sue", "role": "supervisor", "asked": "model 2026-01"}


async def test_usage_alone_stays_what_it_is_for_everybody(talk):
    for who in ("alice", "sue"):
        (text,) = await talk.command(who, "usage")
        assert text.startswith("You have used ")


async def test_help_tells_it_to_supervisors_alone(talk):
    assert "`usage by" in (await talk.command("sue", "help"))[0]
    assert "`usage by" not in (await talk.command("alice", "help"))[0]


async def test_as_a_file_every_group_has_a_line_that_adds_up_and_no_cell_is_a_formula(talk):
    await talk.hand_in(UserMessage("m1", place("mallory"), "hello", Profile("=1+1")))
    for number in range(MOST_LINES):
        await talk.say(f"user{number}", "hello")
    assert f"{MOST_LINES + 2} lines" in await asked(talk, "customer", "csv")
    assert talk.last.private
    rows = list(csv.DictReader(io.StringIO(talk.last.file.content)))
    assert "'=1+1" in [row["customer"] for row in rows]
    figures = [sum(int(row[name]) for row in rows) for name in ("calls", "input_tokens", "output_tokens")]
    assert (len(rows), figures) == (MOST_LINES + 2, await booked(talk, "local"))
    assert "Bob" not in talk.last.file.content


async def test_a_file_is_refused_where_others_read_and_nothing_is_noted(talk):
    said = await asked(talk, "customer", "csv", ref=place("sue", channel="c", thread="t"))
    assert (said, talk.last.file) == (OTHERS_READ, None)
    assert [line for line in await audit_lines(talk.store, talk.sealer, 99) if line.action == "usage_list"] == []
