"""Requests as nobody should send them, made of Slack's own payloads: the same from a seed, but for the clock."""

import copy
import hashlib
import hmac
import json
import random
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_plus, urlencode

from adapters.slack import guard

SECRETS = ("the new secret", "the old secret")
JSON, FORM = b"application/json", b"application/x-www-form-urlencoded"
PAYLOADS = [
    json.loads(path.read_text()) for path in sorted((Path(__file__).parent / "payloads" / "slack").glob("*.json"))
]
WORDS = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "\ud800",
    "x\udc00y",
    "\ufeff",
    "𝕏" * 50,
    "<@U0BOT>",
    "<",
    "<@",
    "&lt;" * 9,
    "E1",
    "D1",
)
NUMBERS = (0, -1, 1, 2**31, 2**53 + 1, 2**63, 2**64, -(2**64), 10**400, 1e308, -0.0, float("nan"), float("inf"))
READ_BY_BOLT = (
    *("authorizations", "enterprise", "team", "team_id", "enterprise_id", "user", "user_id", "view", "channel"),
    *("channel_id", "event", "message", "container", "actions", "response_url", "response_urls", "function_data"),
    *("is_ext_shared_channel", "is_enterprise_install", "assistant_thread", "ssl_check", "token", "type", "challenge"),
    *("thread_ts", "message_ts", "item", "files", "edited", "previous_message", "subtype", "bot_access_token"),
)
"""Also what we read ourselves."""
FLOODS = (
    "[",
    '{"a":',
    '"',
    "<",
    "<@U0BOT>",
    "<@U0BOT> ",
    "'",
    "' ",
    "&amp;",
    "%",
    "%41",
    "a=",
    "&",
    " ",
    "\\u0000",
    "é",
)


@dataclass
class Case:
    """A request, and what was done to it."""

    headers: list[tuple[bytes, bytes]]
    body: bytes
    did: list[str]

    @property
    def is_signed(self):
        """Worked out by other means than the guard's."""
        stamps = [value for name, value in self.headers if name == b"x-slack-request-timestamp"]
        given = [value for name, value in self.headers if name == b"x-slack-signature"]
        if len(stamps) != 1 or len(given) != 1 or not stamps[0].isdigit() or abs(time.time() - int(stamps[0])) > 305:
            return False
        return given[0] in [signature(secret, stamps[0], self.body) for secret in SECRETS]


def signature(secret, stamp, body):
    digest = hmac.new(secret.encode(), b"v0:" + stamp + b":" + body, hashlib.sha256)
    return b"v0=" + digest.hexdigest().encode()


class Maker:
    """Makes the same cases from the same seed, but for the clock."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self._before = None
        self._made = 0

    def case(self):
        if self._before is not None and self.chance.random() < 0.02:
            return Case(self._before.headers, self._before.body, [*self._before.did, "again"])
        case = Case([], b"", [])
        case.body, kind = self._body(case.did)
        self._sign(case, kind)
        if self.chance.random() < 0.3:
            self._spoil_headers(case)
        if self.chance.random() < 0.1:
            self._before = case
        return case

    # --- bodies -------------------------------------------------------------------------------------------------------

    def _body(self, did):
        if self.chance.random() < 0.004:
            return self._flood(did)
        payload = copy.deepcopy(self.chance.choice(PAYLOADS))
        self._freshen(payload)
        for _ in range(self.chance.choice((0, 1, 1, 1, 2, 3, 5))):
            self._spoil(payload, did)
        body, kind = self._written(payload, did)
        if self.chance.random() < 0.3:
            body = self._spoil_bytes(body, did)
        if self.chance.random() < 0.03:
            kind = self.chance.choice(
                (JSON, FORM, b"text/plain", b"", b"application/json; charset=utf-16", b"\xff/\xfe")
            )
            did.append(f"type {kind!r}")
        return body, kind

    def _flood(self, did):
        """A megabyte of the same."""
        what, inside = self.chance.choice(FLOODS), self.chance.choice(("raw", "text", "payload"))
        did.append(f"flood of {what!r}, {inside}")
        many = what * ((guard.MAX_BODY - 4_000) // len(what.encode()))
        if inside == "raw":
            return many.encode(), self.chance.choice((JSON, FORM))
        if inside == "payload":
            return b"payload=" + many.encode(), FORM
        payload = copy.deepcopy(self.chance.choice(PAYLOADS))
        place = payload.get("event", payload)
        many = many.replace("\\u0000", "\x00")[: guard.MAX_BODY // 2]
        place["text"] = many
        if isinstance(place.get("message"), dict):
            place["message"]["text"] = many
        return self._written(payload, did)

    def _freshen(self, payload):
        """Give it an identity of its own, so that the desk does not know it yet."""
        self._made += 1
        for place in (payload, payload.get("event"), payload.get("message")):
            if isinstance(place, dict):
                place.update(
                    {key: f"{place[key]}{self._made}" for key in ("ts", "event_id", "trigger_id") if key in place}
                )

    def _spoil(self, payload, did):
        """Change one thing somewhere."""
        place, key = self._somewhere(payload)
        what = self.chance.choice(("value", "value", "value", "drop", "key", "swap", "add", "add"))
        did.append(f"{what} {str(key)[:40]!r}")
        if what == "value":
            place[key] = self._value(payload)
        elif what == "drop":
            del place[key]
        elif what == "key" and isinstance(place, dict):
            place[str(self._word())] = place.pop(key)
        elif what == "swap":
            other, where = self._somewhere(payload)
            place[key], other[where] = copy.deepcopy(other[where]), copy.deepcopy(place[key])
        else:
            holder = place if isinstance(place, dict) else payload
            holder[self.chance.choice(READ_BY_BOLT)] = self._value(payload)

    def _somewhere(self, payload):
        places = [place for place in walk(payload) if place]
        if not places:
            payload["type"] = "message"
            places = [payload]
        place = self.chance.choice(places)
        return place, self.chance.choice(list(place) if isinstance(place, dict) else range(len(place)))

    def _value(self, payload):
        kind = self.chance.randrange(12)
        if kind == 0:
            return self.chance.choice(NUMBERS)
        if kind in (1, 2):
            return self._word()
        if kind == 3:
            return nested(self.chance.choice((2, 20, 200)), self.chance.choice(("a", "authorizations", "event")))
        if kind == 4:
            return copy.deepcopy(self._somewhere(payload)[0])
        if kind == 5:
            return {self.chance.choice(READ_BY_BOLT): self._word(), "id": self.chance.choice(NUMBERS)}
        return self.chance.choice((None, True, False, [], {}, [None], [[]], [{}], "1", 5))

    def _word(self):
        if self.chance.random() < 0.05:
            return self.chance.choice(WORDS) * self.chance.choice((100, 5_000))
        return self.chance.choice(WORDS)

    def _written(self, payload, did):
        text = json.dumps(payload, ensure_ascii=self.chance.random() < 0.5)
        if "command" in payload and self.chance.random() < 0.9:
            did.append("fields")
            fields = {key: value if isinstance(value, str) else json.dumps(value) for key, value in payload.items()}
            return urlencode(fields, errors="surrogatepass").encode(), FORM
        if "event" not in payload or self.chance.random() < 0.1:
            did.append("payload")
            return b"payload=" + quote_plus(text, errors="surrogatepass").encode(), FORM
        return text.encode("utf-8", "surrogatepass"), JSON

    def _spoil_bytes(self, body, did):  # noqa: C901 - a list of ways
        at, end = sorted((self.chance.randrange(len(body) + 1), self.chance.randrange(len(body) + 1)))
        what = self.chance.randrange(12)
        did.append(f"bytes {what}")
        junk = self.chance.choice(
            (b"\x00", b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", b"%ZZ", b"\\ud800", b"{", b"}", b"=&=", b"\n")
        )
        match what:
            case 0 | 1:
                return body[:at]
            case 2 | 3:
                return body[:at] + junk + body[at:]
            case 4:
                return body[:at] + body[end:]
            case 5:
                return body[:end] + body[at:end] * 3 + body[end:]
            case 6:
                flipped = bytearray(body)
                for _ in range(min(3, len(flipped))):
                    flipped[self.chance.randrange(len(flipped))] = self.chance.randrange(256)
                return bytes(flipped)
            case 7:
                return body.decode("utf-8", "replace").encode(self.chance.choice(("utf-16", "utf-32", "utf-8-sig")))
            case 8:
                depth = self.chance.choice((10, 900, 1_100, 20_000))
                return b'{"event":' * depth + body + b"}" * depth
            case 9:
                return body.replace(b'"type":', b'"type": 5, "type":').replace(b"text=", b"text=1&text=")
            case 10:
                digits = b"9" * self.chance.choice((30, 4_000, 5_000))
                return body.replace(b'"ts": "', b'"size": ' + digits + b', "ts": "', 1)
        return self.chance.choice((b"", b"[]", b"null", b'""', b"{}", b"[{}]", b"payload=", b"payload=null", junk))

    # --- headers ------------------------------------------------------------------------------------------------------

    def _sign(self, case, kind):
        stamp = str(int(time.time())).encode()
        signed = signature(self.chance.choice(SECRETS), stamp, case.body)
        case.headers = [
            (b"content-type", kind),
            (b"x-slack-request-timestamp", stamp),
            (b"x-slack-signature", signed),
            (b"content-length", str(len(case.body)).encode()),
        ]
        if self.chance.random() < 0.1:
            case.headers += [(b"x-slack-retry-num", b"1"), (b"x-slack-retry-reason", b"http_timeout")]

    def _spoil_headers(self, case):
        what = self.chance.choice(("drop", "double", "value", "value", "secret", "stale", "body", "add"))
        at = self.chance.randrange(len(case.headers))
        name, value = case.headers[at]
        case.did.append(f"header {what} {name.decode()}")
        match what:
            case "drop":
                del case.headers[at]
            case "double":
                case.headers.append((name, self.chance.choice((value, b""))))
            case "value":
                case.headers[at] = (name, self._header_value(value))
            case "secret":
                self._sign_as(case, case.headers, "another secret", 0)
            case "stale":
                self._sign_as(case, case.headers, SECRETS[0], self.chance.choice((-301, 310, -(10**9), 10**12)))
            case "body":
                case.body += b" "
            case "add":
                case.headers.append(
                    self.chance.choice(
                        (
                            (b"x-slack-bolt-lazy-only", b"1"),
                            (b"content-encoding", b"gzip"),
                            (b"transfer-encoding", b"chunked"),
                            (b"cookie", b"\xff" * 3_000),
                            (b"x-slack-retry-num", b"many"),
                        )
                    )
                )

    def _sign_as(self, case, headers, secret, seconds):
        stamp = str(int(time.time()) + seconds).encode()
        changed = {b"x-slack-request-timestamp": stamp, b"x-slack-signature": signature(secret, stamp, case.body)}
        case.headers = [(name, changed.get(name, value)) for name, value in headers]

    def _header_value(self, value):
        return self.chance.choice(
            (
                b"",
                b"0",
                b"-1",
                b"1e9",
                b"\xff\xfe",
                b"\xd9\xa3",
                b"9" * 400,
                b"nan",
                value[:-1],
                value.upper(),
                b" " + value,
                value * 2,
            )
        )


def walk(value):
    """Every dict and list in it."""
    waiting = [value]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, dict | list):
            yield inner
            waiting += inner.values() if isinstance(inner, dict) else inner


def nested(depth, key):
    value = {"id": 1}
    for level in range(depth):
        value = {key: [value]} if level % 2 else {key: value}
    return value
