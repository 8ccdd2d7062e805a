from dataclasses import replace

import pytest

from adapters.terminal.translate import typed_event
from core import operating
from core.audit import DESK, Author, audit_lines, audit_record
from core.chores import Chores
from core.clock import now
from core.legal_holds import put_hold
from core.models import Command, Profile, UserMessage
from core.operating import BROKEN_LOG, HOW_KEYS, HOW_RETENTION, KEEPS_ALL, SEVERAL
from core.people import find_person
from core.queries.log import AuditEnd
from core.queries.turns import TurnsOf
from core.records.guards import AuditEnds
from core.records.log import AddAudit
from tests.core.talk import open_talk, place
from tests.core.test_role_matrix import PEOPLE, RANKS, ROLES

DAY = 86_400_000_000
REFUSED = "You may not do that here."
PHRASES = (
    "retention",
    "retention run",
    "retention run confirm",
    "keys",
    "keys check",
    "keys rotate",
    "keys rotate confirm",
)
WAYS = ("command", "text", "aside", "button", "restart")
OF_EFFECT = {"retention run confirm": "retention run", "keys rotate confirm": "rotate data keys"}
THREAD = {"channel": "c", "thread": "t"}


@pytest.fixture(autouse=True)
def _no_sweep(monkeypatch):
    """The desk deletes nothing by itself meanwhile."""

    async def nothing(self):
        return None

    monkeypatch.setattr(Chores, "_sweep", nothing)


@pytest.fixture(autouse=True)
def later(monkeypatch):
    """Forty days after everything was said, as these words see it."""
    monkeypatch.setattr(operating, "now", lambda: now() + 40 * DAY)


def opened(**settings):
    settings = {"roles": ROLES, "retention": {"conversation_days": 30}} | settings
    return open_talk(**settings)


async def turns(talk, session="terminal/local/dm/alice"):
    return len(await talk.store.read(TurnsOf(talk.sealer.lookup("session", session))))


async def renewed(talk):
    """How many keys were made beyond the first one of each owner."""
    found = await talk.sealer.keys.counts()
    return found.versions - found.owners - found.erased


async def noted(talk):
    """What these words left in the log: what, who, in which role."""
    lines = await audit_lines(talk.store, talk.sealer, 999)
    own = [line for line in lines if line.action in {"retention", "keys", *OF_EFFECT.values()}]
    return [(line.action, line.detail["by"], line.detail["role"]) for line in own]


def said(talk, way, who, phrase):
    name, *args = phrase.split()
    ref, id_ = replace(place(who.user, **THREAD), groups=who.groups), talk.next_id()
    if way == "text":
        return UserMessage(id_, ref, f"!{phrase}")
    if way == "aside":
        return Command(id_, replace(ref, thread=None), name, tuple(args), loose=True)
    return Command(id_, ref, name, tuple(args), message="a message" if way == "button" else None)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("who", PEOPLE, ids=lambda who: f"{who.user}-{'-'.join(who.groups)}")
async def test_admins_alone_look_after_the_desk_and_each_use_is_noted(who, way):
    allowed, wrong = RANKS[who.role] >= RANKS["admin"], []
    async with opened() as talk:
        for phrase in PHRASES:
            await talk.say("alice", "hello")
            before = await turns(talk), await renewed(talk), await noted(talk)
            posted, said_now = len(talk.street.posted), said(talk, way, who, phrase)
            if way == "restart":
                async with talk.with_desk(talk.street) as desk:
                    await desk.accept(said_now)
                    await desk.drain()
            else:
                await talk.hand_in(said_now)
            told = [one for one in talk.street.posted[posted:] if one.ref.user == who.user]
            changed = before[:2] != (await turns(talk), await renewed(talk))
            line = (OF_EFFECT.get(phrase, phrase.split()[0]), f"terminal/local/{who.user}", who.role)
            found = changed, [one.text for one in told] != [REFUSED], (await noted(talk))[len(before[2]) :]
            if found != (allowed and phrase in OF_EFFECT, allowed, [line] * allowed) or not told[0].private:
                wrong.append((phrase, found))
    assert not wrong, wrong


@pytest.mark.parametrize("role", ["agent", "supervisor", "customer"])
@pytest.mark.parametrize("phrase", ["retention run", "keys rotate"])
async def test_a_role_taken_away_before_the_button_is_pressed_counts(role, phrase):
    async with opened(roles={"terminal/local/ann": "admin"}) as talk:
        await talk.say("alice", "hello")
        await talk.hand_in(said(talk, "command", replace(PEOPLE[0], user="ann"), phrase))
        (button,) = talk.last.buttons
        talk.settings.roles["terminal/local/ann"] = role
        before = await turns(talk), await renewed(talk), await noted(talk)
        assert await talk.command("ann", button.command, *button.args, message="a message") == [REFUSED]
        assert before == (await turns(talk), await renewed(talk), await noted(talk))


@pytest.mark.parametrize("phrase", OF_EFFECT)
async def test_what_cannot_be_noted_is_not_done(phrase, monkeypatch):
    async with opened() as talk:
        await talk.say("alice", "hello")
        commit = talk.desk.writer.commit

        async def refuse(records):
            if any(isinstance(record, AddAudit) for record in records):
                raise RuntimeError("the disk is full")
            return await commit(records)

        monkeypatch.setattr(talk.desk.writer, "commit", refuse)
        (text,) = await talk.command("admin", *phrase.split())
        assert text.startswith("Something went wrong on our side, and nothing was changed.")
        assert (await turns(talk), await renewed(talk), await noted(talk)) == (1, 0, [])


@pytest.mark.parametrize("mark", ["/", "!"])
@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("usage by model 2026-01", "Used in this workspace, by model, 2026-01"),
        ("Usage by model", "Used in this workspace, by model"),
        ("audit 5", "Nothing about this workspace."),
        ("audit verify", "The audit log holds"),
        ("retention", "Nothing is old enough."),
        ("keys check", "Every data key opens."),
    ],
)
async def test_they_are_typed_in_the_terminal_and_no_mask_eats_their_numbers(mark, typed, answer):
    masked = dict.fromkeys(("email", "phone", "card", "iban", "ip", "secret"), "mask_before_storage")
    async with opened(personal_data={**masked, "phone_regions": ["US", "DE"]}) as talk:
        event = typed_event(f"{mark}{typed}", id_="t1", ref=place("admin"), profile=Profile())
        (text,) = await talk.hand_in(event)
        assert text.startswith(answer)


# --- one workspace ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phrase", PHRASES)
async def test_where_a_second_workspace_is_served_its_people_are_left_alone(phrase):
    async with opened() as talk:
        await talk.say("alice", "hello")
        await talk.hand_in(UserMessage("b1", replace(place("bob"), workspace="other"), "hello"))
        before = await turns(talk), await renewed(talk)
        (text,) = await talk.command("admin", *phrase.split())
        assert text.startswith(SEVERAL.partition("{}")[0])
        assert before == (await turns(talk), await renewed(talk))
        assert await noted(talk) == []


async def test_a_second_workspace_counts_from_the_moment_between_question_and_answer():
    async with opened() as talk:
        await talk.say("alice", "hello")
        await talk.command("admin", "retention", "run")
        await talk.hand_in(UserMessage("b1", replace(place("bob"), workspace="other"), "hello"))
        (text,) = await talk.command("admin", "retention", "run", "confirm")
        assert text.startswith("This desk serves several workspaces")
        assert await turns(talk) == 1


async def test_direct_messages_of_no_workspace_are_no_second_one():
    async with opened() as talk:
        await talk.hand_in(UserMessage("b1", replace(place("bob"), workspace="@dm"), "hello"))
        assert (await talk.command("admin", "keys"))[0].startswith("Data keys of ")
        (text,) = await talk.hand_in(Command("k", replace(place("admin"), workspace="@dm"), "keys"))
        assert text == REFUSED


# --- retention --------------------------------------------------------------------------------------------------------


async def test_what_would_go_is_counted_and_nothing_goes():
    async with opened() as talk:
        for user in ("alice", "bob"):
            await talk.say(user, "hello")
        assert await talk.command("admin", "retention") == ["This would go now:\n- Conversations: 2"]
        assert (talk.last.buttons, await turns(talk)) == ((), 1)


async def test_it_is_deleted_by_the_button_and_said_how_much():
    async with opened() as talk:
        await talk.say("alice", "hello")
        (asked,) = await talk.command("admin", "retention", "run")
        assert asked.startswith("This goes for good:\n- Conversations: 1\n")
        (button,) = talk.last.buttons
        assert await talk.command("admin", button.command, *button.args) == [
            "This is deleted for good:\n- Conversations: 1"
        ]
        assert await turns(talk) == 0
        assert await talk.command("admin", "retention", "run") == ["Nothing is old enough."]
        assert talk.last.buttons == ()


async def test_who_ordered_it_is_in_the_log_before_anything_is_gone():
    async with opened() as talk:
        await talk.say("alice", "hello")
        await talk.command("admin", "retention", "run", "confirm")
        actions = [line.action for line in await audit_lines(talk.store, talk.sealer, 9)]
        assert actions == ["retention run", "expire"]


async def test_nobody_on_hold_is_touched():
    async with opened() as talk:
        await talk.say("alice", "hello")
        person = await find_person(talk.store, talk.sealer, "terminal/local/alice")
        held = await put_hold(talk.store, talk.sealer, person, reason="a lawsuit", by=Author("somebody"))
        await talk.desk.writer.commit(tuple(held))
        assert await talk.command("admin", "retention", "run", "confirm") == ["Nothing is old enough."]
        assert await turns(talk) == 1


@pytest.mark.parametrize("args", [(), ("run",), ("run", "confirm")])
async def test_a_log_that_does_not_hold_is_not_cut_and_said_not_to_hold(args):
    async with opened(retention={"audit_days": 30}) as talk:
        await talk.say("alice", "hello")
        await talk.command("alice", "undo")
        await talk.sealer.prepare((DESK,))
        line = audit_record(talk.sealer, actor="x", action="x", subject="", owner=DESK, detail={}, at=now())
        (end,) = await talk.store.read(AuditEnd())
        await talk.store.write([(AuditEnds(end.link), replace(line, seq=end.seq + 1, link=b"forged"))])
        assert await talk.command("admin", "retention", *args) == [f"Nothing is old enough.\n{BROKEN_LOG}"]
        assert len(await audit_lines(talk.store, talk.sealer, 9)) == 3


@pytest.mark.parametrize("args", [(), ("run",), ("run", "confirm")])
async def test_where_everything_is_kept_it_says_so(args):
    async with opened(retention={}) as talk:
        await talk.say("alice", "hello")
        assert await talk.command("admin", "retention", *args) == [KEEPS_ALL]
        assert await turns(talk) == 1


# --- keys -------------------------------------------------------------------------------------------------------------


async def test_keys_are_counted_and_tried():
    async with opened() as talk:
        await talk.say("alice", "hello")
        owners, erased, kept = await talk.sealer.keys.counts()
        assert (erased, kept) == (0, owners)
        assert await talk.command("admin", "keys", "check") == ["Every data key opens."]
        await talk.command("alice", "forget", "confirm")
        (text,) = await talk.command("admin", "keys")
        assert text.endswith("; 1 owner erased.")


async def test_a_key_that_does_not_open_is_named_by_its_keyed_hash():
    async with opened() as talk:
        await talk.say("alice", "hello")
        keyring = talk.sealer._keyring
        (owner, *_) = [one for one in keyring.owners() if len(one) == 16]
        (row,) = keyring.rows([owner])
        keyring.rewrap([(row, b"\x00" * len(row.wrapped))])
        assert await talk.command("admin", "keys", "check") == [f"These do not open:\n- {owner.hex()} version 1"]


async def test_new_keys_seal_while_the_desk_serves_and_the_old_ones_still_open():
    async with opened() as talk:
        await talk.say("alice", "my name is Alice")
        await talk.command("admin", "keys", "rotate")
        assert await renewed(talk) == 0
        (button,), (owners, *_) = talk.last.buttons, await talk.sealer.keys.counts()
        (text,) = await talk.command("admin", button.command, *button.args)
        assert text == f"{owners} new data keys made. What was sealed before stays readable."
        assert await renewed(talk) == owners
        talk.sealer._keys._forget_erased()
        await talk.say("alice", "hello")
        (history,) = await talk.command("alice", "history")
        assert "my name is Alice" in history and "hello" in history


async def test_a_rotation_taken_up_again_goes_on_with_those_that_are_left():
    async with opened() as talk:
        await talk.say("alice", "hello")
        await talk.command("admin", "keys")
        at = now()
        assert await talk.sealer.keys.rotate(at) > 0
        assert await talk.sealer.keys.rotate(at) == 0


@pytest.mark.parametrize("word", ["retention", "keys"])
@pytest.mark.parametrize("args", [("now",), ("run", "sure"), ("rotate", "master"), ("confirm",), ("--master",)])
async def test_what_cannot_be_read_is_answered_with_how_to_say_it_and_not_noted(word, args):
    async with opened() as talk:
        assert await talk.command("admin", word, *args) == [HOW_RETENTION if word == "retention" else HOW_KEYS]
        assert await noted(talk) == []
