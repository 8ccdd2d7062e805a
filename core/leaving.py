"""Events left to other processes: what only this one's platform can tell is added, and the others are told."""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from dataclasses import replace

from core.errors import DeskError
from core.kit import Kit
from core.models import Event, UserMessage
from core.ports import Platform
from core.queries.lanes import EventRow, LaneById
from core.queries.people import SessionById
from core.records.lanes import PutEvent
from core.sealed import seal_json
from core.text import clean
from core.wakes import LANES, Wakes

log = logging.getLogger(__name__)

COMPLETE_SECONDS = 5.0
"""How long a platform has to say what it knows; whoever takes the event meanwhile does without."""
REMEMBERED = 10_000


class Leaving:
    """Leaves events to who has room for them, or holds their lane."""

    def __init__(self, kit: Kit, platforms: Mapping[str, Platform], wakes: Wakes) -> None:
        """`platforms` are those this process speaks."""
        self._store = kit.store
        self._sealer = kit.sealer
        self._writer = kit.writer
        self._personal = kit.personal
        self._platforms = platforms
        self._wakes = wakes
        self._sessions: deque[bytes] = deque(maxlen=REMEMBERED)
        self._tasks: set[asyncio.Task[None]] = set()

    def leave(self, row: EventRow, event: Event) -> None:
        """Leave an event that is queued; nobody waits for this."""
        self._sessions.append(row.session)
        platform = self._platforms.get(event.ref.platform)
        if platform is None or not isinstance(event, UserMessage):
            return self._wakes.tell(LANES)
        task = asyncio.create_task(self._complete(row, event, platform))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def are_done(self) -> bool:
        """Whether all that was left is worked by now."""
        waiting = [session for session in set(self._sessions) if await self._waits(session)]
        self._sessions = deque(waiting, maxlen=REMEMBERED)
        return not waiting

    async def stop(self) -> None:
        """Finish what was begun."""
        await asyncio.gather(*self._tasks)

    async def _waits(self, session: bytes) -> bool:
        return any(lane.pending for lane in await self._store.read(LaneById(session)))

    async def _complete(self, row: EventRow, message: UserMessage, platform: Platform) -> None:
        try:
            async with asyncio.timeout(COMPLETE_SECONDS):
                sessions = await self._store.read(SessionById(row.session))
                first = not sessions or sessions[0].head is None
                known = await platform.complete(message, first=first)
                # Who works it waits for this: where there is nothing to add, not for a commit as well.
                if known != message:
                    await self._add(row, known)
        except (DeskError, TimeoutError) as error:
            log.info("event %s is left as it came: %s", row.id, type(error).__name__)
        finally:
            self._wakes.tell(LANES)

    async def _add(self, row: EventRow, known: UserMessage) -> None:
        known = replace(await self._personal.masked(clean(known)), complete=True)
        body = seal_json(self._sealer, "inbox", row.customer, row.id, known)
        await self._writer.commit((PutEvent(row.id, body),))
