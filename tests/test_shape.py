"""The shape of the house: what no other tool checks, so that whoever knows one part knows all."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PLATFORM_FILES = ("translate.py", "render.py", "app.py")
NOT_PURE = re.compile(
    r"(aiohttp|aiosqlite|anyio|asyncio|asyncpg|concurrent|discord\.ext|http|httpx|io|multiprocessing|os|pathlib|queue|random"
    r"|redis|requests|secrets|select|selectors|shutil|signal|slack_bolt|slack_sdk\.socket_mode|slack_sdk\.web|socket"
    r"|sqlite3|ssl|subprocess|tempfile|threading|time|urllib\.request|uuid)(\.|$)"
)
NOT_PURE_CALLS = {"input", "now", "open", "print", "today", "utcnow"}
NO_PLATFORMS = {"storage", "sealing"}
LIBRARIES_TO_HIDE = {"agents", "discord", "slack"}
# A home, a checkout or a mount of somebody's machine, and the addresses packages come from.
OF_ONE_MACHINE = re.compile(
    rb"/(home|root|Users|work|opt)/\w|[A-Z]:\\Users\\|pypi\.org|pythonhosted\.org|npmjs\.(org|com)"
)


def tracked_files():
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def platforms():
    return sorted(
        folder.name
        for folder in (ROOT / "adapters").iterdir()
        if folder.is_dir() and folder.name not in NO_PLATFORMS and any(folder.glob("*.py"))
    )


def pure_files():
    return [ROOT / "adapters" / platform / name for platform in platforms() for name in ("translate.py", "render.py")]


def name_in_house(path):
    return path.relative_to(ROOT).as_posix()


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def called(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield getattr(node.func, "id", None) or getattr(node.func, "attr", "")


@pytest.mark.parametrize("platform", platforms())
def test_every_platform_has_the_same_three_files(platform):
    assert [name for name in PLATFORM_FILES if not (ROOT / "adapters" / platform / name).is_file()] == []


@pytest.mark.parametrize("platform", platforms())
def test_every_platform_is_held_to_what_it_may_see_of_core(platform):
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    held = next(contract for contract in contracts if contract["name"].startswith("A platform sees of core only"))
    assert f"adapters.{platform}" in held["source_modules"]


@pytest.mark.parametrize("path", pure_files(), ids=name_in_house)
def test_translating_and_rendering_touch_nothing_outside(path):
    tree = ast.parse(path.read_text())
    assert [name for name in imported(tree) if NOT_PURE.match(name)] == []
    assert sorted(NOT_PURE_CALLS.intersection(called(tree))) == []
    assert not any(isinstance(node, ast.AsyncFunctionDef | ast.Await) for node in ast.walk(tree))


def test_every_file_stays_under_400_lines():
    names = [name_in_house(path) for path in tracked_files() if path.suffix == ".py"]
    lengths = {name: len((ROOT / name).read_text().splitlines()) for name in names}
    assert {name: length for name, length in lengths.items() if length >= 400} == {}


def test_nothing_outside_adapters_hides_a_library():
    names = [path.relative_to(ROOT) for path in tracked_files() if path.suffix == ".py"]
    hiding = [
        name
        for name in names
        if name.parts[0] != "adapters" and LIBRARIES_TO_HIDE.intersection(name.with_suffix("").parts)
    ]
    assert hiding == []


def test_no_test_sleeps():
    tests = [path for path in tracked_files() if re.fullmatch(r"tests/.*(test_\w+|conftest)\.py", name_in_house(path))]
    asleep = [name_in_house(path) for path in tests if re.search(r"\bsleep\((?!0\))[\w.]", path.read_text())]
    assert asleep == []


def test_no_file_names_one_machine_or_a_registry():
    assert [name_in_house(path) for path in tracked_files() if OF_ONE_MACHINE.search(path.read_bytes())] == []
