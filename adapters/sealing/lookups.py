"""Look-ups: keyed hashes, so that a column can be searched for a value without holding it."""

import hmac
from functools import lru_cache

KEPT = 4096


class Lookups:
    """Hashes values under one key: HMAC-SHA256, cut to 16 bytes. Equal values of one kind are equal."""

    def __init__(self, key: bytes) -> None:
        # A hash costs 2 us, and a turn asks for the same few again and again.
        self._kept = lru_cache(KEPT)(lambda kind, value: _hash(key, kind, value))

    def hash(self, kind: str, value: str) -> bytes:
        """Hash `value` as a `kind` of thing."""
        return self._kept(kind, value)


def _hash(key: bytes, kind: str, value: str) -> bytes:
    # A platform's id may hold a lone surrogate: any text must hash, and no two texts alike.
    kind_bytes, value_bytes = kind.encode("utf-8", "surrogatepass"), value.encode("utf-8", "surrogatepass")
    return hmac.digest(key, len(kind_bytes).to_bytes(4, "big") + kind_bytes + value_bytes, "sha256")[:16]
