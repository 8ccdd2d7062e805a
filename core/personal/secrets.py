"""Keys, tokens and private keys of known forms: the one place that knows how they look."""

import re
from collections.abc import Iterator

from core.personal.folding import forms
from core.ports import Found

# A token of three parts is looked for by itself, below.
_KEYS = re.compile(
    r"""
      -----BEGIN[A-Z\ ]{1,30}PRIVATE\ KEY
    | (?<![A-Za-z0-9])(?:
          sk-[A-Za-z0-9_-]{16,}                                              # OpenAI and others
        | (?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,}                        # Stripe
        | gh[pousr]_[A-Za-z0-9]{20,} | github_pat_[A-Za-z0-9_]{20,} | glpat-[A-Za-z0-9_-]{16,}
        | xox[a-z]-[A-Za-z0-9-]{10,} | xapp-[A-Za-z0-9-]{10,}                # Slack
        | [MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}    # Discord
        | (?:AKIA|ASIA)[A-Z0-9]{16} | AIza[A-Za-z0-9_-]{30,}                 # AWS, Google
      )
    | \b[Bb]earer\s+(?=[A-Za-z._~+/=-]*[0-9])[A-Za-z0-9._~+/=-]{16,}
    """,
    re.VERBOSE,
)
_PART = re.compile(r"[A-Za-z0-9_-]+")
_TOKEN = re.compile(r"(?<![A-Za-z0-9])eyJ[A-Za-z0-9_-]{8}")
_LEAST_PART = 8

# What follows the first line of a private key: lines of base64, also with their breaks written as `\n`.
_KEY_BODY = re.compile(
    r"(?: BLOCK)?-{0,5}(?:\s|\\[nr]){0,9}"
    r"(?:(?:Proc-Type|DEK-Info|Version|Comment):[^\r\n\\]{0,99}(?:\s|\\[nr]){1,9}){0,4}"
    r"(?:[A-Za-z0-9+/=]{1,80}(?:\s|\\[nr]){1,9}){0,400}[A-Za-z0-9+/=]{0,80}"
)
_KEY_ENDS = re.compile(r"-----END[A-Z ]{1,30}PRIVATE KEY(?: BLOCK)?-{0,5}")
_KEY_BEGINS = "-----BEGIN"

_LONGEST_OPENING = 64
_OPENING = re.compile(
    r"(?<![A-Za-z0-9])(?:-{2,5}(?:BEGIN[A-Z ]*)?|[sr]k[-_]|pk_|gh[pousr]_|github_pat_|glpat-|xox|xapp-|A[KS]IA|AIza|eyJ"
    r"|[Bb]earer)[A-Za-z0-9_.-]*\s*$"
)
_BROKEN_LINE = re.compile(r"(?<=[\w-])[ \t]*\r?\n[ \t]*(?=[\w-])")


def find_secrets(text: str) -> Iterator[Found]:
    """Secrets in a text in plain forms, a private key with all its lines; those broken over lines count too."""
    found = list(_find(text))
    yield from found
    if "\n" not in text:
        return
    joined, at = _joined(text)
    for secret in _find(joined) if len(joined) < len(text) else ():
        start, end = at[secret.start], at[secret.end - 1] + 1
        if not any(one.start < end and start < one.end for one in found):
            yield Found("secret", start, end)


def holds_secret(text: str) -> bool:
    """Whether a key or token of a known form stands in the text, also over broken lines or with invisible letters."""
    return any(True for form in forms(text) for _ in find_secrets(form.text))


def may_open_secret(text: str, end: int) -> bool:
    """Whether a text, cut at `end`, may end in the first part of a secret, so that it must wait for the rest."""
    return _OPENING.search(text, max(0, end - _LONGEST_OPENING), end) is not None


def _find(text: str) -> Iterator[Found]:
    end = 0
    for match in _KEYS.finditer(text):
        if match.start() >= end:
            end = _private_key_end(text, match.end()) if text[match.start()] == "-" else match.end()
            yield Found("secret", match.start(), end)
    if "eyJ" in text:
        yield from _find_tokens(text)


def _find_tokens(text: str) -> Iterator[Found]:
    """JSON web tokens: three parts with dots between. Read part by part: one pattern would look again and again."""
    before: list[re.Match[str]] = []
    for part in _PART.finditer(text):
        follows = before and part.start() == before[-1].end() + 1 and text[before[-1].end()] == "."
        before = [*before[-2:], part] if follows else [part]
        if len(before) == 3 and all(len(one[0]) >= _LEAST_PART for one in before[1:]):
            opening = _TOKEN.search(text, before[0].start(), before[0].end())
            if opening:
                yield Found("secret", opening.start(), part.end())


def _private_key_end(text: str, at: int) -> int:
    """Where a private key ends: with its last line, or where its lines stop to look like one."""
    following = text.find(_KEY_BEGINS, at)
    limit = len(text) if following == -1 else following
    ends = _KEY_ENDS.search(text, at, limit)
    body = _KEY_BODY.match(text, at, limit)
    if ends:
        return ends.end()
    return body.end() if body else at


def _joined(text: str) -> tuple[str, list[int]]:
    """A text with its broken lines joined, and where each of its letters stands."""
    at: list[int] = []
    start = 0
    for broken in _BROKEN_LINE.finditer(text):
        at += range(start, broken.start())
        start = broken.end()
    at += range(start, len(text))
    return "".join([text[place] for place in at]), at
