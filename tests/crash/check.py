"""The damage: what was said and heard, held against what is kept. Every count must be zero."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from tests.crash.story import Story, Talk
from tests.crash.truth import Line, Truth

COUNTS = {
    "lost": "kept events without their answer, or whose turn or ticket is not there",
    "doubled": "pieces with two texts, events with two answers, with two turns, or kept twice",
    "doubled tickets": "tickets with the same subject",
    "doubled threads": "threads nobody asked for, or opened once more (Discord only)",
    "orphan calls": "tool calls in the history without their output, or the reverse",
    "reordered": "replies or turns of a session in another order than its events were kept",
    "orphans": "turns, sessions, customers, tickets nobody asked for; events or pieces left after the drain",
    "astray": "conversations and tickets that are not as undo, redo and edits must have left them",
    "left behind": "messages of the desk's that are no answer, and streams that never ended (Slack, Discord)",
    "late": "commits of a worker whose lane had moved on, and that were taken (two workers only)",
    "failed": "turns that failed, events that were given up or refused",
    "stuck": "times when nothing came for longer than anything may take",
    "crashed": "processes that ended by themselves, or otherwise than they were asked to",
}


Shown = dict[str, Any]
"""A session as `deskmate sessions show --json` writes it."""


@dataclass(slots=True)
class Kept:
    """What the command line shows of the store after the drain."""

    sessions: list[Shown]
    tickets: list[dict[str, Any]]
    rows: dict[str, int]


@dataclass(slots=True)
class Damage:
    """Under the name of each count, a sentence for each thing found."""

    found: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def note(self, count: str, sentence: str) -> None:
        assert count in COUNTS
        self.found[count].append(sentence)

    def __bool__(self) -> bool:
        return any(self.found.values())


def check(truth: Truth, story: Story, kept: Kept, damage: Damage) -> None:
    """Note all damage."""
    _check_answers(truth, damage)
    _check_pieces(truth, damage, in_pieces=story.manners.in_pieces)
    _check_order(truth, damage)
    shown = {session["session"]: session for session in kept.sessions}
    for talk in story.talks:
        session = shown.get(_session_of(talk, truth))
        if session is not None:
            _check_line(talk, session, truth, damage)
        elif talk.turns or talk.off_line:
            damage.note("lost", f"{talk.name} has no session")
        _check_changes(talk, truth, damage)
    for session in kept.sessions:
        _check_calls(session, damage)
    _check_tickets(story, kept, damage)
    _check_rows(truth, story, kept, damage)


def _check_answers(truth: Truth, damage: Damage) -> None:
    for said in truth.said.values():
        if not said.acknowledged:
            damage.note("lost", f"{said.id} was never acknowledged")
        elif said.effect != "none" and not said.answered:
            instead = truth.reply_to.get(said.id, {}).get("text")
            damage.note("lost", f"{said.id} was kept and brought no {said.effect} but {instead!r}: {said.line}")
        elif said.effect == "none" and said.id in truth.reply_to:
            damage.note("astray", f"{said.id} was to be passed over in silence: {truth.reply_to[said.id]['text']}")
    for line in truth.refused:
        damage.note("failed", f"a line was refused: {line}")


def _check_pieces(truth: Truth, damage: Damage, *, in_pieces: bool) -> None:
    texts: defaultdict[str, set[str]] = defaultdict(set)
    keys: defaultdict[str, set[str]] = defaultdict(set)
    for line in truth.written:
        texts[f"{line['type']} {line['key']}"].add(line["text"])
        if line["type"] == "reply":
            # The pieces of one answer are numbered.
            keys[line["to"]].add(line["key"].rpartition(".")[0] if in_pieces else line["key"])
    for piece, variants in texts.items():
        if len(variants) > 1:
            damage.note("doubled", f"{piece} was written with {len(variants)} texts: {sorted(variants)}")
    for event, answers in keys.items():
        if len(answers) > 1:
            damage.note("doubled", f"{event} was answered under {len(answers)} keys: {sorted(answers)}")
    for event in truth.accepted_twice:
        damage.note("doubled", f"{event} was accepted once more")


def _check_order(truth: Truth, damage: Damage) -> None:
    newest: dict[str, int] = {}
    seen = set()
    for line in truth.written:
        if line["type"] != "reply" or line["key"] in seen:
            continue
        seen.add(line["key"])
        said = truth.said[line["to"]]
        place = f"{said.talk}, thread {said.line.get('thread')}"
        if said.order < newest.get(place, -1):
            damage.note("reordered", f"the answer to {said.id} came after that to a later event in {place}")
        newest[place] = max(said.order, newest.get(place, -1))


def _check_line(talk: Talk, session: Shown, truth: Truth, damage: Damage) -> None:
    """Hold the turns of a session against those it must have, by the ids that the replies named."""
    event_of = {line["turn"]: line["to"] for line in truth.written if line.get("turn")}
    name = session["session"]
    known = [event_of.get(turn["id"], turn["id"]) for turn in _all_turns(session)]
    line = [event_of.get(turn["id"], turn["id"]) for turn in session["turns"] if turn["status"] == "done"]
    for turn in talk.turns + talk.off_line:
        if turn.event not in known:
            damage.note("lost", f"the turn of {turn.event} is not in {name}")
    for event, times in Counter(known).items():
        if times > 1:
            damage.note("doubled", f"the turn of {event} is {times} times in {name}")
    orders = [truth.said[event].order for event in line if event in truth.said]
    if orders != sorted(orders):
        damage.note("reordered", f"the turns of {name} are {line}")
    elif line != [turn.event for turn in talk.turns]:
        damage.note("astray", f"{name} is {line}, and must be {[turn.event for turn in talk.turns]}")
    _check_turns(talk, session, event_of, damage)


def _check_turns(talk: Talk, session: Shown, event_of: dict[str, str], damage: Damage) -> None:
    texts = {turn.event: turn.text for turn in talk.turns}
    for turn in _all_turns(session):
        event = event_of.get(turn["id"], "")
        if turn["status"] != "done":
            damage.note("failed", f"the turn of {event} in {session['session']} is {turn['status']}")
        elif texts.get(event, "") not in str([item.get("content") for item in turn["items"]]):
            damage.note("lost", f"what {event} said is not in its turn: {texts[event]}")


def _check_changes(talk: Talk, truth: Truth, damage: Damage) -> None:
    """The last change of each answer must leave it as its turn is: there, or taken back."""
    last = {line["key"]: line["type"] for line in truth.written if line["type"] != "reply"}
    for turn in talk.turns + talk.off_line:
        key = truth.reply_to.get(turn.event, {}).get("key")
        here, shown = turn in talk.turns, last.get(str(key)) != "retract"
        if key is not None and here != shown:
            damage.note("astray", f"the answer to {turn.event} is {'' if shown else 'not '}shown, wrongly")


def _check_calls(session: Shown, damage: Damage) -> None:
    for turn in _all_turns(session):
        calls = Counter(item["call_id"] for item in turn["items"] if item.get("type") == "function_call")
        outputs = Counter(item["call_id"] for item in turn["items"] if item.get("type") == "function_call_output")
        for call in (calls - outputs) + (outputs - calls):
            damage.note("orphan calls", f"{call} in turn {turn['id']} of {session['session']}")


def _check_tickets(story: Story, kept: Kept, damage: Damage) -> None:
    status: defaultdict[str, list[str]] = defaultdict(list)
    for ticket in kept.tickets:
        status[ticket["subject"]].append(ticket["status"])
    for subject, found in status.items():
        if len(found) > 1:
            damage.note("doubled tickets", f"{subject}: {found}")
    wanted = _wanted_tickets(story)
    for subject, state in wanted.items():
        if subject not in status:
            damage.note("lost", f"the ticket {subject} is not there")
        elif status[subject][0] != state:
            damage.note("astray", f"the ticket {subject} is {status[subject][0]} and must be {state}")
    for subject in status.keys() - wanted.keys():
        damage.note("orphans", f"nobody asked for the ticket {subject}")


def _wanted_tickets(story: Story) -> dict[str, str]:
    """The state of each ticket by its subject: withdrawn with its turn, else open."""
    wanted: dict[str, str] = {}
    for talk in story.talks:
        wanted |= {turn.subject: "open" for turn in talk.turns if turn.subject}
        wanted |= {turn.subject: "withdrawn" for turn in talk.off_line if turn.subject}
    return wanted


def _check_rows(truth: Truth, story: Story, kept: Kept, damage: Damage) -> None:
    wanted = {
        "turn": sum(len(_all_turns(session)) for session in kept.sessions),
        "session": sum(1 for talk in story.talks if talk.said),
        "customer": len({_customer_of(said.line, story) for said in truth.said.values()}),
        "ticket": len(kept.tickets),
        "queued": 0,
        "open": 0,
        "unknown": 0,
    }
    for table, number in wanted.items():
        if kept.rows[table] != number:
            damage.note("orphans", f"{kept.rows[table]} rows of {table}, and there must be {number}")
    if kept.rows["parked"]:
        damage.note("failed", f"{kept.rows['parked']} events were given up")


def _customer_of(line: Line, story: Story) -> str:
    place = ("directly" if "channel" not in line else "in a server") if story.manners.apart else ""
    return f"{line['user']} {place}"


def _session_of(talk: Talk, truth: Truth) -> str:
    replies = (truth.reply_to.get(turn.event) for turn in talk.turns + talk.off_line)
    return next((str(reply["session"]) for reply in replies if reply), "")


def _all_turns(session: Shown) -> list[dict[str, Any]]:
    return [*session["turns"], *session["elsewhere"]]
