from contextlib import contextmanager

import pytest

from adapters.storage.sessions import open_session
from tests.backends import redis_url


@contextmanager
def file_url(folder, monkeypatch):
    yield f"sqlite:///{folder}/sessions.db"


@contextmanager
def memory_url(folder, monkeypatch):
    yield "memory:"


@contextmanager
def home_and_redis_url(folder, monkeypatch):
    # The key file is made in the user's home.
    monkeypatch.setenv("HOME", str(folder))
    with redis_url() as url:
        yield url


STORES = {"memory": memory_url, "sqlite": file_url, "redis": home_and_redis_url}
LASTING = [name for name in STORES if name != "memory"]


@pytest.fixture(params=STORES)
def url(request, tmp_path, monkeypatch):
    with STORES[request.param](tmp_path, monkeypatch) as opened:
        yield opened


@pytest.fixture(params=LASTING)
def lasting_url(request, tmp_path, monkeypatch):
    with STORES[request.param](tmp_path, monkeypatch) as opened:
        yield opened


@pytest.fixture
async def session(url):
    async with open_session(url, "alice") as opened:
        yield opened
