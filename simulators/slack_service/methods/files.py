"""Files, as far as their description goes."""

from simulators.slack_service.context import Context
from simulators.slack_service.errors import RefusedError
from simulators.slack_service.model import Json


def info(context: Context) -> Json:
    """Describe a file."""
    file = context.world.files.get(context.args.text("file"))
    if file is None:
        raise RefusedError("file_not_found")
    return {"file": file, "comments": []}
