import pytest

from simulators.discord_service import Permission
from tests.simulators.test_discord_service_rest import BUTTONS, code, texts

FORM = {
    "title": "A ticket",
    "custom_id": "form",
    "components": [
        {"type": 1, "components": [{"type": 4, "custom_id": "subject", "label": "Subject", "required": True}]}
    ],
}
GROUP = {
    "name": "desk",
    "description": "The desk",
    "options": [
        {
            "type": 1,
            "name": "note",
            "description": "Write a note",
            "options": [
                {"type": 3, "name": "text", "description": "What", "required": True},
                {"type": 6, "name": "about", "description": "Whom"},
            ],
        }
    ],
}


@pytest.fixture
def answer(rest):
    def answered(act, kind, data=None, **query):
        path = f"/interactions/{act.id}/{act.token}/callback"
        return rest("POST", path, {"type": kind, "data": data or {}}, params=query)

    return answered


@pytest.fixture
def hook(discord, rest):
    def called(act, method="POST", path="", body=None):
        return rest(method, f"/webhooks/{discord.app.id}/{act.token}{path}", body)

    return called


@pytest.fixture
def said(discord, ann, help_):
    discord.commands.overwrite("", [GROUP, {"name": "whoami", "description": "x"}, {"name": "Ticket", "type": 3}])
    return ann.slash("whoami", channel=help_)


@pytest.fixture
def seen(discord, ann, help_):
    return lambda person=ann: discord.seen_by(person, help_)


async def test_an_answer_comes_within_three_seconds_and_once(discord, said, answer, now, ann):
    assert (await answer(said, 4, {"content": "Ann"}))[0] == 204
    assert await code(answer(said, 4, {"content": "Ann"})) == 40060
    late = ann.slash("whoami", channel=said.channel)
    now[0] += 3.1
    assert await code(answer(late, 4, {"content": "Ann"})) == 10062
    assert texts(discord, ann, said.channel) == ["Ann"]
    assert discord.unanswered == [late]


async def test_a_thought_is_finished_by_what_is_said_first(said, answer, hook, seen):
    _, body = await answer(said, 5, {"flags": 64}, with_response="true")
    assert body["interaction"]["response_message_loading"]
    assert seen()[0].loading
    await hook(said, body={"content": "done"})
    await hook(said, body={"content": "more"})
    shown = seen()
    assert [(each.text, each.loading, each.ephemeral, each.edited) for each in shown] == [
        ("done", False, True, False),
        ("more", False, False, False),
    ]


async def test_an_ephemeral_answer_is_for_one_alone(said, answer, hook, seen, ben):
    await answer(said, 4, {"content": "psst", "flags": 64})
    assert ([each.text for each in seen()], seen(ben)) == (["psst"], [])
    await hook(said, "PATCH", "/messages/@original", {"content": "psst!"})
    assert (await hook(said, "GET", "/messages/@original"))[1]["content"] == "psst!"
    await hook(said, "DELETE", "/messages/@original")
    assert seen() == []
    assert await code(hook(said, "GET", "/messages/@original")) == 10008


async def test_follow_ups_end_after_a_quarter_of_an_hour(said, answer, hook, now):
    assert await code(hook(said, body={"content": "early"})) == 10015
    await answer(said, 4, {"content": "hi"})
    now[0] += 15 * 60 + 1
    status, body = await hook(said, body={"content": "late"})
    assert (status, body["code"]) == (401, 50027)


async def test_a_press_may_change_its_message(said, rest, answer, seen, ann):
    await rest("POST", f"/channels/{said.channel.id}/messages", {"content": "sure?", "components": BUTTONS})
    panel = seen()[0]
    await answer(ann.press(panel, "Undo"), 7, {"content": "undone", "components": []})
    shown = seen()[0]
    assert (shown.text, shown.buttons) == ("undone", ())
    forged = ann.press(panel, custom_id="not-there")
    assert forged.data["custom_id"] == "not-there"
    assert (await answer(forged, 6))[0] == 204
    for what in ("Undo", "Docs"):
        with pytest.raises(LookupError):
            ann.press(panel, what)


async def test_a_form_is_filled_in_and_sent(discord, said, answer, ann, help_):
    await answer(said, 9, FORM)
    with pytest.raises(LookupError, match="subject"):
        ann.submit_modal()
    await answer(said, 9, FORM)
    again = ann.slash("whoami", channel=help_)
    await answer(again, 9, FORM)
    sent = ann.submit_modal(subject="no ink")
    assert sent.data["components"][0]["components"][0]["value"] == "no ink"
    assert ann.modal is None
    assert await code(answer(sent, 7, {"content": "x"})) == 50035
    await answer(sent, 4, {"content": "opened"})
    with pytest.raises(LookupError, match="no form"):
        ann.submit_modal()


async def test_a_form_too_long_is_refused(said, answer):
    assert await code(answer(said, 9, FORM | {"title": "x" * 46})) == 50035


async def test_options_are_filled_in_as_registered(said, ann, ben, help_):
    act = ann.slash("desk", "note", channel=help_, text="hi", about=ben)
    (note,) = act.data["options"]
    assert [(option["name"], option["value"]) for option in note["options"]] == [("text", "hi"), ("about", ben.id)]
    assert act.data["resolved"]["users"][ben.id]["global_name"] == "Ben"
    for words, more in ((("desk",), {}), (("desk", "note"), {}), (("whoami",), {"x": 1}), (("nothing",), {})):
        with pytest.raises(LookupError):
            ann.slash(*words, channel=help_, **more)


async def test_choices_are_offered_while_typing(said, answer, ann, help_):
    typing = ann.autocomplete("desk", "note", "text", typed="h", channel=help_)
    assert typing.data["options"][0]["options"] == [{"name": "text", "type": 3, "value": "h", "focused": True}]
    await answer(typing, 8, {"choices": [{"name": "hello", "value": "hello"}]})
    assert typing.choices == ["hello"]
    too_many = {"choices": [{"name": str(number), "value": "x"} for number in range(26)]}
    assert await code(answer(ann.autocomplete("desk", "note", "text", channel=help_), 8, too_many)) == 50035


async def test_a_menu_names_its_message_with_all_its_words(said, ann, ben, help_):
    message = ben.say(help_, "no ink")
    act = ann.menu("Ticket", message)
    assert act.data["resolved"]["messages"][act.data["target_id"]]["content"] == "no ink"


async def test_commands_are_for_those_who_may(discord, ann, help_):
    discord.commands.overwrite(
        discord.acme.id,
        [{"name": "reset", "description": "x", "default_member_permissions": str(int(Permission.MANAGE_MESSAGES))}],
    )
    with pytest.raises(LookupError, match="may not"):
        ann.slash("reset", channel=help_)
    discord.give(ann, discord.role("staff", Permission.MANAGE_MESSAGES))
    assert ann.slash("reset", channel=help_).data["guild_id"] == discord.acme.id
    with pytest.raises(LookupError, match="offers no"):
        ann.slash("reset")


async def test_an_answer_calls_people_unless_it_says_more(discord, said, answer, seen, ann):
    staff = discord.role("staff", mentionable=True)
    await answer(said, 4, {"content": f"{ann.mention} <@&{staff.id}>"})
    assert seen()[0].pings == ("@Ann",)


async def test_a_locked_thread_takes_no_answers(discord, said, answer, ann, help_):
    thread = ann.open_thread(help_, "aside")
    discord.forbid(help_, discord.app, Permission.MANAGE_THREADS)
    act = ann.slash("whoami", channel=thread)
    ann.archive(thread, locked=True)
    status, body = await answer(act, 4, {"content": "x"})
    assert (status, body["code"]) == (403, 50083)
