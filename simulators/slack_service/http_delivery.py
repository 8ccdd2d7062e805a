"""The Events API over HTTP: signed posts to the app's request URL."""

import json
from collections.abc import Callable
from urllib.parse import urlencode

import aiohttp

from simulators.slack_service.delivery import Answer, Envelope
from simulators.slack_service.errors import NotAcknowledgedError
from simulators.slack_service.model import Json
from simulators.slack_service.signing import sign

FORM = "application/x-www-form-urlencoded"


class HttpDelivery:
    """Posts envelopes to one URL."""

    def __init__(self, url: str, secret: str, *, session: aiohttp.ClientSession, clock: Callable[[], float]) -> None:
        self.url = url
        self._secret = secret
        self._session = session
        self._clock = clock

    async def attempt(self, envelope: Envelope, seconds: float) -> Answer:
        """Post once; anything but 2xx in time is no acknowledgement."""
        body, content_type = encode(envelope)
        headers = self.signed(body) | retry_headers(envelope) | {"Content-Type": content_type}
        timeout = aiohttp.ClientTimeout(total=seconds)
        try:
            async with self._session.post(self.url, data=body, headers=headers, timeout=timeout) as response:
                text = await response.text()
        except TimeoutError as error:
            raise NotAcknowledgedError("http_timeout") from error
        except aiohttp.ClientError as error:
            raise NotAcknowledgedError("connection_failed") from error
        if not 200 <= response.status < 300:
            raise NotAcknowledgedError("http_error", final=response.headers.get("X-Slack-No-Retry") == "1")
        return decode(text)

    def signed(self, body: bytes) -> dict[str, str]:
        """Give the headers that prove where a request comes from."""
        timestamp = str(int(self._clock()))
        return {
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": sign(self._secret, timestamp, body),
        }

    async def verify(self, seconds: float) -> bool:
        """Ask the app to prove that the URL is its own, as Slack does when it is saved."""
        challenge: Json = {"token": "simulated", "challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}
        envelope = Envelope("events_api", challenge | {"type": "url_verification"}, attempts=1)
        answer = await self.attempt(envelope, seconds)
        said = answer.get("challenge") if isinstance(answer, dict) else answer
        return bool(said == challenge["challenge"])


def encode(envelope: Envelope) -> tuple[bytes, str]:
    """Write the body as this kind of envelope travels: JSON, a form, or JSON inside a form."""
    if envelope.kind == "events_api":
        return json.dumps(envelope.payload).encode(), "application/json"
    form = envelope.payload if envelope.kind == "slash_commands" else {"payload": json.dumps(envelope.payload)}
    return urlencode(form).encode(), FORM


def retry_headers(envelope: Envelope) -> dict[str, str]:
    """Say the how-manieth retry this is, and why; nothing on the first attempt."""
    if envelope.attempts <= 1:
        return {}
    return {"X-Slack-Retry-Num": str(envelope.attempts - 1), "X-Slack-Retry-Reason": envelope.reasons[-1]}


def decode(text: str) -> Answer:
    """Read an acknowledgement: nothing, JSON, or plain words."""
    if not text.strip():
        return None
    try:
        answer = json.loads(text)
    except ValueError:
        return text
    return answer if isinstance(answer, dict) else text
