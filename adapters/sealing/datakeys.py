"""Data keys: one per owner, made when first asked for, a bounded number kept open in memory."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.sealing.erasures import Watch
from adapters.sealing.gathering import Ask, Gathering
from adapters.sealing.keyring import Keyring, KeyRow
from adapters.sealing.recent import Recent
from adapters.sealing.wrapping import LINK, Wrapping
from core.errors import DeskError, ErasedError, UnreadableError

FORMAT = 1
HEAD = 5
"""Bytes of a head: the format and the key version, as every sealed content begins with them."""
OWNERS_KEPT = 8192
"""Owners whose keys stay open in memory, 3 KB each."""
ERASURES_SEEN_WITHIN = 1.0
"""Seconds until an erasure by another process is noticed in this one."""


class OwnerKeys(NamedTuple):
    """The open keys of an owner: the newest, which seals, with its head; and all, by the head of what they sealed."""

    head: bytes
    newest: AESGCM
    by_head: dict[bytes, AESGCM]


class DataKeys:
    """The data keys of all owners; `name` gives the name under which the keyring knows an owner."""

    def __init__(self, keyring: Keyring, wrapping: Wrapping, name: Callable[[str], bytes]) -> None:
        self._keyring = keyring
        self._wrapping = wrapping
        self._name = name
        self._recent: Recent[str, OwnerKeys] = Recent(OWNERS_KEPT)
        self._changing = threading.Lock()
        self._erasures = keyring.erasures()
        self._look_again = time.monotonic() + ERASURES_SEEN_WITHIN
        # Where a look is a round trip, nobody who seals or opens waits for it.
        self._watch = Watch(self._forget_erased, lambda: ERASURES_SEEN_WITHIN) if keyring.far else None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="keyring")
        self._gathering = Gathering(self._thread, self._prepare_all)

    async def prepare(self, owners: Sequence[str]) -> None:
        """Have live keys of these owners in memory, durable in the keyring when this returns."""
        self._look_for_erasures()
        unknown = [owner for owner in owners if self._recent.get(owner) is None]
        if unknown:
            await self._gathering.ask(unknown)

    async def erase(self, owner: str) -> None:
        """Destroy the owner's keys."""
        await asyncio.wrap_future(self._thread.submit(self._erase, owner))

    @property
    def erasures(self) -> int:
        """How many owners were erased, as far as was noticed here."""
        self._look_for_erasures()
        return self._erasures

    def of(self, owner: str) -> OwnerKeys:
        """Give the owner's keys; ErasedError or UnreadableError where there are none to have."""
        self._look_for_erasures()
        # Not prepared, or long unused: an indexed read here and now blocks the loop for 0.05 ms, or for a round trip
        # where the keyring is on a server. The other ways are worse: all wrapped keys in memory (100 MB for a million
        # owners), or a `prepare` before every read. Who loads a scene with people it has not seen prepares them first.
        return self._recent.get(owner) or self._load_one(owner)

    def close(self) -> None:
        """Finish what was begun."""
        if self._watch is not None:
            self._watch.close()
        self._thread.shutdown()

    def _look_for_erasures(self) -> None:
        if self._watch is None and time.monotonic() >= self._look_again:
            self._look_again = time.monotonic() + ERASURES_SEEN_WITHIN
            self._forget_erased()

    def _forget_erased(self) -> None:
        erasures = self._keyring.erasures()
        if erasures > self._erasures:
            follow_links(self._keyring, self._wrapping)
        with self._changing:
            if erasures > self._erasures:
                self._erasures = erasures
                self._recent.clear()

    def _load_one(self, owner: str) -> OwnerKeys:
        keys = self._load([owner])[owner]
        if isinstance(keys, DeskError):
            raise keys
        return keys

    def _load(self, owners: Collection[str]) -> dict[str, OwnerKeys | DeskError]:
        """Read keys into memory: what each owner has, or why nothing of it can be had."""
        names = {owner: self._name(owner) for owner in owners}
        erasures = self._erasures
        rows: dict[bytes, list[KeyRow]] = {name: [] for name in names.values()}
        for row in self._keyring.rows(list(rows)):
            rows[row.owner].append(row)
        loaded = {owner: self._opened(name, rows[name]) for owner, name in names.items()}
        with self._changing:
            # Else they may have been read just before an erasure: good for this once, not to be kept.
            if erasures == self._erasures:
                for owner, keys in loaded.items():
                    if isinstance(keys, OwnerKeys):
                        self._recent.put(owner, keys)
        return loaded

    def _opened(self, name: bytes, rows: list[KeyRow]) -> OwnerKeys | DeskError:
        if not rows:
            return UnreadableError(f"the keyring holds no key of owner {name.hex()}")
        if any(row.state == "erased" for row in rows):
            return ErasedError(f"the key of owner {name.hex()} was destroyed")
        unwrapped = {_head(row.version): self._wrapping.unwrap(name, row.version, row.wrapped) for row in rows}
        by_head = {head: AESGCM(key) for head, key in unwrapped.items() if key}
        newest = _head(rows[-1].version)
        if newest not in by_head:
            return UnreadableError(f"the key of owner {name.hex()} was changed in the keyring")
        return OwnerKeys(newest, by_head[newest], by_head)

    # --- in the thread ------------------------------------------------------------------------------------------------

    def _prepare_all(self, asks: list[Ask]) -> None:
        owners = {owner: self._name(owner) for ask in asks for owner in ask.owners}
        there = {row.owner for row in self._keyring.rows(list(owners.values()))}
        absent = {*owners.values()} - there
        if absent:
            self._keyring.add([self._new_key(name) for name in absent])
        # Read back: where two processes made a key at once, both go on with the one that stayed.
        loaded = self._load(owners)
        for ask in asks:
            ask.error = next((keys for owner in ask.owners if isinstance(keys := loaded[owner], DeskError)), None)

    def _new_key(self, name: bytes) -> KeyRow:
        return KeyRow(name, 1, "live", self._wrapping.wrap(name, 1, os.urandom(32)))

    def _erase(self, owner: str) -> None:
        try:
            self._keyring.erase(self._name(owner))
        finally:
            self._forget_erased()


def follow_links(keyring: Keyring, wrapping: Wrapping) -> None:
    """Learn the next master key, where the keyring is being brought under another one."""
    for row in keyring.rows([LINK]):
        if row.state == "live":
            wrapping.follow(row.version, row.wrapped)


def _head(version: int) -> bytes:
    return bytes([FORMAT]) + version.to_bytes(HEAD - 1, "big")
