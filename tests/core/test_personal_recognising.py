import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.config import check_settings
from core.masking_settings import KINDS
from core.personal.finding import Finder
from tests.core.personal_samples import (
    BROKEN_SECRET,
    CARDS,
    CUT_KEY,
    EMAILS,
    IBANS,
    IPS,
    NATIONAL,
    NATIONAL_IDS,
    NATIONAL_PHONES,
    NO_CARDS,
    NO_EMAILS,
    NO_IBANS,
    NO_IPS,
    NO_PHONES,
    PHONES,
    SECRETS,
)

FOUND = {"card": CARDS, "email": EMAILS, "iban": IBANS, "ip": IPS, "phone": PHONES, "secret": SECRETS}
NOT_FOUND = {"card": NO_CARDS, "email": NO_EMAILS, "iban": NO_IBANS, "ip": NO_IPS, "phone": NO_PHONES}
ADVERSARIAL = [
    "a", "1", "4 ", "4111 ", "a@", "@a.", "@", "eyJ-", "eyJaaaaaaaa.", "-----BEGIN RSA PRIVATE KEY-----",
    "-----BEGIN RSA PRIVATE KEY-----\na\n", "1.", "1.1.1.1.", "a:", "::", "DE89 ", "DE89 3704 0044 0532 0130 01 ",
    "+1", "(1", "+49 30 90182 ", "bearer ", "bearer\n", "sk-", "a\n", "\uff14\u200b", "M", "xox", "[MNO].",
]  # fmt: skip


def finder(*kinds, **settings):
    told = check_settings({"personal_data": settings}).personal_data
    return Finder(kinds or KINDS, told)


async def found(text, *kinds, **settings):
    return [(one.kind, text[one.start : one.end]) for one in await finder(*kinds, **settings).find(text)]


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind in FOUND for value in FOUND[kind].values()])
async def test_a_value_is_found_wherever_it_stands_and_nothing_beside_it(kind, value):
    for before, after in (("", ""), ("It is ", ", thanks."), ("(", ")"), ("a\n", "\nb"), ("\u00fc: ", " \u00fc")):
        assert await found(f"{before}{value}{after}", kind) == [(kind, value)]


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind in NOT_FOUND for text in NOT_FOUND[kind]])
async def test_what_only_looks_like_a_value_is_let_be(kind, text):
    assert await found(text, kind) == []
    assert await found(f"It is {text}, thanks.", kind) == []


@pytest.mark.parametrize("region", NATIONAL_PHONES)
async def test_a_number_without_its_country_is_found_where_the_operator_named_the_country(region):
    number = NATIONAL_PHONES[region]

    assert await found(f"call {number} please", "phone") == []
    assert await found(f"call {number} please", "phone", phone_regions=[region]) == [("phone", number)]


async def test_numbers_of_another_kind_after_a_telephone_number_do_not_hide_it():
    text = "+44 20 7946 0958 12:30, 020 7946 0958, 020 7946 0018 7, +1 212 736 5000 7"

    numbers = [number for _, number in await found(text, "phone", phone_regions=["GB"])]

    assert numbers == ["+44 20 7946 0958", "020 7946 0958", "020 7946 0018", "+1 212 736 5000"]


@pytest.mark.parametrize("text", NO_PHONES)
async def test_dates_and_orders_are_no_numbers_of_a_country_either(text):
    assert await found(text, "phone", phone_regions=["DE", "GB", "US"]) == []


@pytest.mark.parametrize("name", NATIONAL)
async def test_a_national_id_is_found_by_the_operators_pattern_and_its_check_digits(name):
    right, wrong = NATIONAL[name]

    assert await found(f"id {right}.", name, national_ids=NATIONAL_IDS) == [(name, right)]
    assert await found(f"id {wrong}.", name, national_ids=NATIONAL_IDS) == []
    assert await found(f"id 7{right}7", name, national_ids=NATIONAL_IDS) == []


async def test_a_secret_broken_over_lines_is_found_whole():
    assert await found(f"It is {BROKEN_SECRET}, thanks.", "secret") == [("secret", BROKEN_SECRET)]


async def test_a_private_key_whose_end_is_missing_is_found_with_all_its_lines():
    assert await found(f"Look: {CUT_KEY}, thanks.", "secret") == [("secret", CUT_KEY)]


async def test_several_values_of_one_message_are_each_found():
    text = "card 4111 1111 1111 1111, old one 5555555555554444 at alice@example.org from 203.0.113.7"

    assert [kind for kind, _ in await found(text)] == ["card", "card", "email", "ip"]


async def test_a_card_between_other_numbers_is_found_alone():
    assert await found("12 4111 1111 1111 1111 34", "card") == [("card", "4111 1111 1111 1111")]


async def test_what_overlaps_is_one_finding_of_the_surest_kind():
    text = "sk-proj-a1B2c3D4a1B2-203.0.113.7 x"

    assert [kind for kind, _ in await found("mail alice@203.0.113.7.example.org")] == ["email"]
    assert [kind for kind, _ in await found(text)] == ["secret"]


@given(
    st.text(max_size=200),
    st.sampled_from([*CARDS.values(), *EMAILS.values(), *SECRETS.values()]),
    st.text(max_size=200),
)
async def test_findings_lie_in_the_text_in_order_and_apart(before, value, after):
    text = f"{before} {value} {after}"
    end = 0
    for one in await finder().find(text):
        assert end <= one.start < one.end <= len(text)
        end = one.end


@pytest.mark.parametrize("piece", ADVERSARIAL)
async def test_the_work_grows_with_the_length_of_a_text_and_no_faster(piece):
    """Four times the text may take eight times as long, not sixteen: that would be the square."""
    look = finder(*KINDS, *NATIONAL, phone_regions=["DE"], national_ids=NATIONAL_IDS)
    whole = (piece * 16_000)[:16_000]

    def cost(text):
        began = time.process_time()
        look._find(text)
        return time.process_time() - began

    look._find(whole[:100])
    # A quarter that takes no time to speak of cannot be measured.
    quarter = max(min(cost(whole[:4_000]) for _ in range(2)), 0.002)
    assert any(cost(whole) < 8 * quarter for _ in range(3))
