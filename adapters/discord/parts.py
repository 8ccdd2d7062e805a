"""What the app is made of, put together once."""

from dataclasses import dataclass

from adapters.discord.api import DiscordApi
from adapters.discord.beside import Beside
from adapters.discord.catch_up import CatchUp
from adapters.discord.directs import Directs
from adapters.discord.door import Door
from adapters.discord.interactions import Interactions
from adapters.discord.listening import Listening
from adapters.discord.options import Options
from adapters.discord.people import People
from adapters.discord.posting import Posting
from adapters.discord.refs import Us
from adapters.discord.removing import Removing
from adapters.discord.rooms import Rooms
from adapters.discord.showing import Showing
from adapters.discord.threads import Threads
from core.ports import Notes

NOBODY = Us("", "")


@dataclass(slots=True)
class Parts:
    """The parts; `us` is who we are since the first login, and `blank` whether content was kept from us."""

    options: Options
    api: DiscordApi
    door: Door
    threads: Threads
    interactions: Interactions
    showing: Showing
    removing: Removing
    posting: Posting
    rooms: Rooms
    beside: Beside
    catch_up: CatchUp
    listening: Listening
    directs: Directs
    people: People
    us: Us = NOBODY
    blank: bool = False
    notes: Notes | None = None

    def remember_in(self, notes: Notes) -> None:
        """Let every part that has to know something after a restart keep it here."""
        self.notes = notes
        for part in (self.threads, self.interactions, self.showing, self.removing, self.catch_up, self.beside):
            part.remember_in(notes)

    async def known_us(self) -> Us:
        """Who we are, waited for while a client logs in. Raises PlatformError where that takes too long."""
        await self.api.client()
        return self.us


def made_of(options: Options) -> Parts:
    """Make the parts. Nothing is connected here."""
    api, listening = DiscordApi(), Listening()
    catch_up = CatchUp(api, listening)
    directs = Directs(api, catch_up)
    threads, interactions = Threads(api, directs), Interactions(api)
    showing, removing = Showing(api, threads, after=options.stream_after), Removing(api)
    posting = Posting(api, threads, directs, interactions, showing, removing)
    rooms = Rooms(api, threads, options.support)
    return Parts(
        options=options,
        api=api,
        door=Door(),
        threads=threads,
        interactions=interactions,
        showing=showing,
        removing=removing,
        posting=posting,
        rooms=rooms,
        beside=Beside(threads, rooms, posting),
        catch_up=catch_up,
        listening=listening,
        directs=directs,
        people=People(api, threads),
        blank=not options.content,
    )
