import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.splitting import split_text

LIMITS = st.integers(min_value=64, max_value=400)
WORDS = st.text(alphabet="abc.,é漢😀", min_size=1, max_size=90)
PROSE = st.lists(st.tuples(WORDS, st.sampled_from([" ", "\n", "\n\n", "\t", ". "])), max_size=60).map(
    lambda words: "".join(word + gap for word, gap in words)
)
CODE = st.tuples(st.sampled_from(["", "zz"]), PROSE).map(lambda code: f"```{code[0]}\n{code[1]}\n```")
INLINE = WORDS.map(lambda words: f"```{words}```")
TEXTS = st.lists(st.one_of(PROSE, CODE, INLINE), max_size=6).map("\n".join)
BACKTICKS = st.text(alphabet="`a \n", max_size=500)


def bare(text):
    return "".join(text.replace("`", "").replace("zz", "").split())


@given(TEXTS, LIMITS)
def test_nothing_is_lost(text, limit):
    assert bare("".join(split_text(text, limit))) == bare(text)


@given(st.one_of(TEXTS, BACKTICKS), LIMITS)
def test_every_piece_is_within_the_limit(text, limit):
    assert all(len(piece) <= limit for piece in split_text(text, limit))


@given(st.one_of(TEXTS, BACKTICKS), LIMITS)
def test_every_one_of_several_pieces_has_its_fences_closed(text, limit):
    pieces = split_text(text, limit)
    assert len(pieces) == 1 or all(piece.count("```") % 2 == 0 for piece in pieces)


@given(st.one_of(TEXTS, BACKTICKS), LIMITS)
def test_no_piece_is_blank_unless_all_is(text, limit):
    pieces = split_text(text, limit)
    assert pieces
    assert len(pieces) == 1 or all(piece.strip() for piece in pieces)


@given(TEXTS, LIMITS)
def test_code_stays_code_and_prose_stays_prose(text, limit):
    assert bare(code_in(text)) == bare("".join(code_in(piece) for piece in split_text(text, limit)))


def code_in(text):
    return "".join(text.split("```")[1::2])


def test_a_text_that_fits_is_left_as_it_is():
    assert split_text("```open\n", 64) == ["```open\n"]


def test_the_language_of_a_fence_is_kept():
    first, second = split_text("```python\n" + "x = 1\n" * 12 + "```", 64)
    assert first.startswith("```python\nx = 1")
    assert first.endswith("x = 1\n```")
    assert second.startswith("```python\nx = 1")


def test_a_fence_is_not_opened_just_to_be_closed():
    pieces = split_text("a" * 55 + "\n```python\nx = 1\n```\nafter that", 64)
    assert pieces == ["a" * 55, "```python\nx = 1\n```\nafter that"]


def test_the_indentation_of_code_is_kept():
    text = "```\n" + "\n".join(f"    line {number}" for number in range(12)) + "\n```"
    assert all("\n    line" in piece for piece in split_text(text, 64))


@pytest.mark.parametrize("gap", ["\n\n", "\n", ". ", " "])
def test_a_cut_goes_between_paragraphs_lines_sentences_or_words(gap):
    first, second = split_text("a" * 45 + gap + "b" * 45, 64)
    assert first.rstrip(".") == "a" * 45
    assert second == "b" * 45
