"""A keyring in Redis, for the sessions that are kept there: a hash per owner, under the prefix of the address.

It is as durable as that Redis is set up to be, which is what its sessions are too.
"""

import time
from collections.abc import Sequence
from typing import Any

from adapters.redis_server import ANSWERED_WITHIN, CONNECTED_WITHIN, RedisAddress, address_of, clear_errors, driver
from adapters.sealing.keyring import KeyRow, missing, newer
from core.errors import KeyringAwayError, KeyringError

LAYOUT = 1
_ERASE = """
local erased = 0
for _, version in ipairs(redis.call('HKEYS', KEYS[1])) do
  local state, made, wrapped = string.match(redis.call('HGET', KEYS[1], version), '^(%a+) (%d+) (.*)$')
  if state == 'live' then
    redis.call('HSET', KEYS[1], version, 'erased ' .. made .. ' ' .. string.rep('\\0', #wrapped))
    erased = erased + 1
  end
end
if erased > 0 then redis.call('HINCRBY', KEYS[2], 'erasures', 1) end
"""
_REWRAP = """
local state, made, wrapped = string.match(redis.call('HGET', KEYS[1], ARGV[1]) or '', '^(%a+) (%d+) (.*)$')
if state == 'live' and wrapped == ARGV[2] then
  redis.call('HSET', KEYS[1], ARGV[1], state .. ' ' .. made .. ' ' .. ARGV[3])
end
"""


class RedisKeyring:
    """A `adapters.sealing.keyring.Keyring` in Redis."""

    far = True

    def __init__(self, address: RedisAddress) -> None:
        self.name = f"redis://{address.name}"
        self._at = address.name
        self._client = _client(address)
        self._prefix = address.prefix

    def rows(self, owners: Sequence[bytes]) -> list[KeyRow]:
        """Read all versions of these owners' keys in one round trip."""
        pipeline = self._client.pipeline(transaction=False)
        for owner in owners:
            pipeline.hgetall(self._key(owner))
        with clear_errors(self._at):
            answers: list[dict[bytes, bytes]] = pipeline.execute()
        return [row for owner, kept in zip(owners, answers, strict=True) for row in _rows(owner, kept)]

    def erasures(self) -> int:
        """Count erasures."""
        with clear_errors(self._at):
            return int(self._client.hget(self._ring, "erasures") or 0)

    def add(self, rows: Sequence[KeyRow]) -> None:
        """Keep new keys; one that is there already stays."""
        made = time.time_ns() // 1000
        pipeline = self._client.pipeline(transaction=True)
        for row in rows:
            pipeline.hsetnx(
                self._key(row.owner), str(row.version), b"%s %d %s" % (row.state.encode(), made, row.wrapped)
            )
        with clear_errors(self._at):
            pipeline.execute()

    def erase(self, owner: bytes) -> None:
        """Overwrite an owner's keys. The append-only file still has them, wrapped, until Redis rewrites it."""
        with clear_errors(self._at):
            self._client.eval(_ERASE, 2, self._key(owner), self._ring)

    def owners(self, made_before: int | None = None) -> list[bytes]:
        """Name every owner, or those whose newest key was made before a time."""
        with clear_errors(self._at):
            keys = sorted(set(self._client.scan_iter(match=f"{self._prefix}:key:*", count=1000)))
            pipeline = self._client.pipeline(transaction=False)
            for key in keys:
                pipeline.hvals(key)
            values: list[list[bytes]] = pipeline.execute()
        made = (max(int(value.split(b" ", 2)[1]) for value in kept) for kept in values)
        named = (bytes.fromhex(key.decode().rpartition(":")[2]) for key in keys)
        return [owner for owner, at in zip(named, made, strict=True) if made_before is None or at < made_before]

    def rewrap(self, pairs: Sequence[tuple[KeyRow, bytes]]) -> None:
        """Put another wrapping in the place of a live row's, where it is still as given."""
        pipeline = self._client.pipeline(transaction=True)
        for row, new in pairs:
            pipeline.eval(_REWRAP, 1, self._key(row.owner), str(row.version), row.wrapped, new)
        with clear_errors(self._at):
            pipeline.execute()

    def tell(self) -> None:
        """Let everybody read keys anew."""
        with clear_errors(self._at):
            self._client.hincrby(self._ring, "erasures", 1)

    def provide(self, *, fresh: bool) -> None:
        """Have a keyring here. Raises KeyringError for a missing one that is not `fresh`, and for one that is newer."""
        with clear_errors(self._at, KeyringError, away=KeyringAwayError):
            layout = int(self._client.hget(self._ring, "layout") or 0)
            if layout > LAYOUT:
                raise newer(self.name)
            if not fresh and not self.has_keys():
                raise missing(self.name, restore="keys of Redis")
            self._client.hsetnx(self._ring, "layout", str(LAYOUT))

    def has_keys(self) -> bool:
        """Whether there is any key."""
        with clear_errors(self._at, KeyringError, away=KeyringAwayError):
            return bool(self._client.exists(self._key(b"")))

    def close(self) -> None:
        """Disconnect."""
        self._client.close()
        self._client.connection_pool.disconnect()

    @property
    def _ring(self) -> str:
        return f"{self._prefix}:keyring"

    def _key(self, owner: bytes) -> str:
        return f"{self._prefix}:key:{owner.hex()}"


def open_redis_keyring(place: str, *, fresh: bool) -> RedisKeyring:
    """Open the keyring of an address. A missing one is made if `fresh`, else it is a KeyringError."""
    keyring = RedisKeyring(address_of(place))
    try:
        keyring.provide(fresh=fresh)
    except BaseException:
        keyring.close()
        raise
    return keyring


def has_keys(place: str) -> bool:
    """Whether a keyring is at an address."""
    keyring = RedisKeyring(address_of(place))
    try:
        return keyring.has_keys()
    finally:
        keyring.close()


def _client(address: RedisAddress) -> Any:  # noqa: ANN401 - the driver comes late
    redis = driver()
    # One connection: it is asked little, and threads wait for each other no longer than for a round trip.
    pool = redis.BlockingConnectionPool.from_url(
        address.url,
        max_connections=1,
        timeout=ANSWERED_WITHIN,
        socket_connect_timeout=CONNECTED_WITHIN,
        socket_timeout=ANSWERED_WITHIN,
    )
    return redis.Redis(connection_pool=pool)


def _rows(owner: bytes, kept: dict[bytes, bytes]) -> list[KeyRow]:
    rows = []
    for version, value in kept.items():
        state, _, wrapped = value.split(b" ", 2)
        rows.append(KeyRow(owner, int(version), state.decode(), wrapped))
    return sorted(rows)
