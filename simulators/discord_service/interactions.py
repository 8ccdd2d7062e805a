"""Interactions: what they carry to the app, and how far each has come."""

import asyncio
from dataclasses import dataclass, field

from simulators.discord_service.model import Channel, Json, Message, User
from simulators.discord_service.shapes import channel_json, member_json, message_json, user_json
from simulators.discord_service.world import World

PING, COMMAND, COMPONENT, AUTOCOMPLETE, MODAL = 1, 2, 3, 4, 5


@dataclass(slots=True, eq=False)
class Interaction:
    """One press, command or form, and what the app answered: `await interaction.done.wait()`, then `answer`."""

    id: str
    token: str
    kind: int
    user: User
    channel: Channel
    born: float
    data: Json
    message: Message | None = None
    """The message whose button or menu was pressed."""
    answer: Json = field(default_factory=dict)
    original: Message | None = None
    done: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def choices(self) -> list[str]:
        """Give what autocomplete offered, by name."""
        return [choice["name"] for choice in (self.answer.get("data") or {}).get("choices") or []]

    @property
    def metadata(self) -> Json:
        """Give what a message that answers it tells of it."""
        owners = {"0": self.channel.guild} if self.channel.guild else {"1": self.user.id}
        body: Json = {"id": self.id, "type": self.kind, "user": user_json(self.user)}
        return body | {"authorizing_integration_owners": owners}


def interaction_json(world: World, interaction: Interaction) -> Json:
    """Write an interaction as the app is sent it."""
    user, channel = interaction.user, interaction.channel
    body: Json = {
        "id": interaction.id,
        "application_id": world.app.id,
        "type": interaction.kind,
        "token": interaction.token,
        "version": 1,
        "data": interaction.data,
        "channel_id": channel.id,
        "channel": channel_json(world, channel) | {"permissions": str(int(world.permissions(user.id, channel)))},
        "app_permissions": permission_bits(world, world.app.id, channel),
        "locale": user.locale,
        "entitlements": [],
        "attachment_size_limit": 10 * 2**20,
        "authorizing_integration_owners": interaction.metadata["authorizing_integration_owners"],
        "context": 0 if channel.guild else 1,
    }
    if interaction.message:
        body["message"] = message_json(world, interaction.message)
    if not channel.guild:
        return body | {"user": user_json(user)}
    guild = world.guilds[channel.guild]
    member = member_json(world, guild.members[user.id]) | {"permissions": permission_bits(world, user.id, channel)}
    about = {"id": guild.id, "locale": "en-US", "features": []}
    return body | {"guild_id": guild.id, "guild": about, "guild_locale": "en-US", "member": member}


def permission_bits(world: World, user: str, channel: Channel) -> str:
    """Write what somebody may do in a channel."""
    return str(int(world.permissions(user, channel)) & (1 << 53) - 1)
