"""What it costs to acknowledge a Slack event, beside a bare Bolt app that does only that; how soon it is answered."""

import asyncio
import json
import logging
import multiprocessing
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

import uvicorn
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.routing import Route

from adapters.sealing import MasterKey, open_sealer
from adapters.slack.app import SlackApp
from adapters.slack.installs import OneWorkspace
from adapters.slack.manifest import EVENTS_PATH
from adapters.slack.refs import Us
from adapters.slack.web import http_app
from adapters.storage import open_store
from benchmarks.page import tell
from bots.assemble import open_desk
from bots.collecting import collecting_aside
from core.config import Settings
from core.desk import Desk
from core.llm import model_of
from core.models import Accepted, Event
from simulators.slack_service import SlackService, sign

ROUNDS, ROUNDS_ONE_BY_ONE = 9, 5
EVENTS = 2_000
AT_ONCE = 200
PEOPLE = 200
ASKED = 25
SECRET = "the secret both are given"
NOWHERE = "http://127.0.0.1:9/api/"

_NUMBERS = count(1)


@dataclass(frozen=True)
class Figure:
    """The server's CPU for an event, and how long one waited for its acknowledgement; in milliseconds."""

    cpu: float
    p50: float
    p99: float


class Inbox:
    """The desk as far as an event is durable: what is acknowledged is counted here, not what comes of it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def accept(self, event: Event) -> Accepted:
        # The one seam this needs: the whole desk would begin to answer, beside the next acknowledgement.
        return (await self._desk._intake.take(event)).accepted


# --- the two apps -----------------------------------------------------------------------------------------------------


def bare_app() -> Starlette:
    """Bolt as its documentation shows it: it verifies, finds the listener and acknowledges."""

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id="T1", bot_user_id="U0BOT", bot_token="xoxb-none")

    async def nothing() -> None:
        return None

    app = AsyncApp(name="bare", signing_secret=SECRET, authorize=authorize)
    app.event("message")(nothing)
    return Starlette(routes=[Route(EVENTS_PATH, AsyncSlackRequestHandler(app).handle, methods=["POST"])])


@asynccontextmanager
async def desk_app() -> AsyncIterator[Starlette]:
    """Ours, on a file, durable and sealed as for real people."""
    install = OneWorkspace("xoxb-none", NOWHERE)
    install.us = Us("T1", "U0BOT")
    slack, settings = SlackApp(install, NOWHERE), Settings(model="offline")
    with tempfile.TemporaryDirectory() as folder:
        url, keys = f"sqlite:///{folder}/desk.db", Path(folder) / "keys"
        async with open_store(url, desk=True) as store, open_sealer(keys, MasterKey(bytes(32)), fresh=True) as sealer:
            desk = Desk(settings=settings, store=store, sealer=sealer, model=model_of(settings), platforms=[slack])
            async with desk.writer, slack.serving(Inbox(desk)):  # type: ignore[arg-type]  # a Desk as far as it is used
                yield http_app(slack, [SECRET])


@asynccontextmanager
async def served(app: Starlette) -> AsyncIterator[int]:
    """Serve on a free port of this machine."""
    with socket.create_server(("127.0.0.1", 0), backlog=2 * AT_ONCE) as listening:
        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, access_log=False))
        running = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield int(listening.getsockname()[1])
        finally:
            server.should_exit = True
            await running


# --- the load, in a process of its own --------------------------------------------------------------------------------


def load(port: int, first: int, events: int, at_once: int) -> list[float]:
    """Post signed events, so many at once; how long each took, in milliseconds."""
    return asyncio.run(_load(port, range(first, first + events), at_once))


async def _load(port: int, numbers: Sequence[int], at_once: int) -> list[float]:
    waiting, took = iter([_request(number) for number in numbers]), list[float]()

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in waiting:
            begun = time.perf_counter()
            writer.write(request)
            answer = await reader.readuntil(b"\r\n\r\n")
            took.append((time.perf_counter() - begun) * 1000)
            # Both acknowledge with nothing, so that the head is all there is.
            if not answer.startswith(b"HTTP/1.1 200") or b"content-length: 0\r\n" not in answer.lower():
                raise RuntimeError(f"no acknowledgement: {answer!r}")
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(one() for _ in range(at_once)))
    return took


def _request(number: int) -> bytes:
    body, stamp = json.dumps(_message(number)).encode(), str(int(time.time()))
    lines = (
        f"POST {EVENTS_PATH} HTTP/1.1",
        "Host: 127.0.0.1",
        "User-Agent: Slackbot 1.0 (+https://api.slack.com/robots)",
        "Accept: */*",
        "Accept-Encoding: gzip,deflate",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"X-Slack-Request-Timestamp: {stamp}",
        f"X-Slack-Signature: {sign(SECRET, stamp, body)}",
    )
    return "\r\n".join((*lines, "", "")).encode() + body


def _message(number: int) -> dict[str, Any]:
    person, text = number % PEOPLE, "Where does my ticket about the printer stand, please?"
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    said = {
        "type": "message",
        "user": f"U{person}",
        "ts": f"{1_780_000_000 + number}.000100",
        "client_msg_id": f"6c1b1f3e-0000-4000-8000-{number:012}",
        "text": text,
        "team": "T1",
        "blocks": [{"type": "rich_text", "block_id": "b1", "elements": [section]}],
        "channel": f"D{person}",
        "event_ts": f"{1_780_000_000 + number}.000100",
        "channel_type": "im",
    }
    installed = {"enterprise_id": None, "team_id": "T1", "user_id": "U0BOT", "is_bot": True}
    return {
        "token": "not-a-token",
        "team_id": "T1",
        "api_app_id": "A1",
        "event": said,
        "type": "event_callback",
        "event_id": f"Ev{number}",
        "event_time": 1_780_000_000 + number,
        "authorizations": [installed | {"is_enterprise_install": False}],
        "is_ext_shared_channel": False,
        "event_context": f"4-Ev{number}",
    }


# --- the measuring ----------------------------------------------------------------------------------------------------


async def measure(port: int, loader: Executor, *, at_once: int) -> Figure:
    """One round: what it cost this process, which does nothing but serve meanwhile."""
    first = next(_NUMBERS) * EVENTS
    worked = time.process_time()
    took = sorted(await asyncio.get_running_loop().run_in_executor(loader, load, port, first, EVENTS, at_once))
    return Figure((time.process_time() - worked) * 1000 / EVENTS, median(took), took[len(took) * 99 // 100])


async def compare(at_once: int, rounds: int = ROUNDS) -> tuple[list[Figure], list[Figure]]:
    """The desk and the bare app in turn, round by round, each other round the other one first; the first warms up."""
    ours, bare = list[Figure](), list[Figure]()
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as loader:
        async with (
            desk_app() as app,
            served(app) as our_port,
            served(bare_app()) as bare_port,
            collecting_aside(),
        ):
            for number in range(rounds + 1):
                turns = [(ours, our_port), (bare, bare_port)]
                for figures, port in turns[:: 1 if number % 2 else -1]:
                    figures.append(await measure(port, loader, at_once=at_once))
    return ours[1:], bare[1:]


async def answered() -> list[float]:
    """From what somebody writes to the post that answers it, in milliseconds, over Socket Mode; the first warms up."""
    took = []
    async with AsyncExitStack() as parts:
        folder = parts.enter_context(tempfile.TemporaryDirectory())
        slack = await parts.enter_async_context(SlackService())
        install = OneWorkspace(slack.bot_token, slack.api_url)
        await install.connect()
        app = await parts.enter_async_context(SlackApp(install, slack.api_url))
        settings = Settings(store=f"sqlite:///{folder}/desk.db", model="offline")
        desk = await parts.enter_async_context(open_desk(settings, [app], serving=False))
        await parts.enter_async_context(app.serving(desk))
        handler = AsyncSocketModeHandler(
            app.bolt, slack.app_token, web_client=AsyncWebClient(slack.bot_token, slack.api_url)
        )
        await handler.connect_async()  # type: ignore[no-untyped-call]  # Bolt's handlers have no annotations
        parts.push_async_callback(handler.close_async)
        alice = slack.person("Alice")
        for number in range(ASKED + 1):
            begun = time.perf_counter()
            alice.dm(f"hello, this is line {number}")
            await slack.until(lambda number=number: len(slack.calls("chat.postMessage")) > number)  # type: ignore[misc]
            took.append((time.perf_counter() - begun) * 1000)
            # Slack takes one message a second in a channel, and we do not send more.
            await asyncio.sleep(1.1)
    return took[1:]


async def figures() -> str:
    """Measure everything and write it as a table."""
    rows = ["| | desk | bare Bolt | | aim |", "|---|---|---|---|---|"]
    one_by_one, crowd = ("one after another", 1, ROUNDS_ONE_BY_ONE), (f"{AT_ONCE} at once", AT_ONCE, ROUNDS)
    for what, at_once, rounds in (one_by_one, crowd):
        rows += _rows(what, *await compare(at_once, rounds))
    took = sorted(await answered())
    p50, p95 = median(took), took[len(took) * 95 // 100]
    rows.append(f"| event to post, one user, p50 | {p50:.1f} ms | | p95 {p95:.1f} ms | under 50 ms |")
    return "\n".join(rows)


def _rows(what: str, ours: list[Figure], bare: list[Figure]) -> list[str]:
    above = median(mine.cpu - other.cpu for mine, other in zip(ours, bare, strict=True))
    ratio = median(mine.p99 / other.p99 for mine, other in zip(ours, bare, strict=True))
    aim = "at most 1.5 x" if what.startswith(str(AT_ONCE)) else ""
    return [
        f"| CPU of an event, {what} | {_of(ours, 'cpu')} | {_of(bare, 'cpu')} | {above:.2f} ms above | under 1 ms |",
        f"| acknowledged, {what}, p50 | {_of(ours, 'p50')} | {_of(bare, 'p50')} | | |",
        f"| acknowledged, {what}, p99 | {_of(ours, 'p99')} | {_of(bare, 'p99')} | {ratio:.2f} x | {aim} |",
    ]


def _of(figures: list[Figure], name: str) -> str:
    return f"{median(getattr(figure, name) for figure in figures):.2f} ms"


def main() -> None:
    logging.getLogger("slack_bolt").setLevel(logging.ERROR)
    tell("slack", asyncio.run(figures()))


if __name__ == "__main__":
    main()
