"""What the commands read, as tables to look at."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from adapters.terminal.render import safe
from core.forgetting import what_stays
from core.keeping_settings import CALLED
from core.transcript_text import tools_of
from core.wording import count, plain

Values = dict[str, Any]


def sessions(found: list[Values]) -> RenderableType:
    columns = {"session": "Session", "name": "Customer", "branch": "Branch", "turns": "Turns", "spoken": "Last spoken"}
    return _table(found, columns, nothing="There are no sessions yet.")


def session(found: Values) -> RenderableType:
    turns = count(len(found["turns"]), "turn")
    facts = Text(f"{safe(found['session'])}, branch {safe(found['branch'])}, {turns}", style="bold")
    beside = [Text("\nTaken back, or on another branch:", style="bold")] if found["elsewhere"] else []
    return Group(facts, *map(_turn, found["turns"]), *beside, *map(_turn, found["elsewhere"]))


def found(page: Values) -> RenderableType:
    hits = [Text("Nothing was found.")] if not page["hits"] else [_hit(hit) for hit in page["hits"]]
    return Group(*hits, Text(f"\n{page['summary']}", style="dim"))


def tickets(found: list[Values]) -> RenderableType:
    columns = {"id": "Ticket", "subject": "Subject", "status": "Status", "priority": "Priority", "name": "Customer"}
    said = [one | {"status": plain(one["status"])} for one in found]
    return _table(said, columns | {"opened": "Opened"}, nothing="There are no tickets yet.")


def ticket(found: Values) -> RenderableType:
    state = f"{plain(found['status'])}, priority {found['priority']}"
    head = Text(f"{found['id']}: {safe(found['subject'])} ({state})", style="bold")
    whose = Text(f"of {safe(found['name'])}, in {safe(found['session'])}", style="dim")
    columns = {"at": "At", "field": "Field", "before": "Before", "after": "After", "cause": "Cause"}
    return Group(head, whose, Text(safe(found["description"])), _table(_timeline(found), columns, nothing=""))


def usage(found: list[Values], grouping: str) -> RenderableType:
    tier = {"tier": "Tier"} if grouping == "customer" else {}
    columns = {"label": grouping.title()} | tier | {"requests": "Model calls", "input_tokens": "Tokens in"}
    columns |= {"output_tokens": "Tokens out", "cost": "Cost", "apart": "Of it"}
    return _table([one | {"apart": _apart(one)} for one in found], columns, nothing="Nothing was used.")


def audit(found: list[Values]) -> RenderableType:
    columns = {"at": "At", "actor": "Who", "action": "What", "subject": "Of", "detail": "Detail"}
    return _table(found, columns, nothing="The audit log is empty.")


def audit_verdict(found: Values) -> RenderableType:
    kept = f"{found['anchors']:,} anchors in {found['anchored_at']}" if found["anchored_at"] else "no anchors"
    if found["holds"]:
        cut = f" Before them {found['cut']:,} were cut off, as one of them says." if found["cut"] else ""
        return Text(f"The audit log holds: {found['lines']:,} lines, checked against {kept}.{cut}", style="green")
    head = Text(f"The audit log does not hold ({found['lines']:,} lines, checked against {kept}):", style="bold red")
    return Group(head, *(Text(f"  {problem}") for problem in found["problems"]))


def forgotten(found: Values) -> RenderableType:
    gone = [{"place": place.replace("_", " "), "rows": rows} for place, rows in found["gone"].items()]
    head = Text(f"{found['customer']} is forgotten, and their key destroyed.", style="bold")
    said = Text(what_stays(found["kept"], found["messages"]))
    return Group(head, _table(gone, {"place": "Place", "rows": "Gone"}, nothing=""), said)


def identities(found: list[Values]) -> RenderableType:
    columns = {"identity": "Identity", "customer": "Customer", "histories": "Histories"}
    return _table(found, columns, nothing="Nobody.")


def unlinked(found: Values) -> RenderableType:
    return Text(f"{found['customer']} and {', '.join(found['from'])} are one person no more.")


def retained(found: Values) -> RenderableType:
    rows = [
        {"what": about, "tier": tier or "(no tier)", "rows": rows}
        for kind, about in CALLED.items()
        for tier, rows in sorted(found["by_tier"][kind].items())
    ]
    columns = {"what": "What", "tier": "Tier", "rows": "Would go" if found["dry_run"] else "Gone"}
    table = _table(rows, columns, nothing=f"Nothing {'would go' if found['dry_run'] else 'was old enough'}.")
    if not found["audit_problems"]:
        return table
    refused = "The audit log does not hold, so nothing is cut off it: `deskmate audit verify` says where."
    return Group(table, Text(refused, style="bold red"))


def taken_in(found: Values) -> RenderableType:
    linked = found.get("linked", [])
    said = [_taken_in(each) for each in (found, *linked)]
    if linked:
        said.append("They were one person, and are not linked here: with the word `link` they prove it anew.")
    return Text("\n".join(said))


def _taken_in(found: Values) -> str:
    came = found["came"]
    parts = [count(came[name], name[:-1]) for name in ("conversations", "turns", "tickets", "months")]
    said = f"{', '.join(parts)} of the bill {'would come' if found['dry_run'] else 'came'} in"
    who = f", as customer {found['customer']}" if found["customer"] else ""
    left = (
        f" {count(came['left_out'], 'turn')} stayed out: somebody else began the conversation."
        if came["left_out"]
        else ""
    )
    renamed = "".join(f"\n{was} is {name} here." for was, name in found["tickets"].items())
    return f"{said}{who}.{left}{renamed}"


def holds(found: list[Values]) -> RenderableType:
    columns = {"customer": "Customer", "at": "Since", "by": "By", "reason": "Reason"}
    return _table(found, columns, nothing="Nobody is on hold.")


def hold(found: Values) -> RenderableType:
    return Text(f"{found['customer']} is {'on hold now' if found['on_hold'] else 'not on hold any more'}.")


def keys(found: list[Values]) -> RenderableType:
    columns = {"owner": "Owner", "versions": "Versions", "state": "State"}
    return _table(found, columns, nothing="There are no data keys yet.")


def keys_checked(found: Values) -> RenderableType:
    if found["ok"]:
        return Text(f"All keys open: {count(found['owners'], 'owner')}.", style="green")
    return Group(Text("These do not open:", style="bold red"), *(Text(f"  {one}") for one in found["closed"]))


def keys_rotated(found: Values) -> RenderableType:
    return Text(f"{found['what']}: {count(found['keys'], 'key')} in {found['seconds']:.1f} s. {found['do']}".strip())


def doctor(found: Values) -> RenderableType:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for check in found["checks"]:
        mark = Text("ok", style="green") if check["ok"] else Text("!!", style="bold red")
        table.add_row(mark, check["check"], Text(check["found"]))
        if check["do"]:
            table.add_row("", "", Text(check["do"], style="yellow"))
    return table


def moved(found: Values) -> RenderableType:
    keys = found["keyring"]
    kept = f"The keyring stays at {keys['at']}." if keys["keys"] is None else f"Its keyring is at {keys['at']}."
    said = f"Moved to {found['to']}, both sides read in full and equal. {kept} Bring the master key along."
    return Group(_copied(found), Text(said))


def backed_up(found: Values) -> RenderableType:
    said = f"Written to {found['backup']}, read back and equal. The keyring is NOT in it: keep {found['keyring']} too."
    return Group(_copied(found), Text(said))


def restored(found: Values) -> RenderableType:
    aside = f" The store before is kept as {found['aside']}." if found["aside"] else ""
    said = f"Restored from {found['backup']}, read back and equal.{aside}"
    return Group(_copied(found), Text(said), fsck(found))


def imported(found: list[Values]) -> RenderableType:
    columns = {
        "session": "Session",
        "as": "As",
        "items": "Items on main",
        "branches": "Branches",
        "told": "What came of it",
    }
    said = [one | {"branches": ", ".join(one["branches"])} for one in found]
    problems = (
        Text(f"{safe(one['session'])}: {safe(why)}", style="yellow") for one in found for why in one["problems"]
    )
    return Group(_table(said, columns, nothing="There are no sessions in that file."), *problems)


def fsck(found: Values) -> RenderableType:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for check in found["checks"]:
        mark = Text("ok", style="green") if check["ok"] else Text("!!", style="bold red")
        note = f" ({check['note']})" if check["note"] else ""
        table.add_row(mark, check["name"], Text(f"{check['sentence']}{note}"))
        for row in check["rows"]:
            table.add_row("", "", Text(safe(row), style="yellow"))
    repaired = (Text(f"{one['what']}: {safe(one['row'])}") for one in found.get("repaired", ()))
    return Group(table, *repaired)


def _copied(found: Values) -> RenderableType:
    columns = {"table": "Table", "rows": "Rows", "hash": "Hash"}
    return _table([one | {"hash": one["hash"][:16]} for one in found["tables"]], columns, nothing="")


def _apart(used: Values) -> str:
    """What of a sum brought no answer that stands, by model calls."""
    told = {outcome: sums["requests"] for outcome, sums in used["outcomes"].items() if outcome not in ("done", "none")}
    return ", ".join(f"{outcome}: {calls:,}" for outcome, calls in told.items())


def _timeline(found: Values) -> list[Values]:
    return [entry | _in_words(entry) if entry["field"] == "status" else entry for entry in found["timeline"]]


def _in_words(entry: Values) -> Values:
    return {name: plain(entry[name]) for name in ("before", "after") if entry[name]}


def _turn(turn: Values) -> RenderableType:
    status = "" if turn["status"] == "done" else f" ({turn['status']})"
    return Group(
        Text(f"\n{turn['number']}. {safe(turn['name'])}{status}  {_short(turn['at'])}", style="bold"),
        Text(f"   {safe(turn['said'])}"),
        *(Text(f"   {safe(line)}", style="dim") for line in tools_of(turn["items"])),
        Text(f"   {safe(turn['answered'])}", style="cyan"),
        Text(f"   ({'; '.join(_facts(turn))})", style="dim"),
    )


def _hit(hit: Values) -> RenderableType:
    state = f" ({hit['state']})" if hit["state"] else ""
    head = f"{safe(hit['name']) or hit['customer']}, {_short(hit['at'])}, turn {hit['number']}{state}"
    return Group(
        Text("; ".join([head, *hit["tickets"]]), style="bold"),
        Text(f"   {safe(hit['snippet'])}"),
        Text(f"   deskmate review {safe(hit['session'])} --reason ...", style="dim"),
    )


def _facts(turn: Values) -> list[str]:
    used = turn["usage"]["usage"]
    tokens = count(used["input_tokens"] + used["output_tokens"], "token")
    return [*turn["tickets"], tokens, *(opinion["value"] for opinion in turn["feedback"])]


def _table(found: Iterable[Values], columns: Mapping[str, str], *, nothing: str) -> RenderableType:
    rows = [[_cell(values.get(name)) for name in columns] for values in found]
    if not rows:
        return Text(nothing)
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for title in columns.values():
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _cell(value: object) -> Text:
    if value is None:
        return Text("")
    if isinstance(value, int):
        return Text(f"{value:,}", justify="right")
    if isinstance(value, dict):
        return Text(safe(", ".join(f"{name}: {part}" for name, part in value.items())))
    return Text(safe(_short(str(value))))


def _short(text: str) -> str:
    """A time as people read it; any other text as it is."""
    is_time = len(text) >= 25 and text[10] == "T" and text.endswith("+00:00")
    return f"{text[:10]} {text[11:16]} UTC" if is_time else text
