import asyncio
import os
import signal

import pytest

from bots.leaving import until_told


@pytest.fixture(params=[signal.SIGTERM, signal.SIGHUP])
def number(request):
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)}
    yield request.param
    for each, handler in before.items():
        signal.signal(each, handler)


def told(work):
    return asyncio.run(until_told(work, interrupt=lambda: False, interrupted=1))


def test_a_signal_ends_the_work_well(number):
    async def work():
        os.kill(os.getpid(), number)
        await asyncio.Event().wait()

    assert told(work()) == 0


def test_a_second_signal_that_comes_when_all_has_ended_kills_nobody(number):
    async def work():
        os.kill(os.getpid(), number)
        await asyncio.Event().wait()

    told(work())
    os.kill(os.getpid(), number)
