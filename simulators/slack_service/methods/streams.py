"""Streamed answers: start, append, stop."""

from simulators.slack_service import limits
from simulators.slack_service.context import Context
from simulators.slack_service.errors import RefusedError
from simulators.slack_service.methods.posting import thread_of
from simulators.slack_service.model import Channel, Json, Message
from simulators.slack_service.shapes import message_json

RECIPIENT = ("recipient_user_id", "recipient_team_id")


def start(context: Context) -> Json:
    """Open a stream in a thread. It takes no metadata; outside a DM it needs a recipient."""
    channel = context.joined_channel()
    context.args.required("thread_ts")
    for name in RECIPIENT:
        if channel.kind != "im" and name not in context.args:
            raise RefusedError(f"missing_{name}")
    message = Message(
        context.world.stamps.new(),
        channel.id,
        context.install.user,
        context.install.team,
        _text(context),
        thread_of(context, channel),
        bot_id=context.install.bot_id,
        app_id=context.world.app.id,
        stream="in_progress",
    )
    context.happenings.post(message)
    _set_session(context, message, "processing")
    return {"channel": channel.id, "ts": message.ts}


def append(context: Context) -> Json:
    """Add text to an open stream."""
    channel, message = _open_stream(context)
    if "markdown_text" not in context.args and "chunks" not in context.args:
        raise RefusedError("no_text")
    message.text += _text(context)
    return {"channel": channel.id, "ts": message.ts}


def stop(context: Context) -> Json:
    """Close a stream, with its last text, its blocks and its metadata."""
    channel, message = _open_stream(context)
    blocks = context.args.objects("blocks", "invalid_blocks_format")
    metadata = context.args.object("metadata", "invalid_metadata_format")
    limits.check_blocks(blocks)
    limits.check_metadata(metadata)
    message.text += _text(context)
    message.blocks = [*message.blocks, *blocks]
    message.metadata = metadata
    context.happenings.finish_stream(message)
    _set_session(context, message, context.args.text("session_status") or "active")
    return {"channel": channel.id, "ts": message.ts, "message": message_json(message, channel, metadata=True)}


def _open_stream(context: Context) -> tuple[Channel, Message]:
    channel = context.joined_channel()
    message = context.own_message(channel, "message_not_owned_by_app")
    if message.stream != "in_progress":
        raise RefusedError("message_not_in_streaming_state")
    return channel, message


def _set_session(context: Context, message: Message, state: str) -> None:
    shown = context.world.threads.setdefault((message.channel, message.thread_ts or ""), {})
    shown |= {"session": state, "status": ""}


def _text(context: Context) -> str:
    args = context.args
    chunks = args.objects("chunks", "invalid_chunks")
    if chunks and "markdown_text" in args:
        raise RefusedError("cannot_provide_both_markdown_text_and_chunks")
    text = args.text("markdown_text") + "".join(map(_chunk_text, chunks))
    limits.check_markdown(text)
    return text


def _chunk_text(chunk: Json) -> str:
    if chunk.get("type") == "markdown_text":
        return str(chunk.get("text", ""))
    if chunk.get("type") in ("task_update", "plan_update"):
        return f"\n[{chunk.get('title', '')}]\n"
    raise RefusedError("invalid_chunks")
