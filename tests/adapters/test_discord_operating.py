"""The words of who looks after the desk, as commands of Discord."""

import pytest

from core.config import Settings
from simulators.discord_service import Permission
from tests.adapters.discord_server import Server
from tests.adapters.discord_staff import AdminHarness

pytestmark = pytest.mark.usefixtures("hurried_discord")
REFUSED = "You may not do that here."


@pytest.fixture
async def server(tmp_path):
    settings = Settings(store=f"sqlite:///{tmp_path}/desk.db", model="offline")
    async with AdminHarness(settings) as harness:
        moderators = harness.discord.role("moderators", Permission.MANAGE_THREADS)
        harness._people["carol"] = harness.discord.person("carol", roles=(moderators,))
        yield Server(harness)


async def said(server, name, word, **options):
    """What somebody is shown, and they alone, after a command said in a thread."""
    thread, person = await server.ask(), server.harness.person(name)
    person.slash("desk-staff", word, channel=thread, **options)
    await server.quiet()
    assert len(server.texts(thread, server.alice)) == 1
    return server.ours(thread, person)[-1]


async def test_what_was_used_is_added_up_by_a_choice(server):
    shown = await said(server, "mo", "usage-by", what="session")
    assert shown.ephemeral
    assert "Total" in shown.text and f"discord/{server.discord.acme.id}/thread/" in shown.text
    shown = await said(server, "mo", "usage-by", what="model", month="2026-01")
    assert shown.text == "Used in this workspace, by model, 2026-01: nothing."


async def test_the_audit_log_is_listed_and_checked(server):
    assert "usage_list" not in (await said(server, "mo", "audit")).text
    listed = await said(server, "mo", "audit", what="1")
    assert listed.ephemeral and f"discord/{server.discord.acme.id}/" in listed.text and "audit_list" in listed.text
    assert (await said(server, "mo", "audit", what="verify")).text.startswith("The audit log holds")


@pytest.mark.parametrize(
    ("word", "options", "first"),
    [("usage-by", {"what": "customer", "file": "csv"}, "customer,calls,"), ("audit", {"what": "export"}, '{"at": ')],
)
async def test_a_file_comes_in_direct_messages(server, word, options, first):
    await said(server, "mo", "audit")
    shown, mo = await said(server, "mo", word, **options), server.harness.person("mo")
    assert shown.text == "I wrote it to you directly, where it stays."
    (sent,) = [one for one in server.ours(mo.im, mo) if one.files]
    (path,) = [path for path in server.discord.world.files if path.endswith(sent.files[0])]
    assert server.discord.world.files[path].decode().startswith(first)


async def test_keys_are_counted_and_made_anew_by_the_button(server):
    assert (await said(server, "mo", "keys")).text.startswith("Data keys of ")
    asked = await said(server, "mo", "keys", do="rotate")
    assert asked.ephemeral and asked.text.endswith("Say `keys rotate confirm` to do it.")
    server.harness.person("mo").press(asked, "Make new keys")
    await server.quiet()
    thread = server.discord.threads(server.help)[-1]
    assert "new data keys made" in server.texts(thread, server.harness.person("mo"))[-1]


async def test_who_has_no_role_any_more_presses_in_vain(server):
    asked, mo = await said(server, "mo", "keys", do="rotate"), server.harness.person("mo")
    server.discord.acme.members[mo.id].roles = ()
    mo.press(asked, "Make new keys")
    await server.quiet()
    thread = server.discord.threads(server.help)[-1]
    assert server.texts(thread, mo)[-1] == REFUSED


async def test_what_is_old_is_asked_for(server):
    assert (await said(server, "mo", "retention", do="run")).text.startswith("Nothing goes by its age")


@pytest.mark.parametrize(
    ("word", "options"),
    [("usage-by", {"what": "session"}), ("audit", {}), ("retention", {}), ("keys", {"do": "rotate"})],
)
async def test_who_sees_the_commands_and_has_no_role_of_the_desk_is_refused(server, word, options):
    assert (await said(server, "carol", word, **options)).text == REFUSED


async def test_the_choices_are_offered(server):
    registered = {command["name"]: command for command in server.discord.commands.registered()}
    words = {option["name"]: option["options"] for option in registered["desk-staff"]["options"]}
    what, month, file = words["usage-by"]
    assert [choice["value"] for choice in what["choices"]] == ["customer", "session", "ticket", "model"]
    assert (what["required"], month["name"], month["required"]) == (True, "month", False)
    assert ([choice["value"] for choice in file["choices"]], file["required"]) == (["csv"], False)
    offered = {word: [choice["value"] for choice in words[word][0]["choices"]] for word in ("retention", "keys")}
    assert offered == {"retention": ["run"], "keys": ["check", "rotate"]}
    assert len(words) <= 25
