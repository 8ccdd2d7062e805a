from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.discord import render
from core.models import Button, ConversationRef, Delivery

REF = ConversationRef("discord", "1001", "4001", "2002", "4001", direct=False)
PIECE = Delivery("0198f0c0ffee70000000000000000001.1", "reply", REF, "5001", "s", "t", "hello")


def with_text(text):
    return replace(PIECE, text=text)


def buttons_of(body):
    return [button for row in body["components"] for button in row["components"]]


@given(st.text(max_size=9_000))
def test_every_piece_fits_a_message(text):
    pieces = render.split(text)
    assert all(len(render.post(with_text(piece).marked())["content"]) <= render.LIMIT for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split()) or "```" in text


@given(st.integers(1, 60), st.sampled_from(["", "python", "c++"]))
def test_every_piece_closes_the_code_it_opens(lines, language):
    code = "\n".join(f"line {number} " + "x" * 90 for number in range(lines))
    pieces = render.split(f"Look:\n```{language}\n{code}\n```\nand that is it")
    assert all(piece.count("```") % 2 == 0 for piece in pieces)


@pytest.mark.parametrize("text", ["@everyone", "@here", "<@2002>", "<@!2002>", "<@&7>"])
def test_a_mention_is_none_and_pings_nobody(text):
    body = render.post(with_text(f"hello {text}"))
    assert text not in body["content"]
    assert body["content"].replace("\u200b", "") == f"hello {text}"
    assert body["allowed_mentions"] == {"parse": [], "replied_user": False}


def test_a_piece_full_of_mentions_fits_too():
    assert all(len(render.defused(piece)) <= render.LIMIT for piece in render.split("@everyone" * 400))


@pytest.mark.parametrize("body", [render.post(PIECE), render.content(PIECE), render.line("x", "k")])
def test_links_show_no_preview(body):
    assert body["flags"] & render.SUPPRESS_EMBEDS


def test_a_nonce_is_the_same_for_the_same_piece_and_short_enough():
    first, again = render.post(PIECE), render.post(replace(PIECE, text="other words"))
    assert first["nonce"] == again["nonce"]
    assert len(first["nonce"]) <= 25
    assert first["enforce_nonce"] is True
    assert render.post(replace(PIECE, key=PIECE.key[:-1] + "2"))["nonce"] != first["nonce"]


def test_a_private_answer_is_for_one_person():
    assert render.private(render.content(PIECE))["flags"] & render.EPHEMERAL


@pytest.mark.parametrize("kind", ["reply", "retract", "restore"])
def test_no_message_is_blank(kind):
    assert render.content(replace(PIECE, kind=kind, text=" \n"))["content"].strip()


def test_buttons_stand_five_in_a_row_each_with_an_id_of_its_own():
    choices = tuple(Button(f"Number {number}", "undo") for number in range(7))
    body = render.content(replace(PIECE, buttons=choices))
    assert [len(row["components"]) for row in body["components"]] == [5, 2]
    assert len({button["custom_id"] for button in buttons_of(body)}) == 7


def test_a_button_that_says_more_than_discord_keeps_is_left_out():
    body = render.content(replace(PIECE, buttons=(Button("long", "open", ("x" * 100,)), Button("short", "undo"))))
    assert [button["label"] for button in buttons_of(body)] == ["short"]


def test_a_label_is_cut_and_never_blank():
    body = render.content(replace(PIECE, buttons=(Button("y" * 90, "undo"), Button("", "redo"))))
    assert [len(button["label"]) for button in buttons_of(body)] == [80, 1]


def test_buttons_go_when_they_are_not_said_again():
    assert render.content(replace(PIECE, kind="retract"))["components"] == []


def test_a_piece_is_found_by_its_nonce_and_by_nothing_else_where_there_is_one():
    sent = render.post(PIECE) | {"id": "1"}
    assert render.is_piece(sent, PIECE)
    assert not render.is_piece(sent | {"nonce": "another"}, PIECE)


def test_without_a_nonce_a_piece_is_found_by_its_words_and_buttons():
    piece = replace(PIECE, buttons=(Button("Undo", "undo"),))
    sent = {key: value for key, value in render.post(piece).items() if key != "nonce"}
    assert render.is_piece(sent, piece)
    assert not render.is_piece(sent, replace(piece, text="other words"))
    assert not render.is_piece(sent, PIECE)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("my printer\n burns", "my printer burns"),
        ("x" * 61, "x" * 59 + "…"),
        (" \n ", "Support"),
        ("hey @everyone", "hey @\u200beveryone"),
    ],
)
def test_a_thread_is_named_by_the_first_words(text, name):
    assert render.thread_name(text) == name


def test_what_is_streamed_closes_its_code_and_fits():
    assert render.streamed("```py\nx = 1").count("```") == 2
    assert len(render.streamed("word " * 1_000)) <= render.STREAMED
