"""What agent surfaces show beside a thread: status, title, prompts, the session's state."""

from simulators.slack_service.context import Context
from simulators.slack_service.errors import RefusedError
from simulators.slack_service.model import Json

SESSION_STATES = ("processing", "active", "suspended", "closed")
MOST_PROMPTS = 4


def set_status(context: Context) -> Json:
    """Show `is thinking...` or the like; an empty status takes it away."""
    _shown(context)["status"] = context.args.text("status")
    return {}


def set_title(context: Context) -> Json:
    """Name a thread."""
    _shown(context)["title"] = context.args.required("title")
    return {}


def set_prompts(context: Context) -> Json:
    """Offer up to four prompts."""
    prompts = context.args.objects("prompts", "invalid_arguments")
    if not 1 <= len(prompts) <= MOST_PROMPTS or not all(each.get("title") and each.get("message") for each in prompts):
        raise RefusedError("invalid_arguments", f"between 1 and {MOST_PROMPTS} prompts, each with title and message")
    _shown(context)["prompts"] = prompts
    return {}


def set_session(context: Context) -> Json:
    """Set an agent session's state, opening the session if needed."""
    state = context.args.required("status")
    if state not in SESSION_STATES:
        raise RefusedError("invalid_arguments", f"status must be one of {', '.join(SESSION_STATES)}")
    shown = _shown(context)
    shown["session"] = state
    if "title" in context.args:
        shown["title"] = context.args.text("title")
    return {"status": state, "agent_status": state, "title": shown.get("title", "")}


def rename_session(context: Context) -> Json:
    """Change a session's title."""
    shown = _shown(context)
    if "session" not in shown:
        raise RefusedError("session_not_found")
    shown["title"] = context.args.required("title")
    return {"title": shown["title"]}


def _shown(context: Context) -> Json:
    channel = context.channel("channel_id")
    if context.install.user not in channel.members:
        raise RefusedError("not_in_channel")
    return context.world.threads.setdefault((channel.id, context.args.text("thread_ts")), {})
