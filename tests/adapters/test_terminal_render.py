import json

import pytest
from rich.console import Console

from adapters.terminal import render
from core.models import Accepted, Button, ConversationRef, Delivery, Progress

REF = ConversationRef("terminal", "local", "dm:alice", "alice")
REPLY = Delivery("e1.1", "reply", REF, "m1", "terminal/local/dm/alice", "t1", "Hello Alice.")
CHANGE = {"message": "e1.1", "text": "Taken back."}


def piece(**changes):
    fields = {name: getattr(REPLY, name) for name in REPLY.__slots__}
    return Delivery(**{**fields, **changes})


def screen(renderable):
    console = Console(width=80, color_system=None)
    with console.capture() as captured:
        console.print(renderable)
    return captured.get()


def test_a_reply_is_one_object():
    assert render.line_of(REPLY) == {
        "type": "reply",
        "to": "m1",
        "key": "e1.1",
        "session": "terminal/local/dm/alice",
        "turn": "t1",
        "user": "alice",
        "text": "Hello Alice.",
        "private": False,
    }


@pytest.mark.parametrize("kind", ["retract", "restore"])
def test_a_change_names_the_reply_it_changes(kind):
    change = piece(kind=kind, key="e2.1", to="c1", **CHANGE)
    assert render.line_of(change) == {"type": kind, "key": "e1.1", "text": "Taken back."}


def test_acknowledgements_and_refusals():
    assert render.acknowledgement(Accepted.NEW, "m1") == {"type": "accepted", "id": "m1"}
    assert render.acknowledgement(Accepted.DUPLICATE, "m1") == {"type": "duplicate", "id": "m1"}
    assert render.refusal(None, "line 3: ...") == {"type": "error", "id": None, "message": "line 3: ..."}


def test_every_object_is_json():
    assert json.loads(json.dumps(render.line_of(piece(turn=None)))) == render.line_of(piece(turn=None))


def test_a_terminal_takes_any_length_in_one_piece():
    assert render.split("a" * 100_000) == ["a" * 100_000]


def test_the_chat_shows_the_text():
    assert screen(render.shown(REPLY, user="alice")) == "  Hello Alice.\n"


def test_lines_stay_lines():
    assert screen(render.shown(piece(text="TKT-1001\nTKT-1002"), user="alice")) == "  TKT-1001\n  TKT-1002\n"


def test_private_answers_are_marked():
    assert "only you see this" in screen(render.shown(piece(private=True), user="alice"))
    assert "only you see this" not in screen(render.shown(REPLY, user="alice"))


def test_changes_are_told_from_answers():
    assert "in place of an answer above" in screen(render.shown(piece(kind="retract", **CHANGE), user="alice"))
    assert "back again" in screen(render.shown(piece(kind="restore", **CHANGE), user="alice"))


def test_what_was_meant_for_somebody_else_says_so():
    assert "for alice" in screen(render.shown(REPLY, user="bob"))


def test_choices_are_shown_as_what_to_type():
    confirm = piece(buttons=(Button("Yes, delete it", "clear", ("confirm",)), Button("Undo", "undo")))
    shown = screen(render.shown(confirm, user="alice"))
    assert "Yes, delete it: /clear confirm" in shown
    assert "/undo" not in shown


def test_a_text_cannot_rewrite_the_screen():
    shown = screen(render.shown(piece(text="\x1b[2Jgone\r\x9b1A"), user="alice"))
    assert "\x1b" not in shown
    assert "gone" in shown


def test_markup_is_left_as_it_was_written():
    assert "[bold]not bold[/bold]" in screen(render.shown(piece(text="[bold]not bold[/bold]"), user="alice"))


def test_work_is_visible_before_there_is_text_and_beside_it():
    assert "working" in screen(render.working(Progress(REF, "m1")))
    shown = screen(render.working(Progress(REF, "m1", text="So far", doing="opening a ticket")))
    assert "So far" in shown
    assert "opening a ticket" in shown
