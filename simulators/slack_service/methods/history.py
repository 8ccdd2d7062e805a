"""Reading back: a channel newest first, a thread oldest first."""

from collections.abc import Iterable

from simulators.slack_service.arguments import Arguments
from simulators.slack_service.context import Context
from simulators.slack_service.errors import RefusedError
from simulators.slack_service.methods.conversations import PREFIX
from simulators.slack_service.methods.paging import page
from simulators.slack_service.model import Channel, Json, Message
from simulators.slack_service.shapes import message_json


def history(context: Context) -> Json:
    """Give a channel's messages without those inside threads, newest first."""
    channel = _readable(context)
    roots = [each for each in channel.messages.values() if each.thread_ts in (None, each.ts) or _broadcast(each)]
    return _answer(context, channel, list(reversed(_between(context.args, roots))))


def replies(context: Context) -> Json:
    """Give a thread, its root always first."""
    channel = _readable(context)
    ts = context.args.required("ts")
    asked = channel.messages.get(ts)
    if asked is None and not channel.replies(ts):
        raise RefusedError("thread_not_found")
    root_ts = asked.thread_ts or ts if asked else ts
    root = channel.messages.get(root_ts)
    found = _between(context.args, channel.replies(root_ts))
    return _answer(context, channel, [root, *found] if root else found)


def _readable(context: Context) -> Channel:
    channel = context.channel()
    context.need(f"{PREFIX[channel.kind]}:history")
    if context.install.user not in channel.members:
        raise RefusedError("not_in_channel")
    return channel


def _broadcast(message: Message) -> bool:
    return message.subtype == "thread_broadcast"


def _between(args: Arguments, messages: Iterable[Message]) -> list[Message]:
    oldest, latest = _time(args, "oldest", 0.0), _time(args, "latest", float("inf"))
    inclusive = args.flag("inclusive")
    return [
        each
        for each in messages
        if oldest < float(each.ts) < latest or (inclusive and float(each.ts) in (oldest, latest))
    ]


def _time(args: Arguments, name: str, default: float) -> float:
    try:
        return float(args.text(name) or default)
    except ValueError as error:
        raise RefusedError(f"invalid_ts_{name}") from error


def _answer(context: Context, channel: Channel, messages: list[Message]) -> Json:
    shown, cursor = page(context.args, messages, default=100)
    metadata = context.args.flag("include_all_metadata")
    body: Json = {"messages": [message_json(each, channel, metadata=metadata) for each in shown]}
    body["has_more"] = bool(cursor)
    return body | ({"response_metadata": {"next_cursor": cursor}} if cursor else {})
