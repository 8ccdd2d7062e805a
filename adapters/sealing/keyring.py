"""What a keyring is, whatever keeps it: rows of wrapped data keys, durable before anything is sealed with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from core.errors import KeyringError


class KeyRow(NamedTuple):
    """One version of an owner's key as it is kept; an erased one holds zeros where the wrapped key was."""

    owner: bytes
    version: int
    state: str
    wrapped: bytes


class Keyring(Protocol):
    """The rows of one keyring, safe beside other processes that have it open. Calls block and may come in any thread.

    `name` says where it is, without a password. `far` says that to look something up is a round trip to a server:
    where it is not, a look-up costs microseconds. All raise StoreError where it cannot be used.
    """

    name: str
    far: bool

    def rows(self, owners: Sequence[bytes]) -> list[KeyRow]:
        """Read all versions of these owners' keys, each owner's oldest first; none for who never had one."""
        ...

    def erasures(self) -> int:
        """Count erasures: when the number has grown, keys in memory may be erased ones."""
        ...

    def add(self, rows: Sequence[KeyRow]) -> None:
        """Keep new keys, durable when this returns. A key that is there already stays: read back which one it is."""
        ...

    def erase(self, owner: bytes) -> None:
        """Overwrite an owner's keys for good. May be repeated."""
        ...

    def owners(self, made_before: int | None = None) -> list[bytes]:
        """Name every owner, or those whose newest key was made before a time (microseconds)."""
        ...

    def rewrap(self, pairs: Sequence[tuple[KeyRow, bytes]]) -> None:
        """Put another wrapping in the place of a live row's, where it is still as given; durable when this returns."""
        ...

    def tell(self) -> None:
        """Let everybody who has the keyring open read keys anew: count one erasure more."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


@dataclass(frozen=True, slots=True)
class Contents:
    """All that a keyring holds: its keys with the time each was made, and what was erased when, in order."""

    keys: list[tuple[bytes, int, str, bytes, int]]
    erasures: list[tuple[bytes, int]]


class Movable(Protocol):
    """A keyring that can be copied whole. Calls block."""

    name: str

    def contents(self) -> Contents:
        """Read everything, of one moment."""
        ...

    def take_in(self, contents: Contents) -> None:
        """Have everything in a keyring that holds nothing, durable when this returns: all of it or nothing."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


def missing(name: object, *, restore: str = "file") -> KeyringError:
    """The error of a keyring that is not there. Never made anew: beside a store with customers, an empty keyring would
    read as an empty history.
    """
    return KeyringError(
        f"the keyring at {name} is missing or empty, but the store holds content that only it can open: "
        f"restore the {restore}, or set DESK_KEYRING to where it is"
    )


def newer(name: object) -> KeyringError:
    """The error of a keyring that a later version made."""
    return KeyringError(f"the keyring at {name} comes from a newer Deskmate: use that, or a newer one")
