"""Wrapping: data keys are encrypted under a key derived from the master, so that the keyring alone opens nothing."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from adapters.sealing.master import MasterKey

NONCE = 12


class Wrapping:
    """Wraps and unwraps data keys; each is bound to the name of its owner in the keyring and to its version."""

    def __init__(self, master: MasterKey) -> None:
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"deskmate keyring: wrap data keys, 1")
        self._cipher = AESGCM(derived.derive(master.secret))

    def wrap(self, owner: bytes, version: int, key: bytes) -> bytes:
        """Encrypt a data key: 12 bytes of nonce, the key, 16 bytes of tag."""
        nonce = os.urandom(NONCE)
        return nonce + self._cipher.encrypt(nonce, key, _place(owner, version))

    def unwrap(self, owner: bytes, version: int, wrapped: bytes) -> bytes | None:
        """Decrypt a data key; None when it was wrapped under another master, for another row, or was changed."""
        try:
            return self._cipher.decrypt(wrapped[:NONCE], wrapped[NONCE:], _place(owner, version))
        except (InvalidTag, ValueError):
            return None


def _place(owner: bytes, version: int) -> bytes:
    return version.to_bytes(4, "big") + owner
