"""A thread that a process wants which speaks no Discord. It needs no library; `adapters.discord.beside` opens it."""

from dataclasses import replace

from core.models import ConversationRef
from core.ports import Notes

WANTED = "beside"


async def want(notes: Notes, ref: ConversationRef, *, key: str, title: str) -> ConversationRef:
    """Want a thread beside a conversation, durable when this returns; what will be its ref."""
    await notes.put(WANTED, key, {"channel": ref.channel, "user": ref.user, "title": title})
    return replace(ref, channel=key, thread=key)
