"""Every role, every word, every way to say it: nobody changes or reads what is not theirs to change or read."""

import re
from dataclasses import dataclass, replace
from typing import get_args

import pytest

from core.access import READINGS, Door, Reader, may, note_reading
from core.audit import audit_lines
from core.config import Operation, Role, check_settings
from core.customers import find_customer
from core.errors import ConfigError, NotAllowedError
from core.legal_holds import hold_on
from core.models import Command, ConversationRef, Reaction, UserMessage
from core.places import Places
from core.queries.branches import BranchesOf
from core.queries.people import SessionById
from core.queries.tickets import Tickets
from core.queries.turns import TurnsOf
from core.words import WORDS
from core.writer import GroupWriter
from tests.core.books import open_books
from tests.core.talk import Street, open_talk, place

SECRET = "xylophone-4711"
"""What only Alice was told, in private."""
THREAD = {"channel": "c", "thread": "t"}
ROLES = {f"terminal/local/{role}": role for role in get_args(Role)} | {
    "terminal/local/@helpers": "agent",
    "terminal/local/@out": "supervisor",
    "terminal/local/barred": "customer",
}
RANKS = {role: rank for rank, role in enumerate(get_args(Role))}


@dataclass(frozen=True)
class Who:
    """Somebody, by how they came to their role."""

    user: str
    role: str
    groups: tuple[str, ...] = ()


PEOPLE = [
    *(Who(role, role) for role in get_args(Role)),
    Who("helper", "agent", ("fans", "helpers")),
    Who("fan", "customer", ("fans",)),
    Who("@helpers", "customer"),
    Who("barred", "customer", ("out",)),
]


@dataclass(frozen=True)
class Meant:
    """What a word does to what is another person's: who may, with what, after what, and whether it shows their secret.

    `least` None is for nobody; what `shows` nothing and `changes` nothing is harmless in anybody's mouth. `secret` is
    what it would show. Where it `asks` first, the button is pressed that is shown. Alice is `linked` first where it
    matters.
    """

    least: Role | None = "agent"
    args: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    changes: bool = False
    shows: bool = False
    secret: str = SECRET
    asks: bool = False
    linked: bool = False


HARMLESS = Meant(least=None)
MEANT = {
    "undo": Meant(changes=True),
    "redo": Meant(changes=True, before=("undo",)),
    "retry": Meant(changes=True),
    "branch": Meant(changes=True, args=("what-if",)),
    "summary": HARMLESS,
    "ticket-summary": Meant(args=("TKT-1001",), shows=True),
    "clear": Meant(args=("confirm",), changes=True),
    "stop": HARMLESS,
    "helpful": HARMLESS,
    "not helpful": HARMLESS,
    "rewind": Meant(args=("1",), changes=True),
    "switch": Meant(args=("main",), before=("branch", "what-if"), changes=True),
    "new": Meant(changes=True),
    "open": Meant(least=None, args=("TKT-1001",)),
    "mute": Meant(changes=True),
    "unmute": Meant(before=("mute",), changes=True),
    "staff": HARMLESS,
    "help": HARMLESS,
    "whoami": HARMLESS,
    "history": HARMLESS,
    "tickets": HARMLESS,
    "ticket": Meant(args=("TKT-1001",), shows=True),
    "branches": HARMLESS,
    "usage": HARMLESS,
    "usage by": Meant(least="supervisor", args=("session",), shows=True, secret="terminal/local/dm/alice"),
    "export": HARMLESS,
    "link": HARMLESS,
    "unlink": HARMLESS,
    "forget": HARMLESS,
    "review": Meant(args=("terminal/local/dm/alice", "a", "complaint"), shows=True),
    "audit": Meant(least="supervisor", before=("undo",), shows=True, secret="Alice: undo"),
    "retention": Meant(least="admin", shows=True, secret="Nothing goes by its age"),
    "keys": Meant(least="admin", shows=True, secret="Data keys of "),
    "search": Meant(args=("xylophone", "--reason", "a", "complaint"), shows=True),
    "hold": Meant(least="admin", args=("alice", "case", "7"), changes=True),
    "export of others": Meant(least="supervisor", args=("alice", "a", "complaint"), shows=True),
    "unlink of others": Meant(least="admin", args=("alice", "a", "theft"), changes=True, linked=True),
    "forget of others": Meant(least="admin", args=("alice", "she", "asked"), changes=True, asks=True),
}
SAID = {f"{word.name} of others" if word.of_others else word.name: word for word in WORDS}
HERE = ("command", "text", "button", "reaction", "restart")
"""Ways to say a word in the thread where Alice talks."""
ELSEWHERE = ("aside", "forged")
"""Ways that reach nobody's conversation but one's own: only words that name a thing reach it."""


TRIED = [(who, way) for who in PEOPLE for way in (*HERE, *ELSEWHERE) if not who.groups or way in ("command", "aside")]
"""Groups only give a role: that it counts on every way is tried with people who have it by name."""


def test_every_word_and_every_operation_is_in_the_matrix():
    assert {*MEANT} == {*SAID}
    tried = {word.needs for word in WORDS} | {*READINGS.values()} | {"undo_others", "see_money", "operate"}
    assert tried == {*get_args(Operation)}


async def fingerprint(talk):
    """What can be changed of Alice's."""
    session = talk.sealer.lookup("session", "terminal/local/thread/c/t")
    rows = await talk.store.read(SessionById(session))
    state = [(row.head, row.branch, row.muted) for row in rows]
    turns = [(turn.id, turn.status) for turn in await talk.store.read(TurnsOf(session))]
    places = Places(talk.settings, store=talk.store, sealer=talk.sealer, writer=GroupWriter(talk.store))
    there = await places.name_at(place("alice", **THREAD))
    branches = {(one.name, one.head) for one in await talk.store.read(BranchesOf(session))}
    tickets = [(one.id, one.version, one.status) for one in await talk.store.read(Tickets(9)) if one.number == 1001]
    alice = await find_customer(talk.store, talk.sealer, place("alice"))
    links = alice and (alice.links, await hold_on(talk.store, talk.sealer, alice.id))
    return (state, turns, there, branches, tickets, links)


def event_of(talk, way, who, name, answer):
    args, word = () if way == "reaction" else MEANT[name].args, SAID[name]
    ref = replace(place(who.user, **THREAD), groups=who.groups)
    id_ = talk.next_id()
    if way == "text":
        return UserMessage(id_, ref, " ".join((f"!{word.name}", *args)))
    if way == "reaction":
        return Reaction(id_, ref, answer, word.reaction)
    if way == "aside":
        return Command(id_, replace(ref, thread=None), word.name, args, loose=True)
    if way == "forged":
        # In their own place, of a message that stands in Alice's, picking her conversation.
        picked = f"in:{talk.sealer.lookup('session', 'terminal/local/dm/alice').hex()[:12]}"
        said = (*args, picked) if word.changes_history else args
        return Command(id_, replace(place(who.user), groups=who.groups), word.name, said, message=answer)
    return Command(id_, ref, word.name, args, message=answer if way == "button" else None)


async def scene(talk):
    for text in ("the weather is fine", "so it is"):
        await talk.say("alice", text, **THREAD)
    answer = talk.last.key
    await talk.say("alice", f"open a ticket: {SECRET}")
    return answer


async def link_elsewhere(talk):
    """Let Alice be the same person as somebody of another workspace."""
    await talk.command("alice", "link")
    code = re.search(r"`link (\S+)`", talk.last.text)[1]
    elsewhere = ConversationRef("terminal", "other", "dm-alice", "alice")
    await talk.hand_in(Command(talk.next_id(), elsewhere, "link", (code, "apart")))


async def outcome(talk, way, who, name, answer):
    """Whether a word changed what is Alice's, showed what is hers, and was noted."""
    meant = MEANT[name]
    if meant.before:
        await talk.command("alice", *meant.before, **THREAD)
    if meant.linked:
        await link_elsewhere(talk)
    before, posted, read = await fingerprint(talk), len(talk.street.posted), await reads(talk)
    said = event_of(talk, way, who, name, answer)
    if way == "restart":
        async with talk.with_desk(talk.street) as desk:
            await desk.accept(said)
            await desk.drain()
    else:
        await talk.hand_in(said)
    for button in talk.last.buttons if meant.asks else ():
        await talk.hand_in(pressing(talk, who, button))
    # A desk that starts posts again what may not have gone out, to Alice.
    told = [one for one in talk.street.posted[posted:] if one.ref.user != "alice"]
    shown = any(meant.secret in f"{one.text}{one.file}" for one in told)
    return await fingerprint(talk) != before, shown, await reads(talk) > read


async def reads(talk):
    return sum(
        line.action in {*READINGS, "retention", "keys"} for line in await audit_lines(talk.store, talk.sealer, 1000)
    )


def expected(way, who, name):
    meant = MEANT[name]
    allowed = meant.least is not None and RANKS[who.role] >= RANKS[meant.least]
    reached = way in HERE or SAID[name].about_person
    return allowed and meant.changes and reached, allowed and meant.shows, allowed and meant.shows


def said_so(way):
    """The words that are said a way: a reaction says no arguments."""
    return [name for name, meant in MEANT.items() if way != "reaction" or (SAID[name].reaction and not meant.args)]


@pytest.mark.parametrize(("who", "way"), TRIED, ids=lambda one: one if isinstance(one, str) else one.user)
async def test_nobody_does_what_their_role_does_not_allow_and_no_read_is_unnoted(who, way):
    wrong, left = [], said_so(way)
    while left:
        # What changed nothing leaves Alice's things as they were for the next word.
        street = Street(writes_directly=True)
        async with open_talk(platform=street, roles=ROLES, linking={"across": "workspaces"}) as talk:
            answer, changed = await scene(talk), False
            while left and not changed:
                name = left.pop(0)
                found = await outcome(talk, way, who, name, answer)
                changed = found[0]
                if found != expected(way, who, name):
                    wrong.append((name, found))
    assert not wrong, wrong


READ_BY = {
    "menu": Command("", place("", **THREAD), "review", ("here", "a", "complaint"), message="the answer"),
    "here": Command("", place("", **THREAD), "review", ("here", "a", "complaint")),
    "review": Command("", place(""), "review", ("terminal/local/dm/alice", "a", "complaint")),
    "aside": Command("", place("", channel="c"), "review", ("alice", "a", "complaint"), loose=True),
    "text": UserMessage("", place("", **THREAD), "!search word --reason a complaint"),
    "search": Command("", place(""), "search", ("word", "--reason", "a", "complaint")),
}
"""Ways to begin to read; `pressed` are the buttons below what they show, and theirs."""


async def tried_on(talk, desk, said):
    """What somebody was shown of Alice's words by something they said, and how often that was noted."""
    posted, read = len(talk.street.posted), await reads(talk)
    await desk.accept(said)
    await desk.drain()
    told = [one for one in talk.street.posted[posted:] if one.ref.user != "alice"]
    shown = [one for one in told if "word number" in one.text or any("dm/alice" in b.label for b in one.buttons)]
    return len(shown), await reads(talk) - read, [button for one in told for button in one.buttons]


def said_by(who, template, id_, **changes):
    ref = replace(template.ref, user=who.user, groups=who.groups)
    return replace(template, id=id_, ref=replace(ref, channel=f"dm-{who.user}") if ref.direct else ref, **changes)


def pressing(talk, who, button):
    ref = replace(place(who.user), groups=who.groups)
    return Command(talk.next_id(), ref, button.command, button.args, message="a message")


@pytest.mark.parametrize("who", PEOPLE, ids=lambda who: f"{who.user}-{'-'.join(who.groups)}")
async def test_every_way_to_read_and_to_read_on_is_for_staff_and_each_page_is_noted(who):
    wrong, allowed = [], RANKS[who.role] >= RANKS["agent"]
    async with open_talk(roles=ROLES) as talk:
        for number in range(12):
            await talk.say("alice", f"word number {number}")
            await talk.say("alice", f"word number {number} in public", **THREAD)
        answer, buttons = talk.last.key, []
        for name, template in READ_BY.items():
            about = {"message": answer} if name == "menu" else {}
            shown, noted, under = await tried_on(talk, talk.desk, said_by(who, template, talk.next_id(), **about))
            buttons += under
            if (shown, noted) != (allowed, allowed):
                wrong.append((name, shown, noted))
        # The same after a restart: a button is good for as long as its line is there.
        async with talk.with_desk(talk.street) as desk:
            for button in buttons:
                shown, noted, _ = await tried_on(talk, desk, pressing(talk, who, button))
                if (shown, noted) != (1, 1):
                    wrong.append((button, shown, noted))
    assert not wrong, wrong
    assert ({button.label for button in buttons} >= {"More", "Read 1"}) is allowed


@pytest.mark.parametrize("who", PEOPLE, ids=lambda who: f"{who.user}-{'-'.join(who.groups)}")
async def test_what_one_of_staff_was_shown_lets_nobody_else_read_on(who):
    agent = Who("sam", "agent")
    async with open_talk(roles=ROLES | {"terminal/local/sam": "agent"}) as talk:
        for number in range(12):
            await talk.say("alice", f"word number {number}")
        buttons = []
        for name in ("review", "search"):
            _, _, under = await tried_on(talk, talk.desk, said_by(agent, READ_BY[name], talk.next_id()))
            buttons += under
        assert len(buttons) == 12
        for button in buttons:
            shown, noted, _ = await tried_on(talk, talk.desk, pressing(talk, who, button))
            assert (shown, noted) == (0, 0), button


@pytest.mark.parametrize("who", PEOPLE, ids=lambda who: f"{who.user}-{'-'.join(who.groups)}")
async def test_what_one_admin_was_asked_nobody_else_confirms(who):
    async with open_talk(roles=ROLES | {"terminal/local/ada": "admin"}) as talk:
        await talk.say("alice", "hello", **THREAD)
        await talk.hand_in(Command("asked", place("ada"), "forget", ("alice", "she", "asked")))
        (button,), before = talk.last.buttons, await fingerprint(talk)
        await talk.hand_in(pressing(talk, who, button))
        assert await fingerprint(talk) == before


LEAST = {
    **dict.fromkeys(("usage_list", "audit_list", "audit_export", "export_person"), "supervisor"),
    "hold_list": "admin",
}


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("role", [*get_args(Role), "king", ""])
async def test_a_reading_is_noted_for_those_who_may_and_refused_to_all_others(reading, role):
    least = LEAST.get(reading, "agent")
    async with open_books() as books:
        door = Door(books.store, books.sealer, books.writer)
        if RANKS.get(role, -1) >= RANKS[least]:
            await note_reading(door, Reader("terminal/local/x", role, "local"), reading)
        else:
            with pytest.raises(NotAllowedError):
                await note_reading(door, Reader("terminal/local/x", role, "local"), reading)
        noted = [line.action for line in await audit_lines(books.store, books.sealer, 5)]
        assert noted == ([reading] if RANKS.get(role, -1) >= RANKS[least] else [])


@pytest.mark.parametrize("who", PEOPLE, ids=lambda who: f"{who.user}-{'-'.join(who.groups)}")
async def test_money_is_shown_to_staff_alone(who):
    async with open_talk(roles=ROLES) as talk:
        (answer,) = await talk.hand_in(Command("m", replace(place(who.user), groups=who.groups), "usage"))
        assert ("USD" in answer) is (who.role != "customer")


def test_to_operate_the_desk_is_for_admins():
    assert [role for role in get_args(Role) if may(role, "operate")] == ["admin"]


@pytest.mark.parametrize("role", ["king", "Agent", "", "root"])
def test_a_role_that_is_none_stops_the_start_with_one_line(role):
    with pytest.raises(ConfigError) as refused:
        check_settings({"roles": {"slack/T1/U7": role}})
    (line,) = str(refused.value).splitlines()
    assert "roles.slack/T1/U7" in line
    assert "'customer', 'agent', 'supervisor' or 'admin'" in line
    assert repr(role) in line
