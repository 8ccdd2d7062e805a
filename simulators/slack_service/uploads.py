"""Files on their way in: an address for the bytes, then a message that shows them, each file once."""

from collections.abc import Callable
from dataclasses import dataclass

from simulators.slack_service.errors import RefusedError
from simulators.slack_service.happenings import Happenings
from simulators.slack_service.model import Channel, Install, Json, Message
from simulators.slack_service.world import World


@dataclass(slots=True)
class Upload:
    """A file that was announced; `content` once its bytes came, `completed` once it was finished."""

    id: str
    team: str
    name: str
    length: int
    content: bytes | None = None
    completed: bool = False


class Uploads:
    """Keeps what was announced, and shares what is complete, at once or, as Slack may, later."""

    def __init__(self, world: World, happenings: Happenings) -> None:
        self._world = world
        self._happenings = happenings
        self._by_ticket: dict[str, Upload] = {}
        self._by_id: dict[str, Upload] = {}
        self._late: list[Callable[[], Message]] | None = None

    def announce(self, install: Install, name: str, length: int) -> tuple[str, str]:
        """Make room for a file; its ticket and its id."""
        upload = Upload(self._world.ids.new("F"), install.team, name, length)
        ticket = self._world.ids.new("ticket")
        self._by_ticket[ticket] = self._by_id[upload.id] = upload
        return ticket, upload.id

    def receive(self, ticket: str, content: bytes) -> int:
        """Take the bytes of a file; the HTTP status they are answered with."""
        upload = self._by_ticket.get(ticket)
        if upload is None or upload.completed:
            return 404
        if len(content) != upload.length:
            return 400
        upload.content = content
        return 200

    def ready(self, install: Install, id_: str) -> Upload:
        """Give a file whose bytes are there and that was not completed: that can be done once."""
        upload = self._by_id.get(id_)
        if upload is None or upload.team != install.team or upload.content is None or upload.completed:
            raise RefusedError("file_not_found")
        return upload

    def complete(self, upload: Upload, title: str, user: str) -> Json:
        """Finish an upload: from now on the file is there, seen by nobody yet."""
        upload.completed = True
        name = upload.name
        file: Json = {"id": upload.id, "name": name, "title": title or name, "size": upload.length, "user": user}
        file |= {"filetype": name.rsplit(".", 1)[-1], "mimetype": "", "mode": "hosted", "is_external": False}
        self._world.files[upload.id] = file | {"shares": {}}
        return self._world.files[upload.id]

    def share(self, files: list[Json], message: Message, channel: Channel) -> None:
        """Show files in a message, now or, where they are held up, when they are let through."""

        def shared() -> Message:
            # Its place in the conversation is where it appears.
            message.ts = self._world.stamps.new()
            message.files, message.subtype = files, "file_share"
            for file in files:
                _note_share(file, message, channel)
            return self._happenings.post(message)

        if self._late is None:
            shared()
        else:
            self._late.append(shared)

    def hold(self) -> None:
        """Share nothing from now on, though completions are answered."""
        self._late = self._late or []

    def let_through(self) -> None:
        """Share what was held up, and everything else at once again."""
        late, self._late = self._late or [], None
        for shared in late:
            shared()

    def forget(self) -> None:
        """Throw away what was never completed."""
        self._by_id = {id_: upload for id_, upload in self._by_id.items() if upload.completed}

    def content_of(self, id_: str) -> bytes:
        """Give the bytes of a file that an app uploaded."""
        return self._by_id[id_].content or b""


def _note_share(file: Json, message: Message, channel: Channel) -> None:
    share: Json = {"ts": message.ts, "reply_users": [], "reply_users_count": 0, "reply_count": 0}
    if message.thread_ts:
        share["thread_ts"] = message.thread_ts
    kind = "public" if channel.kind == "channel" else "private"
    file["shares"].setdefault(kind, {}).setdefault(channel.id, []).append(share)
