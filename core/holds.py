"""What a process holds of a store: lanes, and outlets where several processes share it."""

from dataclasses import dataclass

from core.lanes import Lanes
from core.outlets import Outlets
from core.records.record import Commit


@dataclass(frozen=True, slots=True)
class Holds:
    """All leases of this process, which are renewed and given back together."""

    lanes: Lanes
    outlets: Outlets

    def renewal(self) -> Commit:
        """Make the commit that extends them."""
        return (self.lanes.renewal(), *((self.outlets.renewal(),) if self.outlets.shared else ()))

    def giving_back(self) -> Commit:
        """Make the commit that lets go of everything."""
        return (self.lanes.giving_back(), *((self.outlets.giving_back(),) if self.outlets.shared else ()))
