"""Twenty workspaces whose ids collide on purpose, thousands of random steps: nothing of anybody reaches anybody else.

`DESK_CROSSING_STEPS` says how many steps, `DESK_CROSSING_SEED` which ones. A long run is dealt out to parts of 25,000
steps, each on a store of its own, that may run side by side:
`DESK_CROSSING_STEPS=100000 pytest -n 2 tests/core/test_crossings.py`.
"""

import json
import logging
import os
import random
from dataclasses import asdict, replace

import pytest

from core.access import READINGS
from core.models import (
    Accepted,
    Command,
    ConversationRef,
    MessageDeleted,
    MessageEdited,
    Profile,
    Reaction,
    UserMessage,
)
from core.offline import OfflineModel
from core.queries.log import AuditAfter, AuditEnd
from core.words import WORDS
from tests.core.talk import open_talk

STEPS = int(os.environ.get("DESK_CROSSING_STEPS", "600"))
SEED = int(os.environ.get("DESK_CROSSING_SEED", "7"))
PART = 25_000
PARTS = [(SEED + part, min(PART, STEPS - done)) for part, done in enumerate(range(0, STEPS, PART))]
"""Seed and steps of each part."""
WORKSPACES = [f"T{number}" for number in range(20)]
USERS = ("U1", "U2", "U3")
STAFF = "S1"
"""Who may read in their own workspace, as the audit log then says, and in no other."""
PHRASES = {(there, user): f"secret-{there}-{user}-end" for there in WORKSPACES for user in USERS}
"""What each says in private only."""
PUBLIC = {there: f"public-{there}-end" for there in WORKSPACES}
"""What is said in each workspace where others read, and in the subjects of tickets, which are named there."""
ARGS = {
    "ticket": ("TKT-1001",),
    "ticket-summary": ("TKT-1002",),
    "open": ("TKT-1001",),
    "clear": ("confirm",),
    "rewind": ("1",),
    "switch": ("main",),
    "review": ("terminal/{there}/dm/U1", "curious"),
    "search": ("secret", "public", "--reason", "curious"),
}


class Watched(OfflineModel):
    """The stand-in; all it was asked is kept."""

    def __init__(self):
        super().__init__()
        self.asked = []

    async def get_response(self, system_instructions, input, *rest, **more):
        self.asked.append(f"{system_instructions}\n{json.dumps(input, default=str)}")
        return await super().get_response(system_instructions, input, *rest, **more)

    async def stream_response(self, system_instructions, input, *rest, **more):
        self.asked.append(f"{system_instructions}\n{json.dumps(input, default=str)}")
        async for event in super().stream_response(system_instructions, input, *rest, **more):
            yield event


class Crowd:
    """What people do, drawn by chance. Message ids count in each workspace anew, so they collide."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.counts = dict.fromkeys(WORKSPACES, 0)

    def step(self):
        there, user = self.chance.choice(WORKSPACES), self.chance.choice((*USERS, *USERS, STAFF))
        direct = self.chance.random() < 0.6
        ref = ConversationRef("terminal", there, f"D-{user}", user)
        if not direct:
            ref = replace(ref, channel="C1", thread=self.chance.choice(("t1", "t2")), direct=False)
        self.counts[there] += 1
        id_ = f"m{self.counts[there]}"
        doing = (self.said, self.said, self.worded, self.touched)
        return self.worded(id_, ref) if user == STAFF else self.chance.choice(doing)(id_, ref)

    def said(self, id_, ref):
        own = PHRASES[ref.workspace, ref.user] if ref.direct else PUBLIC[ref.workspace]
        text = self.chance.choice(
            (
                f"my code is {own}",
                "what was my code?",
                f"open a ticket: printer {PUBLIC[ref.workspace]}",
                "what did I say about the secret code?",
                "list my tickets",
                "resolve TKT-1001",
                f"remember colour: {own}",
            )
        )
        return UserMessage(id_, ref, text, Profile(f"{ref.user} {PUBLIC[ref.workspace]}"))

    def worded(self, id_, ref):
        reads = ref.user == STAFF and self.chance.random() < 0.5
        word = self.chance.choice(("review", "search")) if reads else self.chance.choice(WORDS).name
        there = self.chance.choice((ref.workspace, self.chance.choice(WORKSPACES)))
        args = tuple(arg.format(there=there) for arg in ARGS.get(word, ()))
        return Command(id_, ref, word, args, loose=not ref.direct and self.chance.random() < 0.3)

    def touched(self, id_, ref):
        about = f"m{self.chance.randrange(1, self.counts[ref.workspace] + 1)}"
        kind = self.chance.randrange(3)
        if kind == 0:
            return Reaction(id_, ref, about, self.chance.choice(WORDS).reaction or "+1")
        if kind == 1:
            own = PHRASES[ref.workspace, ref.user] if ref.direct else PUBLIC[ref.workspace]
            return MessageEdited(id_, ref, about, f"my code was {own}")
        return MessageDeleted(id_, ref, about)


def others(ref, known=()):
    """The phrases that somebody must never meet; `known` are those of who they linked."""
    private = [phrase for whose, phrase in PHRASES.items() if whose != (ref.workspace, ref.user)]
    if ref.user == STAFF:
        private = [phrase for (there, _), phrase in PHRASES.items() if there != ref.workspace]
    private += [phrase for there, phrase in PUBLIC.items() if there != ref.workspace]
    return [phrase for phrase in private if phrase not in known]


def crossings(ref, texts, known=()):
    return [phrase for text in texts if "-end" in text for phrase in others(ref, known) if phrase in text]


@pytest.mark.timeout(60 + PART // 5)
@pytest.mark.parametrize(("seed", "steps"), PARTS)
async def test_nothing_of_anybody_reaches_anybody_else(caplog, seed, steps):
    for ours in ("core", "adapters"):
        caplog.set_level(logging.DEBUG, logger=ours)
    model, crowd, seen = Watched(), Crowd(seed), set()
    async with open_talk(model, roles={f"terminal/{there}/{STAFF}": "agent" for there in WORKSPACES}) as talk:
        for number in range(steps):
            event, posted = crowd.step(), len(talk.street.posted)
            (end,) = await talk.store.read(AuditEnd())
            model.asked.clear()
            # Refused as one seen before, an id would be known from another workspace.
            assert await talk.desk.accept(event) is not Accepted.DUPLICATE
            await talk.desk.drain()
            deliveries = talk.street.posted[posted:]
            shown = [json.dumps(asdict(one), default=str) for one in deliveries]
            assert crossings(event.ref, (*model.asked, *shown)) == [], (seed, number, event)
            assert {one.ref.workspace for one in deliveries} <= {event.ref.workspace}
            here = [PHRASES[event.ref.workspace, user] for user in USERS]
            own = PHRASES.get((event.ref.workspace, event.ref.user), "nobody's")
            loud = [one.text for one in deliveries if not (one.private or one.ref.direct)]
            assert not [text for text in loud if any(phrase in text for phrase in here)], (seed, number, event)
            if event.ref.user == STAFF and any(phrase in text for text in shown for phrase in here):
                lines = await talk.store.read(AuditAfter(end.seq, 9))
                assert {line.action for line in lines} & {*READINGS}, (seed, number, event)
                seen.add("read")
            assert not [line for line in caplog.messages if "-end" in line], (seed, number, event)
            caplog.clear()
            seen |= {kind for kind, texts in (("asked", model.asked), ("shown", shown)) for t in texts if own in t}
        assert seen == {"asked", "shown", "read"}, "their phrases were met nowhere: then nothing was tried"


@pytest.mark.parametrize("kind", ["asked", "shown"])
def test_a_crossing_would_be_seen(kind):
    ref = ConversationRef("terminal", "T1", "D-U1", "U1")
    own, stranger = PHRASES["T1", "U1"], PHRASES["T1", "U2"]
    assert crossings(ref, [f"{kind} {own}"]) == []
    assert crossings(ref, [f"{kind} {stranger}", PUBLIC["T2"]]) == [stranger, PUBLIC["T2"]]


def test_staff_may_meet_what_is_of_their_own_workspace_and_nothing_else():
    ref = ConversationRef("terminal", "T1", "D-S1", STAFF)
    assert crossings(ref, [f"read {PHRASES['T1', 'U2']} {PUBLIC['T1']}"]) == []
    assert crossings(ref, [f"read {PHRASES['T2', 'U2']}", PUBLIC["T2"]]) == [PHRASES["T2", "U2"], PUBLIC["T2"]]


# --- with links -------------------------------------------------------------------------------------------------------


class Links:
    """Who is linked just now: U1 of each workspace of the first half with U1 of one of the second, or nobody."""

    def __init__(self, talk, seed):
        self.talk, self.chance = talk, random.Random(seed)
        self.tied, self.left = {}, 0
        self.known = {}
        """By workspace and user: the phrases of others that they may meet."""

    async def say(self, there, *words):
        ref = ConversationRef("terminal", there, "D-U1", "U1")
        before = len(self.talk.street.posted)
        await self.talk.desk.accept(Command(f"l{self.chance.random()}", ref, words[0], words[1:]))
        await self.talk.desk.drain()
        return self.talk.street.posted[before].text

    async def step(self):
        number = self.chance.randrange(10)
        here, there = WORKSPACES[number], WORKSPACES[10 + number]
        how = ("join", "apart")[number % 2]
        if number in self.tied:
            assert "for one person no more" in await self.say(self.chance.choice((here, there)), "unlink")
            del self.tied[number]
            self.left += 1
            if how == "apart":
                self.meet(here, there, "U1", PUBLIC)
            return
        code = (await self.say(here, "link")).split("`")[1].removeprefix("link ")
        assert "one person here and there" in await self.say(there, "link", code, how)
        self.tied[number] = how
        self.meet(here, there, "U1", PUBLIC, PHRASES)
        if how == "join":
            # What somebody says from elsewhere in a joined conversation is said in its workspace.
            self.known[here, STAFF] = {PHRASES[there, "U1"], PUBLIC[there]}

    def meet(self, here, there, user, *kinds):
        for one, other in ((here, there), (there, here)):
            self.known[one, user] = {PUBLIC[other], *([PHRASES[other, user]] if PHRASES in kinds else [])}


class Linking(Crowd):
    """The same, who leave it to `Links` who is linked."""

    def worded(self, id_, ref):
        event = super().worded(id_, ref)
        return event if event.name != "unlink" else replace(event, name="whoami")


@pytest.mark.parametrize("seed", [SEED, SEED + 1])
async def test_what_is_of_linked_people_reaches_them_alone_and_no_more_once_they_are_apart(seed):
    model, crowd, met = Watched(), Linking(seed), set()
    roles = {f"terminal/{there}/{STAFF}": "agent" for there in WORKSPACES}
    async with open_talk(model, roles=roles, linking={"across": "workspaces"}) as talk:
        links = Links(talk, seed)
        for number in range(600):
            if number % 5 == 0:
                await links.step()
            event, posted = crowd.step(), len(talk.street.posted)
            model.asked.clear()
            await talk.desk.accept(event)
            await talk.desk.drain()
            deliveries = talk.street.posted[posted:]
            shown = [*model.asked, *(json.dumps(asdict(one), default=str) for one in deliveries)]
            known = links.known.get((event.ref.workspace, event.ref.user), set())
            assert crossings(event.ref, shown, known) == [], (seed, number, event, links.tied)
            loud = [one.text for one in deliveries if not (one.private or one.ref.direct)]
            assert not [text for text in loud if "secret-" in text], (seed, number, event)
            met |= {phrase for text in shown for phrase in known if phrase in text}
        assert {phrase.split("-")[0] for phrase in met} == {"secret", "public"}, "nothing of who was linked was met"
        assert links.left > 10
