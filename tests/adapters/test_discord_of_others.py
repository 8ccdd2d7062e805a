"""What admins say of somebody on Discord: `/desk-staff hold`, `forget`, `export` and `unlink`."""

import json
import re

import pytest

from adapters.discord.saying import MAX_CUSTOM_ID
from adapters.discord.words import STAFF_WORDS
from core.audit import audit_lines
from core.config import LinkingSettings, Settings
from core.linking import TOLD
from core.of_others import STALE
from tests.adapters.discord_server import Server
from tests.adapters.discord_staff import AdminHarness

pytestmark = pytest.mark.usefixtures("hurried_discord")
WHY = "she asked us"
REFUSED = "You may not do that here."
OF_OTHERS = ("hold", "forget", "export", "unlink")


@pytest.fixture
async def server(tmp_path):
    linking = LinkingSettings(across="workspaces")
    settings = Settings(store=f"sqlite:///{tmp_path}/desk.db", model="offline", linking=linking)
    async with AdminHarness(settings) as harness:
        yield Server(harness)


@pytest.fixture
def mo(server):
    return server.harness.person("mo")


async def staff(server, who, word, **options):
    who.slash("desk-staff", word, channel=server.help, **options)
    await server.quiet()
    return server.texts(server.help, who)[-1]


async def lines(server):
    kit = server.harness.desk._kit
    return [(line.action, line.detail) for line in await audit_lines(kit.store, kit.sealer, 100)]


def alice(server):
    return {"person": server.alice.user.id}


def test_a_group_has_room_for_all_words_of_staff():
    assert len(STAFF_WORDS) <= 25


async def test_each_word_has_a_person_and_a_reason_to_fill_in(server):
    registered = {command["name"]: command for command in server.discord.commands.registered()}
    words = {option["name"]: option for option in registered["desk-staff"]["options"]}
    for name in OF_OTHERS:
        options = {one["name"]: (one["type"], one.get("required", False)) for one in words[name]["options"]}
        needed = name != "hold"
        assert options.pop("person") == (6, needed)
        assert options.pop("reason") == (3, needed)
        assert set(options) == (set() if needed else {"what"})
    assert not {word["name"] for word in registered["desk"]["options"]} & {"hold"}
    (forget,) = [word for word in registered["desk"]["options"] if word["name"] == "forget"]
    assert not forget.get("options")


async def test_a_hold_is_put_listed_and_ended(server, mo):
    await server.ask()
    put = await staff(server, mo, "hold", **alice(server), reason="case 7")
    assert put.startswith("alice is on hold now")
    listed = await staff(server, mo, "hold")
    assert f"alice ({server.alice.user.id}), since" in listed
    assert listed.endswith("case 7")
    # However they are filled in.
    ended = await staff(server, mo, "hold", reason="over", what="end", **alice(server))
    assert ended == "alice is not on hold any more."
    assert server.texts(server.help, server.bob) == []


async def test_who_has_no_role_is_refused_whoever_is_meant(server):
    await server.ask()
    thread = await server.ask(person=server.bob)
    for word in OF_OTHERS:
        for user in (server.alice.user.id, "404"):
            server.bob.say(thread, f"!{word} {user} {WHY}")
            await server.quiet()
            assert server.texts(server.bob.im, server.bob)[-1].startswith(REFUSED)
    assert await lines(server) == []


async def test_somebody_is_forgotten_once_it_is_confirmed_and_the_receipt_is_for_who_asked(server, mo):
    thread = await server.ask("open a ticket: xylophone")
    assert "forget alice for good" in await staff(server, mo, "forget", **alice(server), reason=WHY)
    question = server.ours(server.help, mo)[-1]
    assert all(len(button.custom_id) <= MAX_CUSTOM_ID for button in question.buttons)
    # Whoever forges the button is another one, whatever their role.
    custom_id = question.buttons[0].custom_id
    server.harness.person("ada").press(server.ours(thread)[0], custom_id=custom_id)
    await server.quiet()
    assert not [action for action, _ in await lines(server) if action == "forget ordered"]
    mo.press(question, "Forget them for good")
    await server.quiet()
    await server.begins(lambda: "their key destroyed" in server.texts(server.help, mo)[-1])
    assert server.texts(server.help, server.bob) == []
    ordered = {"by": f"discord/{server.discord.acme.id}/{mo.user.id}", "role": "admin", "reason": WHY}
    assert ("forget ordered", ordered) in await lines(server)
    mo.press(question, "Forget them for good")
    await server.quiet()
    assert server.texts(server.help, mo)[-1] == STALE


async def test_a_role_lost_before_it_is_confirmed_counts(server, mo):
    await server.ask()
    await staff(server, mo, "forget", **alice(server), reason=WHY)
    server.discord.acme.members[mo.user.id].roles = []
    mo.press(server.ours(server.help, mo)[-1], "Forget them for good")
    await server.quiet()
    assert server.texts(server.help, mo)[-1].startswith(REFUSED)


@pytest.mark.parametrize("trouble", [None, "cut_answer", "fail"])
async def test_an_export_comes_as_a_file_in_direct_messages_once(server, mo, trouble):
    await server.ask("open a ticket: xylophone")
    if trouble:
        getattr(server.discord.faults, trouble)("POST /channels/{channel}/messages", times=1)
    said = await staff(server, mo, "export", **alice(server), reason=WHY)
    assert said == "I wrote it to you directly, where it stays."
    (sent,) = [one for one in server.ours(mo.im, mo) if one.files]
    (path,) = [path for path in server.discord.world.files if path.endswith(sent.files[0])]
    assert json.loads(server.discord.world.files[path])["tickets"][0]["subject"] == "xylophone"
    assert [action for action, _ in await lines(server)] == ["export_person"]


async def test_who_gave_a_code_is_told_directly_and_an_admin_unlinks_them(server, mo):
    await server.ask()
    server.alice.slash("link", channel=server.help)
    await server.quiet()
    code = re.search(r"`link (\S+)`", server.texts(server.help)[-1])[1]
    server.alice.dm(f"!link {code} apart")
    await server.quiet()
    assert TOLD.format(platform="discord") in server.texts(server.alice.im)
    said = await staff(server, mo, "unlink", **alice(server), reason="the code was stolen")
    assert "one person with others no more" in said
    assert ("unlink", "the code was stolen") in [
        (action, detail.get("reason")) for action, detail in await lines(server)
    ]
