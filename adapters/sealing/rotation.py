"""Rotation: new keys for old ones while desks serve, and a look whether every key opens."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from adapters.sealing.keyring import Keyring, KeyRow
from adapters.sealing.master import MasterKey
from adapters.sealing.wrapping import LINK, Wrapping
from core.errors import KeyringError

AT_ONCE = 1000
"""Keys in one transaction: some milliseconds, in which nobody else writes to the keyring."""
NOTICED_SECONDS = 2.5
"""By when every desk that serves has looked for changes, which it does each second."""
LOOKUP_ROW = b""
"""The owner of the key of all look-ups, which stays: columns are searched by what was hashed under it. Being in every
keyring, it also proves that the master key fits."""


@dataclass(frozen=True, slots=True)
class OwnerLine:
    """An owner's keys: the keyed hash of who it is, how many versions, and whether they are live."""

    owner: str
    versions: int
    state: str


class Rotation:
    """Works on one keyring. Blocks; what was cut off goes on when it is done again."""

    def __init__(self, keyring: Keyring, wrapping: Wrapping) -> None:
        self._keyring = keyring
        self._wrapping = wrapping

    def owners(self) -> list[OwnerLine]:
        """Every owner of data keys."""
        lines = []
        for rows in self._by_owner(self._keyring.owners()):
            if rows[0].owner not in (LOOKUP_ROW, LINK):
                state = "erased" if any(row.state == "erased" for row in rows) else "live"
                lines.append(OwnerLine(rows[0].owner.hex(), len(rows), state))
        return lines

    def closed(self) -> list[str]:
        """The keys that the master key does not open, as owner and version; and the link of a rotation cut off."""
        found = []
        for rows in self._by_owner(self._keyring.owners()):
            live = [row for row in rows if row.state == "live"]
            if rows[0].owner == LINK:
                found += ["a rotation of the master key was cut off: run `deskmate keys rotate --master` again"] * bool(
                    live
                )
            else:
                found += [
                    f"{row.owner.hex() or 'look-ups'} version {row.version}" for row in live if not self._opens(row)
                ]
        return found

    def rotate_data(self, made_before: int) -> int:
        """Give each live owner a new key to seal with, where the newest was made before that time; how many.

        What older ones sealed stays readable. Desks that serve seal with the new ones within a second.
        """
        done = 0
        for rows in self._paged(self._keyring.owners(made_before)):
            newest = {row.owner: row for row in rows if row.owner not in (LOOKUP_ROW, LINK)}
            erased = {row.owner for row in rows if row.state == "erased"}
            new = [self._next_key(row) for owner, row in newest.items() if owner not in erased]
            if new:
                self._keyring.add(new)
                self._keyring.tell()
            done += len(new)
        return done

    def rotate_master(self, new: MasterKey, keep: Callable[[], None]) -> int:
        """Wrap every key under a new master key; how many. `keep` puts that key where the next start finds it.

        Desks that serve are told the new one under the old one, in a row that is destroyed at the end. Raises
        KeyringError where a key does not open under either.
        """
        link = self._keyring.rows([LINK])
        version = link[-1].version + 1 if link else 1
        self._keyring.add([KeyRow(LINK, version, "live", self._wrapping.wrap(LINK, version, new.secret))])
        self._keyring.tell()
        self._wrapping.learn(new)
        time.sleep(NOTICED_SECONDS)
        done = 0
        while changed := self._wrap_all(new):
            done += changed
        keep()
        self._keyring.erase(LINK)
        return done

    def _wrap_all(self, new: MasterKey) -> int:
        target, done = Wrapping(new), 0
        for rows in self._paged(self._keyring.owners()):
            old = [row for row in rows if row.owner != LINK and row.state == "live"]
            left = [row for row in old if target.unwrap(row.owner, row.version, row.wrapped) is None]
            self._keyring.rewrap([(row, self._wrapped_anew(row, target)) for row in left])
            done += len(left)
        return done

    def _wrapped_anew(self, row: KeyRow, target: Wrapping) -> bytes:
        key = self._wrapping.unwrap(row.owner, row.version, row.wrapped)
        if key is None:
            raise KeyringError(
                f"the key of owner {row.owner.hex()} does not open: `deskmate keys check` names all; nothing was lost"
            )
        return target.wrap(row.owner, row.version, key)

    def _next_key(self, row: KeyRow) -> KeyRow:
        version = row.version + 1
        return KeyRow(row.owner, version, "live", self._wrapping.wrap(row.owner, version, os.urandom(32)))

    def _opens(self, row: KeyRow) -> bool:
        return self._wrapping.unwrap(row.owner, row.version, row.wrapped) is not None

    def _paged(self, owners: Sequence[bytes]) -> Iterator[list[KeyRow]]:
        for at in range(0, len(owners), AT_ONCE):
            yield self._keyring.rows(owners[at : at + AT_ONCE])

    def _by_owner(self, owners: Sequence[bytes]) -> Iterator[list[KeyRow]]:
        for page in self._paged(owners):
            by_owner: dict[bytes, list[KeyRow]] = {}
            for row in page:
                by_owner.setdefault(row.owner, []).append(row)
            yield from by_owner.values()
