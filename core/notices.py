"""Notices: a line in the staff channel, with a link and no content, where something waits for people."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from core.absent import AbsentPlatform
from core.config import Settings
from core.models import ConversationRef
from core.ports import Platform, Sealer
from core.replies import Address, Mail


@dataclass(frozen=True, slots=True)
class StaffChannel:
    """Where notices go; `ref` is None where nobody said so."""

    ref: ConversationRef | None
    platforms: Mapping[str, Platform]
    sealer: Sealer

    def mail(self, cause: str, at: int, address: Address) -> Mail | None:
        """Make the mail for the notices of one cause: their keys begin with it, so that none is said twice.

        None where there is no staff channel, or the cause is a word in that channel. Where this process does not know
        its platform, they wait in the outbox for one that does.
        """
        to = self.ref
        if to is None or _channel_of(to) == _channel_of(address.ref):
            return None
        platform = self.platforms.get(to.platform) or AbsentPlatform(to.platform, lambda text: [text])
        return Mail(f"{cause}.staff", at, replace(address, ref=to, to=""), platform, self.sealer)


def staff_channel(settings: Settings, platforms: Mapping[str, Platform], sealer: Sealer) -> StaffChannel:
    """Find where notices go, as the settings say."""
    if settings.staff_channel is None:
        return StaffChannel(None, platforms, sealer)
    platform, workspace, channel = settings.staff_channel.split("/")
    return StaffChannel(ConversationRef(platform, workspace, channel, "", direct=False), platforms, sealer)


async def tell_staff(notices: Mail | None, what: str, *, where: ConversationRef, platform: Platform) -> None:
    """Say in the staff channel, if there is one, what waits, with a link to where; its session's id, if it has none."""
    if notices is None:
        return
    link = await platform.link(where)
    notices.say(f"{what}: {link or notices.address.session_name}")


def _channel_of(ref: ConversationRef) -> tuple[str, str, str]:
    return ref.platform, ref.workspace, ref.channel
