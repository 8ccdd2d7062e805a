"""The legal matters of docs/adapting.md: its `desk.toml`, and what the page says comes of it."""

import re
import tomllib
from pathlib import Path

import pytest

from adapters.terminal.translate import ref_of
from bots.settings import read_settings
from core.models import Command, Profile, UserMessage
from core.queries.tickets import Tickets
from tests.core.talk import open_talk

PAGE = (Path(__file__).parents[2] / "docs/adapting.md").read_text()
LEGAL = re.search(r"<!-- legal matters -->\n```toml\n(.*?)```", PAGE, re.DOTALL)[1]


class Firm:
    """The desk of a law firm: who says what in which thread, and the session it was answered in."""

    def __init__(self, talk):
        self.talk = talk

    async def say(self, user, text, *, thread=None):
        message = UserMessage(self.talk.next_id(), ref_of(user, thread=thread), text, Profile(user.title()))
        return await self._answer(message)

    async def command(self, user, word, *args, thread=None):
        return await self._answer(Command(self.talk.next_id(), ref_of(user, thread=thread), word, args))

    async def _answer(self, event):
        (text,) = await self.talk.hand_in(event)
        return text

    @property
    def session(self):
        return self.talk.last.session


@pytest.fixture
async def firm():
    async with open_talk(**tomllib.loads(LEGAL)) as talk:
        firm = Firm(talk)
        await firm.say("alice", "My landlord ended the lease, the file number is 7 C 114/26")
        yield firm


def test_the_file_is_read_as_a_desk_reads_it(tmp_path):
    (tmp_path / "desk.toml").write_text(LEGAL)
    settings = read_settings({"HOME": str(tmp_path)}, tmp_path)
    assert settings.agent.name == "Sable & Finch"
    assert set(settings.agent.specialists) == {"contracts", "litigation"}
    assert (settings.strategies.direct, settings.strategies.thread) == ("ticket", "ticket")
    assert settings.retention.conversation_days / 365.25 > 10


async def test_a_matter_is_a_ticket_and_a_session_of_its_own(firm):
    assert firm.session == "ticket/local/TKT-1001"
    await firm.say("alice", "Please look at a contract with Oak Ltd", thread="oak")
    assert firm.session == "ticket/local/TKT-1002"
    assert "landlord" not in await firm.command("alice", "history", thread="oak")
    assert [row.number for row in await firm.talk.store.read(Tickets(10))] == [1002, 1001]


async def test_a_matter_goes_on_from_another_place(firm):
    await firm.command("alice", "open", "TKT-1001", thread="phone")
    assert await firm.say("alice", "What was my file number?", thread="phone") == "Your file number was 7 C 114/26."
    assert firm.session == "ticket/local/TKT-1001"


async def test_a_message_that_names_a_matter_goes_on_with_it(firm):
    await firm.say("alice", "About TKT-1001: any news?", thread="phone")
    assert firm.session == "ticket/local/TKT-1001"


async def test_the_matter_remembers_who_answers(firm):
    assert "litigation" in await firm.say("alice", "talk to litigation")
    assert await firm.say("alice", "talk to litigation") == "You are talking to litigation now. What can I do for you?"
    await firm.say("alice", "Please look at a contract with Oak Ltd", thread="oak")
    assert "contracts" in await firm.say("alice", "talk to contracts", thread="oak")


async def test_another_client_learns_nothing_of_a_matter_and_staff_sees_it(firm):
    hers, nobodys = [await firm.command("bob", "ticket", name) for name in ("TKT-1001", "TKT-4711")]
    assert hers == nobodys
    assert "landlord" not in await firm.say("bob", "About TKT-1001: any news?")
    assert firm.session == "ticket/local/TKT-1002"
    assert "landlord" in await firm.command("nadia", "ticket", "TKT-1001")


async def test_new_begins_another_matter(firm):
    await firm.command("alice", "new")
    await firm.say("alice", "My landlord wants to move in himself.")
    assert firm.session == "ticket/local/TKT-1002"


async def test_a_client_starts_with_the_default_tier(firm):
    assert "tier consultation" in await firm.command("alice", "whoami")


async def test_a_desk_can_do_without_specialists():
    async with open_talk(agent={"specialists": {}}) as talk:
        assert await talk.say("alice", "talk to billing") != []
        assert "billing" not in (await talk.say("alice", "hello"))[0]
