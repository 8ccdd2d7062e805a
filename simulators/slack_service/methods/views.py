"""Modals and App Home."""

from simulators.slack_service import limits
from simulators.slack_service.context import Context
from simulators.slack_service.errors import RefusedError
from simulators.slack_service.model import Json, View
from simulators.slack_service.shapes import view_json

MOST = {"callback_id": 255, "private_metadata": 3_000}
TITLE = 24


def open_(context: Context) -> Json:
    """Open a modal for whoever caused the trigger."""
    body = _body(context, "modal")
    user = context.interactivity.use_trigger(context.args.text("trigger_id"))
    view = View(context.world.ids.new("V"), user, context.install.team, body, context.world.stamps.new())
    context.world.views[view.id] = view
    return _answer(context, view)


def push(context: Context) -> Json:
    """Put a modal on top of another."""
    return open_(context)


def update(context: Context) -> Json:
    """Change an open modal, unless it changed since `hash`."""
    view = context.world.views.get(context.args.text("view_id"))
    if view is None:
        raise RefusedError("not_found")
    _change(context, view, _body(context, str(view.body["type"])))
    return _answer(context, view)


def publish(context: Context) -> Json:
    """Show App Home to one user."""
    user, body = context.user("user_id"), _body(context, "home")
    key = (context.install.team, user.id)
    home = context.world.homes.get(key)
    if home is None:
        home = View(context.world.ids.new("V"), user.id, context.install.team, body, context.world.stamps.new())
        context.world.homes[key] = home
    _change(context, home, body)
    return _answer(context, home)


def _body(context: Context, kind: str) -> Json:
    body = context.args.object("view", "invalid_arguments")
    if body.get("type") != kind or not isinstance(body.get("blocks"), list):
        raise RefusedError("invalid_arguments", f"view must be a {kind} with blocks")
    if kind == "modal" and not 0 < len(str((body.get("title") or {}).get("text", ""))) <= TITLE:
        raise RefusedError("invalid_arguments", f"title must have between 1 and {TITLE} characters")
    for name, most in MOST.items():
        if len(str(body.get(name, ""))) > most:
            raise RefusedError("invalid_arguments", f"{name} must be less than {most + 1} characters")
    limits.check_blocks(body["blocks"], most=limits.VIEW_BLOCKS)
    return body


def _change(context: Context, view: View, body: Json) -> None:
    if "hash" in context.args and context.args.text("hash") != view.hash:
        raise RefusedError("hash_conflict")
    view.body, view.hash = body, context.world.stamps.new()


def _answer(context: Context, view: View) -> Json:
    return {"view": view_json(view, context.install, context.world.app.id)}
