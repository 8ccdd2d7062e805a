"""What the app needs in a server, and the link that invites it with exactly that."""

from dataclasses import dataclass
from urllib.parse import urlencode

import discord


@dataclass(frozen=True, slots=True)
class Permission:
    """A permission of the app's role: its name in the API, as Discord shows it, and what for."""

    name: str
    label: str
    why: str
    in_forums: bool = False
    """Whether it matters in a forum, where people open the threads themselves."""


PERMISSIONS: tuple[Permission, ...] = (
    Permission("view_channel", "View Channels", "read what is said to it", in_forums=True),
    Permission("send_messages", "Send Messages", "answer"),
    Permission("send_messages_in_threads", "Send Messages in Threads", "answer in threads and posts", in_forums=True),
    Permission("create_public_threads", "Create Public Threads", "open a thread below a question"),
    Permission("create_private_threads", "Create Private Threads", "open a thread for one person, for `/ask`"),
    Permission(
        "read_message_history",
        "Read Message History",
        "read what was said while it was down, and find its own messages again",
        in_forums=True,
    ),
)

NEEDED = discord.Permissions(**{permission.name: True for permission in PERMISSIONS})
"""All of them: what the invite link asks for."""

SCOPES = ("bot", "applications.commands")
INVITE = "https://discord.com/oauth2/authorize"


def invite_url(application: str) -> str:
    """The link by which whoever manages a server invites the app."""
    query = {"client_id": application, "scope": " ".join(SCOPES), "permissions": NEEDED.value}
    return f"{INVITE}?{urlencode(query)}"
