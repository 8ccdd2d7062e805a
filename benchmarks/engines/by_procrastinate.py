"""procrastinate: a task deferred with `lock=` the lane, as its manual has it for jobs that must run in order."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import procrastinate
from procrastinate import App, JobContext, PsycopgConnector

from benchmarks.engines.engine import Hands, Pace, Send
from benchmarks.engines.house import AT_ONCE, Event, House, Truth

# Its manual's recipe retries stalled jobs every tenth minute; cron with seconds is the finest there is.
CRON = {"default": "*/10 * * * *", "short": "* * * * * */1"}
STALLED_SECONDS = {"default": 30.0, "short": 3.0}
HEARTBEAT_SECONDS = {"default": 10.0, "short": 1.0}
POLL_SECONDS = {"default": 5.0, "short": 0.1}


class Procrastinate:
    name = f"procrastinate {procrastinate.__version__}"
    about = "`lock=` the lane; stalled jobs retried by the manual's periodic task"
    processes = 2
    restarts = False

    async def prepare(self, house: House, pace: Pace) -> None:
        async with _app(house).open_async() as app:
            await app.schema_manager.apply_schema_async()

    async def fill(self, house: House, events: Sequence[Event]) -> None:
        async with _app(house).open_async() as app:
            send = _sender(app)
            for event in events:
                await send(event)

    @asynccontextmanager
    async def sending(self, house: House, hands: Hands) -> AsyncIterator[Send]:
        async with _app(house).open_async() as app:
            yield _sender(app)

    def work(self, house: House, worker: str, pace: Pace) -> None:
        asyncio.run(_work(house, worker, pace))

    async def clear(self, house: House) -> None:
        return None


def _app(house: House) -> App:
    # As many connections as jobs at once, as its manual advises for async workers.
    return App(connector=PsycopgConnector(conninfo=house.database, min_size=4, max_size=AT_ONCE))


def _sender(app: App) -> Send:
    async def send(event: Event) -> None:
        await app.configure_task("handle", lock=event.lane).defer_async(**event.words())

    return send


async def _work(house: House, worker: str, pace: Pace) -> None:
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    truth = Truth(house, worker)
    await truth.pool()
    app = _app(house)

    @app.task(name="handle")
    async def handle(**words: Any) -> None:
        await truth.handle(Event(**words))

    @app.periodic(cron=CRON[pace])
    @app.task(name="retry_stalled", queueing_lock="retry_stalled", pass_context=True)
    async def retry_stalled(context: JobContext, timestamp: int) -> None:
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS[pace]):  # type: ignore[arg-type]  # seconds with a fraction are seconds, too
            await app.job_manager.retry_job(job)

    async with app.open_async():
        await app.run_worker_async(
            name=worker,
            concurrency=AT_ONCE,
            fetch_job_polling_interval=POLL_SECONDS[pace],
            update_heartbeat_interval=HEARTBEAT_SECONDS[pace],
            stalled_worker_timeout=STALLED_SECONDS[pace],
        )


ENGINE = Procrastinate()
