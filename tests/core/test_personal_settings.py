import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.config import check_settings
from core.errors import ConfigError
from core.patterns import bounded_pattern

ID = {"pattern": r"\d{9}"}
WRONG = {
    "an unknown kind": ({"e_mail": "keep"}, "personal_data.e_mail: no such setting"),
    "an unknown policy": ({"card": "hide"}, "personal_data.card: Input should be 'keep', 'mask_before_storage' or"),
    "no regular expression": (
        {"national_ids": {"x": {"pattern": "(\\d{9}"}}},
        "personal_data.national_ids.x.pattern: this is no",
    ),
    "a pattern without an end": ({"national_ids": {"x": {"pattern": r"\d+"}}}, "say how often, as in {1,12}"),
    "a pattern that explodes": ({"national_ids": {"x": {"pattern": "(a+)+$"}}}, "say how often, as in {1,12}"),
    "a bounded pattern that explodes": (
        {"national_ids": {"x": {"pattern": "(a{0,50}){0,50}bbbb"}}},
        "can match in too many ways",
    ),
    "alternatives that explode": ({"national_ids": {"x": {"pattern": "(?:a|aa|b){4,40}"}}}, "in too many ways"),
    "a pattern of nothing": ({"national_ids": {"x": {"pattern": "x?"}}}, "has to match 4 to 100 characters"),
    "a pattern with a memory": (
        {"national_ids": {"x": {"pattern": r"(\d{4})\1"}}},
        "cannot look back at its own groups",
    ),
    "a name that is taken": (
        {"national_ids": {"card": ID}},
        "'card' must be one word of letters, digits and _, and no",
    ),
    "a name of two words": ({"national_ids": {"tax id": ID}}, "'tax id' must be one word"),
    "an unknown checksum": (
        {"national_ids": {"x": ID | {"checksum": "crc"}}},
        "checksum: Input should be 'none', 'luhn'",
    ),
    "weights without a modulus": (
        {"national_ids": {"x": ID | {"weights": [1, 3]}}},
        "weights and modulus belong together",
    ),
    "no country": ({"phone_regions": ["Germany"]}, "'Germany' must be a country by its two capital letters"),
    "a policy of nobody": ({"presidio": {"PERSON": "forget"}}, "personal_data.presidio.PERSON: Input should be"),
}


@pytest.mark.parametrize(("told", "line"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_meant_stops_the_start_with_one_line_that_names_it(told, line):
    with pytest.raises(ConfigError) as error:
        check_settings({"personal_data": told})

    assert line in str(error.value)
    assert "\n" not in str(error.value)


def test_cards_and_secrets_are_not_kept_unless_the_operator_says_otherwise():
    told = check_settings({}).personal_data

    assert told.kinds_masked("mask_before_storage") == {"card", "secret"}
    assert told.kinds_masked("mask_before_model") == set()


@pytest.mark.parametrize(
    "pattern", [r"\d{3}-\d{2}-\d{4}", r"[A-Z]{2}\d{6,8}[A-Z]?", r"(?:\d{3}[ -]?){3}", r"\d{8}[-+A]\d{3}[\dA-Y]"]
)
def test_patterns_as_national_ids_have_them_are_taken(pattern):
    assert bounded_pattern(pattern).pattern == pattern


@given(st.from_regex(r"(?:[ab]|\(|\)|\{[0-9]{1,2}(?:,[0-9]{1,2})?\}|[*+?|.]){1,24}", fullmatch=True))
def test_every_pattern_is_either_refused_in_one_line_or_done_with_at_once(pattern):
    try:
        bounded = bounded_pattern(pattern)
    except ValueError as error:
        assert "\n" not in str(error)
        return
    # One that explodes would not come back from this within the test's time.
    for text in ("a" * 16_000, "ab" * 8_000):
        assert all(len(match[0]) <= 100 for match in bounded.finditer(text))
    assert re.compile(pattern)
