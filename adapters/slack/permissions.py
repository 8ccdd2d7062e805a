"""What we ask of a workspace, each with its reason: the docs show it, `deskmate doctor --slack` checks it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """A permission of the bot. An `optional` one may be refused; an `agent` one belongs to Slack's agent surface."""

    name: str
    why: str
    optional: bool = False
    agent: bool = False


@dataclass(frozen=True, slots=True)
class Subscription:
    """An event Slack tells us of, and the scopes of which it needs one."""

    name: str
    why: str
    scopes: tuple[str, ...] = ()
    agent: bool = False


APP_TOKEN_SCOPE = "connections:write"  # noqa: S105 - the scope of the app-level token, not a token
"""What the app-level token of Socket Mode needs; no manifest can ask for it."""

SCOPES: tuple[Scope, ...] = (
    Scope("app_mentions:read", "hear when somebody mentions it in a channel"),
    Scope("assistant:write", "show status, stop button and suggested prompts, and stream answers", agent=True),
    Scope("channels:history", "follow a thread it was mentioned in, in public channels; find its own messages again"),
    Scope("chat:write", "answer, and change its own answers when they are taken back"),
    Scope("commands", "offer /desk, /ticket-summary and the message shortcuts"),
    Scope("files:read", "see whether a file it sent is there, so that none is sent twice"),
    Scope("files:write", "send people all that is kept of them, as a file, when they say export"),
    Scope("groups:history", "the same as channels:history, in private channels it was invited to"),
    Scope("im:history", "read direct messages to it; catch up on those sent while it was down"),
    Scope("metadata.message:read", "find an answer again by its key after a crash, so that none is posted twice"),
    Scope("mpim:history", "the same as channels:history, in group direct messages it was added to"),
    Scope("reactions:read", "undo, redo, retry and the other reactions"),
    Scope("users:read", "call people by their name, know their language and time zone"),
    Scope("usergroups:read", "give roles to user groups", optional=True),
    Scope("users:read.email", "know a customer's e-mail address", optional=True),
)

EVENTS: tuple[Subscription, ...] = (
    Subscription("agent_session_stopped", "Slack's own stop button", agent=True),
    Subscription("app_home_opened", "draw the Home tab"),
    Subscription("app_mention", "a question in a channel", ("app_mentions:read",)),
    Subscription("app_uninstalled", "forget the workspace's tokens"),
    Subscription("message.channels", "follow-ups, edits and deletions in public channels", ("channels:history",)),
    Subscription("message.groups", "the same in private channels", ("groups:history",)),
    Subscription("message.im", "direct messages", ("im:history",)),
    Subscription("message.mpim", "the same in group direct messages", ("mpim:history",)),
    Subscription("reaction_added", "words said as reactions", ("reactions:read",)),
    Subscription("reaction_removed", "a reaction taken off brings back what it took", ("reactions:read",)),
    Subscription("tokens_revoked", "forget tokens that no longer work"),
)
