"""How the offline stand-in finds a fact: "what was my invoice number?" in what was said before."""

import re
from collections.abc import Iterable, Mapping

_TOKEN = r"#?([A-Za-z0-9][\w./@+-]*\d[\w/@+-]*|\d+)"  # noqa: S105 - a pattern, no password
_VALUE = r"[\"'“]?(.+?)[\"'”]?(?=[.!?;,](?:\s|$)|\s+and\s|\s+but\s|\n|$)"
_KINDS = ("number", "id", "code", "no", "nr", "reference", "address", "name")


def find_fact(subject: str, texts: Iterable[str]) -> str | None:
    """The value of `subject` in the first text that gives one."""
    patterns = _patterns(subject)
    for text in texts:
        for pattern in patterns:
            found = pattern.search(text)
            if found is not None:
                return found[1].strip()
    return None


def find_preference(subject: str, preferences: Mapping[str, str]) -> str | None:
    """A remembered preference of that name."""
    wanted = _folded(subject)
    return next((value for name, value in preferences.items() if _folded(name) == wanted), None)


def _patterns(subject: str) -> list[re.Pattern[str]]:
    words = [re.escape(word) for word in subject.split()]
    whole = r"\s+".join(words)
    flags = re.IGNORECASE
    patterns = [
        re.compile(rf"\b{whole}\b\s*(?:(?:is|was|are|were)(?!\s+not\b)\s|=|:)\s*{_VALUE}", flags),
        re.compile(rf"\b{whole}\b\s*{_TOKEN}", flags),
        re.compile(rf"(?<![\w-]){_TOKEN}\s+(?:is|was)\s+(?:my|the|our)\s+{whole}\b", flags),
    ]
    if len(words) > 1 and words[-1].casefold() in _KINDS:
        head = r"\s+".join(words[:-1])
        kinds = "|".join(_KINDS)
        patterns.append(re.compile(rf"\b{head}\b\s*(?:{kinds})?\.?\s*(?:is|was|:)?\s*{_TOKEN}", flags))
    return patterns


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
