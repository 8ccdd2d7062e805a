"""What the forked processes run: the public command line, on a store in a folder of its own, with no one's settings."""

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bots.cli import main
from tests.crash.breakages import break_desk
from tests.crash.check import Damage, Kept
from tests.crash.driver import Process, Program, run
from tests.crash.killer import Pace, Trap, watch_desk
from tests.crash.story import Manners
from tests.crash.twins import SETTINGS, employ_two

NO_HURRY = "[pace.customer]\nmessages_a_minute = 0\ncommands_a_minute = 0\n"
"""People of a bench say more in a minute than anybody else."""


class NotReadableError(Exception):
    """The command line could not read the store."""


@dataclass(frozen=True, slots=True)
class House:
    """A store, where it is and how it is set up: what outlives every kill."""

    folder: Path
    store: str
    settings: Mapping[str, str] = field(default_factory=dict)
    pace = Pace()
    manners = Manners()

    @property
    def log(self) -> Path:
        return self.folder / "desk.log"

    @property
    def late(self) -> Path:
        return self.folder / "late"

    def open(self, trap: Trap, *, workers: int = 1, broken: str | None = None) -> Process:
        """Start the desk, with a trap in it."""

        def program() -> int:
            self.move_in(SETTINGS if workers > 1 else {})
            # The one that is patched last is nearest to the store.
            watch_desk(trap)
            if workers > 1:
                employ_two(self.late)
            if broken:
                break_desk(broken)
            return self.chat(trap)

        return self.start(program)

    def start(self, program: Program) -> Process:
        """Run the desk in a process of its own. A platform without lines of JSON puts what translates them here."""
        return Process(program, log=self.log)

    def chat(self, trap: Trap) -> int:
        """Run the desk in a process that moved in; what this platform adds to the ports passes by the trap, too."""
        return main(["-v", "chat", "--jsonl"])

    def inspect(self, damage: Damage) -> None:
        """Note what stands on the platform in the end that should not; on lines of JSON nothing does."""

    def tally(self) -> Counter[str]:
        """How often what happened on the platform, for the summary."""
        return Counter()

    def read(self, *words: str) -> Any:
        """What a command shows, as JSON."""
        status, written = run(lambda: self._command(words), log=self.log)
        try:
            return json.loads(written)
        except ValueError:
            raise NotReadableError(f"deskmate {' '.join(words)} ended with {status}: {self.last_words()}") from None

    def read_all(self) -> Kept:
        """Everything that the command line shows."""
        names = [session["session"] for session in self.read("sessions", "list")]
        shown = [self.read("sessions", "show", name, "--reason", "crash bench") for name in names]
        return Kept(shown, self.read("tickets", "list"), self.read("doctor")["counts"])

    def last_words(self, lines: int = 3) -> str:
        """The end of what was logged."""
        return " | ".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""

    def move_in(self, settings: Mapping[str, str] | None = None) -> None:
        """Make this process one that knows of nothing but this store."""
        os.chdir(self.folder)
        for name in [name for name in os.environ if name.startswith(("DESK_", "OPENAI_", "SLACK_", "DISCORD_"))]:
            del os.environ[name]
        os.environ |= {"HOME": str(self.folder), "DESK_STORE": self.store, "DESK_MODEL": "offline"}
        (self.folder / "desk.toml").write_text(NO_HURRY)
        os.environ |= {**self.settings, **(settings or {})}

    def _command(self, words: Sequence[str]) -> int:
        self.move_in()
        return main([*words, "--json"])


class ServerHouse(House):
    """A store on a server: to start there takes a few round trips more."""

    pace = Pace(longest=0.4, enough=0.8)
