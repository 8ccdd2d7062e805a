"""What stands before Bolt in HTTP mode: only what Slack signed just now, once, and in a shape Bolt can read.

The signature is verified on the raw bytes, before anything is parsed.
https://docs.slack.dev/authentication/verifying-requests-from-slack/
"""

import binascii
import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import orjson
from starlette.datastructures import Headers

from adapters.payloads import Json

MAX_BODY = 2**20
"""Bytes of a body at most. Slack's largest, a form with a whole message in it, stay far below."""
MAX_AGE = 300
"""Seconds the timestamp may be off, either way."""
_MAX_FIELDS = 100
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_JSON, _FORM = "application/json", "application/x-www-form-urlencoded"
_TIMESTAMP, _SIGNATURE, _KIND = b"x-slack-request-timestamp", b"x-slack-signature", b"content-type"
_LENGTH, _RETRY = b"content-length", b"x-slack-retry-num"
_READ = frozenset((_TIMESTAMP, _SIGNATURE, _KIND, _LENGTH, _RETRY))


class NotSlackError(Exception):
    """A request that is not handed on: `status` answers it, the message says why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True, slots=True)
class Head:
    """What the headers of a request say, once each."""

    timestamp: str
    signature: str
    form: bool
    again: bool


class Guard:
    """Lets in what was signed with one of the secrets: two of them while the secret is rotated."""

    def __init__(self, secrets: Sequence[str], *, clock: Callable[[], float] = time.time) -> None:
        """Keeps the signatures of five minutes, and nothing else, in memory."""
        self._secrets = tuple(secret.encode() for secret in secrets)
        self._clock = clock
        self._taken: dict[str, int] = {}

    def read_head(self, headers: Headers) -> Head:
        """Read the headers, before the body is. NotSlackError where they are missing, doubled, too old or too big."""
        given = _given(headers)
        timestamp, signature = _once(given, _TIMESTAMP), _once(given, _SIGNATURE)
        kind = _once(given, _KIND).partition(";")[0].strip().lower()
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 16):
            raise NotSlackError(400, "the timestamp is no number")
        if abs(self._clock() - int(timestamp)) > MAX_AGE:
            raise NotSlackError(401, "the timestamp is more than five minutes off")
        if kind not in (_JSON, _FORM):
            raise NotSlackError(415, "neither JSON nor a form")
        length = given.get(_LENGTH, [""])[0]
        if length.isdigit() and (len(length) > 15 or int(length) > MAX_BODY):
            raise NotSlackError(413, "the body is too big")
        return Head(timestamp, signature, kind == _FORM, _RETRY in given)

    def verify(self, head: Head, body: bytes) -> None:
        """Compare the signature with what each secret makes of these very bytes."""
        signed = b"v0:%b:%b" % (head.timestamp.encode(), body)
        # Bytes, as compare_digest raises on text that is not ASCII; and every secret, whichever it was.
        given = head.signature.encode("latin-1", "replace")
        made = [b"v0=" + hmac.digest(secret, signed, hashlib.sha256).hex().encode() for secret in self._secrets]
        if not any([hmac.compare_digest(one, given) for one in made]):
            raise NotSlackError(401, "the signature is not Slack's")

    def was_taken(self, head: Head) -> bool:
        """Whether this very request was acknowledged before; NotSlackError where somebody else plays it again.

        Slack signs a retry anew, under its own second. Only within one second can a retry be the same to the byte, and
        then it is the same event: every body carries an id of its own. So a request is remembered once it is durable
        and acknowledged, never before: what we could not keep is taken when it comes again. What was acknowledged is
        never handed on twice: a retry is acknowledged again (its first answer was lost on the way), all else refused.
        The retry header is not signed; who forges it is told 200 and has done nothing.
        """
        if head.signature not in self._taken:
            return False
        if not head.again:
            raise NotSlackError(409, "this request was taken before")
        return True

    def remember(self, head: Head) -> None:
        """Let this request in no more. Forgotten when its timestamp is too old to be let in; a restart forgets all."""
        oldest = self._clock() - MAX_AGE
        # They come nearly in the order of their timestamps: looking at the first ones is enough.
        while self._taken and self._taken[first := next(iter(self._taken))] < oldest:
            del self._taken[first]
        self._taken[head.signature] = int(head.timestamp)


def read_body(body: bytes, *, form: bool) -> Json:
    """Parse a body, once for everybody, so that nobody reads it otherwise. NotSlackError where it cannot be read."""
    try:
        payload = _in_form(body) if form else _parsed(body)
    except (ValueError, RecursionError) as error:
        raise NotSlackError(400, "the body cannot be read") from error
    if not isinstance(payload, dict) or not payload:
        raise NotSlackError(400, "the body is no object")
    return payload


def _in_form(body: bytes) -> object:
    """The fields of a slash command, or the JSON in a form's `payload`."""
    if _BROKEN_ESCAPE.search(body):
        raise ValueError("an escape is cut")
    pairs = [field.split(b"=", 1) for field in body.split(b"&", _MAX_FIELDS)]
    fields = {_unescaped(name): _unescaped(value) for name, value in pairs}
    if len(fields) != len(pairs) or len(pairs) > _MAX_FIELDS:
        raise ValueError("a field comes twice, or there are too many")
    return _parsed(fields["payload"].encode()) if "payload" in fields else fields


def _parsed(text: bytes) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        # It refuses half an emoji, which is JSON all the same.
        return json.loads(text.decode())


def _unescaped(text: bytes) -> str:
    """Undo a form's escapes. As those of mail they take 3 ms in a megabyte; urllib would take 100."""
    return binascii.a2b_qp(text.replace(b"=", b"=3D").replace(b"+", b" ").replace(b"%", b"=")).decode()


def _given(headers: Headers) -> dict[bytes, list[str]]:
    """The headers that are read, in one go: to ask for each would cost as much as the signature does."""
    given: dict[bytes, list[str]] = {}
    for name, value in headers.raw:
        if name in _READ:
            given.setdefault(name, []).append(value.decode("latin-1"))
    return given


def _once(given: Mapping[bytes, list[str]], name: bytes) -> str:
    values = given.get(name, [])
    if len(values) != 1 or not values[0]:
        said = name.decode()
        raise NotSlackError(400, f"{said} is there {len(values)} times" if values else f"{said} is missing")
    return values[0]
