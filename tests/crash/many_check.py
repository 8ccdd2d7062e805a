"""What must be true when many processes have worked one store, and how long a dead one's lanes waited."""

import asyncio
import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import asyncpg

if TYPE_CHECKING:
    from tests.crash.many import Many

WITNESS = """
CREATE TABLE bench_done (event text NOT NULL, epoch bigint NOT NULL);
CREATE FUNCTION bench_done() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO bench_done SELECT NEW.id, epoch FROM lane WHERE lane.session = NEW.session;
    RETURN NULL;
END $$;
CREATE TRIGGER bench_done AFTER UPDATE OF status ON inbox FOR EACH ROW
    WHEN (OLD.status = 'queued' AND NEW.status = 'done') EXECUTE FUNCTION bench_done();
CREATE TABLE bench_taken (worker text NOT NULL, at double precision NOT NULL);
CREATE FUNCTION bench_taken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO bench_taken VALUES (OLD.worker, extract(epoch FROM clock_timestamp()));
    RETURN NULL;
END $$;
CREATE TRIGGER bench_taken AFTER UPDATE ON lane FOR EACH ROW
    WHEN (OLD.worker <> NEW.worker) EXECUTE FUNCTION bench_taken();
"""
_TURNS = """
SELECT count(*) FROM (
    SELECT array_agg(id ORDER BY seq) AS ids, session FROM inbox GROUP BY session
) AS said LEFT JOIN (
    SELECT array_agg(id ORDER BY depth) AS ids, session FROM turn WHERE status = 'done' GROUP BY session
) AS done USING (session) WHERE said.ids IS DISTINCT FROM done.ids
"""
_ROWS = {
    "events": "SELECT count(*) FROM inbox",
    "events not done": "SELECT count(*) FROM inbox WHERE status <> 'done'",
    "turns that are not done": "SELECT count(*) FROM turn WHERE status <> 'done'",
    "lanes whose turns are not its events, each once and in order": _TURNS,
    "lanes that wait or miscount": "SELECT count(*) FROM lane WHERE pending <> 0",
    "pieces not sent": "SELECT count(*) FROM outbox WHERE status <> 'sent'",
    "events with other than one piece": "SELECT count(*) FROM (SELECT 1 FROM inbox LEFT JOIN outbox ON"
    " outbox.turn = inbox.id GROUP BY inbox.id HAVING count(outbox.key) <> 1) AS odd",
}


@dataclass(slots=True)
class Found:
    """How often each thing that must not be was found, and the takeovers in seconds after the kill."""

    counts: dict[str, int] = field(default_factory=dict)
    takeovers: list[float] = field(default_factory=list)
    refused: int = 0
    reposted: int = 0
    sentences: list[str] = field(default_factory=list)

    @property
    def any(self) -> bool:
        """Whether anything was found."""
        return any(self.counts.values())

    def __str__(self) -> str:
        lines = [f"{count:6}  {what}" for what, count in self.counts.items()]
        lines += [f"        - {sentence}" for sentence in self.sentences[:5]]
        if self.takeovers:
            slowest, middle = max(self.takeovers), sorted(self.takeovers)[len(self.takeovers) // 2]
            lines.append(
                f"{len(self.takeovers):6}  lanes of killed processes taken over: {middle:.2f} s after the kill"
            )
            lines[-1] += f" in the middle, {slowest:.2f} s at most"
        lines.append(f"{self.refused:6}  late or cut commits that were refused")
        lines.append(f"{self.reposted:6}  pieces posted again under their key, after a kill or a stall")
        return "\n".join(lines)


def check(many: "Many") -> Found:
    """Count everything."""
    options, found = many.options, Found()
    notes = [json.loads(line) for line in many.works.notes.read_text().splitlines()]
    rows = asyncio.run(_rows(many.url))
    for what, count in rows.counts.items():
        found.counts[what] = abs(count - options.lanes * options.events) if what == "events" else count
    found.counts["events too few or too many"] = found.counts.pop("events")
    found.counts["late commits that were taken"] = _late(notes, rows.done)
    found.refused = sum(note.get("refused", False) for note in notes)
    all_said = {lane.name: [f"{lane.name}-{number}" for number in range(options.events)] for lane in many.lanes}
    answered = _answered(notes)
    found.counts["lanes answered out of order"] = sum(answered[name] != said for name, said in all_said.items())
    found.counts["lanes whose answers were not all heard"] = sum(
        sorted(many.replies[name]) != sorted(said) for name, said in all_said.items()
    )
    found.counts["pieces posted twice by processes that were well, or out of order"] = _posted(many, notes, found)
    workers = {note["worker"]: note["pid"] for note in notes if "worker" in note}
    for worker, at in rows.taken:
        pid = workers.get(worker)
        if pid in many.killed:
            found.takeovers.append(at - many.killed[pid])
    found.counts["takeovers later than the lease and two seconds"] = sum(
        seconds > options.lease + 2 for seconds in found.takeovers
    )
    found.counts["processes that ended by themselves or were stuck"] = len(many.ended)
    found.sentences = many.ended
    return found


@dataclass(slots=True)
class _Rows:
    counts: dict[str, int]
    done: dict[str, int]
    taken: list[tuple[str, float]]


async def _rows(url: str) -> _Rows:
    connection = await asyncpg.connect(url)
    counts = {what: int(await connection.fetchval(sql)) for what, sql in _ROWS.items()}
    done = {row[0]: row[1] for row in await connection.fetch("SELECT event, epoch FROM bench_done")}
    taken = [(row[0], row[1]) for row in await connection.fetch("SELECT worker, at FROM bench_taken")]
    await connection.close()
    return _Rows(counts, done, taken)


def _late(notes: list[dict[str, Any]], done: dict[str, int]) -> int:
    """Commits that finished an event under another epoch than its lane had at that moment."""
    return sum(note["epoch"] != done.get(note["event"]) for note in notes if "event" in note and not note["refused"])


def _answered(notes: list[dict[str, Any]]) -> defaultdict[str, list[str]]:
    """What each person was answered, in order: by the notes, which all processes append to one file.

    The bench reads one process's answers after the other's, so what it has heard first need not have been said first.
    """
    answered: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for note in notes:
        if "key" in note:
            answered[note["place"]].setdefault(note["to"])
    return defaultdict(list, {name: list(said) for name, said in answered.items()})


def _posted(many: "Many", notes: list[dict[str, Any]], found: Found) -> int:
    """Pieces that came twice though who posted them first was well, and those that came before an earlier one."""
    unwell = many.stalled | many.killed.keys()
    wrong = 0
    first: dict[str, int] = {}
    last: defaultdict[str, int] = defaultdict(lambda: -1)
    for note in notes:
        if "key" not in note:
            continue
        number = int(note["to"].partition("-")[2])
        if note["key"] in first:
            found.reposted += 1
            wrong += not (many.options.cuts or many.options.restarts) and not {first[note["key"]], note["pid"]} & unwell
            continue
        first[note["key"]] = note["pid"]
        wrong += number < last[note["place"]]
        last[note["place"]] = max(last[note["place"]], number)
    return wrong
