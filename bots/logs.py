"""Lines of the log, as text or as JSON: ids and no content. What is worked on stands in each line about it."""

import json
import logging
from datetime import UTC, datetime
from typing import Literal

from core.working import WORKING


def set_up(*, verbose: bool) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(_Verbose() if verbose else _OneLine())
    logging.basicConfig(handlers=[handler], level=logging.INFO if verbose else logging.WARNING)


def write_as(form: Literal["text", "json"]) -> None:
    """Write JSON from here on, if that is wanted. Lines before the settings were read are text."""
    if form == "json":
        for handler in logging.root.handlers:
            handler.setFormatter(_Json())


def _suffix() -> str:
    now = WORKING.get()
    return f" [event {now.event}, session {now.session}]" if now else ""


class _Verbose(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        return super().formatMessage(record) + _suffix()


class _OneLine(logging.Formatter):
    """A line for each record: of an error its kind and place, not its words, which may be somebody's."""

    def format(self, record: logging.LogRecord) -> str:
        line = f"deskmate: {record.getMessage()}{_suffix()}"
        error = record.exc_info[1] if record.exc_info else None
        return f"{line} ({type(error).__name__}; -v shows where)" if error else line


class _Json(logging.Formatter):
    """An object for each record; of an error its kind and where it came from, never its words."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        now = WORKING.get()
        return json.dumps(line | (now._asdict() if now else {}) | _error(record), ensure_ascii=False)


def _error(record: logging.LogRecord) -> dict[str, object]:
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return {}
    where, frame = [], error.__traceback__
    while frame is not None:
        code = frame.tb_frame.f_code
        where.append(f"{code.co_filename}:{frame.tb_lineno} {code.co_name}")
        frame = frame.tb_next
    return {"error": type(error).__name__, "where": where}
