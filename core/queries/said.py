"""Questions about what belongs to turns: summaries, messages of a platform, feedback."""

from dataclasses import dataclass

from core.queries.query import Query


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """A running summary: of all up to and with `turn`, whose depth is `depth`."""

    turn: str
    depth: int
    owner: str
    body: bytes


@dataclass(frozen=True, slots=True)
class SummaryUpTo(Query[SummaryRow]):
    """The newest running summary on the chain of `head`, looking back at most `turns` turns; at most one."""

    row = SummaryRow
    head: str
    turns: int


@dataclass(frozen=True, slots=True)
class MessageRow:
    """Which turn a platform's message belongs to."""

    key: bytes
    session: bytes
    turn: str | None
    part: str
    owner: str
    body: bytes


@dataclass(frozen=True, slots=True)
class MessageByKey(Query[MessageRow]):
    """One platform message; at most one."""

    row = MessageRow
    key: bytes


@dataclass(frozen=True, slots=True)
class QuestionBy(Query[MessageRow]):
    """A message that a customer said to the desk in a session, answered or not yet; at most one."""

    row = MessageRow
    session: bytes
    owner: str


@dataclass(frozen=True, slots=True)
class MessagesOf(Query[MessageRow]):
    """The platform messages of a turn."""

    row = MessageRow
    turn: str


@dataclass(frozen=True, slots=True)
class FeedbackRow:
    """What somebody thought of a turn."""

    turn: str
    speaker: str
    value: str
    at: int


@dataclass(frozen=True, slots=True)
class FeedbackOf(Query[FeedbackRow]):
    """The feedback on all turns of a session."""

    row = FeedbackRow
    session: bytes


@dataclass(frozen=True, slots=True)
class FeedbackOn(Query[FeedbackRow]):
    """The feedback on one turn."""

    row = FeedbackRow
    turn: str
