"""`deskmate search`, beside the desk, in every workspace."""

import pytest

from tests.bots.command_line import refusal

WHY = ("--reason", "a complaint")


def test_words_find_what_was_said_and_say_how_to_review_it(copied, deskmate):
    found = deskmate.json("search", "PRINTER", "burn", *WHY, folder=copied)
    (hit,) = found["hits"]
    assert (hit["session"], hit["name"], hit["number"], hit["state"]) == ("terminal/local/dm/alice", "Alice", 1, "")
    assert (hit["tickets"], hit["snippet"]) == (["TKT-1001"], "Asked: open a ticket: the printer burns")
    assert (found["go_on_before"], found["turns_unreadable"]) == (None, 0)
    shown = deskmate("search", "printer", *WHY, folder=copied)
    assert "deskmate review terminal/local/dm/alice --reason" in shown.stdout
    assert "up to the oldest" in shown.stdout
    reviewed = deskmate("review", hit["session"], *WHY, folder=copied)
    assert "the printer burns" in reviewed.stdout


@pytest.mark.parametrize(
    ("args", "names"),
    [
        (("--customer", "terminal/local/bob"), ["bob"]),
        (("--ticket", "TKT-1001"), ["Alice"]),
        (("--ticket", "TKT-1001", "--customer", "terminal/local/bob"), []),
        (("invoice", "--since", "2000-01-01"), ["Alice"]),
        (("invoice", "--before", "2000-01-01"), []),
        (("invoice", "--workspace", "elsewhere"), []),
        (("invoice", "--workspace", "local"), ["Alice"]),
        (("zebra",), []),
    ],
)
def test_person_ticket_time_and_workspace_narrow_it_down(copied, deskmate, args, names):
    assert [hit["name"] for hit in deskmate.json("search", *args, *WHY, folder=copied)["hits"]] == names


def test_a_search_goes_on_before_a_turn(copied, deskmate):
    hits = deskmate.json("search", "--since", "2000-01-01", *WHY, folder=copied)["hits"]
    assert len(hits) == 3
    rest = deskmate.json("search", "--before", hits[0]["turn"], *WHY, folder=copied)["hits"]
    assert rest == hits[1:]


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (("printer",), "--reason"),
        (("printer", "--reason", " "), "--reason"),
        (WHY, "say what to search for"),
        (("printer", "--since", "yesterday", *WHY), "A time is a day"),
        (("--customer", "nobody", *WHY), "nobody here is known as nobody"),
        (("--ticket", "TKT-9", *WHY), "there is no ticket TKT-9"),
    ],
)
def test_what_cannot_be_searched_is_said_in_one_line_and_nothing_is_noted(copied, deskmate, args, why):
    assert why in refusal(deskmate("search", *args, folder=copied))
    assert not [line for line in deskmate.json("audit", "list", folder=copied) if line["action"] == "search"]


def test_the_words_that_were_searched_for_are_in_the_audit_log_and_sealed(copied, deskmate):
    deskmate("search", "xylophone", *WHY, folder=copied)
    (line,) = [line for line in deskmate.json("audit", "list", folder=copied) if line["action"] == "search"]
    assert line["detail"]["asked"] == {"words": "xylophone"}
    assert b"xylophone" not in b"".join(path.read_bytes() for path in copied.glob("desk.db*"))
