from contextlib import nullcontext

import pytest

from adapters.storage.sessions import open_session
from tests.backends import redis_url
from tests.postgres import url_for

STORES = {
    "memory": lambda folder: nullcontext("memory:"),
    "sqlite": lambda folder: nullcontext(f"sqlite:///{folder}/sessions.db"),
    "postgresql": lambda folder: nullcontext(url_for(folder)),
    "redis": lambda folder: redis_url(),
}
LASTING = [name for name in STORES if name != "memory"]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """The keys to a store on a server are in the user's home."""
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture(params=STORES)
def url(request, tmp_path):
    with STORES[request.param](tmp_path) as opened:
        yield opened


@pytest.fixture(params=LASTING)
def lasting_url(request, tmp_path):
    with STORES[request.param](tmp_path) as opened:
        yield opened


@pytest.fixture
async def session(url):
    async with open_session(url, "alice") as opened:
        yield opened
