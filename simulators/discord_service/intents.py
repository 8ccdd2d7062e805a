"""Which events a session subscribed to, and whose words it may read. Pure."""

from enum import IntFlag

from simulators.discord_service.model import Json


class Intent(IntFlag):
    """The bits that decide about an event this service sends."""

    GUILDS = 1 << 0
    GUILD_MEMBERS = 1 << 1
    GUILD_PRESENCES = 1 << 8
    GUILD_MESSAGES = 1 << 9
    GUILD_MESSAGE_REACTIONS = 1 << 10
    GUILD_MESSAGE_TYPING = 1 << 11
    DIRECT_MESSAGES = 1 << 12
    DIRECT_MESSAGE_REACTIONS = 1 << 13
    DIRECT_MESSAGE_TYPING = 1 << 14
    MESSAGE_CONTENT = 1 << 15


KNOWN = (1 << 26) - 1
PRIVILEGED_BITS = {
    "members": Intent.GUILD_MEMBERS,
    "presences": Intent.GUILD_PRESENCES,
    "message_content": Intent.MESSAGE_CONTENT,
}
MEMBERS_ONLY = ("GUILD_MEMBER_ADD", "GUILD_MEMBER_REMOVE", "GUILD_MEMBER_UPDATE")
ALWAYS = ("READY", "RESUMED", "INTERACTION_CREATE", "GUILD_MEMBERS_CHUNK")
BLANKED: Json = {"content": "", "embeds": [], "attachments": [], "components": []}


def wanted(name: str, intents: int, *, direct: bool) -> bool:
    """Tell whether a session with these intents is sent such an event."""
    return name in ALWAYS or bool(intents & needed(name, direct=direct))


def about_others(name: str, data: Json, app: str) -> bool:
    """Tell whether an event is of other people in a thread, which asks for the members intent as well."""
    if name != "THREAD_MEMBERS_UPDATE":
        return False
    users = [each["user_id"] for each in data.get("added_members", [])] + data.get("removed_member_ids", [])
    return app not in users


def needed(name: str, *, direct: bool) -> Intent:
    """Give the intent an event asks for."""
    if name in MEMBERS_ONLY:
        return Intent.GUILD_MEMBERS
    if name.startswith("MESSAGE_REACTION"):
        return Intent.DIRECT_MESSAGE_REACTIONS if direct else Intent.GUILD_MESSAGE_REACTIONS
    if name.startswith("MESSAGE_"):
        return Intent.DIRECT_MESSAGES if direct else Intent.GUILD_MESSAGES
    if name == "TYPING_START":
        return Intent.DIRECT_MESSAGE_TYPING if direct else Intent.GUILD_MESSAGE_TYPING
    return Intent.DIRECT_MESSAGES if direct else Intent.GUILDS


def readable(message: Json, app: str, *, content: bool, direct: bool) -> Json:
    """Give a message as the app may read it: without the content intent blank, unless it concerns the app."""
    own = message["author"]["id"] == app or message.get("application_id") == app
    mentioned = any(user["id"] == app for user in message["mentions"])
    shown = message if content or direct or own or mentioned else message | BLANKED
    inner = message.get("referenced_message")
    if inner is None:
        return shown
    return shown | {"referenced_message": readable(inner, app, content=content, direct=direct)}


def switched_off(intents: int, privileged: frozenset[str]) -> bool:
    """Tell whether an intent is asked for that the app's settings page does not allow."""
    return any(intents & bit for name, bit in PRIVILEGED_BITS.items() if name not in privileged)
