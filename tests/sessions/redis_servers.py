"""Redis servers of a test's own: started with the settings it is about, stopped and started again, gone afterwards."""

import shutil
import socket
import subprocess
import time

import redis

from tests.backends import absent


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Server:
    def __init__(self, folder, *settings):
        self.program = shutil.which("redis-server") or absent("redis-server is not installed")
        self.folder, self.settings = folder, settings
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client = redis.Redis(port=self.port, socket_connect_timeout=1)

    def start(self):
        self.process = subprocess.Popen(
            [self.program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder, *self.settings],
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 20
        while True:
            try:
                return self.client.ping()
            except redis.ConnectionError:
                assert time.monotonic() < deadline and self.process.poll() is None
                time.sleep(0.01)

    def stop(self):
        self.process.terminate()
        self.process.wait(20)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        self.client.close()
