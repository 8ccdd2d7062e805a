"""The sealer: AES-256-GCM under the owner's data key, bound to the place the content stands in.

Sealed bytes are 1 byte of format, 4 of key version, 12 of random nonce, then the ciphertext with its 16-byte tag.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from cryptography.exceptions import InvalidTag

from adapters.sealing.datakeys import HEAD, DataKeys, follow_links
from adapters.sealing.keyring import Keyring, KeyRow
from adapters.sealing.lookups import Lookups
from adapters.sealing.master import SETTING, MasterKey
from adapters.sealing.nonces import NONCES, SIZE
from adapters.sealing.places import open_keyring
from adapters.sealing.rotation import LOOKUP_ROW, Rotation
from adapters.sealing.tending import TendedKeys
from adapters.sealing.waiting import patiently
from adapters.sealing.wrapping import Wrapping
from core.errors import KeyringError, UnreadableError
from core.models import Place

TAG = 16


@asynccontextmanager
async def open_sealer(
    keyring: str | Path, master: MasterKey, *, fresh: bool, patience: float = 0.0
) -> AsyncIterator["KeyringSealer"]:
    """Open a `core.ports.Sealer` over a keyring: a path (or `sqlite:///PATH`), `postgresql://...`, `redis://...`, or
    `:memory:`.

    `fresh` says that the store holds no customers yet: only then is a keyring made where there is none. A server that
    is away is waited for, `patience` seconds. Raises
    KeyringError when the keyring is missing, is none of ours, or was made with another master key.
    """
    sealer = await patiently(lambda: _open(keyring, master, fresh=fresh), patience)
    try:
        yield sealer
    finally:
        await asyncio.to_thread(sealer.close)


class KeyringSealer:
    """Implements `core.ports.Sealer`; usable from any thread and event loop."""

    def __init__(self, keyring: Keyring, wrapping: Wrapping, lookups: Lookups) -> None:
        self._keyring = keyring
        self.rotation = Rotation(keyring, wrapping)
        self.keys = TendedKeys(self.rotation)
        self._keys = DataKeys(keyring, wrapping, lambda owner: lookups.hash("owner", owner))
        self._lookups = lookups

    async def prepare(self, owners: Sequence[str]) -> None:
        """Have a live data key for each owner, made where there is none, durable when this returns.

        Raises ErasedError for an owner whose key was destroyed. Owners asked for at once share a transaction.
        """
        await self._keys.prepare(owners)

    async def erase(self, owner: str) -> None:
        """Destroy an owner's keys for good: what they sealed is ErasedError from now on. May be repeated.

        Another process that has them in memory notices within `datakeys.ERASURES_SEEN_WITHIN` seconds.
        """
        await self._keys.erase(owner)

    @property
    def erasures(self) -> int:
        """How many owners were erased, as far as this process noticed."""
        return self._keys.erasures

    def seal(self, place: Place, content: bytes) -> bytes:
        """Encrypt; the owner must be prepared. The result names its key version and opens at `place` only."""
        keys = self._keys.of(place.owner)
        nonce = NONCES.take()
        return keys.head + nonce + keys.newest.encrypt(nonce, content, place.associated() + keys.head)

    def open(self, place: Place, sealed: bytes) -> bytes:
        """Decrypt. Raises ErasedError for an erased owner, UnreadableError for all else that does not open."""
        head = sealed[:HEAD]
        cipher = self._keys.of(place.owner).by_head.get(head)
        if cipher is None or len(sealed) < HEAD + SIZE + TAG:
            raise UnreadableError(f"{place.table} {place.row} is not sealed with a key of its owner")
        try:
            return cipher.decrypt(sealed[HEAD : HEAD + SIZE], sealed[HEAD + SIZE :], place.associated() + head)
        except InvalidTag:
            raise UnreadableError(f"{place.table} {place.row} was changed, or belongs elsewhere") from None

    def lookup(self, kind: str, value: str) -> bytes:
        """The keyed hash (16 bytes) under which a look-up column holds `value`; equal values of a kind are equal."""
        return self._lookups.hash(kind, value)

    def close(self) -> None:
        """Finish what was begun and let go of the keyring. Blocks; `open_sealer` calls it in a thread."""
        self._keys.close()
        self._keyring.close()


def _open(place: str | Path, master: MasterKey, *, fresh: bool) -> KeyringSealer:
    keyring = open_keyring(place, fresh=fresh)
    try:
        wrapping = Wrapping(master)
        follow_links(keyring, wrapping)
        key = _lookup_key(keyring, wrapping)
        if key is None:
            raise KeyringError(
                f"the master key does not fit the keyring at {keyring.name}: set {SETTING} to the key it was made "
                "with, or restore the key file"
            )
        return KeyringSealer(keyring, wrapping, Lookups(key))
    except BaseException:
        keyring.close()
        raise


def _lookup_key(keyring: Keyring, wrapping: Wrapping) -> bytes | None:
    """Read the look-up key, made where there is none; None when the master key does not fit it."""
    if not keyring.rows([LOOKUP_ROW]):
        keyring.add([KeyRow(LOOKUP_ROW, 1, "live", wrapping.wrap(LOOKUP_ROW, 1, os.urandom(32)))])
    row = keyring.rows([LOOKUP_ROW])[0]
    return wrapping.unwrap(row.owner, row.version, row.wrapped)
