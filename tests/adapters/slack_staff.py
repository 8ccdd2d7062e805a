"""Staff in the simulated Slack, by a user group."""

from tests.adapters.slack_harness import SlackHarness


class StaffHarness(SlackHarness):
    """Mo and Ada are in the group that makes agents, Bob in one that means nothing."""

    role = "agent"

    async def _start(self):
        slack = self.slack
        if not self.grouped:
            people = {name: slack.person(name) for name in ("mo", "ada", "bob")}
            self._people |= people
            self.helpers = slack.group("Helpers", people["mo"], people["ada"])
            slack.group("Fans", people["bob"])
            self.grouped = frozenset({slack.acme.id})
            roles = {f"slack/{slack.acme.id}/@{self.helpers.id}": self.role}
            self._settings = self._settings.model_copy(update={"roles": roles})
        await super()._start()


class AdminHarness(StaffHarness):
    """They are admins."""

    role = "admin"
