"""Every route the service answers. What is not here is `404: Not Found`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulators.discord_service.context import Context
from simulators.discord_service.routes import channels, commands, identity, interactions, messages, reactions, threads

CHANNEL = "/channels/{channel}"
MESSAGE = CHANNEL + "/messages/{message}"
REACTION = MESSAGE + "/reactions"
APP = "/applications/{app}"
HOOK = "/webhooks/{app}/{token}"


@dataclass(frozen=True, slots=True)
class Route:
    """What a route runs, whether it asks for the app's token, and the status of success with a body."""

    run: Callable[[Context], Any]
    token: bool = True
    status: int = 200


ROUTES: dict[str, Route] = {
    "GET /gateway": Route(identity.gateway, token=False),
    "GET /gateway/bot": Route(identity.gateway_bot),
    "GET /users/@me": Route(identity.me),
    "GET /users/@me/guilds": Route(identity.my_guilds),
    "GET /users/{user}": Route(identity.user),
    "POST /users/@me/channels": Route(identity.open_direct),
    "GET /oauth2/applications/@me": Route(identity.application),
    "GET /applications/@me": Route(identity.application),
    "GET /guilds/{guild}": Route(identity.guild),
    "GET /guilds/{guild}/channels": Route(identity.guild_channels),
    "GET /guilds/{guild}/members": Route(identity.members),
    "GET /guilds/{guild}/members/{user}": Route(identity.member),
    "GET /guilds/{guild}/threads/active": Route(threads.active),
    f"GET {CHANNEL}": Route(channels.read),
    f"PATCH {CHANNEL}": Route(channels.change),
    f"DELETE {CHANNEL}": Route(channels.delete),
    f"POST {CHANNEL}/typing": Route(channels.typing),
    f"GET {CHANNEL}/messages": Route(messages.history),
    f"POST {CHANNEL}/messages": Route(messages.post),
    f"POST {CHANNEL}/messages/bulk-delete": Route(messages.delete_many),
    f"GET {CHANNEL}/messages/pins": Route(messages.pins),
    f"PUT {CHANNEL}/messages/pins/{{message}}": Route(messages.pin),
    f"DELETE {CHANNEL}/messages/pins/{{message}}": Route(messages.unpin),
    f"GET {MESSAGE}": Route(messages.read),
    f"PATCH {MESSAGE}": Route(messages.change),
    f"DELETE {MESSAGE}": Route(messages.delete),
    f"DELETE {REACTION}": Route(reactions.clear),
    f"GET {REACTION}/{{emoji}}": Route(reactions.users),
    f"DELETE {REACTION}/{{emoji}}": Route(reactions.clear_one),
    f"PUT {REACTION}/{{emoji}}/@me": Route(reactions.add),
    f"DELETE {REACTION}/{{emoji}}/@me": Route(reactions.remove_own),
    f"DELETE {REACTION}/{{emoji}}/{{user}}": Route(reactions.remove),
    f"POST {MESSAGE}/threads": Route(threads.open_from_message, status=201),
    f"POST {CHANNEL}/threads": Route(threads.open_alone, status=201),
    f"GET {CHANNEL}/thread-members": Route(threads.members),
    f"PUT {CHANNEL}/thread-members/@me": Route(threads.join),
    f"DELETE {CHANNEL}/thread-members/@me": Route(threads.leave),
    f"PUT {CHANNEL}/thread-members/{{user}}": Route(threads.add_member),
    f"DELETE {CHANNEL}/thread-members/{{user}}": Route(threads.remove_member),
    f"GET {CHANNEL}/threads/archived/public": Route(threads.archived_public),
    f"GET {CHANNEL}/threads/archived/private": Route(threads.archived_private),
    f"GET {APP}/commands": Route(commands.read),
    f"PUT {APP}/commands": Route(commands.overwrite),
    f"POST {APP}/commands": Route(commands.add, status=201),
    f"GET {APP}/commands/{{command}}": Route(commands.one),
    f"DELETE {APP}/commands/{{command}}": Route(commands.remove),
    f"GET {APP}/guilds/{{guild}}/commands": Route(commands.read),
    f"PUT {APP}/guilds/{{guild}}/commands": Route(commands.overwrite),
    f"POST {APP}/guilds/{{guild}}/commands": Route(commands.add, status=201),
    f"GET {APP}/guilds/{{guild}}/commands/{{command}}": Route(commands.one),
    f"DELETE {APP}/guilds/{{guild}}/commands/{{command}}": Route(commands.remove),
    "POST /interactions/{interaction}/{token}/callback": Route(interactions.answer, token=False),
    f"POST {HOOK}": Route(interactions.follow_up, token=False),
    f"GET {HOOK}/messages/{{message}}": Route(interactions.read, token=False),
    f"PATCH {HOOK}/messages/{{message}}": Route(interactions.change, token=False),
    f"DELETE {HOOK}/messages/{{message}}": Route(interactions.delete, token=False),
}
