"""Outlets: the pieces of a conversation posted by one process at a time, where several share a store."""

from collections.abc import Collection, Sequence

from core.ports import Store
from core.queries.outbox import WaitingOutlets
from core.records.outbox import ClaimOutlet, GiveBackOutlets, ReleaseOutlet, RenewOutlets
from core.records.record import Record, Rows
from core.writer import GroupWriter

Granted = tuple[int, int]
"""What a claim got: the epoch, and how many pieces were open there before."""

AT_ONCE = 200
"""Outlets that are taken up in one go."""


class Outlets:
    """Claims and renews outlets under one worker name."""

    def __init__(self, store: Store, writer: GroupWriter, *, worker: str, lease: float) -> None:
        """`lease` is in seconds; an outlet not renewed for that long may be taken by another worker."""
        self._store = store
        self._writer = writer
        self._worker = worker
        self._lease = lease

    @property
    def shared(self) -> bool:
        """Whether outlets have to be claimed at all."""
        return self._store.shared

    def claim_record(self, place: bytes, platform: str) -> ClaimOutlet:
        """Make the record that claims an outlet if it is to be had, for the commit that adds the pieces."""
        return ClaimOutlet(place, platform, self._worker, self._lease)

    async def claim_waiting(self, platform: str, *, but: Collection[bytes]) -> dict[bytes, Granted]:
        """Claim outlets with pieces that nobody posts, `but` some; what became of those that were to be had."""
        waiting = await self._store.read(WaitingOutlets(platform, self._worker, AT_ONCE + len(but)))
        places = [row.place for row in waiting if row.place not in but]
        if not places:
            return {}
        rows = await self._writer.commit(tuple(self.claim_record(place, platform) for place in places))
        return granted_of(places, rows)

    def release(self, place: bytes, epoch: int) -> None:
        """Let an outlet go, with the next commit, if nothing is open there by then."""
        self._writer.ride((ReleaseOutlet(place, epoch, 0),))

    async def give_back(self, place: bytes, epoch: int) -> None:
        """Let an outlet go with what is open there."""
        await self._writer.commit((ReleaseOutlet(place, epoch, 1),))

    def renewal(self) -> Record:
        """Make the record that extends the lease on every outlet of this worker."""
        return RenewOutlets(self._worker, self._lease)

    def giving_back(self) -> Record:
        """Make the record that lets every outlet of this worker go."""
        return GiveBackOutlets(self._worker)


def granted_of(places: Sequence[bytes], rows: Sequence[Rows]) -> dict[bytes, Granted]:
    """Read what the claims of these places gave back; one that was not to be had is left out."""
    return {
        place: (int(str(back[0][0])), int(str(back[0][1]))) for place, back in zip(places, rows, strict=True) if back
    }
