"""`python -m tests.sdk [--baseline] [pytest options]`: run the SDK's own tests on our session, keep nothing."""

import argparse
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path

from tests.sdk.deselected import files_left_out

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PACKAGE = "openai-agents"
# A test file that names one of these is run: the SDK's two classes, and where its tests have a session over a list.
NAMED = re.compile(r"\b(SQLiteSession|AdvancedSQLiteSession|simple_session)\b")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.sdk", description=__doc__)
    parser.add_argument("--baseline", action="store_true", help="replace nothing, deselect no test")
    options, for_pytest = parser.parse_known_args()
    with tempfile.TemporaryDirectory(prefix="deskmate-sdk-") as folder:
        source = fetch_source(Path(folder))
        files = choose_files(source)
        print(f"{PACKAGE} {version(PACKAGE)}: {len(files)} test files", flush=True)
        return run_tests(source, [*files, *for_pytest], swapped=not options.baseline)


def fetch_source(folder: Path) -> Path:
    """Download the SDK's source package by version and hash as locked, and unpack it."""
    locked = re.search(
        rf"^{PACKAGE}==(\S+)( \\\n +--hash=\S+)+", (ROOT / "requirements.lock").read_text(), re.MULTILINE
    )
    if not locked or locked[1] != version(PACKAGE):
        sys.exit(f"{PACKAGE} {version(PACKAGE)} is installed, requirements.lock has {locked and locked[1]}")
    wanted = folder / "wanted.txt"
    wanted.write_text(locked[0] + "\n")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    fetched = subprocess.run([*pip, "download", "--no-deps", "--no-binary", PACKAGE, "-d", folder, "-r", wanted])
    if fetched.returncode:
        sys.exit(f"the source package of {PACKAGE} could not be fetched: see above")
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    return next(path for path in folder.iterdir() if path.is_dir())


def choose_files(source: Path) -> list[str]:
    tests = sorted(source.glob("tests/**/test_*.py"))
    named = [path.relative_to(source).as_posix() for path in tests if NAMED.search(path.read_text())]
    if not named:
        sys.exit(f"the source package of {PACKAGE} has no session tests in it")
    left_out = files_left_out()
    if strangers := left_out.keys() - set(named):
        sys.exit(f"deselected.toml leaves out what would not be run: {', '.join(sorted(strangers))}")
    return [name for name in named if name not in left_out]


def run_tests(source: Path, arguments: list[str], *, swapped: bool) -> int:
    # The SDK's tests have a top-level package `tests` too, and theirs has to win: so the plugin comes by its bare name.
    plugin = ["-p", "swap"] if swapped else []
    found_at = os.pathsep.join([str(HERE), str(ROOT)])
    environment = os.environ | {"PYTHONPATH": found_at, "HOME": str(source), "XDG_DATA_HOME": str(source)}
    settings = ["--quiet", "--timeout=60", f"--basetemp={source.parent / 'work'}"]
    command = [sys.executable, "-m", "pytest", *plugin, *settings, *arguments]
    return subprocess.run(command, cwd=source, env=environment, timeout=900).returncode


if __name__ == "__main__":
    sys.exit(main())
