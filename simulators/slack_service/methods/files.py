"""Files: announced, uploaded to the address that is given, completed; and described."""

from simulators.slack_service.context import Context
from simulators.slack_service.errors import RefusedError
from simulators.slack_service.methods.posting import clear_status, thread_of
from simulators.slack_service.model import Channel, Json, Message

LARGEST = 1_073_741_824
"""Bytes of one file."""


def info(context: Context) -> Json:
    """Describe a file."""
    file = context.world.files.get(context.args.text("file"))
    if file is None:
        raise RefusedError("file_not_found")
    return {"file": file, "comments": []}


def announce(context: Context) -> Json:
    """Give the address for a file's bytes."""
    name, length = context.args.required("filename"), context.args.number("length", 0)
    if length <= 0:
        raise RefusedError("missing_argument")
    if length > LARGEST:
        raise RefusedError("file_upload_size_restricted")
    ticket, id_ = context.uploads.announce(context.install, name, length)
    return {"upload_url": f"{context.interactivity.base_url}/upload/{ticket}", "file_id": id_}


def complete(context: Context) -> Json:
    """Finish uploads and, where a channel is named, show the files there. What is shared is not told here."""
    named = context.args.objects("files", "invalid_arguments")
    if not named:
        raise RefusedError("invalid_arguments", "missing required field: files")
    # A direct conversation by its own id only, unlike chat.postMessage.
    channel = context.joined_channel("channel_id") if "channel_id" in context.args else None
    thread = thread_of(context, channel) if channel else None
    uploads = [context.uploads.ready(context.install, str(each.get("id", ""))) for each in named]
    titles = [str(each.get("title", "")) for each in named]
    user = context.install.user
    files = [context.uploads.complete(*each, user) for each in zip(uploads, titles, strict=True)]
    if channel:
        message = _message(context, channel, thread)
        context.uploads.share(files, message, channel)
        clear_status(context, message)
    return {"files": [{"id": file["id"], "title": file["title"]} for file in files]}


def _message(context: Context, channel: Channel, thread: str | None) -> Message:
    install = context.install
    return Message(
        context.world.stamps.new(),
        channel.id,
        install.user,
        install.team,
        context.args.text("initial_comment"),
        thread,
        bot_id=install.bot_id,
        app_id=context.world.app.id,
    )
