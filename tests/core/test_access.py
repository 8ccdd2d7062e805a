from contextlib import asynccontextmanager

import pytest

from core.access import Door, Reader, local_operator, may, open_session_of, reader_of, role_of
from core.audit import audit_lines
from core.config import check_settings
from core.errors import BadInputError, NoSuchSessionError, NotAllowedError, StoreError
from core.models import ConversationRef
from tests.core.books import open_books

SESSION = "terminal/local/dm/alice"
STAFF = Reader("terminal/local/sam", "agent", "local")
SETTINGS = check_settings({"roles": {"terminal/local/sam": "agent", "slack/T1/sue": "supervisor"}})


def ref(user, *, platform="terminal", workspace="local"):
    return ConversationRef(platform, workspace, "c", user)


@asynccontextmanager
async def conversation():
    async with open_books() as books:
        alice = await books.customer("alice")
        session = await books.session(SESSION, alice)
        await books.say(session.id, alice, "my cat is called Mia", "Noted.")
        yield books, Door(books.store, books.sealer, books.writer)


async def lines(books):
    return [line for line in await audit_lines(books.store, books.sealer, 10)]


async def test_a_conversation_is_read_with_a_reason_and_the_log_says_who_and_why():
    async with conversation() as (books, door):
        transcript = await open_session_of(door, STAFF, SESSION, reason=" she asked for help ")
        assert [turn.said for turn in transcript.turns] == ["my cat is called Mia"]
        (line,) = await lines(books)
        assert (line.action, line.owner, line.detail) == (
            "review",
            transcript.customer,
            {"by": "terminal/local/sam", "role": "agent", "reason": "she asked for help"},
        )
        assert "sam" not in line.actor and "alice" not in line.subject


async def test_nothing_is_read_when_the_audit_line_cannot_be_written():
    class Broken:
        async def commit(self, commit):
            raise StoreError("the disk is full")

    async with conversation() as (books, door):
        asked = []

        class Watched:
            async def read(self, query):
                asked.append(type(query).__name__)
                return await books.store.read(query)

        with pytest.raises(StoreError):
            await open_session_of(Door(Watched(), door.sealer, Broken()), STAFF, SESSION, reason="help")
        assert asked == ["SessionById"]


@pytest.mark.parametrize("session", [SESSION, "terminal/local/dm/nobody"])
async def test_a_customer_is_refused_alike_whether_it_exists_or_not(session):
    async with conversation() as (books, door):
        with pytest.raises(NotAllowedError) as refused:
            await open_session_of(door, Reader("terminal/local/bob", "customer", "local"), session, reason="curious")
        assert refused.value.args == NotAllowedError().args
        assert await lines(books) == []


async def test_another_workspaces_conversation_is_as_good_as_none():
    async with conversation() as (books, door):
        stranger = Reader("slack/T1/sue", "supervisor", "T1")
        with pytest.raises(NoSuchSessionError) as theirs:
            await open_session_of(door, stranger, SESSION, reason="help")
        with pytest.raises(NoSuchSessionError) as nobodys:
            await open_session_of(door, stranger, "terminal/local/dm/nobody", reason="help")
        assert theirs.value.args == nobodys.value.args
        assert await lines(books) == []


@pytest.mark.parametrize("reason", ["", "   ", "\n"])
async def test_without_a_reason_nothing_is_read(reason):
    async with conversation() as (books, door):
        with pytest.raises(BadInputError, match="why"):
            await open_session_of(door, STAFF, SESSION, reason=reason)
        assert await lines(books) == []


async def test_the_local_operator_reads_in_every_workspace_and_is_named_in_the_log():
    async with conversation() as (books, door):
        assert (await open_session_of(door, local_operator("root"), SESSION, reason="support")).turns
        (line,) = await lines(books)
        assert line.detail == {"by": "os/local/root", "role": "admin", "reason": "support"}


async def test_the_conversation_of_an_erased_customer_reads_as_stubs_and_is_audited():
    async with conversation() as (books, door):
        owner = (await books.read_session(books.sealer.lookup("session", SESSION))).owner
        await books.sealer.erase(owner)
        transcript = await open_session_of(door, STAFF, SESSION, reason="check")
        assert [turn.said for turn in transcript.turns] == ["(erased)"]
        assert transcript.session == "(erased)"
        assert [line.owner for line in await lines(books)] == ["desk"]


async def test_an_erased_customers_audit_lines_stay_without_their_detail():
    async with conversation() as (books, door):
        transcript = await open_session_of(door, STAFF, SESSION, reason="check")
        await books.sealer.erase(transcript.customer)
        (line,) = await lines(books)
        assert (line.action, line.detail) == ("review", None)


def test_roles_come_from_the_settings_and_everybody_else_is_a_customer():
    assert role_of(SETTINGS, ref("sam")) == "agent"
    assert role_of(SETTINGS, ref("sue", platform="slack", workspace="T1")) == "supervisor"
    assert role_of(SETTINGS, ref("sam", workspace="T1")) == "customer"
    assert role_of(SETTINGS, ref("sam", platform="slack")) == "customer"
    assert role_of(SETTINGS, ref("local/sam", workspace="")) == "customer"
    assert reader_of(SETTINGS, ref("sam")) == STAFF


@pytest.mark.parametrize(
    ("operation", "allowed"),
    [
        ("own", {"customer", "agent", "supervisor", "admin"}),
        ("review", {"agent", "supervisor", "admin"}),
        ("undo_others", {"agent", "supervisor", "admin"}),
        ("staff_ticket", {"agent", "supervisor", "admin"}),
        ("tickets_list", {"agent", "supervisor", "admin"}),
        ("sessions_list", {"agent", "supervisor", "admin"}),
        ("see_money", {"agent", "supervisor", "admin"}),
        ("usage_list", {"supervisor", "admin"}),
        ("audit_read", {"supervisor", "admin"}),
        ("operate", {"admin"}),
        ("what nobody thought of", set()),
    ],
)
def test_a_role_may_what_the_table_says_and_nothing_else(operation, allowed):
    roles = ("customer", "agent", "supervisor", "admin", "king", "")
    assert {role for role in roles if may(role, operation)} == allowed


GROUPED = check_settings(
    {
        "roles": {
            "slack/T1/@S1": "agent",
            "slack/T1/@S2": "admin",
            "slack/T1/una": "customer",
            "slack/T1/@S3": "customer",
        }
    }
)


def member(user, *groups, workspace="T1"):
    return ConversationRef("slack", workspace, "c", user, groups=groups)


@pytest.mark.parametrize(
    ("who", "role"),
    [
        (member("ann"), "customer"),
        (member("ann", "S9"), "customer"),
        (member("ann", "S1"), "agent"),
        (member("ann", "S1", "S2", "S3"), "admin"),
        (member("ann", "S1", workspace="T2"), "customer"),
        (member("una", "S2"), "customer"),
        (member("@S2"), "customer"),
        (member("ann", "@S2"), "customer"),
    ],
)
def test_a_group_gives_the_role_that_was_set_for_it_and_nothing_else_does(who, role):
    assert role_of(GROUPED, who) == role


def test_groups_tell_no_places_apart():
    assert member("ann", "S1") == member("ann")
