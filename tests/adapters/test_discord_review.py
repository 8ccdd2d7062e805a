"""Staff reads on Discord: a form asks for the reason, and what is read stands in the reader's direct messages."""

import pytest

from core.access import READINGS
from core.audit import audit_lines
from core.config import Settings
from tests.adapters.discord_server import Server
from tests.adapters.discord_staff import StaffHarness

pytestmark = pytest.mark.usefixtures("hurried_discord")
WHY = "she asked for help"
REFUSED = "You may not do that here."
SECRET = "xylophone-4711"
SEND = "POST /channels/{channel}/messages"


@pytest.fixture
async def server(tmp_path):
    settings = Settings(store=f"sqlite:///{tmp_path}/desk.db", model="offline")
    async with StaffHarness(settings) as harness:
        yield Server(harness)


@pytest.fixture
def mo(server):
    return server.harness.person("mo")


async def lines(server):
    kit = server.harness.desk._kit
    found = await audit_lines(kit.store, kit.sealer, 100)
    return [(line.action, line.detail["reason"]) for line in found if line.action in READINGS]


async def do(server, act):
    await server.quiet()
    return act


def direct(server, person):
    return server.texts(person.im, person)


async def conversation(server, turns=1):
    thread = await server.ask(f"open a ticket: {SECRET}")
    for number in range(1, turns):
        server.alice.say(thread, f"message number {number}")
        await server.quiet()
    return thread


async def test_without_a_reason_a_form_asks_for_it_and_nothing_is_read_before(server, mo):
    thread = await conversation(server)
    await do(server, mo.slash("desk-staff", "review", channel=thread, person=server.alice.user.id))
    assert mo.modal["title"] == "Why do you need to read it?"
    assert (direct(server, mo), await lines(server)) == ([], [])
    await do(server, mo.submit_modal(reason=WHY))
    (page,) = direct(server, mo)
    assert SECRET in page
    assert "Tool create_ticket(" in page
    assert server.texts(thread, mo)[-1] == "I wrote it to you directly, where it stays."
    assert not [text for text in server.texts(thread, server.alice) if "create_ticket" in text]
    assert await lines(server) == [("review", WHY)]


async def test_with_a_reason_no_form_is_asked(server, mo):
    thread = await conversation(server)
    await do(server, mo.slash("desk-staff", "review", channel=thread, person=server.alice.user.id, reason=WHY))
    assert mo.modal is None
    assert SECRET in direct(server, mo)[0]


async def test_the_menu_of_a_message_reads_its_conversation(server, mo):
    thread = await conversation(server)
    question = next(one for one in server.discord.seen_by(mo, server.help) if SECRET in one.text)
    for target in (server.ours(thread)[0], question):
        await do(server, mo.menu("Review", target))
        await do(server, mo.submit_modal(reason=WHY))
        assert SECRET in direct(server, mo)[-1]
    assert await lines(server) == [("review", WHY)] * 2


async def test_a_message_that_is_no_conversation_with_the_desk_is_said_to_be_none(server, mo):
    elsewhere = server.discord.channel("elsewhere")
    said = server.bob.say(elsewhere, "hello all")
    await do(server, mo.menu("Review", said))
    await do(server, mo.submit_modal(reason=WHY))
    assert server.texts(elsewhere, mo)[-1].startswith("I know no conversation here.")
    assert (direct(server, mo), await lines(server)) == ([], [])


async def test_of_several_conversations_one_is_picked_and_read_directly(server, mo):
    await conversation(server)
    await server.ask("open a ticket: the other one")
    await do(server, mo.slash("desk-staff", "review", channel=server.help, person=server.alice.user.id))
    await do(server, mo.submit_modal(reason=WHY))
    picker = server.ours(server.help, mo)[-1]
    assert picker.text == "Which conversation do you want to read?"
    assert not [one for one in server.ours(server.help, server.alice) if one.id == picker.id]
    newest, oldest = (button.label for button in picker.buttons)
    await do(server, mo.press(picker, oldest))
    assert SECRET in direct(server, mo)[0]
    assert "the other one" not in direct(server, mo)[0]
    assert await lines(server) == [("sessions_list", WHY), ("review", WHY)]


async def test_older_conversations_are_paged_through_and_picked(server, mo):
    await conversation(server)
    # Nobody has more than a few threads open.
    for person in (server.alice, server.alice, server.bob, server.bob, server.bob):
        thread = await server.ask(person=person)
        server.mention("so do I", channel=thread)
        await server.quiet()
    await do(server, mo.slash("desk-staff", "review", channel=server.help, person=server.alice.user.id, reason=WHY))
    await do(server, mo.press(server.ours(server.help, mo)[-1], "More"))
    older = server.ours(server.help, mo)[-1]
    assert older.text == "Which conversation do you want to read? Page 2 of 2, newest first."
    await do(server, mo.press(older, older.buttons[0].label))
    assert SECRET in direct(server, mo)[0]
    assert await lines(server) == [("sessions_list", WHY), ("sessions_list", WHY), ("review", WHY)]


async def paged(server, mo):
    """Two pages, of which the first is read; the message with its button."""
    thread = await conversation(server, turns=11)
    await do(server, mo.slash("desk-staff", "review", channel=thread, person=server.alice.user.id, reason=WHY))
    return server.ours(mo.im, mo)[-1]


async def test_pages_go_on_where_they_stand(server, mo):
    more = await paged(server, mo)
    assert "message number 9" in "".join(direct(server, mo))
    await do(server, mo.press(more, "More"))
    assert "Page 2 of 2" in direct(server, mo)[-1]
    assert "message number 10" in direct(server, mo)[-1]
    assert await lines(server) == [("review", WHY)] * 2


async def test_what_was_read_is_read_on_after_a_restart(server, mo):
    more = await paged(server, mo)
    await server.harness.restart()
    await do(server, mo.press(more, "More"))
    assert "message number 10" in direct(server, mo)[-1]


@pytest.mark.parametrize("lost", ["role", "membership"])
async def test_a_role_lost_between_two_pages_counts_at_the_next_one(server, mo, lost):
    more = await paged(server, mo)
    member = server.discord.acme.members[mo.user.id]
    if lost == "role":
        member.roles = []
    else:
        del server.discord.acme.members[mo.user.id]
    await do(server, mo.press(more, "More"))
    assert "message number 10" not in "".join(direct(server, mo))
    assert direct(server, mo)[-1] in (REFUSED, "I cannot tell who you are in that server. Ask there again.")
    assert await lines(server) == [("review", WHY)]


async def test_a_role_lost_while_the_form_is_open_counts_when_it_is_sent(server, mo):
    thread = await conversation(server)
    await do(server, mo.slash("desk-staff", "review", channel=thread, person=server.alice.user.id))
    server.discord.acme.members[mo.user.id].roles = []
    await do(server, mo.submit_modal(reason=WHY))
    assert server.texts(thread, mo)[-1] == REFUSED
    assert (direct(server, mo), await lines(server)) == ([], [])


async def test_a_form_without_a_reason_reads_nothing(server, mo):
    thread = await conversation(server)
    await do(server, mo.slash("desk-staff", "review", channel=thread, person=server.alice.user.id))
    await do(server, mo.submit_modal(reason="   "))
    assert server.texts(thread, mo)[-1].startswith("Say why you need to read it")
    assert (direct(server, mo), await lines(server)) == ([], [])


async def test_a_customer_gets_nothing_whichever_way_they_forge(server, mo):
    more = await paged(server, mo)
    custom_id = more.buttons[0].custom_id
    server.bob.say(server.bob.im, "hello")
    await server.quiet()
    own = server.ours(server.bob.im, server.bob)[-1]
    number, _, value = custom_id.partition("@")
    forged = [
        custom_id,
        f"{number}#{value.partition('#')[2]}",
        f"{number}@999#{value.partition('#')[2]}",
        f"{number}@{'9' * 25}#{value.partition('#')[2]}",
        f"{number}@x#{value.partition('#')[2]}",
        'desk:why#{"c":"review","a":["here","curious"]}',
        'desk:0#{"c":"search","a":["message","--reason","curious"]}',
        'desk:why#{"c":"search","a":[]}',
    ]
    for one in forged:
        await do(server, server.bob.press(own, custom_id=one))
    assert not [text for text in direct(server, server.bob) if SECRET in text or "message number" in text]
    assert await lines(server) == [("review", WHY)]


async def test_who_takes_no_direct_messages_is_told_what_to_do(server, mo):
    thread = await conversation(server)
    server.discord.close_dms(mo)
    await do(server, mo.slash("desk-staff", "review", channel=thread, person=server.alice.user.id, reason=WHY))
    assert server.texts(thread, mo)[-1].startswith("I cannot write to you directly: allow direct messages")


async def test_search_is_a_command_of_staff_with_options(server, mo):
    thread = await conversation(server)
    options = {"words": SECRET, "reason": WHY}
    await do(server, mo.slash("desk-staff", "search", channel=thread, customer=server.alice.user.id, **options))
    found = server.ours(thread, mo)[-1]
    assert f"open a ticket: {SECRET}" in found.text
    await do(server, mo.press(found, "Read 1"))
    assert "Tool create_ticket(" in direct(server, mo)[0]
    assert await lines(server) == [("search", WHY), ("review", WHY)]
    await do(server, mo.slash("desk-staff", "search", channel=thread, customer=server.bob.user.id, **options))
    assert SECRET not in server.texts(thread, mo)[-1]


async def test_a_search_without_a_reason_asks_for_it_in_a_form_with_the_search(server, mo):
    thread = await conversation(server)
    options = {"words": SECRET, "customer": server.alice.user.id, "since": "2020-01-31", "reason": " "}
    await do(server, mo.slash("desk-staff", "search", channel=thread, **options))
    assert mo.modal["title"] == "Why do you search?"
    what, reason = (row["components"][0] for row in mo.modal["components"])
    assert what["value"] == f"{SECRET} --customer <@{server.alice.user.id}> --since 2020-01-31"
    assert "value" not in reason
    assert await lines(server) == []
    await do(server, mo.submit_modal(reason=WHY))
    assert f"open a ticket: {SECRET}" in server.texts(thread, mo)[-1]
    assert await lines(server) == [("search", WHY)]


async def test_what_is_searched_for_can_be_said_in_the_form(server, mo):
    thread = await conversation(server)
    await do(server, mo.slash("desk-staff", "search", channel=thread))
    await do(server, mo.submit_modal(what=SECRET, reason=WHY))
    assert f"open a ticket: {SECRET}" in server.texts(thread, mo)[-1]
    await do(server, mo.slash("desk-staff", "search", channel=thread, words=SECRET))
    await do(server, mo.submit_modal(what="--customer @bob --size big", reason=WHY))
    assert server.texts(thread, mo)[-1].startswith("Say it like this: `search")
    assert await lines(server) == [("search", WHY)]


@pytest.mark.parametrize("lost", ["role", "reason"])
async def test_a_form_of_a_search_finds_nothing_without_a_role_or_a_reason(server, mo, lost):
    thread = await conversation(server)
    await do(server, mo.slash("desk-staff", "search", channel=thread, words=SECRET))
    if lost == "role":
        server.discord.acme.members[mo.user.id].roles = []
    await do(server, mo.submit_modal(reason=WHY if lost == "role" else "   "))
    said = server.texts(thread, mo)[-1]
    assert said == REFUSED if lost == "role" else said.startswith("Say why you search")
    assert await lines(server) == []


async def test_a_search_too_long_for_a_form_is_asked_for_its_reason_in_words(server, mo):
    thread = await conversation(server)
    await do(server, mo.slash("desk-staff", "search", channel=thread, words="word " * 250))
    assert mo.modal is None
    assert server.texts(thread, mo)[-1].startswith("Say why you search")


async def test_only_staff_is_offered_to_review(server):
    thread = await conversation(server)
    with pytest.raises(LookupError, match="may not use 'Review'"):
        server.alice.menu("Review", server.ours(thread)[0])


@pytest.mark.parametrize("trouble", ["cut_answer", "cut_request", "fail"])
async def test_a_page_is_written_once_whatever_happens_to_its_call(server, mo, trouble, monkeypatch):
    thread = await conversation(server)
    getattr(server.discord.faults, trouble)(SEND, times=1)
    await do(server, mo.slash("desk-staff", "review", channel=thread, person=server.alice.user.id, reason=WHY))
    await server.begins(lambda: direct(server, mo) != [])
    await server.quiet()
    assert len(direct(server, mo)) == 1
    # A nonce counts for some minutes only: later the piece is looked for where it was written.
    monkeypatch.setattr("adapters.discord.posting.NONCE_SECONDS", 0.0)
    server.discord.faults.cut_answer(SEND, times=1)
    await do(server, mo.slash("desk-staff", "review", channel=thread, person=server.alice.user.id, reason=WHY))
    await server.begins(lambda: len(direct(server, mo)) > 1)
    await server.quiet()
    assert len(direct(server, mo)) == 2
