"""Long texts in pieces that a platform takes, without breaking code.

A fence is ``` wherever it stands, as Slack and Discord read it. What is open at a cut is closed there, and opened again
in the next piece.
"""

import re

FENCE = "```"
_CLOSE = "\n" + FENCE
_LANGUAGE = re.compile(r"[\w+#.-]{1,16}(?=\n)")
_JUST_OPENED = re.compile(r"```[\w+#.-]{0,16}\s*\Z")


def split_text(text: str, limit: int) -> list[str]:
    """Cut a text into pieces of at most `limit` characters (64 or more), in order; at least one piece.

    Nothing but white space at a cut is lost, and no piece is blank unless all is. In each of several pieces every fence
    that is opened is closed.
    """
    if len(text) <= limit:
        return [text]
    pieces: list[str] = []
    rest, opened = text, ""
    while len(opened) + len(rest) + len(_CLOSE) > limit:
        head, rest, still_open = _cut(rest, opened, limit - len(opened) - len(_CLOSE))
        if head.strip():
            pieces.append(_closed(opened + head))
        opened = still_open
    if rest.strip():
        pieces.append(_closed(opened + rest))
    return pieces or [text[:limit]]


def _cut(text: str, opened: str, room: int) -> tuple[str, str, str]:
    """Cut off what fits: the piece's text, what is left, and what opens the fence again that the cut goes through."""
    place = _place(text, room)
    just_opened = _JUST_OPENED.search(text[:place])
    if just_opened and _opening(opened + text[:place]) and text[: just_opened.start()].strip():
        place = just_opened.start()
    head, rest = text[:place].rstrip(), text[place:]
    opening = _opening(opened + head)
    if not opening:
        return head, rest.lstrip(), ""
    if rest.lstrip().startswith(FENCE):
        # The piece is closed at this very fence: it must not be opened again just to end.
        return head, rest.lstrip().removeprefix(FENCE).lstrip(), ""
    return head, rest.removeprefix("\n"), opening


def _place(text: str, room: int) -> int:
    """Choose where to cut: best between paragraphs, then lines, sentences, words; never inside a run of backticks."""
    place = _gap(text, room)
    run = len(text[:place]) - len(text[:place].rstrip("`"))
    return place - run if text[place : place + 1] == "`" and run < place else place


def _gap(text: str, room: int) -> int:
    for separator, kept, at_least in (("\n\n", 0, room // 2), ("\n", 0, room // 2), (". ", 1, room // 2), (" ", 0, 1)):
        found = text.rfind(separator, at_least, room + len(separator) - kept)
        if found >= 0:
            return found + kept
    return room


def _opening(text: str) -> str:
    """The fence that is open at the end of a text, as it would be written again; empty where none is."""
    parts = text.split(FENCE)
    if len(parts) % 2:
        return ""
    language = _LANGUAGE.match(parts[-1] + "\n")
    return FENCE + (language.group() if language else "") + "\n"


def _closed(text: str) -> str:
    return text + _CLOSE if _opening(text) else text
