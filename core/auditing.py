"""Supervisors read the audit log of their workspace, and ask whether it is whole: the word `audit`."""

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime

from core.access import EVERYBODY, Subject, reading_line
from core.audit import DESK, AuditLine, open_line
from core.audit_check import PAGE, Verdict, check_audit
from core.call import Call, Result
from core.customers import open_customer
from core.errors import BadInputError, ErasedError
from core.models import TextFile
from core.noted import check_unread, reader_in, show
from core.queries.log import AuditAfter, AuditEnd, AuditRow, AuditStart
from core.queries.people import CustomerById, CustomerRow
from core.sealed import ERASED
from core.text import first_words
from core.wording import count

VERIFY, EXPORT = "verify", "export"
NEWEST, MOST = 10, 50
MOST_EXPORTED = 5_000
"""How many lines a file has at most."""
PAGES = 20
"""How many pages of the log are looked through at most, of all workspaces together."""
CHECKED = 100_000
"""How many lines are checked at most where somebody waits for it: two seconds."""
TOLD = 10
"""How many of a log's problems are told; the command tells all."""
LONGEST_REASON = 200
HOW = (
    f"Say it like this: `audit` for the newest {NEWEST} lines of this workspace, `audit 20` for that many, "
    f"from 1 to {MOST}, `audit export` for all in a file, or `audit verify`."
)
TOO_LONG = (
    f"The log of this desk has more than {CHECKED:,} lines: say `deskmate audit verify` on the desk's machine, where "
    "nobody has to wait for it."
)
NO_ANCHORS = "What was kept of its end cannot be read: `deskmate audit verify` on the desk's machine says why."
OPERATOR, ELSEWHERE = "an operator of the desk", "somebody elsewhere"


async def audit(call: Call) -> Result:
    """Show the newest lines about the asker's workspace, or say whether the whole log is as it was written."""
    asked = " ".join(call.args).lower()
    if asked == EXPORT:
        return await _export(call)
    if asked == VERIFY:
        text = _told(await _checked(call))
    else:
        text = await _listed(call, _how_many(call))
    line = await reading_line(call.kit.sealer, reader_in(call), "audit_list", Subject(more={"asked": asked}))
    await show(call, text, ())
    return [line]


async def _export(call: Call) -> Result:
    """Send the lines about the asker's workspace, as lines of JSON without their seals."""
    check_unread(call)
    log = _Log(call)
    rows, reached = await log.newest(MOST_EXPORTED)
    told = []
    for row in rows:
        # Five thousand in one go would stop the loop for a sixth of a second.
        await call.kit.turnstile.passed()
        one = asdict(await log.told(open_line(row, call.kit.sealer)))
        told.append(f"{json.dumps(one, ensure_ascii=False, default=datetime.isoformat)}\n")
    line = await reading_line(call.kit.sealer, reader_in(call), "audit_export", EVERYBODY)
    newest = "" if reached else "the newest "
    about = f"These are {newest}{count(len(told), 'line')} about this workspace."
    await show(call, about, stays=True, file=TextFile("deskmate-audit.jsonl", "".join(told)))
    return [line]


def _how_many(call: Call) -> int:
    if len(call.args) > 1:
        raise BadInputError(reply=HOW)
    try:
        return call.number(default=NEWEST, most=MOST)
    except BadInputError as error:
        raise BadInputError(reply=HOW) from error


async def _checked(call: Call) -> Verdict:
    store = call.kit.store
    (start,), (end,) = await store.read(AuditStart()), await store.read(AuditEnd())
    if end.seq - start.seq > CHECKED:
        raise BadInputError(reply=TOO_LONG)
    try:
        anchors = await call.kit.anchor.kept() if call.kit.anchor else ()
    except BadInputError as error:
        raise BadInputError(str(error), reply=NO_ANCHORS) from error
    # In pages: between two of them everybody else has their turn.
    return await check_audit(store, call.kit.sealer, anchors)


def _told(verdict: Verdict) -> str:
    """Say what a check came to. How many lines a log has is not told: it is that of all workspaces."""
    if verdict.holds:
        return "The audit log holds: no line was changed, added or taken away."
    told, left = verdict.problems[:TOLD], len(verdict.problems) - TOLD
    more = [f"and {left:,} more: `deskmate audit verify` on the desk's machine tells all"] if left > 0 else []
    return "\n".join(["The audit log does not hold:", *(f"- {problem}" for problem in (*told, *more))])


async def _listed(call: Call, wanted: int) -> str:
    log = _Log(call)
    rows, reached = await log.newest(wanted)
    lines = [f"- {await log.written(open_line(row, call.kit.sealer))}" for row in rows]
    title = (
        f"The newest {count(len(lines), 'line')} about this workspace:" if lines else "Nothing about this workspace."
    )
    bound = "" if reached or len(rows) == wanted else f"I looked through the newest {PAGES * PAGE:,} lines of the desk."
    return "\n".join(filter(None, [title, *lines, bound]))


@dataclass(frozen=True, slots=True)
class _Told:
    """A line as a workspace may read it, without what else it notes."""

    at: datetime
    who: str
    action: str
    subject: str
    reason: str


@dataclass(slots=True)
class _Log:
    """The log as one workspace may read it: a line is told to belong there, or it is not shown.

    It does when it is about a customer of the workspace, or about nobody and was left by a customer or by staff of it.
    """

    call: Call
    _known: dict[str, CustomerRow | None] = field(default_factory=dict)

    async def newest(self, wanted: int) -> tuple[list[AuditRow], bool]:
        """The newest lines, oldest first, and whether the log was looked through to its beginning."""
        store, found = self.call.kit.store, list[AuditRow]()
        (end,) = await store.read(AuditEnd())
        last = end.seq
        for _ in range(PAGES):
            page = [row for row in await store.read(AuditAfter(max(last - PAGE, 0), PAGE)) if row.seq <= last]
            for row in reversed(page):
                if await self._is_here(row):
                    found.append(row)
                if len(found) == wanted:
                    return found[::-1], False
            if not page or page[0].seq == 1:
                return found[::-1], True
            last = page[0].seq - 1
        return found[::-1], False

    async def written(self, line: AuditLine) -> str:
        """A line as people read it."""
        told = await self.told(line)
        reason = first_words(told.reason, LONGEST_REASON)
        said = f"{told.at:%Y-%m-%d %H:%M} UTC, {told.who}: {told.action}{f' of {told.subject}' if told.subject else ''}"
        return f"{said} ({reason})" if reason else said

    async def told(self, line: AuditLine) -> _Told:
        """What of a line may be read here."""
        detail = line.detail if isinstance(line.detail, dict) else {}
        who = await self._name(line.actor, str(detail.get("by", "")), str(detail.get("role", "")))
        about = await self._customer(line.subject)
        subject = self._called(about) if about else line.subject
        return _Told(line.at, who, line.action, subject, str(detail.get("reason", "")))

    async def _is_here(self, row: AuditRow) -> bool:
        if row.owner != DESK:
            return await self._at_home(row.owner)
        return await self._at_home(row.actor) or self._is_ours(_by(open_line(row, self.call.kit.sealer)))

    async def _name(self, actor: str, by: str, role: str) -> str:
        if by:
            return f"{by} ({role})" if self._is_ours(by) else OPERATOR
        if await self._at_home(actor):
            return self._called(await self._customer(actor))
        return "the desk" if actor == DESK else ELSEWHERE

    def _is_ours(self, by: str) -> bool:
        return by.startswith(f"{self.call.ref.platform}/{self.call.ref.workspace}/")

    async def _at_home(self, customer: str) -> bool:
        row = await self._customer(customer)
        return row is not None and row.workspace == self.call.ref.workspace

    async def _customer(self, id_: str) -> CustomerRow | None:
        if id_ not in self._known:
            self._known[id_] = next(iter(await self.call.kit.store.read(CustomerById(id_))), None)
        return self._known[id_]

    def _called(self, row: CustomerRow | None) -> str:
        if row is None or row.workspace != self.call.ref.workspace:
            return ELSEWHERE
        try:
            return open_customer(row, self.call.kit.sealer).name
        except ErasedError:
            return ERASED


def _by(line: AuditLine) -> str:
    return str(line.detail.get("by", "")) if isinstance(line.detail, dict) else ""
