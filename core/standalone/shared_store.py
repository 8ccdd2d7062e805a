"""One store for all sessions of a process: in a thread with a loop of its own, reached from any loop and thread.

A store's connections and its writer belong to one loop, and `Runner.run_sync` makes a new one for every call: so they
live here. All that a loop asks in one round crosses with one wake-up, and so do all answers to it.
"""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from typing import Any

from core.errors import DeskError, StoreError
from core.ports import Sealer, SessionStore
from core.standalone.checks import Checks
from core.writer import GroupWriter

log = logging.getLogger(__name__)

PATIENCE = 60.0
"""Seconds to wait for a store to close."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What is opened in the thread; the store takes so many batches at a time as there are to be `writers`."""

    store: SessionStore
    sealer: Sealer
    writers: int = 1


OpenParts = Callable[[], AbstractAsyncContextManager[Parts]]


class Answer(asyncio.Future[Any]):
    """What a caller waits for. To cancel the waiting does not cancel the work: the cancellation comes when it is done.

    So nobody repeats, or gives up for lost, what was written after all. The SDK's own sessions promise the same.
    """

    __slots__ = ()

    def cancel(self, msg: Any | None = None) -> bool:  # noqa: ANN401, ARG002 - as in the base class
        """Stay: the task that waits is cancelled in its next step, when the outcome is known."""
        return False


class Job:
    """What is asked of the thread: who asks, and the answer to be."""

    __slots__ = ("answer", "caller")

    answer: Answer
    caller: "Caller"

    def begin(self) -> None:
        """Begin the work in the thread, and see to it that it is answered."""
        raise NotImplementedError


Outcome = tuple[Answer, Any, BaseException | None]


class Caller:
    """A loop that asks. What it asks in one round goes over together."""

    def __init__(self, loop: asyncio.AbstractEventLoop, shared: "SharedStore") -> None:
        self.loop = loop
        self._shared = shared
        self._asked: list[Job] = []

    def ask(self, job: Job) -> Answer:
        """Ask for a job, which is made for this; the answer is to be awaited in this loop."""
        job.caller = self
        job.answer = answer = Answer(loop=self.loop)
        if not self._asked:
            # At the end of the round, when all tasks that can ask have asked: a wake-up for each would let the thread
            # run beside them, and the two would take the interpreter from each other all the time.
            self.loop.call_soon(self._send)
        self._asked.append(job)
        return answer

    def settle(self, outcomes: list[Outcome]) -> None:
        """Hand out what came back, in the loop itself."""
        for answer, value, error in outcomes:
            if error is None:
                answer.set_result(value)
            else:
                answer.set_exception(error)

    def _send(self) -> None:
        asked, self._asked = self._asked, []
        self._shared.receive(asked)


class SharedStore:
    """A store in its thread: `start` it, ask through a `caller`, `stop` it."""

    parts: Parts
    checks: Checks

    def __init__(self, open_parts: OpenParts) -> None:
        self.ended = False
        self._open_parts = open_parts
        # A daemon: whoever ends waits for it, but a store that does not close must not keep the process alive.
        self._thread = threading.Thread(target=self._run, name="deskmate sessions", daemon=True)
        self._callers = threading.local()
        self._inbox: deque[list[Job]] = deque()
        self._awake = True
        self._closing = False
        self._unanswered = 0
        self._outcomes: dict[Caller, list[Outcome]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._failure: DeskError | None = None
        self._running = threading.Event()
        self._loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event

    # --- for callers --------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to open the store; what is asked waits until it is open."""
        self._thread.start()

    def caller(self) -> Caller:
        """Give the caller of the running loop."""
        loop = asyncio.get_running_loop()
        known: Caller | None = getattr(self._callers, "known", None)
        if known is None or known.loop is not loop:
            known = self._callers.known = Caller(loop, self)
        return known

    def receive(self, jobs: list[Job]) -> None:
        """Take jobs over, in any thread."""
        self._inbox.append(jobs)
        if self.ended:
            self._refuse_all()
        elif not self._awake:
            self._awake = True
            try:
                self._loop.call_soon_threadsafe(self._begin_all)
            except RuntimeError:  # its loop was closed just now
                self._refuse_all()

    def stop(self) -> None:
        """Ask it to finish what was begun, to close its store and to end."""
        self._running.wait()
        try:
            self._loop.call_soon_threadsafe(self._stop.set)
        except RuntimeError:
            log.debug("the store has ended already")

    def join(self) -> None:
        """Wait until it has ended."""
        if self._thread is not threading.current_thread():
            self._thread.join(PATIENCE)

    def abandon(self) -> None:
        """Forget it in a forked child, where its thread does not run."""
        self.ended = True

    # --- in the thread ------------------------------------------------------------------------------------------------

    def writer_of(self, session: bytes) -> GroupWriter:
        """Give the writer of a session, always the same one: commits of one session keep their order."""
        return self._writers[session[0] % len(self._writers)]

    def answer(self, job: Job, value: Any, error: BaseException | None = None) -> None:  # noqa: ANN401 - any job's
        """Let an answer go back with the others of this round."""
        self._unanswered -= 1
        if not self._outcomes:
            self._loop.call_soon(self._hand_back)
        outcome = (job.answer, value, error)
        known = self._outcomes.get(job.caller)
        if known is None:
            self._outcomes[job.caller] = [outcome]
        else:
            known.append(outcome)

    def work(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine that answers its own request."""
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _run(self) -> None:
        try:
            with asyncio.Runner() as runner:
                runner.run(self._main())
        except DeskError as error:
            self._failure = error
        except Exception as error:
            log.exception("the thread of the sessions' store broke")
            self._failure = StoreError(f"the sessions' store broke: {error!r}")
            self._failure.__cause__ = error
        finally:
            self.ended = True
            self._refuse_all()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._running.set()
        async with AsyncExitStack() as stack:
            self.parts = parts = await stack.enter_async_context(self._open_parts())
            writers = [GroupWriter(parts.store) for _ in range(parts.writers)]
            self._writers = [await stack.enter_async_context(writer) for writer in writers]
            self.checks = Checks(self.parts.store, self.work)
            self._begin_all()
            await self._stop.wait()
            # Three queues that other threads fill: no one event says that all are empty.
            while self._unanswered or self._outcomes or self._inbox:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            self._closing = True

    def _begin_all(self) -> None:
        if self._closing:
            return
        self._awake = False
        while self._inbox:
            jobs = self._inbox.popleft()
            self._unanswered += len(jobs)
            for job in jobs:
                job.begin()

    def _hand_back(self) -> None:
        handed, self._outcomes = self._outcomes, {}
        for caller, outcomes in handed.items():
            _hand(caller, outcomes)

    def _refuse_all(self) -> None:
        while True:
            try:
                jobs = self._inbox.popleft()
            except IndexError:
                return
            for job in jobs:
                error = self._failure or StoreError("the session's store was closed")
                _hand(job.caller, [(job.answer, None, error)])


def _hand(caller: Caller, outcomes: list[Outcome]) -> None:
    try:
        caller.loop.call_soon_threadsafe(caller.settle, outcomes)
    except RuntimeError:
        log.debug("a loop was closed before its answer came")
