"""`deskmate forget`, `hold` and `export`."""

import asyncio
import base64
import contextlib
import errno
import json
import os
import re
import signal
import sqlite3
import zlib
from contextlib import closing

import pytest

from bots.assemble import open_desk
from core.config import Settings
from core.models import Command, ConversationRef
from tests.bots.command_line import OPEN, chat_jsonl, refusal, run_changed, say, started
from tests.bots.stores import files
from tests.core.talk import Street

ALICE = "terminal/local/alice"
PHRASE = "zanzibar-quokka-7"


def forms(phrase):
    """A phrase as it may stand in a file: raw, as UTF-16, in hex and in base64 at every offset."""
    raw = phrase.encode()
    offsets = (base64.b64encode(b"\0" * skip + raw)[4 if skip else 0 : -4] for skip in range(3))
    wide = (phrase.encode("utf-16-le"), phrase.encode("utf-16-be"))
    return [raw, *wide, raw.hex().encode(), raw.hex().upper().encode(), *offsets]


def inflated(content):
    """What any zlib or gzip stream in a content holds."""
    for start in (match.start() for match in re.finditer(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b", content)):
        with contextlib.suppress(zlib.error):
            yield zlib.decompressobj(47).decompress(content[start:])


def found_in(folder, phrase):
    found = []
    for path in folder.iterdir():
        content = path.read_bytes()
        for text in (content, *inflated(content)):
            found += [path.name for form in forms(phrase) if form.lower() in text.lower()]
    return found


def until(desk, kind):
    """The next line of a kind that a desk writes."""
    return next(line for line in map(json.loads, desk.stdout) if line["type"] == kind)


def test_the_search_finds_each_form(tmp_path):
    for number, form in enumerate((*forms(PHRASE), zlib.compress(b"x" + PHRASE.encode()))):
        (tmp_path / "one").write_bytes(bytes(number) + form)
        assert found_in(tmp_path, PHRASE), form


def test_a_forgotten_person_is_nowhere_and_the_receipt_counts_what_was_there(copied, deskmate):
    done = deskmate.json("forget", ALICE, "--yes", folder=copied)
    assert done["gone"]["turn"] == 2
    assert done["key"] == "destroyed"
    assert done["messages"] == 2
    assert done["kept"]["usage"] > 0
    *_, line, _ = deskmate.json("audit", "list", folder=copied)  # the last one says that the log was read
    assert (line["action"], line["subject"], line["detail"]["gone"]) == ("forget", done["customer"], done["gone"])
    assert "is known as" in refusal(deskmate("forget", ALICE, "--yes", folder=copied))
    assert "!!" not in deskmate("fsck", "--deep", folder=copied).stdout
    assert deskmate("audit", "verify", folder=copied).returncode == 0


def test_the_bill_of_a_forgotten_person_stays_the_same(copied, deskmate):
    def billed():
        return {row["customer"]: (row["requests"], row["input_tokens"], row["cost"]) for row in usage()}

    def usage():
        return deskmate.json("usage", folder=copied)

    before = billed()
    forgotten = deskmate.json("forget", ALICE, "--yes", folder=copied)["customer"]
    assert billed() == before
    assert [row["name"] for row in usage() if row["customer"] == forgotten] == ["(erased)"]


def test_nobody_is_forgotten_by_mistake(copied, deskmate):
    assert "say it with --yes" in refusal(deskmate("forget", ALICE, folder=copied))
    assert "nobody here is known as nobody" in refusal(deskmate("forget", "nobody", "--yes", folder=copied))
    assert deskmate.json("sessions", "list", folder=copied)


def test_planted_phrases_are_found_nowhere_after_it_not_even_in_yesterdays_backup(tmp_path, deskmate):
    said = [
        OPEN | {"text": f"open a ticket: {PHRASE}-ticket", "name": f"{PHRASE}-name", "email": f"{PHRASE}@example.com"},
        OPEN | {"id": "m2", "text": f"remember that I prefer {PHRASE}"},
    ]
    chat_jsonl(tmp_path, *said)
    deskmate("backup", "yesterday.db")
    assert PHRASE in json.dumps(deskmate.json("tickets", "list"))
    deskmate("forget", ALICE, "--yes")
    assert found_in(tmp_path, PHRASE) == []
    restored = deskmate("restore", "yesterday.db", "--replace")
    assert restored.returncode == 0
    for command in (("sessions", "list"), ("tickets", "list"), ("usage",), ("audit", "list")):
        assert PHRASE not in deskmate(*command).stdout
    assert found_in(tmp_path, PHRASE) == []


def test_who_is_forgotten_beside_a_serving_desk_is_somebody_new_there_and_their_answers_are_taken_away(
    tmp_path, deskmate
):
    with started(tmp_path, "chat", "--jsonl") as desk:
        say(desk, OPEN | {"text": "remember that I prefer mornings"})
        answer = until(desk, "reply")
        assert deskmate("forget", ALICE, "--yes").stderr == ""
        assert until(desk, "retract")["key"] == answer["key"]
        say(desk, OPEN | {"id": "m2", "text": "hello again"})
        assert until(desk, "reply")["to"] == "m2"
        desk.communicate()
    found = json.loads(deskmate("export", ALICE, "-").stdout)
    assert [turn["said"] for turn in found["turns"]] == ["hello again"]


def test_an_admin_forgets_somebody_from_the_chat_and_no_word_of_what_they_were_shown_is_left(tmp_path, deskmate):
    (tmp_path / "desk.toml").write_text('[roles]\n"terminal/local/ada" = "admin"\n')
    with started(tmp_path, "chat", "--jsonl") as desk:
        say(desk, OPEN | {"text": f"open a ticket: {PHRASE}"})
        until(desk, "reply")
        said = {"type": "message", "user": "ada"}
        say(desk, said | {"id": "a1", "text": "!export alice she asked"})
        assert PHRASE in until(desk, "reply")["file"]["content"]
        say(desk, said | {"id": "a2", "text": "!forget alice she asked"})
        confirm = re.search(r"`(forget by:\S+ confirm)`", until(desk, "reply")["text"])[1]
        say(desk, said | {"id": "a3", "text": f"!{confirm}"})
        receipt = until(desk, "reply")
        assert (receipt["user"], receipt["private"]) == ("ada", True)
        assert "is forgotten, and their key destroyed" in receipt["text"]
        desk.communicate()
    assert found_in(tmp_path, PHRASE) == []
    done = [line["action"] for line in deskmate.json("audit", "list")]
    assert done[:4] == ["export_person", "forget asked", "forget ordered", "forget"]


@pytest.mark.parametrize("at", ["_delete", "erase", "_finish", "scrub"])
def test_a_killed_forgetting_is_finished_by_running_it_again(copied, deskmate, at):
    killed = f"""
import os, signal, sys
from adapters.sealing.sealer import KeyringSealer
from adapters.storage.sqlite import SqliteStore
from core.forgetting import Forgetting
async def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)
for owner in (Forgetting, KeyringSealer, SqliteStore):
    if hasattr(owner, {at!r}):
        setattr(owner, {at!r}, kill)
from bots.cli import main
main(["forget", {ALICE!r}, "--yes"])
"""
    done = run_changed(copied, killed)
    assert done.returncode == -signal.SIGKILL
    again = deskmate("forget", ALICE, "--yes", "--json", folder=copied)
    if at == "scrub":
        assert "nobody here is known as" in refusal(again)
    else:
        assert json.loads(again.stdout)["gone"]["turn"] == 2
    lines = [line["action"] for line in deskmate.json("audit", "list", folder=copied)]
    assert lines.count("forget") == 1


def test_a_hold_wins_over_forgetting_and_is_in_the_audit_log(copied, deskmate):
    assert "say why" in refusal(deskmate("hold", "add", ALICE, folder=copied))
    deskmate("hold", "add", ALICE, "--reason", "case 7", folder=copied)
    assert "is on hold (case 7)" in refusal(deskmate("forget", ALICE, "--yes", folder=copied))
    (held,) = deskmate.json("hold", "list", folder=copied)
    assert held["reason"] == "case 7"
    deskmate("hold", "remove", ALICE, "--reason", "over", folder=copied)
    assert "is not on hold" in refusal(deskmate("hold", "remove", ALICE, "--reason", "over", folder=copied))
    assert deskmate.json("forget", ALICE, "--yes", folder=copied)["gone"]["turn"] == 2
    actions = [line["action"] for line in deskmate.json("audit", "list", folder=copied)]
    assert actions[-5:] == ["hold", "hold_list", "end hold", "forget", "audit_list"]


def test_retention_says_what_would_go_and_lets_it_go(copied, deskmate):
    with closing(sqlite3.connect(copied / "desk.db", isolation_level=None)) as store:
        store.execute("UPDATE session SET spoken = spoken - 40 * 86400000000")
        store.execute("UPDATE outbox SET at = at - 40 * 86400000000")
        store.execute("UPDATE usage SET at = at - 40 * 86400000000")
        calls = store.execute("SELECT count(*) FROM usage").fetchone()[0]
    (copied / "desk.toml").write_text(
        "[retention]\nconversation_days = 30\ndelivery_days = 50\nusage_days = 30\naudit_days = 30\n"
    )
    would = deskmate.json("retention", "run", "--dry-run", folder=copied)
    tiers = {
        "conversation": {"premium": 1, "standard": 1},
        "ticket": {},
        "usage": {"premium": calls - 1, "standard": 1},
    }
    assert would["by_tier"] == tiers | {"audit": {}, "parked": {}, "delivery": {}}
    assert (would["dry_run"], would["conversation"], would["usage"]) == (True, 2, calls)
    shown = deskmate("retention", "run", "--dry-run", folder=copied).stdout
    assert "Would go" in shown
    assert "Lines of the bill" in shown
    deskmate("hold", "add", ALICE, "--reason", "case 7", folder=copied)
    billed = [row["cost"] for row in deskmate.json("usage", folder=copied)]
    assert deskmate.json("retention", "run", folder=copied)["conversation"] == 1
    assert [row["cost"] for row in deskmate.json("usage", folder=copied)] == billed
    assert [row["turns"] for row in deskmate.json("sessions", "list", folder=copied) if row["turns"]] == [2]
    assert deskmate("audit", "verify", folder=copied).returncode == 0


def test_the_old_end_of_the_audit_log_is_cut_off_and_what_stays_verifies(copied, deskmate):
    lines = len(deskmate.json("audit", "list", folder=copied))
    (copied / "desk.toml").write_text("[retention]\naudit_days = 1\n")
    later = """
import core.clock, bots.people, time
bots.people.now = lambda: core.clock.now() + 3 * 86_400_000_000
from bots.cli import main
main(["retention", "run", "--json"])
"""
    done = run_changed(copied, later)
    assert json.loads(done.stdout)["audit"] == lines
    assert "were cut off" in deskmate("audit", "verify", folder=copied).stdout
    assert deskmate.json("audit", "verify", folder=copied)["cut"] == lines
    assert "!!" not in deskmate("fsck", "--deep", folder=copied).stdout


def test_an_export_is_what_the_person_would_get_and_leaves_an_audit_line(copied, deskmate):
    assert deskmate("export", ALICE, "alice.json", folder=copied).returncode == 0
    found = json.loads((copied / "alice.json").read_text())
    assert (found["format"], found["person"]["name"], len(found["turns"])) == (2, "Alice", 2)
    assert deskmate.json("audit", "list", folder=copied)[-2]["action"] == "export_person"
    assert "name a new file" in refusal(deskmate("export", ALICE, "alice.json", folder=copied))


def test_an_export_to_a_full_disk_leaves_nothing(copied, deskmate, monkeypatch):
    before = files(copied)

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr("bots.exports.os.write", full)
        assert "No space left" in refusal(deskmate("export", ALICE, "alice.json", folder=copied))
    assert files(copied) == before | {"desk.db.anchors"}


# --- taking in --------------------------------------------------------------------------------------------------------


def test_an_exported_person_is_taken_in_by_another_desk_and_is_exported_the_same(copied, deskmate, tmp_path):
    deskmate("export", ALICE, str(tmp_path / "alice.json"), folder=copied)
    other = tmp_path / "other"
    other.mkdir()
    chat_jsonl(other, OPEN | {"user": "bob", "text": "hello"})
    would = deskmate.json("import", str(tmp_path / "alice.json"), "--dry-run", folder=other)
    assert (would["dry_run"], would["came"]["turns"], would["came"]["left_out"]) == (True, 2, 0)
    assert "nobody here is known" in refusal(deskmate("export", ALICE, "-", folder=other))
    came = deskmate.json("import", str(tmp_path / "alice.json"), folder=other)
    assert came["came"] == would["came"]
    before, after = (
        json.loads((tmp_path / "alice.json").read_text()),
        json.loads(deskmate("export", ALICE, "-", folder=other).stdout),
    )
    assert after.pop("person") == before.pop("person") | {"id": came["customer"]}
    assert after == before
    *_, line, _ = deskmate.json("audit", "list", folder=other)[:-1]
    assert (line["action"], line["subject"]) == ("import", came["customer"])
    assert "!!" not in deskmate("fsck", "--deep", folder=other).stdout
    assert deskmate("audit", "verify", folder=other).returncode == 0


def test_who_is_here_already_is_not_taken_in(copied, deskmate):
    deskmate("export", ALICE, "alice.json", folder=copied)
    assert "is here already: forget them first" in refusal(deskmate("import", "alice.json", folder=copied))
    deskmate("forget", ALICE, "--yes", folder=copied)
    assert "came in, as customer" in deskmate("import", "alice.json", folder=copied).stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no whole export"),
        ('{"format": 1}', "that is no export this version can take in: format"),
        ('{"format": 2}', "that is no export this version can take in: person"),
    ],
)
def test_a_file_that_is_no_export_is_refused(copied, deskmate, text, said):
    (copied / "alice.json").write_text(text)
    assert said in refusal(deskmate("import", "alice.json", folder=copied))


def test_what_is_said_of_sessions_is_not_said_of_a_person(copied, deskmate):
    deskmate("export", ALICE, "alice.json", folder=copied)
    assert "leave --session and --as out" in refusal(deskmate("import", "alice.json", "--as", "x", folder=copied))


# --- linking ----------------------------------------------------------------------------------------------------------


async def said_at(desk, street, *events):
    for event in events:
        await desk.accept(event)
        await desk.drain()
    return street.posted[-1].text


GIVEN_TURN = {
    "id": "0" * 32,
    "conversation": None,
    "parent": None,
    "number": 1,
    "status": "done",
    "agent": "",
    "at": "2026-01-31T10:30:00+00:00",
    "edited": False,
    "said": "hello",
    "answered": "Hello.",
    "files": [],
    "items": [],
}


async def link_two(folder):
    slack, discord = Street("slack"), Street("discord")
    alice, al = ConversationRef("slack", "T1", "D", "alice"), ConversationRef("discord", "G1", "D", "al")
    settings = Settings(store=f"sqlite:///{folder}/desk.db", model="offline")
    async with open_desk(settings, [slack, discord], serving=False) as desk:
        code = (await said_at(desk, slack, Command("1", alice, "link"))).split("`")[1].removeprefix("link ")
        await said_at(desk, discord, Command("2", al, "link", (code, "apart")))


def test_of_an_exported_person_who_linked_others_all_come_in_and_are_not_linked(tmp_path, deskmate, capfd):
    asyncio.run(link_two(tmp_path))
    capfd.readouterr()  # that a key was made
    deskmate("export", "discord/G1/al", str(tmp_path / "al.json"))
    other = tmp_path / "other"
    other.mkdir()
    chat_jsonl(other, OPEN | {"user": "bob", "text": "hello"})
    would = deskmate.json("import", str(tmp_path / "al.json"), "--dry-run", folder=other)
    assert [each["came"]["left_out"] for each in (would, *would["linked"])] == [0, 0]
    came = deskmate("import", str(tmp_path / "al.json"), folder=other)
    assert "They were one person, and are not linked here" in came.stdout
    for who in ("slack/T1/alice", "discord/G1/al"):
        assert [one["identity"] for one in deskmate.json("link", "list", who, folder=other)] == [who]
    assert "is here already" in refusal(deskmate("import", str(tmp_path / "al.json"), folder=other))


@pytest.mark.parametrize("twice", ["identities", "turns"])
def test_a_file_in_which_two_people_have_something_in_common_is_refused(tmp_path, deskmate, capfd, twice):
    asyncio.run(link_two(tmp_path))
    capfd.readouterr()  # that a key was made
    whole = json.loads(deskmate("export", "discord/G1/al", "-").stdout)
    (linked,) = whole["linked"]
    if twice == "turns":
        linked["turns"] = whole["turns"] = [GIVEN_TURN]
    else:
        linked["person"]["identities"] = whole["person"]["identities"]
    (tmp_path / "al.json").write_text(json.dumps(whole))
    assert "something in it is there twice" in refusal(deskmate("import", "al.json"))


def test_operators_see_who_is_one_person_and_make_two_of_them_again(tmp_path, deskmate, capfd):
    asyncio.run(link_two(tmp_path))
    capfd.readouterr()  # that a key was made
    found = deskmate.json("link", "list", "slack/T1/alice")
    assert [(one["identity"], one["histories"]) for one in found] == [
        ("slack/T1/alice", ""),
        ("discord/G1/al", "apart"),
    ]
    assert "say why" in refusal(deskmate("link", "remove", "discord/G1/al"))
    assert deskmate("link", "remove", "discord/G1/al", "--reason", "stolen").returncode == 0
    assert [one["identity"] for one in deskmate.json("link", "list", "slack/T1/alice")] == ["slack/T1/alice"]
    assert "is not linked" in refusal(deskmate("link", "remove", "discord/G1/al", "--reason", "stolen"))
    lines = [(line["action"], line["detail"]) for line in deskmate.json("audit", "list")]
    assert [detail["reason"] for action, detail in lines if action == "unlink" and "reason" in detail] == ["stolen"]
    assert deskmate("audit", "verify").returncode == 0
