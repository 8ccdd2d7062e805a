"""A desk with staff on it, a customer, and what the store then says of people."""

from contextlib import asynccontextmanager

from core.audit import audit_lines
from core.people import find_person
from core.queries.counts import HeldOf
from tests.core.talk import open_talk

ROLES = {"terminal/local/ada": "admin", "terminal/local/eve": "admin", "terminal/local/sue": "supervisor"}
REFUSED = "You may not do that here."


@asynccontextmanager
async def open_staffed():
    async with open_talk(roles=ROLES, linking={"across": "workspaces"}) as talk:
        await talk.say("alice", "open a ticket: no ink")
        yield talk


async def lines(talk, *actions):
    found = await audit_lines(talk.store, talk.sealer, 100)
    return [(line.action, line.detail) for line in found if line.action in actions]


async def kept(talk, id_):
    return {row.table for row in await talk.store.read(HeldOf(id_)) if row.rows}


async def id_of(talk, user="alice"):
    return (await find_person(talk.store, talk.sealer, f"terminal/local/{user}")).id


async def id_of_new(talk, user="ada"):
    await talk.command(user, "whoami")
    return await id_of(talk, user)
