"""Writing: post, update, delete, whisper."""

import re

from simulators.slack_service import limits
from simulators.slack_service.context import Context
from simulators.slack_service.errors import RefusedError
from simulators.slack_service.model import Channel, Json, Message
from simulators.slack_service.shapes import message_json

STAMP = re.compile(r"\d+\.\d{6}")


def post(context: Context) -> Json:
    """Post a message as the app."""
    channel = _target(context)
    message = _written(context, channel)
    args = context.args
    message.thread_ts = thread_of(context, channel)
    message.metadata = args.object("metadata", "invalid_metadata_format")
    message.unfurl = args.flag("unfurl_links", default=True)
    if message.thread_ts and args.flag("reply_broadcast"):
        message.subtype = "thread_broadcast"
    limits.check_metadata(message.metadata)
    context.happenings.post(message)
    clear_status(context, message)
    return {"channel": channel.id, "ts": message.ts, "message": message_json(message, channel, metadata=True)}


def update(context: Context) -> Json:
    """Change one of the app's own messages."""
    channel = context.joined_channel()
    message = context.own_message(channel, "cant_update_message")
    if message.stream == "in_progress":
        raise RefusedError("streaming_state_conflict")
    if len(context.args.text("text")) > limits.UPDATE_TEXT:
        raise RefusedError("msg_too_long")
    changes = _changes(context, message)
    # From now on it is a message like any other: what was streamed is replaced, not added to.
    message.stream = ""
    context.happenings.edit(message, context.install.user, changes)
    body = message_json(message, channel, metadata=True)
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": body}


def delete(context: Context) -> Json:
    """Delete one of the app's own messages; not while it streams."""
    channel = context.channel()
    message = context.own_message(channel, "cant_delete_message")
    if message.stream == "in_progress":
        raise RefusedError("cant_delete_message")
    context.happenings.delete(message)
    return {"channel": channel.id, "ts": message.ts}


def whisper(context: Context) -> Json:
    """Post a message that only one user sees and nothing keeps."""
    channel = context.joined_channel()
    user = context.args.required("user")
    if user not in channel.members:
        raise RefusedError("user_not_in_channel")
    message = _written(context, channel)
    message.thread_ts = thread_of(context, channel)
    message.visible_to = user
    channel.ephemerals[message.ts] = message
    return {"message_ts": message.ts}


def permalink(context: Context) -> Json:
    """Give a message's address."""
    channel = context.channel()
    message = channel.messages.get(context.args.text("message_ts"))
    if message is None:
        raise RefusedError("message_not_found")
    return {"channel": channel.id, "permalink": context.world.permalink(message)}


def thread_of(context: Context, channel: Channel) -> str | None:
    """Give the thread a message goes to; a reply's own timestamp leads to its root, a deleted root still opens."""
    ts = context.args.text("thread_ts")
    if not ts:
        return None
    root = channel.messages.get(ts)
    if not STAMP.fullmatch(ts) or (root is None and ts not in channel.graves):
        raise RefusedError("invalid_thread_ts")
    return (root.thread_ts or ts) if root else ts


def _target(context: Context) -> Channel:
    """Give the channel to post to; a user's id means the direct conversation with that user."""
    wanted = context.args.text("channel")
    if wanted in context.world.users:
        return context.world.direct(context.install.team, [context.install.user, wanted])
    return context.joined_channel()


def _written(context: Context, channel: Channel) -> Message:
    args, install = context.args, context.install
    blocks = args.objects("blocks", "invalid_blocks_format")
    attachments = args.objects("attachments", "invalid_attachments")
    markdown = args.text("markdown_text")
    if markdown and ("text" in args or blocks):
        raise RefusedError("markdown_text_conflict")
    if not (args.text("text") or markdown or blocks or attachments):
        raise RefusedError("no_text")
    limits.check_markdown(markdown)
    limits.check_blocks(blocks)
    return Message(
        context.world.stamps.new(),
        channel.id,
        install.user,
        install.team,
        markdown or args.text("text")[: limits.POST_TEXT],
        bot_id=install.bot_id,
        app_id=context.world.app.id,
        blocks=blocks,
        attachments=attachments,
    )


def _changes(context: Context, message: Message) -> Json:
    args = context.args
    changes: Json = {}
    if "text" in args:
        changes["text"] = args.text("text")
    if "blocks" in args:
        changes["blocks"] = args.objects("blocks", "invalid_blocks_format")
        limits.check_blocks(changes["blocks"])
    if "attachments" in args:
        changes["attachments"] = args.objects("attachments", "invalid_attachments")
    if "metadata" in args:
        changes["metadata"] = args.object("metadata", "invalid_metadata_format")
        limits.check_metadata(changes["metadata"])
    if not changes.keys() - {"metadata"} or not (changes.get("text", message.text) or changes.get("blocks")):
        raise RefusedError("no_text")
    return changes


def clear_status(context: Context, message: Message) -> None:
    """Take the status away where something is posted."""
    shown = context.world.threads.get((message.channel, message.thread_ts or ""))
    if shown:
        shown["status"] = ""
