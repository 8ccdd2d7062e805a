"""What the service answers instead of doing what was asked."""

from typing import Any


class RefusedError(Exception):
    """A Web API call answered with `ok: false`."""

    def __init__(self, error: str, *messages: str, **fields: str) -> None:
        super().__init__(error)
        self.error = error
        self.messages = messages
        self.fields = fields

    def answer(self) -> dict[str, Any]:
        """Give the body Slack sends."""
        body: dict[str, Any] = {"ok": False, "error": self.error, **self.fields}
        if self.messages:
            body["response_metadata"] = {"messages": [f"[ERROR] {message}" for message in self.messages]}
        return body


class NotAcknowledgedError(Exception):
    """The app did not answer an envelope in time, or with an error."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.final = final
