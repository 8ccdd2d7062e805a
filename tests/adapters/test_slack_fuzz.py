"""Bodies and headers as nobody should send them, through the whole door: no 5xx, and nothing unsigned gets in.

`python -m tests.adapters.test_slack_fuzz 100000 [SEED]` plays more of them, tells the slowest, and fails where one is
50 ms of work.
"""

import asyncio
import gc
import logging
import sys
import time
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from adapters.sealing import MasterKey, open_sealer
from adapters.slack.app import SlackApp
from adapters.slack.installs import OneWorkspace
from adapters.slack.refs import Us
from adapters.slack.web import http_app
from adapters.storage import open_store
from core.config import Settings
from core.desk import Desk
from core.llm import model_of
from tests.adapters.slack_cases import SECRETS, Maker

CASES, SEED = 5_000, 20_260
SLOW = 50.0
NOWHERE = "http://127.0.0.1:9/api/"


@dataclass
class Outcome:
    """What became of all cases."""

    statuses: Counter = field(default_factory=Counter)
    accepted: int = 0
    wrong: list[str] = field(default_factory=list)
    slowest: list[tuple[float, float, str]] = field(default_factory=list)

    def add(self, case, status, accepted, *, took):
        self.statuses[status] += 1
        self.accepted += accepted
        if status >= 500 or (accepted and not case.is_signed) or (status < 300 and not case.is_signed):
            self.wrong.append(f"{status}, accepted {accepted}: {case.did} {case.headers!r} {case.body[:3000]!r}")
        what = f"{status}, {len(case.body)} bytes: {', '.join(case.did)}"
        self.slowest = sorted([*self.slowest, (*took, what)], reverse=True)[:5]


class Inbox:
    """The desk as far as an event is made durable; nobody works it."""

    def __init__(self, desk):
        self._desk = desk
        self.accepted = 0

    async def accept(self, event):
        self.accepted += 1
        return (await self._desk._intake.take(event)).accepted


@asynccontextmanager
async def open_door():
    install = OneWorkspace("xoxb-none", NOWHERE)
    install.us = Us("T1", "U0BOT")
    slack, settings = SlackApp(install, NOWHERE), Settings(model="offline")
    store, sealer = open_store("memory:", desk=True), open_sealer(":memory:", MasterKey(bytes(32)), fresh=True)
    async with store as records, sealer as seals:
        desk = Desk(settings=settings, store=records, sealer=seals, model=model_of(settings), platforms=[slack])
        inbox = Inbox(desk)
        async with desk.writer, slack.serving(inbox):
            yield http_app(slack, SECRETS), inbox


async def fuzz(cases, seed):
    maker, outcome = Maker(seed), Outcome()
    async with open_door() as (app, inbox):
        for _ in range(cases):
            case, before = maker.case(), inbox.accepted
            begun = clocks()
            try:
                status = await call(app, case, maker.chance.choice((1, 1, 3)))
            except Exception as error:
                status = 599
                case.did.append(f"raised {error!r}")
            took = [(now - then) * 1000 for now, then in zip(clocks(), begun, strict=True)]
            outcome.add(case, status, inbox.accepted - before, took=took)
    return outcome


def clocks():
    """The time this thread has worked, and the time: other programs may have had the processor in between."""
    return time.thread_time(), time.perf_counter()


async def call(app, case, chunks):
    size = len(case.body) // chunks + 1
    parts = [case.body[at : at + size] for at in range(0, len(case.body), size)] or [b""]
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    messages[-1]["more_body"] = False
    coming, sent = iter(messages), []

    async def receive():
        return next(coming)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/slack/events", "query_string": b"", "headers": case.headers}
    await app(scope, receive, send)
    return sent[0]["status"]


async def test_nothing_malformed_ends_in_a_5xx_and_nothing_unsigned_gets_in():
    outcome = await fuzz(CASES, SEED)
    assert outcome.wrong == []
    assert outcome.accepted > CASES / 10  # the cases are not all refused at the first look


def main():
    logging.disable(logging.CRITICAL)
    given = [int(argument) for argument in sys.argv[1:]]
    cases, seed = (*given, *(CASES, SEED)[len(given) :])
    # A full collection over all that was imported takes 130 ms, in the midst of any request.
    gc.freeze()
    outcome = asyncio.run(fuzz(cases, seed))
    print(f"{cases} cases, {outcome.accepted} events accepted, statuses {dict(sorted(outcome.statuses.items()))}")
    for worked, milliseconds, what in outcome.slowest:
        print(f"  {worked:5.1f} ms at work, in {milliseconds:.1f} ms: {what}")
    print(f"{len(outcome.wrong)} wrong", *outcome.wrong[:20], sep="\n  ")
    return 1 if outcome.wrong or outcome.slowest[0][0] >= SLOW else 0


if __name__ == "__main__":
    sys.exit(main())
