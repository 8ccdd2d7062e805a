"""User groups: which there are, and who is in them."""

from simulators.slack_service.context import Context
from simulators.slack_service.errors import RefusedError
from simulators.slack_service.model import Json, UserGroup


def list_(context: Context) -> Json:
    """Describe the groups of the team; those that are disabled, and who is in them, where it is asked for."""
    args = context.args
    users, disabled = args.flag("include_users"), args.flag("include_disabled")
    shown = [_json(group, users=users) for group in _groups(context) if disabled or not group.disabled]
    return {"usergroups": shown}


def users(context: Context) -> Json:
    """Name who is in a group."""
    wanted = context.args.required("usergroup")
    found = next((group for group in _groups(context) if group.id == wanted), None)
    if found is None or (found.disabled and not context.args.flag("include_disabled")):
        raise RefusedError("no_such_subteam")
    return {"users": list(found.members)}


def _groups(context: Context) -> list[UserGroup]:
    return [group for group in context.world.groups.values() if group.team == context.install.team]


def _json(group: UserGroup, *, users: bool) -> Json:
    shown: Json = {
        "id": group.id,
        "team_id": group.team,
        "is_usergroup": True,
        "name": group.name,
        "handle": group.name.lower().replace(" ", "-"),
        "date_delete": 1 if group.disabled else 0,
        "user_count": len(group.members),
    }
    return shown | {"users": list(group.members)} if users else shown
