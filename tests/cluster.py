"""A PostgreSQL server of one's own, to be stopped and started."""

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

from tests.backends import absent
from tests.postgres import free_port


class Server:
    """A throw-away cluster. PostgreSQL does not run as root: then it runs as the user its packages bring."""

    def __init__(self, bin_folder, folder):
        self.bin, self.folder, self.port = bin_folder, Path(folder), free_port()
        self.who = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        if self.who:
            shutil.chown(folder, "postgres", "postgres")
        self.run("initdb", "-D", folder, "-A", "trust", "-U", "postgres", "--no-sync")

    def run(self, program, *arguments):
        subprocess.run([self.bin / program, *arguments], check=True, stdout=subprocess.DEVNULL, cwd="/", **self.who)

    def start(self):
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        self.run("pg_ctl", "start", "-w", "-D", self.folder, "-o", options, "-l", self.folder / "log")

    def stop(self, how="fast"):
        self.run("pg_ctl", "stop", "-w", "-D", self.folder, "-m", how)


def find_programs():
    """The folder of PostgreSQL's programs. Without them the test is skipped, or fails."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    program = found[-1] if found else shutil.which("initdb")
    if not program:
        absent("initdb is not here")
    return Path(program).parent


@contextmanager
def cluster():
    """A server that runs, and is gone afterwards."""
    programs = find_programs()
    with tempfile.TemporaryDirectory() as folder:
        made = Server(programs, folder)
        made.start()
        yield made
        if (made.folder / "postmaster.pid").exists():
            made.stop("immediate")
