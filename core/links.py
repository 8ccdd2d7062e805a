"""Links in what a model says: those the operator lists lead somewhere, all others are shown as text.

What a model was told by a stranger's text it may put into an address: an image is fetched, a link is pressed, and what
stands in the address is told to who owns it. So an address counts only where the operator lists its host, or where the
asker wrote it themselves, letter by letter, and it stands open, not behind other words.
"""

import html
import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cached_property

_END = r"[^\s<>|`\"'()\[\]]*[^\s<>|`\"'()\[\].,;:!?*_~\u2026]"
_ADDRESS = re.compile(
    rf"(?:[a-z][a-z0-9+.-]{{0,30}}:[/\\]{{2,}}"
    rf"|(?<![\w:/])[/\\]{{2}}(?=[\w-]+\.\w)"
    rf"|\b(?:mailto|tel|sms|data|javascript|vbscript|file):"
    rf"|\bwww\."
    rf"|(?<![\w@.-])(?:[\w-]+\.)+[a-z][a-z0-9-]{{1,30}}(?=(?::\d+)?[/?#][^\s]))"
    rf"{_END}",
    re.IGNORECASE,
)
"""What a platform, or a reader of Markdown, may make a link of. Ends before the marks that close a sentence."""
_PLAIN = re.compile(r"https?://([a-z0-9.-]+)(?::\d+)?(?:[/?#][^\\]*)?", re.IGNORECASE)
"""An address whose host everybody reads the same way: no user, no backslash, no letters but those of names."""
_SCHEME = re.compile(r"^(?:[a-z][a-z0-9+.-]*:)?[/\\]*", re.IGNORECASE)
_ESCAPED = re.compile(r"\\(?=[!-/:-@\[-`{-~])")
_HIDES = ("](", "](<", "=", '="', "='", "]:", "]: ")
"""What stands before an address that is shown under other words."""


def no_words() -> Iterable[str]:
    """Nothing was said."""
    return ()


class Links:
    """Which addresses may lead somewhere in one turn."""

    def __init__(self, hosts: Iterable[str] = (), said: Callable[[], Iterable[str]] = no_words) -> None:
        """`hosts` with all below them are the operator's; `said` is asked for the asker's own words, if need be."""
        self._hosts = tuple(host.lower() for host in hosts)
        self._ask = said

    def defused(self, text: str) -> str:
        """The text with every other address made plain: `https://a.example/b` reads `a[.]example/b`.

        Of a text that grows by whole words it stays the same up to there.
        """
        return _ADDRESS.sub(lambda found: found[0] if self._may(found) else _plain(found[0]), text)

    def hides(self, text: str) -> bool:
        """Whether an address stands in the text that appears only when Markdown or HTML is read."""
        bare = _unwrapped(text)
        if bare == text:
            return False
        seen = {_unwrapped(found[0]) for found in _ADDRESS.finditer(text)}
        return any(found[0] not in seen and not self._is_listed(found[0]) for found in _ADDRESS.finditer(bare))

    def _may(self, found: re.Match[str]) -> bool:
        if self._is_listed(found[0]):
            return True
        return found[0] in self._said and not found.string[: found.start()].endswith(_HIDES)

    def _is_listed(self, address: str) -> bool:
        plain = _PLAIN.fullmatch(address)
        host = plain[1].lower() if plain else ""
        return any(host == known or host.endswith(f".{known}") for known in self._hosts)

    @cached_property
    def _said(self) -> set[str]:
        return {found[0] for text in self._ask() for found in _ADDRESS.finditer(text) if _PLAIN.fullmatch(found[0])}


def hosts_in(text: str) -> set[str]:
    """The hosts of the addresses in a text of the operator's."""
    found = (_PLAIN.fullmatch(address[0]) for address in _ADDRESS.finditer(text))
    return {plain[1].lower() for plain in found if plain}


def _plain(address: str) -> str:
    return _SCHEME.sub("", address).replace(".", "[.]").replace(":", "[:]").replace("//", "/ /")


def _unwrapped(text: str) -> str:
    """The text as a reader of Markdown and HTML sees it."""
    bare = html.unescape(_ESCAPED.sub("", text))
    return bare if bare.isascii() else "".join(one for one in bare if unicodedata.category(one) != "Cf")
