from agents.testing import ScriptedModel

from core.config import check_settings
from core.summaries import MAX_SUMMARY, RunningSummary
from tests.core.agent_scene import said


def turn(asked, answered):
    call = {"type": "function_call", "call_id": "c", "name": "list_tickets", "arguments": "{}"}
    return [{"role": "user", "content": asked}, call, {"role": "assistant", "content": answered}]


def offline():
    return RunningSummary(check_settings({}), ScriptedModel())


def with_model(*steps):
    settings = check_settings({"model": "test-model", "openai_api_key": "k"})
    return RunningSummary(settings, ScriptedModel(steps))


async def test_without_a_model_each_turn_leaves_its_first_sentences():
    text, calls = await offline().extend("", [turn("My invoice INV-7 was charged twice this month. Help!", "Sure.")])

    assert text == "Customer: My invoice INV-7 was charged twice this month.\nDesk: Sure."
    assert calls == ()


async def test_a_short_first_sentence_takes_the_next_one_along():
    text, _ = await offline().extend("", [turn("Hi. My invoice is INV-7. And so on.", "Ok.")])

    assert "INV-7" in text


async def test_a_summary_stands_for_the_one_before_too():
    text, _ = await offline().extend("Customer: first.", [turn("second question", "second answer")])

    assert text.startswith("Customer: first.\n")
    assert text.endswith("Desk: second answer")


async def test_nothing_left_the_window_changes_nothing():
    assert await offline().extend("As it was.", []) == ("As it was.", ())
    assert await with_model().extend("As it was.", []) == ("As it was.", ())


async def test_an_extract_stays_short_and_keeps_what_is_newest():
    text = ""
    for at in range(200):
        text, _ = await offline().extend(text, [turn(f"question {at} " + "x " * 200, f"answer {at}")])

    assert len(text) <= MAX_SUMMARY
    assert "answer 199" in text
    assert "answer 0" not in text


async def test_the_lines_the_desk_put_round_a_message_are_left_out():
    text, _ = await offline().extend("", [turn("(read along, Bob said:) nonsense\nmy own words", "Ok.")])

    assert text == "Customer: my own words\nDesk: Ok."


async def test_a_model_that_fails_leaves_the_extract():
    text, calls = await with_model(ConnectionError("down")).extend("Before.", [turn("my fan is loud", "Noted.")])

    assert text == "Before.\nCustomer: my fan is loud\nDesk: Noted."
    assert calls == ()


async def test_an_empty_summary_is_booked_but_the_extract_stands():
    text, calls = await with_model(said(" ")).extend("", [turn("my fan is loud", "Noted.")])

    assert "my fan is loud" in text
    assert [call.purpose for call in calls] == ["summary"]
