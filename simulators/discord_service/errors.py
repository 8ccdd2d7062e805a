"""How Discord says no."""

from simulators.discord_service.model import Json

WORDS: dict[int, tuple[int, str]] = {
    0: (404, "404: Not Found"),
    10003: (404, "Unknown Channel"),
    10004: (404, "Unknown Guild"),
    10007: (404, "Unknown Member"),
    10008: (404, "Unknown Message"),
    10013: (404, "Unknown User"),
    10014: (400, "Unknown Emoji"),
    10015: (404, "Unknown Webhook"),
    10062: (404, "Unknown interaction"),
    10063: (404, "Unknown application command"),
    40060: (400, "Interaction has already been acknowledged."),
    50001: (403, "Missing Access"),
    50005: (403, "Cannot edit a message authored by another user"),
    50006: (400, "Cannot send an empty message"),
    50007: (403, "Cannot send messages to this user"),
    50008: (400, "Cannot send messages in a non-text channel"),
    50013: (403, "Missing Permissions"),
    50016: (
        400,
        "Provided too few or too many messages to delete. Must provide at least 2 and fewer than 100 messages.",
    ),
    50021: (403, "Cannot execute action on a system message"),
    50024: (400, "Cannot execute action on this channel type"),
    50027: (401, "Invalid Webhook Token"),
    50034: (400, "A message provided was too old to bulk delete"),
    50035: (400, "Invalid Form Body"),
    50083: (400, "Thread is archived"),
    50109: (400, "The request body contains invalid JSON."),
    160004: (400, "A thread has already been created for this message"),
    160005: (403, "Thread is locked"),
}


class RefusedError(Exception):
    """A call Discord refuses, with its JSON error code. Unknown codes are 400 unless `status` says more."""

    def __init__(self, code: int, *, status: int | None = None, errors: Json | None = None) -> None:
        usual, words = WORDS.get(code, (400, "Refused"))
        super().__init__(f"{code}: {words}")
        self.code = code
        self.status = status or usual
        self.words = words
        self.errors = errors or {}

    def answer(self) -> Json:
        """Give the body of the answer."""
        body: Json = {"message": self.words, "code": self.code}
        return body | ({"errors": self.errors} if self.errors else {})


class WrongTokenError(RefusedError):
    """A call without the app's token."""

    def __init__(self) -> None:
        super().__init__(0, status=401)
        self.words = "401: Unauthorized"


def invalid(field: str, code: str, message: str) -> RefusedError:
    """Give the refusal of one field, by its dotted name such as `embeds.0.title`."""
    errors: Json = {"_errors": [{"code": code, "message": message}]}
    for part in reversed(field.split(".")):
        errors = {part: errors}
    return RefusedError(50035, errors=errors)
