"""What stands in a message of Slack's, for people and for the agent: escapes resolved, files noted, others quoted."""

import re
from collections.abc import Iterable, Mapping

from adapters.payloads import Json, object_in, objects_in, text_in
from adapters.slack.refs import Us
from core.models import FileNote, Profile, Quote

QUOTED = 20
"""Messages of a thread that are read along at most."""

_TOKEN = re.compile(r"<([^<>|\s][^<>]*)>")
_ENTITY = re.compile(r"&(lt|gt|amp);")
_CHARACTERS = {"lt": "<", "gt": ">", "amp": "&"}
_LABEL = re.compile(r"(?<=<@)([A-Z0-9]+)\|[^<>]*(?=>)")
_SOMEBODY = re.compile(r"<(?:@([A-Z0-9]+)|!(subteam)\^[A-Z0-9]+)(?:\|[^<>]*)?>")


def readable(text: str, names: Mapping[str, str] | None = None) -> str:
    """Turn Slack's escapes into text: `<@U2|bob>` reads @bob, `<https://x|label>` reads label (https://x).

    `names` are the names of user ids where they are known; Slack itself seldom says them.
    """
    if "<" not in text and "&" not in text:
        return text
    pieces, at = [], 0
    for token in _TOKEN.finditer(text):
        pieces += [_unescaped(text[at : token.start()]), _token(token[1], names or {})]
        at = token.end()
    return "".join((*pieces, _unescaped(text[at:])))


def by_id(text: str) -> str:
    """A raw text that names people by their ids alone: `<@U2|bob>` becomes `<@U2>`."""
    return _LABEL.sub(r"\1", text)


def without_us(text: str, us: Us) -> str:
    """Cut the mention of our bot out of a raw text, with the colon or comma behind it."""
    if f"<@{us.user}" not in text:
        return text.strip()
    first, *others = re.split(rf"<@{re.escape(us.user)}(?:\|[^<>]*)?>[ \t]*[:,]?[ \t]*", text)
    rest = [("" if other[:1] in ".;!?" else " ") + other.rstrip(" \t") for other in others]
    return "".join((first.rstrip(" \t"), *rest)).strip()


def mentioned(text: str) -> set[str]:
    """Whom a raw text mentions: user ids, and 'subteam' for a group."""
    return set(mentioned_in_order(text))


def mentioned_in_order(text: str) -> list[str]:
    """The same, as they stand there."""
    return [user or group for user, group in _SOMEBODY.findall(text)]


def files_of(message: Json) -> tuple[FileNote, ...]:
    """Note the files of a message; in shared channels Slack may say no more of them than that they are there."""
    return tuple(_file(file) for file in objects_in(message, "files") if file.get("mode") != "tombstone")


def quotes_of(messages: Iterable[Json], us: Us, *, before: str, names: Mapping[str, str]) -> tuple[Quote, ...]:
    """Quote what others said in a thread before the message `before`, oldest first, at most the last 20."""
    said = []
    for message in messages:
        speaker, text = text_in(message, "user"), readable(text_in(message, "text"), names)
        if text_in(message, "ts") < before and speaker != us.user and text.strip():
            said.append(Quote(names.get(speaker) or text_in(message, "username") or speaker or "somebody", text))
    return tuple(said[-QUOTED:])


def profile_of(user: Json) -> Profile:
    """Read the `user` of `users.info`."""
    profile = object_in(user, "profile")
    names = (text_in(profile, "display_name"), text_in(profile, "real_name"), text_in(user, "real_name"))
    name = next((name.strip() for name in (*names, text_in(user, "name")) if name.strip()), None)
    return Profile(
        name=name,
        locale=text_in(user, "locale") or None,
        # Slack tells the address to apps that were given `users:read.email` only.
        email=text_in(profile, "email") or None,
        timezone=text_in(user, "tz") or None,
    )


def team_of_user(user: Json, us: Us) -> str:
    """Which team the `user` of `users.info` is of; ours where that is one of several, in an organisation."""
    teams = object_in(user, "enterprise_user").get("teams")
    return us.team if isinstance(teams, list) and us.team in teams else text_in(user, "team_id")


def _file(file: Json) -> FileNote:
    size = file.get("size")
    return FileNote(
        text_in(file, "name") or text_in(file, "title") or "a file",
        text_in(file, "mimetype") or text_in(file, "filetype") or "unknown type",
        size if isinstance(size, int) and size > 0 else 0,
    )


def _token(token: str, names: Mapping[str, str]) -> str:
    target, _, label = token.partition("|")
    target, label = _unescaped(target), _unescaped(label)
    match target[0]:
        case "@":
            return "@" + (label.removeprefix("@") or names.get(target[1:]) or target[1:])
        case "#":
            return "#" + (label.removeprefix("#") or target[1:])
        case "!":
            return label or "@" + target[1:].split("^", 1)[0]
    address = re.sub(r"^(mailto|tel):", "", target)
    said_already = label in ("", address) or address.rstrip("/") in (f"http://{label}", f"https://{label}")
    return address if said_already else f"{label} ({address})"


def _unescaped(text: str) -> str:
    return _ENTITY.sub(lambda entity: _CHARACTERS[entity[1]], text)
