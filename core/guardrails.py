"""What may come in and what may go out.

Promised: a message with one of the operator's or the desk's blocked phrases, or longer than MAX_TEXT, is not answered
by the model. No text goes out, streamed or whole, in which a key, token or private key of a known form stands, nor the
number of a ticket that is neither the customer's own nor was said by a person in this conversation, nor an address that
is hidden from who looks for one (all other addresses: see `links`).

Not promised: that abuse in other words, or a secret of no known form (a password), is recognised; nor that a text which
names no ticket is about this customer. Other customers' records are kept away by the tools, which cannot reach them;
these checks are the second line.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from agents import Agent, GuardrailFunctionOutput, InputGuardrail, OutputGuardrail, RunContextWrapper

from core.config import MAX_TEXT
from core.context import SupportContext
from core.errors import TooLongError
from core.items import own_words, text_of
from core.models import Item
from core.personal.folding import INVISIBLE
from core.personal.secrets import holds_secret

ABUSE = ("kill yourself", "i will kill you", "i'll kill you", "i will hurt you", "i'll hurt you", "hope you die")
"""Threats that no operator wants answered. What else is abuse is the operator's to say (`agent.blocked_phrases`)."""

ABUSE_REPLY = "I cannot answer a message with those words in it. Please say it another way, and I will gladly help."

_TICKET = re.compile(r"\bTKT-\d+", re.IGNORECASE)


def find_leak(text: str, context: SupportContext, conversation: Iterable[Item]) -> str | None:
    """What must not go out with this text, in a word for the log; None where it may go out."""
    if holds_secret(text):
        return "secret"
    if context.links.hides(text):
        return "link"
    named = {name.upper() for name in _TICKET.findall(text)} - context.stage.tickets.keys()
    return "ticket" if named and named - said_tickets(conversation) else None


def said_tickets(conversation: Iterable[Item]) -> set[str]:
    """The ticket numbers that people (not the desk) named in a conversation."""
    people = (item for item in conversation if item.get("role") == "user")
    return {name.upper() for item in people for name in _TICKET.findall(text_of(item))}


def input_guardrail(blocked: Sequence[str]) -> InputGuardrail[SupportContext]:
    """The check of what was said, by the desk's own list and the operator's; its `output_info` is the kind answer."""
    phrases = [re.escape(_plain(phrase)) for phrase in (*ABUSE, *blocked) if phrase.strip()]
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(phrases)})(?!\w)")

    def check_input(
        run: RunContextWrapper[SupportContext], agent: Agent[Any], given: str | list[Any]
    ) -> GuardrailFunctionOutput:
        speaker = run.context.customer_name if run.context.shared else ""
        texts = [given] if isinstance(given, str) else [own_words(item, speaker) for item in _newest(given)]
        return _verdict(_refusal(texts, pattern))

    # In parallel the tools would run before the trip.
    return InputGuardrail(guardrail_function=check_input, name="input", run_in_parallel=False)


def output_guardrail() -> OutputGuardrail[SupportContext]:
    """The check of the whole answer, by the same rule as the streamed text."""

    def check_output(
        run: RunContextWrapper[SupportContext], agent: Agent[Any], output: object
    ) -> GuardrailFunctionOutput:
        return _verdict(find_leak(str(output), run.context, _conversation(run)))

    return OutputGuardrail(guardrail_function=check_output, name="output")


def _conversation(run: RunContextWrapper[SupportContext]) -> list[Any]:
    return run.turn_input


def _newest(given: list[Any]) -> list[Any]:
    """What was said now: the messages after the last thing that was not said by a person."""
    start = len(given)
    while start and given[start - 1].get("role") == "user":
        start -= 1
    return given[start:]


def _refusal(texts: list[str], pattern: re.Pattern[str]) -> str | None:
    if any(len(text) > MAX_TEXT for text in texts):
        return TooLongError.reply
    return ABUSE_REPLY if any(pattern.search(_plain(text)) for text in texts) else None


def _plain(text: str) -> str:
    """Lower case, straight apostrophes, single spaces, no invisible letters: as phrases are compared."""
    return " ".join(INVISIBLE.sub("", text).casefold().replace("\u2019", "'").split())


def _verdict(found: str | None) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(output_info=found, tripwire_triggered=found is not None)
