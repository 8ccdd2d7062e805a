"""The stage of the demo: the desk as a process, spoken to as any program would, and read through its commands."""

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import IO, Any

PATIENCE = 60.0
"""Seconds in which the desk has to say something."""

_ROOT = Path(__file__).parents[1]
_LONGEST_LINE = 4 * 1024 * 1024
_DESKMATE = (sys.executable, "-m", "bots.cli")

Line = dict[str, Any]


class DemoError(Exception):
    """The desk did not do what the demo tells."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who talks to the desk, and the colour they are drawn in."""

    id: str
    name: str
    tier: str
    colour: str


@dataclass(slots=True)
class DeskProcess:
    """One running `deskmate chat --jsonl`."""

    process: asyncio.subprocess.Process
    stage: "Stage"

    @property
    def pid(self) -> int:
        return self.process.pid

    def message(self, person: Person, text: str, *, thread: str | None = None) -> Line:
        who = {"user": person.id, "name": person.name, "tier": person.tier}
        self.stage.turns[person.name] += 1
        return {"type": "message", "id": f"m{next(self.stage.ids)}", **who, "thread": thread, "text": text}

    async def say(self, person: Person, text: str, *, thread: str | None = None) -> Line:
        """Say something and return the answer."""
        return await self._ask(self.message(person, text, thread=thread), answer="reply")

    async def command(self, person: Person, word: str, *args: str, answer: str = "reply") -> Line:
        """Say a word and return the answer; `answer` is what kind of line it is."""
        line = {"type": "command", "id": f"c{next(self.stage.ids)}", "user": person.id, "command": word, "args": args}
        self.stage.turns[person.name] += word == "retry"
        return await self._ask(line, answer=answer)

    async def send(self, *lines: Line) -> None:
        pipe = self.process.stdin
        if pipe is None:
            raise DemoError("the desk has no input")
        pipe.write(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
        await pipe.drain()

    async def hear(self, *, until: Callable[[list[Line]], bool]) -> list[Line]:
        """Listen until enough was heard; what was heard of a process that ends before that is returned too."""
        heard: list[Line] = []
        while not until(heard):
            line = await self._listen()
            if line is None:
                break
            if line["type"] == "error":
                raise DemoError(f"the desk refused a line: {line['message']}")
            heard.append(line)
        return heard

    async def kill(self) -> list[Line]:
        """Pull the plug: SIGKILL, nothing can be tidied up. Returns what had been written by then."""
        self.process.kill()
        heard = await self.hear(until=lambda _: False)
        await self.process.wait()
        return heard

    async def leave(self) -> None:
        """Close its input: it finishes what it has and ends by itself."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        await self.hear(until=lambda _: False)
        code = await asyncio.wait_for(self.process.wait(), PATIENCE)
        if code != 0:
            raise DemoError(f"the desk's process ended with exit code {code}")

    async def _ask(self, line: Line, *, answer: str) -> Line:
        await self.send(line)
        heard = await self.hear(until=lambda lines: bool(lines) and _answers(lines[-1], line, answer))
        if not heard or not _answers(heard[-1], line, answer):
            raise DemoError(f"the desk ended without an answer to {line.get('text') or line['command']!r}")
        return heard[-1]

    async def _listen(self) -> Line | None:
        pipe = self.process.stdout
        if pipe is None:
            raise DemoError("the desk has no output")
        try:
            written = await asyncio.wait_for(pipe.readline(), PATIENCE)
        except TimeoutError:
            raise DemoError(f"the desk said nothing for {PATIENCE:.0f} seconds") from None
        # A line cut off by the end of the process was never said.
        line: Line | None = json.loads(written) if written.endswith(b"\n") else None
        return line


@dataclass(slots=True)
class Stage:
    """A folder for the store, and nothing else that crosses from one process to the next.

    `turns` counts what each person asked for, to be compared with what the desk has kept.
    """

    folder: Path
    ids: "count[int]" = field(default_factory=lambda: count(1))
    turns: Counter[str] = field(default_factory=Counter)

    @asynccontextmanager
    async def day(self) -> AsyncIterator[DeskProcess]:
        """Run a desk on the store until it is left or killed."""
        errors = self.folder / "errors.txt"
        with errors.open("wb") as stderr:
            process = await self._start("chat", "--jsonl", stderr=stderr)
        desk = DeskProcess(process, self)
        try:
            yield desk
            if process.returncode is None:
                await desk.leave()
        except (DemoError, OSError) as error:
            said = errors.read_text(errors="replace").strip()
            raise DemoError(f"{error}\n{said}".strip()) from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def read(self, *words: str) -> Any:  # noqa: ANN401 - whatever JSON the command writes
        """Read what a command of the operator's says with `--json`."""
        process = await self._start(*words, "--json", stderr=asyncio.subprocess.PIPE)
        try:
            said, complained = await asyncio.wait_for(process.communicate(), PATIENCE)
        except TimeoutError:
            process.kill()
            raise DemoError(f"`deskmate {' '.join(words)}` took longer than {PATIENCE:.0f} seconds") from None
        if process.returncode != 0:
            raise DemoError(f"`deskmate {' '.join(words)}` failed: {complained.decode(errors='replace').strip()}")
        return json.loads(said)

    def holds(self, words: str) -> bool:
        """Whether these words stand, in whatever case, in a file the desk has written."""
        files = [path.read_bytes().lower() for path in self.folder.iterdir() if path.is_file()]
        return any(words.lower().encode() in content for content in files)

    async def _start(self, *words: str, stderr: int | IO[bytes]) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *_DESKMATE,
            *words,
            cwd=self.folder,
            env=self._environment(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            limit=_LONGEST_LINE,
        )

    def _environment(self) -> dict[str, str]:
        """Of this process's own, without any setting of the desk: the demo runs the same wherever it is started."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("DESK_", "OPENAI_"))}
        paths = [str(_ROOT), *filter(None, [kept.get("PYTHONPATH")])]
        return kept | {
            "PYTHONPATH": os.pathsep.join(paths),
            "DESK_STORE": f"sqlite:///{self.folder}/desk.db",
            "DESK_MODEL": "offline",
            "DESK_STRATEGIES__DIRECT": "conversation",
        }


def _answers(line: Line, asked: Line, kind: str) -> bool:
    # What changes an earlier reply does not say to what; only one line at a time is asked.
    return bool(line["type"] == kind and line.get("to", asked["id"]) == asked["id"])
