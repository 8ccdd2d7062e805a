"""What the pages say is so: samples run, and settings, words, commands, files and links are those there are."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from adapters.discord.permissions import PERMISSIONS
from adapters.slack.permissions import SCOPES
from adapters.terminal.app import JsonLines
from adapters.terminal.pipes import LineSink
from adapters.terminal.render import acknowledgement, line_of, refusal
from adapters.terminal.translate import event_of, ref_of
from bots.cli import main
from bots.discord_settings import VARIABLES as DISCORD_VARIABLES
from bots.sections import AllSettings
from bots.settings import variables
from bots.slack_settings import VARIABLES as SLACK_VARIABLES
from core.config import StrategyName, check_settings_as
from core.errors import BadInputError
from core.models import Accepted, Delivery
from core.offline.moves import UNSURE
from core.session_ids import name_of, parse
from core.words import WORDS, word_named
from tests.bots.command_line import environment
from tests.core.talk import open_talk

ROOT = Path(__file__).parents[1]
PAGES = sorted((*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")))
README, ADAPTING, COMMANDS, TERMINAL, SLACK, DISCORD = (
    (ROOT / name).read_text()
    for name in ("README.md", *(f"docs/{page}.md" for page in ("adapting", "commands", "terminal", "slack", "discord")))
)
CODE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BY_RULES = """
from agents.models.multi_provider import MultiProvider
from core.offline import OfflineModel
MultiProvider.get_model = lambda *_: OfflineModel()
"""
"""Before a sample: where no model is named, the stand-in answers instead of a service that wants a key."""
WHO_SEES_IT = {"place": "all", "private": "you", "none": "nobody"}
FIELDS = {
    "text": "hello",
    "name": "+1",
    "command": "undo",
    "args": ["2"],
    "message": "m0",
    "key": "k",
    "removed": True,
    "channel": "help",
    "thread": "t1",
    "tier": "premium",
    "email": "alice@example.com",
    "locale": "de-AT",
    "timezone": "Europe/Vienna",
    "id": "m1",
    "user": "alice",
}


def name_in_house(path):
    return path.relative_to(ROOT).as_posix()


def blocks(text, language):
    return [code for found, code in CODE.findall(text) if found == language]


def marked(text, mark):
    return re.search(rf"<!-- {mark} -->\n(.*?)<!-- /{mark} -->", text, re.DOTALL)[1]


def rows(table):
    """The cells of a table's lines, without its head."""
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def quoted(cell):
    return re.findall(r"`([^`]+)`", cell)


def heading_ids(path):
    headings = re.findall(r"^#+ (.+)$", CODE.sub("", path.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


# --- every page -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=name_in_house)
def test_every_link_to_a_page_leads_there(page):
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", CODE.sub("", page.read_text())):
        file, _, heading = link.partition("#")
        target = page.parent / file if file else page
        assert target.exists(), link
        assert not heading or heading in heading_ids(target), link


@pytest.mark.parametrize("page", PAGES, ids=name_in_house)
def test_every_file_a_page_names_is_there(page):
    named = re.findall(r"`((?:core|adapters|bots|tests|docs|benchmarks)/[a-z0-9_/.]+)`", page.read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=name_in_house)
def test_every_make_target_a_page_names_is_there(page):
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(), re.MULTILINE)
    assert [target for target in named if target not in targets] == []


@pytest.mark.parametrize("page", PAGES, ids=name_in_house)
def test_every_command_a_page_names_is_there(page, capsys):
    for line in re.findall(r"(?:^|`)deskmate ((?:[a-z]+)[^`\n]*)", page.read_text(), re.MULTILINE):
        words = re.match(r"[a-z]+(?: (?:list|show|manifest|add|remove|rotate|check|run)\b)?", line)[0].split()
        with pytest.raises(SystemExit) as ended:
            main([*words, "--help"])
        options = re.findall(r"(?<= )--[a-z]+", re.sub(r"\s{3,}.*", "", line))
        said = capsys.readouterr().out
        assert ended.value.code == 0, line
        assert [option for option in options if option not in said] == [], line


@pytest.mark.parametrize("page", PAGES, ids=name_in_house)
def test_every_sample_of_an_operators_file_is_valid(page):
    for sample in blocks(page.read_text(), "toml"):
        check_settings_as(AllSettings, tomllib.loads(sample))


# --- README -----------------------------------------------------------------------------------------------------------


def test_the_settings_of_a_start_have_a_line_in_the_readme():
    named = [name for cells in rows(marked(README, "settings")) for name in quoted(cells[0])]
    of_the_desk = [*(name for name in variables() if "__" not in name), "DESK_CONFIG"]
    assert sorted(named) == sorted([*of_the_desk, *SLACK_VARIABLES, *DISCORD_VARIABLES])


def test_the_words_of_the_readme_are_in_the_table():
    table = README[README.index("| say |") : README.index("## For operators")]
    said = [word for cells in rows(table) for word in quoted(cells[0])]
    assert len(said) > 10
    assert [word for word in said if word_named(word.split()[0]) is None] == []


async def test_the_stand_in_understands_what_the_readme_says_it_does():
    sentence = re.search(r"a handful of rules\s\((.*?)\)", README, re.DOTALL)[1]
    asked = [" ".join(text.split()) for text in re.findall(r'"([^"]+)"', sentence)]
    async with open_talk() as talk:
        answers = [text for said in asked for text in await talk.say("alice", said)]
        (unknown,) = await talk.say("alice", "the weather is fine")
    assert len(answers) == 4
    assert [text for text in answers if UNSURE in text] == []
    assert UNSURE in unknown


@pytest.mark.parametrize("sample", blocks(README, "python"), ids=["open_session", "SupportSession"])
def test_the_samples_of_the_readme_run(sample, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", BY_RULES + sample],
        cwd=tmp_path,
        env=environment(tmp_path, OPENAI_AGENTS_DISABLE_TRACING="1"),
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert list(tmp_path.glob("*.db"))


# --- docs/commands.md -------------------------------------------------------------------------------------------------


def test_the_table_of_words_is_the_one_of_the_code():
    written = [cells[:3] for cells in rows(marked(COMMANDS, "words"))]
    assert written == [
        [
            f"`{f'{word.name} {word.args}'.strip()}`",
            f"{word.emoji} `{word.reaction}`" if word.reaction else "",
            WHO_SEES_IT[word.answer],
        ]
        for word in WORDS
    ]


def test_the_scopes_of_the_slack_page_are_those_the_manifest_asks_for():
    listed = [[*quoted(cells[0]), cells[1]] for cells in rows(marked(SLACK, "scopes"))]
    assert listed == [[scope.name, f"{'optional: ' if scope.optional else ''}{scope.why}"] for scope in SCOPES]


def test_the_reactions_of_the_slack_page_are_those_of_the_words():
    listed = [name for cells in rows(marked(SLACK, "reactions")) for name in quoted(cells[0])]
    assert listed == [word.reaction for word in WORDS if word.reaction]


def test_the_permissions_of_the_discord_page_are_those_the_invite_link_asks_for():
    assert rows(marked(DISCORD, "permissions")) == [[one.label, one.why] for one in PERMISSIONS]


def test_the_reactions_of_the_discord_page_are_those_of_the_words():
    listed = [emoji for cells in rows(marked(DISCORD, "reactions")) for emoji in cells[0].split(", ")]
    assert listed == [word.emoji for word in WORDS if word.emoji]


def test_the_examples_of_words_are_words():
    said = re.findall(r"^!(\S+)", COMMANDS, re.MULTILINE)
    assert len(said) > 5
    assert [word for word in said if word_named(word) is None] == []


async def test_the_desk_says_what_the_page_of_words_quotes():
    async with open_talk() as talk:
        said = await quotable(talk)
    page = " ".join(COMMANDS.split())
    assert [text for text in said if f'"{text}"' not in page] == []


async def quotable(talk):
    await talk.say("alice", "one", id_="q1")
    await talk.say("alice", "two")
    await talk.say("alice", "open a ticket: no ink")
    (asks_first,) = await talk.react("alice", "q1", "↩")
    (taken_back,) = await talk.command("alice", "undo")
    await talk.command("alice", "branch", "cheaper-one")
    (on_branch,) = await talk.say("alice", "three")
    return asks_first, taken_back, on_branch.splitlines()[-1]


# --- docs/terminal.md -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cells", rows(marked(TERMINAL, "in")), ids=lambda cells: quoted(cells[0])[0])
def test_a_line_is_taken_with_the_fields_of_the_page_and_refused_without(cells):
    (kind,), needed, more = map(quoted, cells)
    either = [field for field in needed if field in ("key", "message") and "or" in cells[1]]
    sure = [field for field in needed if field not in either]
    line = {"type": kind} | {field: FIELDS[field] for field in (*sure, *either[:1])}
    assert event_of(line | {field: FIELDS[field] for field in more})
    for field in (*sure, *either[:1]):
        with pytest.raises(BadInputError):
            event_of({name: value for name, value in line.items() if name != field})


def test_what_is_written_has_the_fields_of_the_page():
    alice = ref_of("alice")
    reply = Delivery("k", "reply", alice, "m1", "s", None, "hello")
    lines = [
        acknowledgement(Accepted.NEW, "m1"),
        acknowledgement(Accepted.REFUSED, "m1"),
        acknowledgement(Accepted.DUPLICATE, "m1"),
        line_of(reply),
        line_of(Delivery("k2", "retract", alice, "m1", "s", None, "", message="k")),
        line_of(Delivery("k3", "restore", alice, "m1", "s", None, "", message="k")),
        refusal(None, "line 1: what"),
    ]
    written = [[*quoted(cells[0]), *quoted(cells[1])] for cells in rows(marked(TERMINAL, "out"))]
    assert written == [[line.pop("type"), *line] for line in lines]


async def test_the_example_of_the_terminal_is_answered_as_the_page_says(tmp_path):
    (said,), (answered,) = (blocks(marked(TERMINAL, mark), "json") for mark in ("said", "answered"))
    out = tmp_path / "out.jsonl"
    with out.open("wb") as file:
        async with LineSink(file.fileno()) as sink:
            terminal = JsonLines(lines_of(said), sink)
            async with open_talk(platform=terminal) as talk:
                await terminal.run(talk.desk)
    written, expected = ([json.loads(line) for line in text.splitlines()] for text in (out.read_text(), answered))
    assert in_order(written) == in_order(expected)


async def lines_of(text):
    for line in text.splitlines():
        yield line.encode()


def in_order(lines):
    """Acknowledgements and errors first, then what the desk says; keys and turns by number."""
    known = {}
    for line in lines:
        for field in ("key", "turn"):
            if line.get(field):
                line[field] = known.setdefault((field, line[field]), len(known))
    says = ("reply", "retract", "restore")
    return [line for line in lines if line["type"] not in says], [line for line in lines if line["type"] in says]


# --- docs/adapting.md -------------------------------------------------------------------------------------------------


def test_the_ids_of_the_page_stand_for_what_it_says():
    table = ADAPTING[ADAPTING.index("| strategy |") : ADAPTING.index("`whoami` tells")]
    found = {strategy: ids for (strategy,), _, ids, _ in (map(quoted, cells) for cells in rows(table))}
    assert tuple(found) == StrategyName.__args__
    assert {parse(id_).strategy for id_ in found["user"]} == {"user"}
    for strategy, ids in found.items():
        assert [parse(id_).strategy for id_ in ids] == [strategy] * len(ids)


def test_a_thread_of_a_direct_conversation_has_the_id_the_page_gives():
    assert str(name_of(ref_of("alice", thread="t2"), "conversation")) in ADAPTING
