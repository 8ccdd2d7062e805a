"""Personal data through every platform's front door: what is at rest, and what a model gets."""

import base64
import zlib

import pytest

from core.config import check_settings
from core.masking_settings import KINDS
from core.offline import OfflineModel
from tests.adapters.conftest import HARNESSES
from tests.core.personal_samples import IBANS, SECRETS

PLANTED = {
    "card": "4111 1111 1111 1111",
    "email": "planted.person@example.org",
    "phone": "+44 20 7946 0958",
    "iban": IBANS["british"],
    "ip": "203.0.113.77",
    "secret": SECRETS["openai"],
}
TEXT = "remember that I am at " + ", ".join(PLANTED.values())


class Listening(OfflineModel):
    """The stand-in, with all it was given kept as text."""

    def __init__(self):
        super().__init__()
        self.heard = []

    async def get_response(self, *given, **more):
        self.heard.append(str(given[:2]))
        return await super().get_response(*given, **more)

    async def stream_response(self, *given, **more):
        self.heard.append(str(given[:2]))
        async for event in super().stream_response(*given, **more):
            yield event


@pytest.fixture
def model(monkeypatch):
    model = Listening()
    monkeypatch.setattr("core.llm.model_of", lambda settings: model)
    return model


def harness(name, folder, policy):
    told = {"store": f"sqlite:///{folder}/desk.db", "personal_data": dict.fromkeys(KINDS, policy)}
    return HARNESSES[name](check_settings(told))


def forms(value):
    """A value as it may be written somewhere."""
    yield from (value.encode(), value.encode("utf-16-le"), value.encode().hex().encode())
    for shift in range(3):
        yield base64.b64encode(bytes(shift) + value.encode())[4:-4]
    yield zlib.compress(value.encode())[2:-4]


async def said_by_alice(platform):
    first = await platform.say(TEXT)
    await platform.say(TEXT, where="thread")
    await platform.edit(first, f"{TEXT}!")
    await platform.command("branch", *TEXT.split())
    await platform.say("what do you remember of me?")
    await platform.command("history")


@pytest.fixture
def opened(monkeypatch):
    """All that is sealed meanwhile, in clear: the files alone would tell of the seal, not of the mask."""
    from adapters.sealing.sealer import KeyringSealer

    contents, seal = [], KeyringSealer.seal
    monkeypatch.setattr(
        KeyringSealer, "seal", lambda self, place, content: contents.append(content) or seal(self, place, content)
    )
    return contents


@pytest.mark.parametrize("name", HARNESSES)
async def test_what_is_masked_before_storage_is_nowhere_at_rest_nor_under_the_seal(
    name, tmp_path, model, opened, caplog
):
    caplog.set_level("DEBUG")
    async with harness(name, tmp_path, "mask_before_storage") as platform:
        await said_by_alice(platform)
        files = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        seen = " ".join(seen.text for seen in platform.sees())
    # What a simulated platform logs is its own.
    logs = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith(("core", "adapters")))
    kept = [*files.values(), *opened, logs.encode()]
    assert "[card removed]" in seen
    assert any(b"[card removed]" in content for content in opened)
    for kind, value in PLANTED.items():
        assert value not in seen, kind
        assert not any(value in heard for heard in model.heard), kind
        assert not any(form in content for form in forms(value) for content in kept), kind


@pytest.mark.parametrize("name", HARNESSES)
async def test_what_is_masked_before_the_model_comes_back_to_its_owner_alone(name, tmp_path, model):
    async with harness(name, tmp_path, "mask_before_model") as platform:
        await platform.say(f"my e-mail is {PLANTED['email']}")
        await platform.say("what is my e-mail?")
        assert PLANTED["email"] in platform.sees()[-1].text
        await platform.say(f"my e-mail is {PLANTED['email']}", where="thread")
        await platform.say("what is the e-mail?", user="bob", where="thread")
        answers = [seen.text for seen in platform.sees("bob", "thread")]
    assert len(model.heard) >= 4
    assert not any(PLANTED["email"] in heard for heard in model.heard)
    assert PLANTED["email"] not in answers[-1]
