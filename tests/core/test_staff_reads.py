import pytest

from core.audit import audit_lines
from tests.core.talk import open_talk

STAFF = {"terminal/local/sam": "agent"}


async def seen(talk):
    return [line for line in await audit_lines(talk.store, talk.sealer, 50) if line.action == "ticket"]


@pytest.mark.parametrize("word", ["ticket", "ticket-summary"])
async def test_who_reads_somebody_elses_ticket_is_named_in_the_log(word):
    async with open_talk(roles=STAFF) as talk:
        await talk.say("alice", "open a ticket: no ink")
        assert "no ink" in (await talk.command("sam", word, "TKT-1001"))[0]
        (line,) = await seen(talk)
        assert (line.subject, line.detail) == ("TKT-1001", {"by": "terminal/local/sam", "role": "agent"})


@pytest.mark.parametrize("word", ["ticket", "ticket-summary"])
async def test_who_reads_their_own_ticket_is_not_noted(word):
    async with open_talk(roles=STAFF) as talk:
        await talk.say("sam", "open a ticket: no ink")
        await talk.command("sam", word, "TKT-1001")
        assert await seen(talk) == []
