"""No operator reads what is other people's without a line in the audit log."""

import argparse

import pytest

from bots.cli import _parser
from core.access import READINGS
from core.errors import StoreError
from core.writer import GroupWriter

WHY = ("--reason", "a complaint")
READS = {
    ("sessions", "list"): ((), "sessions_list"),
    ("sessions", "show"): (("terminal/local/dm/alice", *WHY), "review"),
    ("search",): (("printer", *WHY), "search"),
    ("review",): (("terminal/local/dm/alice", *WHY), "review"),
    ("tickets", "list"): ((), "tickets_list"),
    ("tickets", "show"): (("TKT-1001",), "ticket"),
    ("usage",): ((), "usage_list"),
    ("audit", "list"): ((), "audit_list"),
    ("audit", "export"): (("-",), "audit_export"),
    ("export",): (("terminal/local/alice", "-"), "export_person"),
    ("hold", "list"): ((), "hold_list"),
}
"""Every way to read on the command line: with what, and the line it leaves."""

OTHERS = {
    ("audit", "verify"),  # reads hashes
    ("doctor",),  # counts, and ids of what was set aside
    ("fsck",),
    ("migrate",),
    ("backup",),
    ("restore",),
    ("import",),
    ("chat",),
    ("demo",),
    ("slack",),
    ("slack", "manifest"),
    ("discord",),
    ("serve",),
    ("worker",),
    ("forget",),  # counts; what it did has a line of its own
    ("hold", "add"),  # leaves its own line
    ("hold", "remove"),
    ("link", "list"),  # ids of who is named, and nothing they said
    ("link", "remove"),
    ("retention", "run"),
    ("keys", "list"),  # keyed hashes
    ("keys", "check"),
    ("keys", "rotate"),
}
"""Commands that show nobody anything of other people."""


def paths(parser, before=()):
    """Every command there is."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if before and parser.get_default("run"):
        yield before
    for action in below:
        for name, inner in action.choices.items():
            yield from paths(inner, (*before, name))


def lines(deskmate, folder):
    return deskmate.json("audit", "list", folder=folder)[:-1]


def test_every_command_is_known_to_read_or_to_read_nothing():
    assert {*paths(_parser())} == {*READS} | OTHERS
    assert {reading for _, reading in READS.values()} == {*READINGS}


@pytest.mark.parametrize("path", READS, ids=" ".join)
def test_every_read_leaves_its_line_which_names_who_read(copied, deskmate, path):
    args, reading = READS[path]
    before = len(lines(deskmate, copied)) + 1  # and the line of this look
    assert deskmate(*path, *args, folder=copied).returncode == 0
    (line,) = lines(deskmate, copied)[before:]
    assert line["action"] == reading
    assert line["detail"]["by"].startswith("os/local/")
    assert line["detail"]["role"] == "admin"


@pytest.mark.parametrize("path", READS, ids=" ".join)
def test_what_cannot_be_noted_is_not_read(copied, deskmate, path, monkeypatch):
    async def refuse(self, commit):
        raise StoreError("the disk is full")

    monkeypatch.setattr(GroupWriter, "commit", refuse)
    done = deskmate(*path, *READS[path][0], folder=copied)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "deskmate: the disk is full\n")
