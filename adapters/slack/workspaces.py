"""The app in many workspaces: each install is kept in the store, sealed, and forgotten when Slack takes it back."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.slack.refs import Us
from core.errors import PlatformError, UnreadableError
from core.ports import Notes

log = logging.getLogger(__name__)

INSTALL = "install"
"""The kind of the notes that hold one install each, under its workspace."""
FRESH = 5.0
"""Seconds after which the notes are read anew: another process may have been told of an install."""


@dataclass(frozen=True, slots=True)
class Install:
    """What Slack gave when somebody of a workspace said yes, and when: seconds since 1970."""

    us: Us
    workspace: str
    token: str = field(repr=False)
    scopes: frozenset[str]
    at: float


class ManyWorkspaces:
    """Every workspace that installed the app."""

    def __init__(self) -> None:
        """Nothing is read before it is asked for: notes are there once a desk is."""
        self._notes: Notes | None = None
        self._known: dict[str, Install] | None = None
        self._read_at = 0.0
        self._changes = 0
        self._changing = asyncio.Lock()

    def remember_in(self, notes: Notes) -> None:
        """Keep installs in these notes; what was known from others is read anew."""
        self._notes, self._known = notes, None

    async def add(self, install: Install) -> None:
        """Keep an install, durable when this returns. One that was there before is gone."""
        async with self._changing:
            await self._kept_in().put(INSTALL, install.us.team, _value(install))
            self._changes += 1
            (await self._installs())[install.us.team] = install
        log.info("the app is now installed in workspace %s", install.us.team)

    async def drop(self, workspace: str, *, at: float) -> None:
        """Forget an install that Slack took back. Told late of one before, the app stays installed."""
        # One after another: it is told twice at once where the app goes, and may be installed anew meanwhile.
        async with self._changing:
            known = await self._installs()
            # Slack sends again for minutes what it could not deliver: it may mean the install before this one.
            if workspace not in known or at < int(known[workspace].at):
                return log.info("workspace %s took back an install that is not there any more", workspace)
            await self._kept_in().drop(INSTALL, workspace)
            self._changes += 1
            (await self._installs()).pop(workspace, None)
        log.warning("the app was removed from workspace %s: what it had to say there waits", workspace)

    async def installs(self) -> Sequence[Install]:
        """Every install, by the workspaces' names."""
        return sorted((await self._installs()).values(), key=lambda one: (one.workspace.lower(), one.us.team))

    async def all(self) -> Sequence[Us]:
        """Every workspace. Raises UnreadableError where an install does not open."""
        return [install.us for install in await self.installs()]

    async def at(self, team: str) -> Us | None:
        """Who we are in a workspace; None where the app is not installed."""
        install = (await self._installs()).get(team)
        return install.us if install else None

    async def token_of(self, workspace: str) -> str:
        """The token there. Raises PlatformError where there is none: what is to be said waits for a new install."""
        install = (await self._installs()).get(workspace)
        if install is None:
            raise PlatformError(f"the app is not installed in workspace {workspace}")
        return install.token

    async def _installs(self) -> dict[str, Install]:
        known = self._known
        if known is None or time.monotonic() - self._read_at >= FRESH:
            changes, begun = self._changes, time.monotonic()
            found = await read_installs(self._kept_in())
            # Who asked at the same time may have read them before, and changed them since.
            if self._known is None or self._changes == changes:
                self._known, self._read_at = found, begun
            known = self._known
        return known

    def _kept_in(self) -> Notes:
        if self._notes is None:
            raise PlatformError("no desk is open yet that knows where the app is installed")
        return self._notes


async def read_installs(notes: Notes) -> dict[str, Install]:
    """Every install that is kept. Raises UnreadableError where one does not open: it is not a missing one."""
    try:
        kept = await notes.all(INSTALL)
    except UnreadableError as error:
        raise UnreadableError(
            f"a workspace's install cannot be opened ({error}): bring store and keyring back from the same backup"
        ) from error
    return {team: _install(team, value) for team, value in kept.items()}


def _value(install: Install) -> Mapping[str, Any]:
    return {
        "user": install.us.user,
        "workspace": install.workspace,
        "token": install.token,
        "scopes": sorted(install.scopes),
        "at": install.at,
    }


def _install(team: str, value: Mapping[str, Any]) -> Install:
    us = Us(team, value["user"])
    return Install(us, value["workspace"], value["token"], frozenset(value["scopes"]), value["at"])
