"""What stands between a turn and the model: values go out as tokens and come back as values, for their owner."""

import json
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from core.personal.finding import Finder, merged
from core.ports import Found

_TOKEN = re.compile(r"<([A-Z][A-Z0-9_]{0,39})_[1-9][0-9]{0,5}>")
_OPEN_TOKEN = re.compile(r"<(?:[A-Z][A-Z0-9_]{0,46})?\Z")
_LITERAL = "text"
"""The kind of what reads like a token already: it goes out as one too, so that nobody can write somebody's token."""
_KEPT_FROM_ANSWERS = "secret"
"""A secret never comes back into an answer, whose ever it is: no answer that holds one goes out."""
_TEXTS = ("content", "text", "refusal", "summary")
_AS_JSON = ("arguments", "output")


class Veil:
    """The tokens of one turn: the same value has the same one in all that the model sees of it."""

    def __init__(self, finder: Finder, own: Iterable[str] | None = None) -> None:
        """`own` are the texts of whom answers are for, where others read them too; None: the whole conversation is."""
        self._finder = finder
        self._own = None if own is None else tuple(own)
        self._tokens: dict[tuple[str, str], str] = {}
        self._values: dict[str, tuple[str, str]] = {}
        self._counts: Counter[str] = Counter()
        self._hidden: dict[str, str] = {}

    async def hide(self, text: str) -> str:
        """The text as the model may see it."""
        hidden = self._hidden.get(text)
        if hidden is None:
            hidden = self._hidden[text] = await self._hide(text)
        return hidden

    async def hide_items(self, given: Any) -> Any:  # noqa: ANN401 - the SDK's items, as they are
        """Items as the model may see them: all that people and tools said in them."""
        if isinstance(given, str):
            return await self.hide(given)
        if isinstance(given, list):
            return [await self.hide_items(part) for part in given]
        if not isinstance(given, dict):
            return given
        texts = {key: await self.hide_items(given[key]) for key in _TEXTS if key in given}
        values = {key: await self._hide_json(given[key]) for key in _AS_JSON if key in given}
        return {**given, **texts, **values}

    def reveal(self, text: str) -> str:
        """What the model wrote, with the values that are for the reader; every other token stays."""
        return self._reveal(text, secrets=False) if "<" in text else text

    def reveal_arguments(self, arguments: str) -> str:
        """A tool's arguments with the values the model meant, each in its place in the JSON."""
        if not self._values:
            return arguments
        try:
            read = json.loads(arguments)
        except ValueError:
            return arguments
        told = self._in_json(read)
        return arguments if told == read else json.dumps(told, ensure_ascii=False)

    async def _hide(self, text: str) -> str:
        found = await self._finder.find(text)
        if "<" in text:
            literal = [Found(_LITERAL, *match.span()) for match in _TOKEN.finditer(text)]
            found = merged([*found, *literal])
        # In order, so that the tokens are numbered as they are read.
        parts, end = list[str](), 0
        for one in found:
            parts += (text[end : one.start], self._token(one.kind, text[one.start : one.end]))
            end = one.end
        return "".join([*parts, text[end:]])

    def _token(self, kind: str, value: str) -> str:
        token = self._tokens.get((kind, value))
        if token is None:
            self._counts[kind] += 1
            token = self._tokens[kind, value] = f"<{kind.upper()}_{self._counts[kind]}>"
            self._values[token] = kind, value
        return token

    async def _hide_json(self, given: Any) -> Any:  # noqa: ANN401 - what JSON holds
        """Hide in JSON text what its strings hold; what is no JSON is text."""
        if not isinstance(given, str):
            return await self.hide_items(given)
        try:
            read = json.loads(given)
        except ValueError:
            return await self.hide(given)
        hidden = await self._hide_strings(read)
        return given if hidden == read else json.dumps(hidden, ensure_ascii=False)

    async def _hide_strings(self, value: Any) -> Any:  # noqa: ANN401 - what JSON holds
        if isinstance(value, dict):
            return {await self.hide(key): await self._hide_strings(part) for key, part in value.items()}
        if isinstance(value, list):
            return [await self._hide_strings(part) for part in value]
        if isinstance(value, int) and not isinstance(value, bool):
            hidden = await self.hide(str(value))
            return value if hidden == str(value) else hidden
        return await self.hide(value) if isinstance(value, str) else value

    def _in_json(self, value: Any) -> Any:  # noqa: ANN401 - what JSON holds
        if isinstance(value, dict):
            return {key: self._in_json(part) for key, part in value.items()}
        if isinstance(value, list):
            return [self._in_json(part) for part in value]
        return self._reveal(value, secrets=True) if isinstance(value, str) else value

    def _reveal(self, text: str, *, secrets: bool) -> str:
        return _TOKEN.sub(lambda match: self._value(match[0], secrets=secrets), text)

    def _value(self, token: str, *, secrets: bool) -> str:
        kind, value = self._values.get(token, ("", token))
        if kind == _KEPT_FROM_ANSWERS and not secrets:
            return token
        own = kind == _LITERAL or self._own is None or any(value in text for text in self._own)
        return value if own else token


class Unveiling:
    """Reveals a text that streams in: what may be the first part of a token waits for the rest."""

    def __init__(self, veil: Veil) -> None:
        self._veil = veil
        self._held = ""

    def add(self, piece: str) -> str:
        """Take in a piece; what can be shown now."""
        text = self._held + piece
        opened = _OPEN_TOKEN.search(text, max(0, len(text) - 60))
        cut = opened.start() if opened else len(text)
        self._held = text[cut:]
        return self._veil.reveal(text[:cut])

    def end(self) -> str:
        """What is left when nothing more comes."""
        left, self._held = self._held, ""
        return self._veil.reveal(left)
