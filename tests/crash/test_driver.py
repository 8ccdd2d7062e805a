"""The process that is driven."""

import signal
import sys
import time

from tests.crash.driver import Process

PATIENCE = 10.0


def begins_slowly():
    sys.stdin.readline()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    while True:
        signal.pause()


def test_one_sees_when_a_process_listens_to_a_signal(tmp_path):
    deadline = time.monotonic() + PATIENCE
    with Process(begins_slowly, log=tmp_path / "log") as process:
        assert not process.heeds(signal.SIGTERM)
        process.send({})
        while not process.heeds(signal.SIGTERM) and time.monotonic() < deadline:
            process.read(0.01)
        process.signal(signal.SIGTERM)
        process.finish(PATIENCE)
        assert process.status == 0
