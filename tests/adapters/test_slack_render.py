import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack import render
from adapters.slack.home import home
from adapters.slack.refs import Us
from adapters.slack.translate import event_of
from core.models import Button, ConversationRef, Delivery, Ticket, TicketStatus, Usage
from core.words import ANSWER_BUTTONS, WORDS

THREAD = ConversationRef("slack", "T1", "C1", "T2:U7", "1780000000.000100", direct=False)
DIRECT = ConversationRef("slack", "T1", "D1", "U1", direct=True)
ANSWER = Delivery("e1.1", "reply", THREAD, "e1", "s", "t1", "**Hello**", buttons=ANSWER_BUTTONS)
NOW = datetime(2026, 11, 22, tzinfo=UTC)
TICKET = Ticket(
    "t", "T1", 1001, "c", "s", "Printer <!channel> broken", "", TicketStatus.WAITING_FOR_STAFF, "high", 1, NOW, NOW
)
MARKDOWN = st.lists(
    st.sampled_from(
        ["```\n", "`", "<!here>", "&" * 40, "| a | b |\n|---|---|\n", "a word ", "\n\n", "**", "x" * 90, "- "]
    )
    | st.text(max_size=20),
    max_size=300,
).map("".join)


def sections(payload):
    return [block["text"]["text"] for block in payload["blocks"] if block["type"] == "section"]


def elements(blocks):
    return [element for block in blocks if block["type"] == "actions" for element in block["elements"]]


def test_an_answer_goes_to_the_thread_of_who_asked_with_its_key_and_its_buttons():
    payload = render.post(ANSWER)
    assert (payload["channel"], payload["thread_ts"], payload["text"]) == ("C1", THREAD.thread, "*Hello*")
    assert payload["metadata"] == {"event_type": "deskmate_piece", "event_payload": {"key": "e1.1"}}
    assert [element["text"]["text"] for element in elements(payload["blocks"])] == [
        "Undo",
        "Retry",
        "Helpful",
        "Not helpful",
    ]


def test_nothing_unfurls_and_slack_looks_for_no_names():
    payload = render.post(ANSWER)
    assert (payload["unfurl_links"], payload["unfurl_media"], payload["link_names"]) == (False, False, False)
    assert payload["parse"] == "none"
    assert payload["blocks"][0]["text"]["verbatim"] is True


def test_without_a_thread_there_is_none():
    assert "thread_ts" not in render.post(replace(ANSWER, ref=DIRECT))


def test_a_private_answer_is_for_the_asker_by_the_id_slack_knows():
    payload = render.ephemeral(replace(ANSWER, private=True))
    assert (payload["channel"], payload["user"], payload["text"]) == ("C1", "U7", "*Hello*")
    assert "metadata" not in payload


def test_taking_back_leaves_one_line_without_buttons():
    taken = replace(ANSWER, kind="retract", text="Taken back.", buttons=(), message="1780000010.000100")
    payload = render.update(taken)
    assert (payload["ts"], payload["text"]) == ("1780000010.000100", "Taken back.")
    assert [block["type"] for block in payload["blocks"]] == ["section"]


def test_the_further_pieces_of_what_is_taken_back_are_not_empty():
    assert render.update(replace(ANSWER, kind="retract", text="", buttons=(), message="1"))["text"] == "(taken back)"


def test_what_is_restored_has_its_text_again():
    assert render.update(replace(ANSWER, kind="restore", message="1"))["text"] == "*Hello*"


def test_the_key_of_a_message_is_read_back():
    assert render.key_of({"metadata": render.metadata("e1.1")}) == "e1.1"
    assert render.key_of({"metadata": {"event_type": "other", "event_payload": {"key": "e1.1"}}}) is None
    assert render.key_of({}) is None


def test_a_button_says_when_pressed_what_it_was_made_of():
    choices = tuple(Button("Pick", "undo", (f"in:{number}", 'a "b" ü')) for number in range(7))
    for choice, element in zip(choices, elements(render.buttons(choices)), strict=True):
        body = {
            "type": "block_actions",
            "trigger_id": "1",
            "user": {"id": "U1"},
            "channel": {"id": "C1"},
            "container": {"message_ts": "1"},
            "actions": [element],
        }
        command = event_of(body, Us("T1", "U0BOT")).event
        assert (command.name, command.args) == (choice.command, choice.args)


def test_every_word_can_be_a_button():
    pressed = elements(render.buttons([Button(word.name, word.name) for word in WORDS]))
    assert {json.loads(element["value"])["c"] for element in pressed} == {word.name for word in WORDS}


@given(st.lists(st.builds(Button, st.text(max_size=120), st.text(max_size=20), st.tuples(st.text(max_size=2_500)))))
def test_buttons_keep_slacks_limits(choices):
    blocks = render.buttons(choices)
    assert all(0 < len(block["elements"]) <= 5 for block in blocks)
    assert all(0 < len(element["text"]["text"]) <= 75 for element in elements(blocks))
    assert all(len(element["value"]) <= 2_000 for element in elements(blocks))
    ids = [element["action_id"] for element in elements(blocks)]
    assert len(ids) == len(set(ids))


def test_a_button_that_says_too_much_is_left_out():
    assert render.buttons([Button("Long", "undo", ("x" * 2_000,))]) == []


def test_a_short_text_is_one_piece():
    assert render.split("Hello") == ["Hello"]
    assert render.split("") == [""]


def test_a_long_text_is_cut_without_breaking_its_code():
    pieces = render.split("Look:\n\n```py\n" + "print('hello')\n" * 500 + "```\n\nThat is all.")
    assert len(pieces) > 2
    assert all(piece.count("```") % 2 == 0 for piece in pieces)
    assert all(piece.startswith("```py") for piece in pieces[1:-1])


def test_what_grows_when_it_is_escaped_is_cut_smaller():
    pieces = render.split("&" * 2_900)
    assert "".join(pieces) == "&" * 2_900
    assert len(pieces) > 4


@given(MARKDOWN)
def test_every_piece_fits_is_not_empty_and_pings_nobody(text):
    for piece in render.split(text):
        payload = render.post(replace(ANSWER, text=piece).marked())
        assert len(sections(payload)) == 1
        for said in (payload["text"], *sections(payload)):
            assert said.strip()
            assert len(said) <= 3_000
            assert said.count("```") % 2 == 0
            assert not re.search(r"<[!@#]", said)


@given(MARKDOWN)
def test_a_text_nobody_split_keeps_slacks_limits_too(text):
    said = sections(render.post(replace(ANSWER, text=text * 5)))
    assert len(said) <= 4
    assert all(0 < len(one) <= 3_000 for one in said)


@pytest.mark.parametrize("ref", [THREAD, DIRECT])
def test_a_stream_names_for_whom_it_is_where_others_read(ref):
    payload = render.stream_start(ref)
    person = (payload.get("recipient_team_id"), payload.get("recipient_user_id"))
    assert person == ((None, None) if ref.direct else ("T2", "U7"))


def test_a_stream_holds_back_what_may_still_become_a_ping():
    assert render.streamed("so <") == "so "
    assert render.streamed("so <", whole=True) == "so <"
    assert render.streamed("so @her") == "so "
    assert "<!" not in render.streamed("so <!here> now")


def test_the_home_tab_shows_tickets_usage_and_what_is_remembered():
    view = home([TICKET], Usage(requests=2, input_tokens=1_000, output_tokens=234), {"language": "de"}, channel="D1")
    assert sections(view) == [
        "• *TKT-1001* Printer &lt;!channel&gt; broken (waiting for staff, high priority)",
        "1,234 tokens in 2 requests to the language model.",
        "• language: de",
    ]
    assert [element["action_id"] for element in elements(view["blocks"])] == ["desk:clear", "desk:export"]
    assert (view["type"], view["private_metadata"]) == ("home", "D1")


def test_an_empty_home_tab_says_so():
    assert sections(home([], None, {}, channel="D1")) == ["You have no open tickets.", "Nothing yet.", "Nothing."]


def test_a_full_home_tab_keeps_slacks_limits():
    tickets = [replace(TICKET, number=number, subject="&" * 500) for number in range(500)]
    view = home(tickets, None, {str(number): "<" * 500 for number in range(500)}, channel="D1")
    assert all(len(text) <= 3_000 for text in sections(view))
    assert re.search(r"and \d+ more\Z", sections(view)[0])
