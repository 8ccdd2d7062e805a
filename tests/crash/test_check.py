"""Each count must be raised by the damage it is for, and by nothing else: a desk on paper, first without fault."""

import pytest

from tests.crash.check import Damage, Kept, check
from tests.crash.story import Story
from tests.crash.truth import Truth


@pytest.fixture
def truth():
    return Truth()


@pytest.fixture
def story(truth):
    story = Story(1, truth)
    for _ in range(150):
        answer(story.next(), truth)
    return story


@pytest.fixture
def kept(story, truth):
    talks = [talk for talk in story.talks if talk.said]
    sessions = [
        {
            "session": talk.name,
            "turns": [turn_on_paper(turn) for turn in talk.turns],
            "elsewhere": [turn_on_paper(turn) for turn in talk.off_line],
        }
        for talk in talks
    ]
    tickets = [{"subject": turn.subject, "status": "open"} for talk in talks for turn in talk.turns if turn.subject]
    tickets += [
        {"subject": turn.subject, "status": "withdrawn"} for talk in talks for turn in talk.off_line if turn.subject
    ]
    rows = {
        "turn": sum(len(session["turns"] + session["elsewhere"]) for session in sessions),
        "session": len(sessions),
        "customer": len({said.line["user"] for said in truth.said.values()}),
        "ticket": len(tickets),
    }
    return Kept(sessions, tickets, rows | {"queued": 0, "open": 0, "unknown": 0, "parked": 0})


def answer(said, truth):
    truth.hear({"type": "accepted", "id": said.id})
    if said.effect in ("retract", "restore"):
        truth.hear({"type": said.effect, "key": f"{said.about}.1", "text": said.effect})
    elif said.effect == "reply":
        turn = None if said.line["type"] == "command" else f"turn of {said.id}"
        text = f"the answer to {said.id}"
        truth.hear(
            {"type": "reply", "to": said.id, "key": f"{said.id}.1", "session": said.talk, "turn": turn, "text": text}
        )
        if said.line["type"] == "edit":
            truth.hear({"type": "retract", "key": f"{replaced(said, truth)}.1", "text": "retract"})


def replaced(edit, truth):
    earlier = [said.id for said in truth.said.values() if edit.line["message"] in (said.id, said.line.get("message"))]
    return [id_ for id_ in earlier if truth.said[id_].effect == "reply"][-2]


def turn_on_paper(turn):
    items = [
        {"role": "user", "content": turn.text},
        {"type": "function_call", "call_id": f"call of {turn.event}"},
        {"type": "function_call_output", "call_id": f"call of {turn.event}"},
    ]
    return {"id": f"turn of {turn.event}", "status": "done", "items": items}


def counts(truth, story, kept):
    damage = Damage()
    check(truth, story, kept, damage)
    return {name for name, found in damage.found.items() if found}


def longest(kept):
    return max(kept.sessions, key=lambda session: len(session["turns"]))


def a_reply(truth):
    return next(line for line in truth.written if line["type"] == "reply")


def lose_a_turn(truth, kept):
    turn = longest(kept)["turns"].pop(0)
    longest(kept)["elsewhere"].append({**turn, "id": "of nobody"})


def lose_an_answer(truth, kept):
    truth.said[a_reply(truth)["to"]].answered = False


def lose_what_was_said(truth, kept):
    longest(kept)["turns"][0]["items"][0]["content"] = "something else"


def answer_under_two_keys(truth, kept):
    truth.hear({**a_reply(truth), "key": "another"})


def answer_with_two_texts(truth, kept):
    truth.hear({**a_reply(truth), "text": "another"})


def accept_twice(truth, kept):
    truth.hear({"type": "accepted", "id": a_reply(truth)["to"]})


def open_a_ticket_twice(truth, kept):
    kept.tickets.append(dict(kept.tickets[0]))
    kept.rows["ticket"] += 1


def lose_the_output_of_a_call(truth, kept):
    longest(kept)["turns"][0]["items"].pop()


def lose_a_call(truth, kept):
    longest(kept)["turns"][0]["items"].pop(1)


def swap_two_turns(truth, kept):
    turns = longest(kept)["turns"]
    turns[0], turns[1] = turns[1], turns[0]


def swap_all_answers(truth, kept):
    truth.written.sort(key=lambda line: (line["type"] == "reply", -truth.said[line["to"]].order if "to" in line else 0))


def leave_a_piece_open(truth, kept):
    kept.rows["open"] = 1


def leave_a_turn_without_a_session(truth, kept):
    kept.rows["turn"] += 1


def forget_an_undo(truth, kept):
    session = next(session for session in kept.sessions if session["elsewhere"])
    session["elsewhere"].append(session["turns"].pop())


def leave_a_ticket_open(truth, kept):
    next(ticket for ticket in kept.tickets if ticket["status"] == "withdrawn")["status"] = "open"


def fail_a_turn(truth, kept):
    longest(kept)["elsewhere"].append({"id": "turn of another", "status": "failed", "items": []})
    kept.rows["turn"] += 1


def give_an_event_up(truth, kept):
    kept.rows["parked"] = 1


def test_a_desk_without_fault_raises_no_count(truth, story, kept):
    assert counts(truth, story, kept) == set()


@pytest.mark.parametrize(
    ("harm", "raised"),
    [
        (lose_a_turn, {"lost", "astray"}),
        (lose_an_answer, {"lost"}),
        (lose_what_was_said, {"lost"}),
        (answer_under_two_keys, {"doubled", "reordered"}),
        (answer_with_two_texts, {"doubled"}),
        (accept_twice, {"doubled"}),
        (open_a_ticket_twice, {"doubled tickets"}),
        (lose_the_output_of_a_call, {"orphan calls"}),
        (lose_a_call, {"orphan calls"}),
        (swap_two_turns, {"reordered"}),
        (swap_all_answers, {"reordered"}),
        (leave_a_piece_open, {"orphans"}),
        (leave_a_turn_without_a_session, {"orphans"}),
        (forget_an_undo, {"astray"}),
        (leave_a_ticket_open, {"astray"}),
        (fail_a_turn, {"failed"}),
        (give_an_event_up, {"failed"}),
    ],
)
def test_damage_raises_its_own_count(harm, raised, truth, story, kept):
    harm(truth, kept)
    assert counts(truth, story, kept) == raised
