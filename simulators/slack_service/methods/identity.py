"""Who the token is: auth, bots, teams, users, installation, and opening a socket."""

from simulators.slack_service.context import Context
from simulators.slack_service.errors import RefusedError
from simulators.slack_service.model import Json
from simulators.slack_service.shapes import team_json, user_json


def api_test(context: Context) -> Json:
    """Echo the arguments."""
    if "error" in context.args:
        raise RefusedError(context.args.text("error"))
    return {"args": context.args.given}


def auth_test(context: Context) -> Json:
    """Say whose token this is."""
    install, team = context.install, context.world.teams[context.install.team]
    return {
        "url": f"https://{team.domain}.slack.com/",
        "team": team.name,
        "user": context.world.users[install.user].name,
        "team_id": team.id,
        "user_id": install.user,
        "bot_id": install.bot_id,
        "is_enterprise_install": False,
    }


def auth_revoke(context: Context) -> Json:
    """Give the token back."""
    context.install.dead = "token_revoked"
    return {"revoked": True}


def connections_open(context: Context) -> Json:
    """Give a WebSocket URL, good for one connection."""
    return {"url": context.sockets.ticket()}


def bots_info(context: Context) -> Json:
    """Describe a bot user."""
    bot = context.args.text("bot")
    found = next((user for user in context.world.users.values() if user.bot_id == bot), None)
    if found is None:
        raise RefusedError("bot_not_found")
    return {"bot": {"id": bot, "name": found.name, "app_id": found.app_id, "user_id": found.id, "deleted": False}}


def team_info(context: Context) -> Json:
    """Describe the team."""
    return {"team": team_json(context.world.teams[context.install.team])}


def users_info(context: Context) -> Json:
    """Describe one user."""
    user = context.user()
    locale = context.args.flag("include_locale")
    return {"user": user_json(user, email="users:read.email" in context.install.scopes, locale=locale)}


def users_list(context: Context) -> Json:
    """Describe everyone of the team."""
    email = "users:read.email" in context.install.scopes
    users = [user for user in context.world.users.values() if user.team == context.install.team]
    return {"members": [user_json(user, email=email, locale=True) for user in users], "cache_ts": 0}


def oauth_access(context: Context) -> Json:
    """Exchange the code somebody's consent gave for a token."""
    world, args = context.world, context.args
    if args.text("client_id") != world.app.client_id:
        raise RefusedError("invalid_client_id")
    if args.text("client_secret") != world.app.client_secret:
        raise RefusedError("bad_client_secret")
    team_id, user = world.codes.pop(args.text("code"), ("", ""))
    if not team_id:
        raise RefusedError("invalid_code")
    install = world.install_in(team_id) or world.install(world.teams[team_id])
    return {
        "app_id": world.app.id,
        "authed_user": {"id": user},
        "scope": ",".join(sorted(install.scopes)),
        "token_type": "bot",
        "access_token": install.token,
        "bot_user_id": install.user,
        "team": {"id": team_id, "name": world.teams[team_id].name},
        "enterprise": None,
        "is_enterprise_install": False,
    }
