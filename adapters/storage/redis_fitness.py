"""Whether a Redis server is fit to keep sessions: not a cluster, and one that keeps what it was told."""

import logging
from typing import Any

from adapters.redis_server import driver
from core.errors import ConfigError

log = logging.getLogger(__name__)

_warned: set[str] = set()


async def look(name: str, client: Any) -> None:  # noqa: ANN401 - the driver's
    """Refuse a cluster with a ConfigError, and warn once of a server that may lose what it was told."""
    pipeline = client.pipeline(transaction=False)
    for section in ("cluster", "memory", "persistence"):
        pipeline.info(section)
    pipeline.config_get("save")
    cluster, memory, persistence, save = await pipeline.execute(raise_on_error=False)
    for reply in (cluster, memory, persistence):
        # A managed server may keep these to itself.
        forbidden = isinstance(reply, driver().exceptions.NoPermissionError) or "unknown command" in str(reply)
        if isinstance(reply, Exception) and not forbidden:
            raise reply
    if _told(cluster).get("cluster_enabled"):
        raise ConfigError(f"Redis at {name} is a cluster, which sessions cannot use: name a single server")
    _warn(name, _told(memory), _told(persistence), _told(save))


def _warn(name: str, memory: dict[str, Any], persistence: dict[str, Any], save: dict[str, Any]) -> None:
    policy = memory.get("maxmemory_policy", "noeviction")
    wrong = []
    if persistence.get("aof_enabled") == 0 and save.get("save") == "":
        wrong.append("keeps nothing on disk (set appendonly yes)")
    if policy != "noeviction":
        wrong.append(f"drops keys when memory is short (maxmemory-policy {policy}, set noeviction)")
    if wrong and name not in _warned:
        _warned.add(name)
        log.warning("Redis at %s %s: sessions can be lost.", name, " and ".join(wrong))


def _told(reply: object) -> dict[str, Any]:
    return reply if isinstance(reply, dict) else {}
