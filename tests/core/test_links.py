import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.config import check_settings
from core.errors import ConfigError
from core.links import Links

PARTS = ["Look. ", "see ", "[a](https://evil.example/x) ", "https://help.example.com/y. ", "![i](//evil.example/z)\n",
         "www.evil.example. ", "e.g. this; ", "<https://evil.example> ", "mailto:x@evil.example "]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "Mail me at alice@example.com, at 10:30, for USD 3.50 (see v1.2/v1.3 and 24/7).",
        "Data: none. Tel. 0043/1/234. The ratio is 3:4, and/or `a // b`.",
        "```\nimport this  # not a link\nx = a // b\n```",
        "| a | b |\n|---|---|\n| 1 | 2 |",
    ],
)
def test_ordinary_text_is_left_as_it_is(text):
    assert Links().defused(text) == text
    assert not Links().hides(text)


@given(st.lists(st.sampled_from(PARTS)), st.integers(0, 20))
def test_what_was_shown_of_a_growing_text_stays_as_it_was_shown(parts, many):
    links = Links(["help.example.com"])

    assert links.defused("".join(parts)).startswith(links.defused("".join(parts[:many])))


def test_what_is_plain_once_stays_as_it_is():
    once = Links().defused("".join(PARTS))

    assert Links().defused(once) == once


@pytest.mark.parametrize(
    "hidden", ["https&#x3a;//evil.example", "ht\u200btps://evil.example", "https\\://evil.example"]
)
def test_an_address_that_only_a_reader_of_markup_sees_is_noticed(hidden):
    assert Links().hides(f"Look: {hidden}/a")
    assert not Links().hides("Look: https://evil.example/?a=1&amp;b=2")


@pytest.mark.parametrize("host", ["https://help.example.com", "help.example.com/a", "*.example.com", "localhost", ""])
def test_what_is_no_name_of_a_host_stops_the_start(host):
    with pytest.raises(ConfigError, match="link_hosts"):
        check_settings({"agent": {"link_hosts": [host]}})
