import pytest

from adapters.storage.sessions import open_session

STORES = {
    "memory": lambda folder: "memory:",
    "sqlite": lambda folder: f"sqlite:///{folder}/sessions.db",
}
LASTING = [name for name in STORES if name != "memory"]


@pytest.fixture(params=STORES)
def url(request, tmp_path):
    return STORES[request.param](tmp_path)


@pytest.fixture(params=LASTING)
def lasting_url(request, tmp_path):
    return STORES[request.param](tmp_path)


@pytest.fixture
async def session(url):
    async with open_session(url, "alice") as opened:
        yield opened
