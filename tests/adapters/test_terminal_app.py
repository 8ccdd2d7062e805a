import asyncio
import io
import json
import os
import threading
from contextlib import asynccontextmanager

import pytest
from rich.console import Console

from adapters.terminal.app import Chat, JsonLines
from adapters.terminal.pipes import LONGEST, LineSink, read_lines
from adapters.terminal.translate import ref_of
from core.errors import PlatformError, StoreError
from core.models import Accepted, Command, Delivery, Profile, UserMessage

ALICE = ref_of("alice")
REPLY = Delivery("e1.1", "reply", ALICE, "m1", "terminal/local/dm/alice", "t1", "Hello.")


class SlowDesk:
    """A desk whose intake takes as long as a test wants: what the store would decide, without one."""

    def __init__(self):
        self.events = []
        self.gates = {}
        self.refusals = {}
        self.idle = asyncio.Event()
        self.idle.set()

    async def accept(self, event):
        self.events.append(event.id if isinstance(event, UserMessage) else event)
        await self.gates.get(getattr(event, "id", None), open_gate()).wait()
        if event.id in self.refusals:
            raise self.refusals[event.id]
        return Accepted.NEW

    async def drain(self):
        await self.idle.wait()


def open_gate():
    gate = asyncio.Event()
    gate.set()
    return gate


async def source(*lines):
    for line in lines:
        yield line if isinstance(line, bytes) else json.dumps(line).encode()


def message(id_, user="alice", **fields):
    return {"type": "message", "id": id_, "user": user, "text": "hello", **fields}


@asynccontextmanager
async def piped():
    """A sink, and the lines that come out of it."""
    out, into = os.pipe()
    async with LineSink(into) as sink:
        yield sink, read_lines(out)
    os.close(into)


async def read(lines, count):
    return [json.loads(await anext(lines)) for _ in range(count)]


async def rounds(count=20):
    for _ in range(count):
        await asyncio.sleep(0)


# --- lines of JSON ----------------------------------------------------------------------------------------------------


async def test_each_line_is_acknowledged():
    async with piped() as (sink, lines):
        await JsonLines(source(message("m1"), message("m2")), sink).run(SlowDesk())
        assert await read(lines, 2) == [{"type": "accepted", "id": "m1"}, {"type": "accepted", "id": "m2"}]


async def test_a_line_that_is_not_taken_is_answered_with_its_number_and_the_rest_goes_on():
    bad = message("m3", text=None)
    async with piped() as (sink, lines):
        await JsonLines(source(message("m1"), b"{", b" ", bad, b"\xff", message("m5")), sink).run(SlowDesk())
        answers = await read(lines, 5)
    assert [answer["id"] for answer in answers if answer["type"] == "accepted"] == ["m1", "m5"]
    errors = [(answer["id"], answer["message"]) for answer in answers if answer["type"] == "error"]
    assert errors[1] == ("m3", "line 4: text is missing")
    assert [id_ for id_, _ in errors] == [None, "m3", None]
    assert errors[0][1].startswith("line 2: this is not JSON")
    assert errors[2][1].startswith("line 5: this is not JSON")


async def test_what_the_desk_cannot_keep_is_said_and_the_rest_goes_on():
    desk = SlowDesk()
    desk.refusals["m1"] = StoreError("disk full")
    async with piped() as (sink, lines):
        await JsonLines(source(message("m1"), message("m2")), sink).run(desk)
        refused, accepted = await read(lines, 2)
    assert refused == {"type": "error", "id": "m1", "message": StoreError.reply}
    assert accepted == {"type": "accepted", "id": "m2"}


async def test_nothing_is_acknowledged_before_it_is_durable():
    desk = SlowDesk()
    gate = desk.gates["m1"] = asyncio.Event()
    async with piped() as (sink, lines):
        running = asyncio.create_task(JsonLines(source(message("m1"), message("m2", "bob")), sink).run(desk))
        assert await read(lines, 1) == [{"type": "accepted", "id": "m2"}]
        gate.set()
        assert await read(lines, 1) == [{"type": "accepted", "id": "m1"}]
        await running


@pytest.mark.parametrize("second", [message("m2", channel="elsewhere"), message("m2", "bob", channel="help")])
async def test_events_of_one_person_or_in_one_place_are_handed_in_as_they_were_read(second):
    desk = SlowDesk()
    gate = desk.gates["m1"] = asyncio.Event()
    async with piped() as (sink, _):
        first, third = message("m1", channel="help"), message("m3", "carol")
        running = asyncio.create_task(JsonLines(source(first, second, third), sink).run(desk))
        await rounds()
        assert desk.events == ["m1", "m3"]
        gate.set()
        await running
    assert desk.events == ["m1", "m3", "m2"]


async def test_the_run_ends_when_all_is_answered():
    desk = SlowDesk()
    desk.idle.clear()
    async with piped() as (sink, _):
        running = asyncio.create_task(JsonLines(source(message("m1")), sink).run(desk))
        await rounds()
        assert not running.done()
        desk.idle.set()
        await running


async def test_a_line_of_any_length_is_answered():
    async with piped() as (sink, lines):
        await JsonLines(source(b"x" * (LONGEST + 1), message("m2")), sink).run(SlowDesk())
        assert (await read(lines, 1))[0]["message"] == f"line 1: this is longer than {LONGEST:,} bytes"


async def test_a_reply_is_one_line_and_its_key_its_id():
    async with piped() as (sink, lines):
        app = JsonLines(source(), sink)
        assert await app.post(REPLY) == "e1.1"
        assert (await read(lines, 1))[0]["key"] == "e1.1"


async def test_when_nobody_reads_the_run_ends_and_nothing_counts_as_posted():
    out, into = os.pipe()
    os.close(out)

    async def endless():
        yield json.dumps(message("m1")).encode()
        await asyncio.Event().wait()

    async with LineSink(into) as sink:
        app = JsonLines(endless(), sink)
        with pytest.raises(BrokenPipeError):
            await app.run(SlowDesk())
        with pytest.raises(PlatformError):
            await app.post(REPLY)
    os.close(into)


# --- pipes ------------------------------------------------------------------------------------------------------------


async def test_lines_are_read_whole_to_the_end():
    out, into = os.pipe()
    long = b"y" * 200_000
    threading.Thread(
        target=lambda: (os.write(into, b"a\n\n"), write_all(into, long + b"\nlast"), os.close(into))
    ).start()
    assert [line async for line in read_lines(out)] == [b"a", b"", long, b"last"]
    os.close(out)


async def test_a_regular_file_is_read_like_a_pipe(tmp_path):
    (tmp_path / "in").write_bytes(b"a\nb\n")
    with open(tmp_path / "in", "rb") as file:
        assert [line async for line in read_lines(file.fileno())] == [b"a", b"b"]


async def test_a_reader_that_is_slow_does_not_hold_up_the_loop():
    async with piped() as (sink, lines):
        written = asyncio.create_task(sink.write(b"z" * 1_000_000))
        await rounds()
        assert not written.done()
        assert await anext(lines) == b"z" * 1_000_000
        await written


def write_all(fd, content):
    while content:
        content = content[os.write(fd, content) :]


# --- chat -------------------------------------------------------------------------------------------------------------


def chat(*typed, terminal=False):
    console = Console(file=io.StringIO(), width=80, force_terminal=terminal, color_system=None)
    return Chat(source(*typed), console, ref=ALICE, profile=Profile("Alice", "premium")), console.file


async def test_what_is_typed_is_said_in_the_persons_own_name():
    desk = SlowDesk()
    app, _ = chat(b"hello there", b"", b"/undo 2")
    desk.accept, accepted = recording()
    await app.run(desk)
    said, word = accepted
    assert (said.text, said.ref, said.profile) == ("hello there", ALICE, Profile("Alice", "premium"))
    assert (word.name, word.args) == ("undo", ("2",))


def recording(busy=None):
    accepted = []

    async def accept(event):
        accepted.append(event)
        if busy is not None:
            busy.clear()
        return Accepted.NEW

    return accept, accepted


@pytest.mark.parametrize("word", [b"/quit", b" /EXIT "])
async def test_quit_leaves_before_what_follows(word):
    desk = SlowDesk()
    app, _ = chat(b"hello", word, b"never said")
    await app.run(desk)
    assert len(desk.events) == 1


async def test_what_the_desk_cannot_keep_is_said_and_the_chat_goes_on():
    desk = SlowDesk()

    async def refuse(event):
        raise StoreError("disk full")

    desk.accept = refuse
    app, shown = chat(b"hello", b"hello")
    await app.run(desk)
    assert shown.getvalue().count("cannot reach its records") == 2


async def test_outside_of_a_terminal_only_the_words_are_written():
    app, shown = chat(b"hello")
    await app.run(SlowDesk())
    await app.post(REPLY)
    assert shown.getvalue() == "  Hello.\n"


async def test_a_terminal_shows_a_prompt_and_that_work_goes_on():
    app, shown = chat(b"hello", terminal=True)
    await app.run(SlowDesk())
    assert "you ›" in shown.getvalue()
    assert "working ..." in shown.getvalue()


async def test_an_interrupt_stops_the_running_turn_and_a_second_one_leaves():
    desk = SlowDesk()
    desk.accept, accepted = recording(busy=desk.idle)
    app, _ = chat(b"tell me a long story")
    running = asyncio.create_task(app.run(desk))
    await rounds()
    assert app.interrupt()
    assert not app.interrupt()
    await rounds()
    assert [type(event) for event in accepted] == [UserMessage, Command]
    assert accepted[-1].name == "stop"
    desk.idle.set()
    await running
    assert not app.interrupt()


async def test_an_interrupt_while_nothing_runs_leaves():
    app, _ = chat()
    assert not app.interrupt()
