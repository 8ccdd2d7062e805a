"""Staff on the simulated Discord, by name or by a role of the server."""

from adapters.discord.options import Options
from core.access import role_of
from simulators.discord_service import Permission
from tests.adapters.discord_harness import DiscordHarness


class StaffHarness(DiscordHarness):
    """Mo has a role that makes agents, Ada is one by name, Bob has a role that means nothing."""

    role = "agent"

    async def _start(self):
        discord = self.discord
        if not self._people:
            helpers, fans = discord.role("helpers", Permission.MANAGE_THREADS), discord.role("fans")
            self._people["mo"] = discord.person("mo", roles=(helpers,))
            self._people["bob"] = discord.person("bob", roles=(fans,))
            here = f"discord/{discord.acme.id}"
            roles = {f"{here}/@{helpers.id}": self.role, f"{here}/{self.person('ada').id}": self.role}
            self._settings = settings = self._settings.model_copy(update={"roles": roles})
            self.options = Options(
                stream_after=60.0,
                support=frozenset({"help"}),
                is_staff=lambda ref: role_of(settings, ref) != "customer",
            )
        await super()._start()


class AdminHarness(StaffHarness):
    """They are admins."""

    role = "admin"
