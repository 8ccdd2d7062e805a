"""Who and where, in Slack's ids: what a payload says of them, and what the Web API wants back."""

from dataclasses import dataclass

from adapters.payloads import Json, text_in
from core.models import ConversationRef

PLATFORM = "slack"


@dataclass(frozen=True, slots=True)
class Us:
    """The installation a payload came to: its workspace, and the user id of our bot there."""

    team: str
    user: str


def ref_of(
    us: Us, channel: str, user: str, *, thread: str | None = None, direct: bool | None = None
) -> ConversationRef:
    """Where somebody speaks. A channel beginning with D is a direct conversation unless `direct` says otherwise."""
    alone = channel.startswith("D") if direct is None else direct
    return ConversationRef(PLATFORM, us.team, channel, user, thread or None, direct=alone)


def user_key(us: Us, user: str, team: str = "") -> str:
    """Name a person: by their id, with their team before it where that is not ours (shared channels)."""
    return user if team in ("", us.team) else f"{team}:{user}"


def user_of(ref: ConversationRef) -> str:
    """The user id the Web API knows."""
    return ref.user.rpartition(":")[2]


def team_of(ref: ConversationRef) -> str:
    """The team of the person, where it is not the workspace of the conversation."""
    return ref.user.rpartition(":")[0] or ref.workspace


def home_team(body: Json, us: Us, *teams: object) -> str:
    """The team a person is of, the first one that is named; ours where none is.

    On Enterprise Grid an organisation (E...) may stand where a team should: the payload says which team is meant.
    """
    team = next((team for team in teams if isinstance(team, str) and team), us.team)
    if not team.startswith("E"):
        return team
    if team == body.get("context_enterprise_id"):
        return us.team
    return text_in(body, "team_id") or team if team == body.get("enterprise_id") else team
