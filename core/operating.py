"""Admins look after the desk from where they work: the words `retention` and `keys`.

What is kept for how long is set for the whole desk, and so is what seals it. So both words are for a desk that serves
one workspace: where there is another, its people would be deleted, or their keys changed, by an admin who is nobody to
them, and the counts would tell of them. There it is done on the desk's machine. Direct messages that belong to no
workspace are not another one: the people in them are those of the one there is, or of one that nobody spoke in.
"""

from collections.abc import Mapping

from core.access import Subject, line_of
from core.call import Call, Result
from core.clock import now
from core.errors import BadInputError, NotAllowedError
from core.keeping_settings import CALLED
from core.models import Button
from core.noted import reader_in
from core.queries.people import OtherWorkspace
from core.records.record import Record
from core.retention import Due, due, sweep
from core.wording import count

SEVERAL = (
    "This desk serves several workspaces, and this is about all of them: it is done on the desk's machine, "
    "with `deskmate {}`."
)
HOW_RETENTION = "Say it like this: `retention` to see what would go, `retention run` to delete it."
HOW_KEYS = "Say it like this: `keys` to count them, `keys check` to try them, `keys rotate` to make new ones."
KEEPS_ALL = "Nothing goes by its age: `[retention]` in desk.toml sets no days."
BROKEN_LOG = "The audit log does not hold, so nothing is cut off it: `audit verify` says where."
ASK_RUN = "It cannot be brought back. Say `retention run confirm` to do it."
ASK_ROTATE = (
    "Each gets a new one to seal with; what was sealed before stays readable. The master key stays as it is. "
    "Say `keys rotate confirm` to do it."
)
TOLD = 10
"""How many keys that do not open are told; the command tells all."""


async def retention(call: Call) -> Result:
    """Say what was kept for long enough, and delete it once the asker confirmed that."""
    asked = _asked(call, ("", "run", "run confirm"), HOW_RETENTION)
    await _check_alone(call, "retention run")
    keep = call.kit.settings.retention
    if asked == "run confirm" and not keep.keeps_all:
        return await _run(call)
    found = None if keep.keeps_all else await due(call.kit.store, call.kit.sealer, keep, at=now())
    if found is None:
        call.say(KEEPS_ALL)
    elif asked == "run" and _counts(found):
        told = _listed("This goes for good", found)
        call.say(f"{told}\n{ASK_RUN}", buttons=(Button("Delete it for good", "retention", ("run", "confirm")),))
    else:
        call.say(_listed("This would go now", found))
    return [await _line(call, "retention", asked=asked)]


async def keys(call: Call) -> Result:
    """Count the data keys, try them, or make new ones once the asker confirmed that."""
    asked = _asked(call, ("", "check", "rotate", "rotate confirm"), HOW_KEYS)
    await _check_alone(call, f"keys {asked.split()[0] if asked else 'list'}")
    if asked == "rotate confirm":
        return await _rotate(call)
    if asked == "rotate":
        button = Button("Make new keys", "keys", ("rotate", "confirm"))
        call.say(f"{await _counted(call)} {ASK_ROTATE}", buttons=(button,))
    else:
        call.say(await (_counted(call) if not asked else _checked(call)))
    return [await _line(call, "keys", asked=asked)]


def _asked(call: Call, known: tuple[str, ...], how: str) -> str:
    asked = " ".join(call.args).lower()
    if asked not in known:
        raise BadInputError(reply=how)
    return asked


async def _check_alone(call: Call, command: str) -> None:
    if await call.kit.store.read(OtherWorkspace(call.ref.workspace)):
        raise NotAllowedError(reply=SEVERAL.format(command))


async def _run(call: Call) -> Result:
    """Delete as the desk does each hour by itself, in many commits: who ordered it is durable before the first."""
    kit = call.kit
    await kit.writer.commit((await _line(call, "retention run"),))
    gone = await sweep(kit.store, kit.sealer, kit.writer, kit.settings.retention, at=now())
    call.say(_listed("This is deleted for good", gone))
    return []


async def _rotate(call: Call) -> Result:
    """Make new keys. Taken up again after a crash, it goes on with those whose keys are older than the word."""
    await call.kit.writer.commit((await _line(call, "rotate data keys"),))
    made = await call.kit.sealer.keys.rotate(call.event.at)
    call.say(f"{count(made, 'new data key')} made. What was sealed before stays readable.")
    return []


def _listed(title: str, found: Due) -> str:
    lines = [f"- {what}: {rows:,}" for what, rows in _counts(found).items()]
    lines = [f"{title}:", *lines] if lines else ["Nothing is old enough."]
    return "\n".join([*lines, *([BROKEN_LOG] if found.cut and found.cut.problems else [])])


def _counts(found: Due) -> Mapping[str, int]:
    """How many of each kind, without what a log that does not hold keeps."""
    counted = found.counted()
    if found.cut and found.cut.problems:
        counted["audit"] = {}
    return {CALLED[kind]: sum(tiers.values()) for kind, tiers in counted.items() if tiers}


async def _counted(call: Call) -> str:
    found = await call.kit.sealer.keys.counts()
    erased = f"; {count(found.erased, 'owner')} erased" if found.erased else ""
    return f"Data keys of {count(found.owners, 'owner')}, in {count(found.versions, 'version')}{erased}."


async def _checked(call: Call) -> str:
    closed = await call.kit.sealer.keys.closed()
    if not closed:
        return "Every data key opens."
    left = [f"and {len(closed) - TOLD:,} more"] if len(closed) > TOLD else []
    return "\n".join(["These do not open:", *(f"- {one}" for one in (*closed[:TOLD], *left))])


async def _line(call: Call, action: str, **more: str) -> Record:
    """The audit line of what the asker does to the desk."""
    return await line_of(call.kit.sealer, reader_in(call), action, Subject(more=more))
