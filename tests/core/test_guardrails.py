import pytest

from core.config import MAX_TEXT, check_settings
from core.errors import TooLongError
from core.guardrails import ABUSE_REPLY, find_leak, holds_secret
from core.models import TurnStatus
from core.streaming import SafeText, UnsafeTextError
from tests.core.agent_scene import Scene, said, ticket

OPENAI = "sk-proj-" + "a1B2c3D4" * 4
SECRETS = {
    "openai": OPENAI,
    "stripe": "sk_" + "live_51H8xYzAbCdEfGh",
    "github": "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a",
    "github fine": "github_pat_" + "11ABCDEFG0aBcDeFgHiJkL_xyz",
    "gitlab": "glpat-" + "x1Y2z3A4b5C6d7E8f9G0",
    "slack": "xoxb-" + "123456789012-abcdefGHIJKL",
    "aws": "AKIA" + "IOSFODNN7EXAMPLE",
    "google": "AIza" + "SyA1234567890abcdefghijklmnopqrstuv",
    "token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N",
    "bearer": "Authorization: Bearer 7f3c9a1b2d4e5f60",
    "private key": "-----BEGIN RSA PRIVATE KEY-----",
    "new private key": "-----BEGIN PRIVATE KEY-----",
}  # fmt: skip
HARMLESS = [
    "Your desk-to-desk transfer is risk-free and task-based-scheduling-is-fine.",
    "The bearer of this letter is a friend, and bearer authentication-is-explained-in-the-manual.",
    "Order 4111-1111 for sk-42 left on 2026-03-02; see https://example.com/a/b?c=d.",
    "- one\n- two\n\n---\n\n| a | b |\n|---|---|\n",
    "A private key begins with BEGIN and ends with END.",
]


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_a_key_or_token_of_a_known_form_is_recognised_anywhere_in_a_text(secret):
    assert holds_secret(secret)
    assert holds_secret(f"Sure! The key is `{secret}`. Keep it safe.")
    assert holds_secret(f"key={secret}\n")


@pytest.mark.parametrize("text", HARMLESS)
def test_ordinary_text_is_not_taken_for_a_secret(text):
    assert not holds_secret(text)


def test_a_key_broken_over_lines_or_with_invisible_letters_in_it_is_recognised():
    assert holds_secret(f"It is {OPENAI[:12]}\n  {OPENAI[12:]}")
    assert holds_secret(f"It is {OPENAI[:12]}\u200b{OPENAI[12:]}")


@pytest.mark.parametrize("between", ["", "\n", "\n   "])
@pytest.mark.parametrize("at", range(1, len(OPENAI)))
def test_a_key_that_comes_in_two_pieces_is_never_shown_in_part(at, between):
    text = SafeText(lambda part: "secret" if holds_secret(part) else None)

    with pytest.raises(UnsafeTextError):
        for piece in ("Here it is. ", f"The key is {OPENAI[:at]}", between, f"{OPENAI[at:]}. Keep it.\n"):
            text.add(piece)

    assert text.shown.startswith("Here it is.")
    assert "sk-" not in text.shown


def test_the_first_line_of_a_private_key_waits_for_the_rest():
    text = SafeText(lambda part: "secret" if holds_secret(part) else None)

    assert text.add("Look: \n-----BEGIN\n") == "Look:"
    with pytest.raises(UnsafeTextError):
        text.add(" RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\n")


def test_text_is_let_through_by_sentences_and_whole_at_the_end():
    text = SafeText(lambda part: None)
    shown = [text.add(piece) for piece in ("One. ", "Tw", "o", "!", " Three is", " long")]

    assert [part for part in shown if part] == ["One.", "One. Two!"]
    assert text.end_message() == "One. Two! Three is long"


def test_a_second_message_follows_the_first_as_a_paragraph():
    text = SafeText(lambda part: None)
    text.add("Let me look.")
    text.end_message()
    text.add("Found it.")

    assert text.end_message() == "Let me look.\n\nFound it."


def test_each_sentence_is_checked_once_however_long_the_text_grows():
    checked = []
    text = SafeText(lambda part: checked.append(len(part)))
    for _ in range(500):
        text.add("This is one of very many sentences. ")

    assert len(checked) == 500
    assert max(checked) < 500


def test_only_the_customers_own_tickets_and_those_people_named_may_be_named():
    context = Scene(tickets=[ticket(1001, "Mine")]).context

    assert find_leak("TKT-1001 is open.", context, []) is None
    assert find_leak("tkt-1007 is open.", context, []) == "ticket"
    assert find_leak("No TKT-1007 here.", context, [{"role": "user", "content": "what about tkt-1007?"}]) is None
    assert find_leak("TKT-1007 again.", context, [{"role": "assistant", "content": "TKT-1007"}]) == "ticket"


@pytest.mark.parametrize("text", ["I will KILL you", "go  kill\nyourself", "i\u2019ll hurt you!", "drop dead, please"])
async def test_a_threat_and_the_operators_blocked_phrases_are_not_answered_by_the_model(text):
    scene = Scene(settings=check_settings({"agent": {"blocked_phrases": ["Drop dead"]}}))

    answer = await scene.ask(text)

    assert (answer.status, answer.text) == (TurnStatus.BLOCKED, ABUSE_REPLY)
    assert scene.calls == []


async def test_a_word_that_only_contains_a_blocked_phrase_is_answered():
    scene = Scene(settings=check_settings({"agent": {"blocked_phrases": ["ass"]}}))

    assert (await scene.ask("my class has an assignment")).status is TurnStatus.DONE


async def test_what_was_said_in_earlier_turns_does_not_block_a_new_one():
    history = [{"role": "user", "content": "I will kill you"}, {"role": "assistant", "content": "Please do not."}]

    assert (await Scene(history=history).ask("sorry")).status is TurnStatus.DONE


async def test_other_peoples_words_that_were_read_along_do_not_block_the_asker():
    text = "(read along, Bob said:) I will kill you\nPlease help me."

    assert (await Scene().ask(text)).status is TurnStatus.DONE


async def test_a_message_over_the_limit_is_refused_kindly_and_one_at_the_limit_is_not():
    assert (await Scene().ask("x" * MAX_TEXT)).status is TurnStatus.DONE
    answer = await Scene().ask("x" * (MAX_TEXT + 1))
    assert (answer.status, answer.text) == (TurnStatus.BLOCKED, TooLongError.reply)


async def test_in_a_shared_place_the_speakers_name_does_not_count_against_the_limit():
    assert (await Scene(shared=True).ask("Alice: " + "x" * MAX_TEXT)).status is TurnStatus.DONE


async def test_where_others_read_a_model_is_told_which_tickets_it_may_name():
    from core.instructions import SHARED

    assert "name no ticket but those of the customer who asks" in SHARED


async def test_an_answer_that_names_somebody_elses_ticket_is_held_back():
    from agents.testing import ScriptedModel

    scene = Scene(ScriptedModel([said("Bob has the same in TKT-1007.")]), tickets=[ticket(1001, "Mine")])

    answer = await scene.ask("anything like mine?")

    assert answer.status is TurnStatus.BLOCKED
    assert "1007" not in answer.text + answer.shown
