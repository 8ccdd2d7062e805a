"""Wrapping: data keys are encrypted under a key derived from the master, so that the keyring alone opens nothing."""

import os
from contextlib import suppress

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from adapters.sealing.master import MasterKey

NONCE = 12


LINK = b"next master key"
"""The owner of the row that tells those who have the master key the next one, while that is being rotated."""


class Wrapping:
    """Wraps and unwraps data keys; each is bound to the name of its owner in the keyring and to its version.

    It wraps under the newest master key it knows, and unwraps under all.
    """

    def __init__(self, master: MasterKey) -> None:
        self._known = {master.secret: _cipher(master)}

    def learn(self, master: MasterKey) -> None:
        """Wrap under this master key from now on."""
        if master.secret not in self._known:
            self._known = {**self._known, master.secret: _cipher(master)}

    def follow(self, version: int, wrapped: bytes) -> None:
        """Learn the master key that a link tells, if it is for who has one that is known here."""
        secret = self.unwrap(LINK, version, wrapped)
        if secret is not None:
            self.learn(MasterKey(secret))

    def wrap(self, owner: bytes, version: int, key: bytes) -> bytes:
        """Encrypt a data key: 12 bytes of nonce, the key, 16 bytes of tag."""
        nonce = os.urandom(NONCE)
        newest = list(self._known.values())[-1]
        return nonce + newest.encrypt(nonce, key, _place(owner, version))

    def unwrap(self, owner: bytes, version: int, wrapped: bytes) -> bytes | None:
        """Decrypt a data key; None when it was wrapped under another master, for another row, or was changed."""
        for cipher in reversed(self._known.values()):
            with suppress(InvalidTag, ValueError):
                return cipher.decrypt(wrapped[:NONCE], wrapped[NONCE:], _place(owner, version))
        return None


def _cipher(master: MasterKey) -> AESGCM:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"deskmate keyring: wrap data keys, 1")
    return AESGCM(derived.derive(master.secret))


def _place(owner: bytes, version: int) -> bytes:
    return version.to_bytes(4, "big") + owner
