"""An event opened for work: what was sealed, and what it finds around it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from core.absent import AbsentPlatform
from core.candidates import title_of
from core.events import message_name, read_event
from core.kit import Kit
from core.lanes import Lane
from core.models import Command, Event, UserMessage
from core.notices import staff_channel
from core.outlets import Outlets
from core.ports import Platform
from core.queries.lanes import EventRow
from core.queries.said import MessageByKey, MessageRow
from core.replies import Address, Aside, Mail, Told
from core.scene import Scene, load_scene
from core.sealed import open_json, thread_of_message
from core.text import clean
from core.work import Running, Work


class ElsewhereError(Exception):
    """An event came from a platform that this desk does not know: it waits for one that does."""


@dataclass(frozen=True, slots=True)
class Opener:
    """Opens events of the platforms this desk knows."""

    kit: Kit
    platforms: Mapping[str, Platform]
    outlets: Outlets

    async def open(self, lane: Lane, row: EventRow, running: Running) -> Work:
        """Read an event and what it is about. Raises ElsewhereError where its platform is not known here."""
        event = read_event(row.kind, open_json(self.kit.sealer, "inbox", row.customer, row.id, row.body))
        message = await self._message(event)
        event = self._in_thread(event, message)
        branch = await self.kit.places.branch_at(event.ref, row.session)
        scene = await load_scene(self.kit.store, self.kit.sealer, row, branch=branch)
        mail = self._mail(row, event, scene.name)
        if self.outlets.shared and await mail.platform.reaches(event.ref):
            mail.outlets = self.outlets
        mail.aside = await self._aside(event, scene, mail.platform)
        return Work(lane, row, event, scene, mail, running, message, await self._notices(mail))

    async def tell(self, work: Work, told: Told) -> None:
        """Tell somebody else, for them alone, in the commit of an event. Where their platform is not known it waits."""
        await self.kit.sealer.prepare((told.owner,))
        name = told.ref.platform
        platform = self.platforms.get(name) or AbsentPlatform(name, lambda text: [text])
        session = self.kit.sealer.lookup("session", told.session)
        address = Address(told.ref, "", session, told.session, told.owner)
        mail = Mail(f"{work.row.id}.told", work.row.at, address, platform, self.kit.sealer)
        if self.outlets.shared and await platform.reaches(told.ref):
            mail.outlets = self.outlets
        mail.say(told.text, private=True, stays=True)
        work.others.append(mail)

    async def _notices(self, mail: Mail) -> Mail | None:
        channel = staff_channel(self.kit.settings, self.platforms, self.kit.sealer)
        notices = channel.mail(mail.event, mail.at, mail.address)
        if notices and self.outlets.shared and await notices.platform.reaches(notices.address.ref):
            notices.outlets = self.outlets
        return notices

    async def _message(self, event: Event) -> MessageRow | None:
        about = None if isinstance(event, UserMessage) else event.message
        if about is None:
            return None
        key = self.kit.sealer.lookup("message", message_name(event.ref, about))
        rows = await self.kit.store.read(MessageByKey(key))
        return rows[0] if rows else None

    def _in_thread(self, event: Event, message: MessageRow | None) -> Event:
        """Put what is about a known message into its thread: a reaction does not name one."""
        if message is None or event.ref.thread is not None:
            return event
        thread = thread_of_message(self.kit.sealer, message.owner, message.key, message.body)
        return replace(event, ref=replace(event.ref, thread=thread))

    def _mail(self, row: EventRow, event: Event, session_name: str) -> Mail:
        platform = self.platforms.get(event.ref.platform)
        if platform is None:
            raise ElsewhereError(event.ref.platform)
        address = Address(replace(event.ref, groups=()), event.id, row.session, session_name, row.customer)
        return Mail(row.id, row.at, address, platform, self.kit.sealer)

    async def _aside(self, event: Event, scene: Scene, platform: Platform) -> Aside | None:
        if not isinstance(event, Command):
            return None
        if event.said_at is None:
            return Aside(event.ref) if event.loose and not event.ref.direct else None
        title = await title_of(self.kit.store, self.kit.sealer, scene.session.id, scene.customer.id)
        link = await platform.link(event.ref)
        return Aside(event.said_at, " ".join(filter(None, (title, link and f"({link})"))))


async def complete(kit: Kit, work: Work, message: UserMessage) -> UserMessage:
    """A message with what its platform knows besides, cleaned and masked like itself, unless it has it already."""
    if message.complete:
        return message
    first = work.scene.session.head is None
    return await kit.personal.masked(clean(await work.mail.platform.complete(message, first=first)))
