"""Which user groups a person is in, for the roles that are given to groups."""

import asyncio
import logging
import time
from collections.abc import Collection
from dataclasses import replace

from adapters.payloads import Json, objects_in, text_in
from adapters.slack.api import SlackApi
from core.errors import PlatformError
from core.models import Event

log = logging.getLogger(__name__)

KNOWN_FOR_SECONDS = 60.0
"""How long an answer counts, a failed one too: who was taken out of a group loses its role within this time."""
PATIENCE_SECONDS = 1.5
"""How long an event waits for Slack to tell; Slack itself waits three for its acknowledgement."""

Members = dict[str, frozenset[str]]


class UserGroups:
    """Asks Slack who is in which group, where a role hangs on it. What Slack does not tell is none."""

    def __init__(self, api: SlackApi, workspaces: Collection[str]) -> None:
        """Nothing is asked before somebody speaks in one of `workspaces`."""
        self._api = api
        self._known: dict[str, tuple[float, Members]] = {}
        self._asking = {workspace: asyncio.Lock() for workspace in workspaces}

    async def named(self, event: Event) -> Event:
        """The event with the groups of who speaks, as far as Slack tells in time."""
        ref = event.ref
        asking = self._asking.get(ref.workspace)
        if asking is None or not ref.user:
            return event
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), asking:
                members = await self._members(ref.workspace)
        except TimeoutError:
            # Whoever comes next does not wait for it again.
            members = self._keep(ref.workspace, {})
            log.warning("Slack does not tell in time who is in which group in %s", ref.workspace)
        groups = tuple(sorted(group for group, users in members.items() if ref.user in users))
        return replace(event, ref=replace(ref, groups=groups)) if groups else event

    async def _members(self, workspace: str) -> Members:
        at, known = self._known.get(workspace, (0.0, Members()))
        if at and time.monotonic() - at < KNOWN_FOR_SECONDS:
            return known
        try:
            return self._keep(workspace, await self._ask(workspace))
        except PlatformError as error:
            log.warning("Slack does not tell who is in which group in %s, so groups give no role: %s", workspace, error)
            return self._keep(workspace, {})

    async def _ask(self, workspace: str) -> Members:
        """Every group that is not disabled, with its members."""
        answer = await self._api.call(workspace, "usergroups.list", include_users=True)
        return {text_in(one, "id"): _users(one) for one in objects_in(answer, "usergroups")}

    def _keep(self, workspace: str, members: Members) -> Members:
        self._known[workspace] = time.monotonic(), members
        return members


def _users(group: Json) -> frozenset[str]:
    users = group.get("users")
    return frozenset(user for user in users if isinstance(user, str)) if isinstance(users, list) else frozenset()
