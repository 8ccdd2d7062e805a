"""How much one person may say. Pure: when something was said is in its id."""

from collections import OrderedDict, deque

from adapters.discord.refs import snowflake_seconds

MINUTE = 60.0
PEOPLE = 10_000


class Pace:
    """Counts what each person says, by when they said it: what waited while nobody listened counts as it was said."""

    def __init__(self, a_minute: int) -> None:
        """At most so many messages a minute; 0 for no limit."""
        self._most = a_minute
        self._said: OrderedDict[str, deque[str]] = OrderedDict()
        self._told: dict[str, float] = {}

    def allows(self, user: str, message: str) -> bool:
        """Whether a message is not too many. The same message counts once."""
        if not self._most:
            return True
        said = self._said.setdefault(user, deque(maxlen=self._most))
        self._said.move_to_end(user)
        if len(self._said) > PEOPLE:
            self._said.popitem(last=False)
        if message in said:
            return True
        at = snowflake_seconds(message)
        if sum(at - MINUTE < snowflake_seconds(one) <= at for one in said) >= self._most:
            return False
        said.append(message)
        return True

    def is_first_refusal(self, user: str, message: str) -> bool:
        """Whether somebody has to be told that it is too many: once a minute."""
        at = snowflake_seconds(message)
        if len(self._told) > PEOPLE:
            self._told.clear()
        if at - self._told.get(user, 0.0) < MINUTE:
            return False
        self._told[user] = at
        return True
