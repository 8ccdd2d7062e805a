"""The real discord.py against the service, end to end."""

import asyncio
import io

import aiohttp
import discord as library
import pytest
from discord import app_commands

from simulators.discord_service import AppSetup, DiscordService


class Bot(library.Client):
    """Keeps what it hears."""

    def __init__(self, intents=None, **options):
        super().__init__(intents=intents or library.Intents.all(), guild_ready_timeout=0.01, **options)
        self.heard = []
        self.tree = app_commands.CommandTree(self)

    def dispatch(self, event, *args, **kwargs):
        self.heard.append((event, args))
        super().dispatch(event, *args, **kwargs)

    def said(self, event):
        return [args for name, args in self.heard if name == event]

    async def before_identify_hook(self, shard_id, *, initial=False):
        """The library's own pauses five seconds before a second session."""

    async def hears(self, event, count=1):
        async with asyncio.timeout(5):
            while len(self.said(event)) < count:
                await asyncio.sleep(0)
        return self.said(event)[-1]


@pytest.fixture
async def bot(start):
    return await start(Bot())


async def test_a_client_identifies_and_knows_the_guild(discord, bot, help_):
    assert bot.user.id == int(discord.app.id)
    assert [guild.name for guild in bot.guilds] == ["Acme"]
    await bot.hears("guild_channel_create")
    assert bot.get_channel(int(help_.id)).name == "help"
    assert (discord.socket_count, discord.gateway.identifies) == (1, 1)


async def test_a_question_is_heard_and_answered(discord, bot, ann, help_):
    ann.say(help_, f"hello {discord.mention}")
    (message,) = await bot.hears("message")
    assert (message.content, message.author.name, message.mentions) == (f"hello {discord.mention}", "ann", [bot.user])
    answer = await message.reply("hi", nonce="n1", allowed_mentions=library.AllowedMentions.none())
    shown = discord.seen_by(ann, help_)[1]
    assert (shown.text, shown.author, shown.reply_to, shown.pings) == ("hi", "helper", str(message.id), ())
    assert answer.nonce == "n1"
    await answer.edit(content="hi!")
    await answer.add_reaction("👍")
    assert discord.seen_by(ann, help_)[1].edited
    assert discord.seen_by(ann, help_)[1].reactions == ("👍",)
    await answer.remove_reaction("👍", bot.user)
    await answer.delete()
    assert [shown.text for shown in discord.seen_by(ann, help_)] == ["hello @helper"]
    assert [shown.deleted for shown in discord.seen_by(ann, help_, deleted=True)] == [False, True]


async def test_a_direct_message_needs_no_content_intent(discord, start, ann, help_):
    intents = library.Intents.default()
    bot = await start(Bot(intents))
    ann.say(help_, "in public")
    await bot.hears("message")
    ann.dm("in private")
    await bot.hears("message", 2)
    assert [message.content for (message,) in bot.said("message")] == ["", "in private"]


async def test_a_thread_is_opened_and_written_in(discord, bot, ann, help_):
    message = ann.say(help_, "it is broken")
    (heard,) = await bot.hears("message")
    thread = await heard.create_thread(name="it is broken")
    assert str(thread.id) == message.id
    await thread.send("what happened?")
    assert [shown.text for shown in discord.seen_by(ann, discord.threads(help_)[0])] == ["", "what happened?"]
    await thread.edit(archived=True, locked=True)
    assert discord.threads(help_)[0].archived


async def test_a_forum_post_is_heard_with_its_first_message(discord, bot, ann):
    forum = discord.channel("support", forum=True, tags=("bug",))
    ann.post(forum, "No ink", "It prints nothing", tags=("bug",))
    (thread,) = await bot.hears("thread_create")
    (message,) = await bot.hears("message")
    assert (thread.name, message.content, message.id) == ("No ink", "It prints nothing", thread.id)
    made = await bot.get_channel(int(forum.id)).create_thread(name="Notice", content="read me")
    assert made.message.id == made.thread.id


async def test_commands_are_registered_said_and_answered(discord, start, ann, help_):
    bot = Bot()
    group = app_commands.Group(name="desk", description="The desk")

    @group.command(description="Take back the last turn")
    async def undo(interaction: library.Interaction, steps: int = 1):
        await interaction.response.send_message(f"took back {steps}", ephemeral=True)
        await interaction.followup.send("and said so")

    @undo.autocomplete("steps")
    async def offer(interaction: library.Interaction, typed: str):
        return [app_commands.Choice(name="two", value=2)]

    @bot.tree.context_menu(name="Open a ticket")
    async def ticket(interaction: library.Interaction, message: library.Message):
        await interaction.response.defer(ephemeral=True)
        await interaction.edit_original_response(content=f"ticket for {message.content}")

    bot.tree.add_command(group)
    await start(bot)
    await bot.tree.sync()
    act = ann.slash("desk", "undo", channel=help_, steps=3)
    await act.done.wait()
    await discord.until(lambda: len(discord.seen_by(ann, help_)) == 2)
    assert [(shown.text, shown.ephemeral) for shown in discord.seen_by(ann, help_)] == [
        ("took back 3", True),
        ("and said so", False),
    ]
    typing = ann.autocomplete("desk", "undo", "steps", typed="t", channel=help_)
    await typing.done.wait()
    assert typing.choices == ["two"]
    ann.menu("Open a ticket", ann.say(help_, "no ink"))
    await discord.until(lambda: discord.seen_by(ann, help_)[-1].text == "ticket for no ink")
    assert discord.commands.syncs == 1


async def test_buttons_menus_and_forms(discord, start, ann):
    class Form(library.ui.Modal, title="A ticket"):
        subject = library.ui.TextInput(label="Subject", custom_id="subject")

        async def on_submit(self, interaction):
            await interaction.response.edit_message(content=f"opened: {self.subject.value}", view=None)

    class Panel(library.ui.View):
        @library.ui.button(label="Open", custom_id="open")
        async def open_(self, interaction, button):
            await interaction.response.send_modal(Form())

        @library.ui.select(options=[library.SelectOption(label="High", value="high")], custom_id="level")
        async def level(self, interaction, select):
            await interaction.response.edit_message(content=select.values[0])

    bot = await start(Bot())
    ann.dm("hello")
    (message,) = await bot.hears("message")
    await message.channel.send("what now?", view=Panel())
    panel = discord.seen_by(ann, ann.im)[1]
    assert [button.label for button in panel.buttons] == ["Open", ""]
    await ann.choose(panel, "level", "High").done.wait()
    assert discord.seen_by(ann, ann.im)[1].text == "high"
    await ann.press(panel, "Open").done.wait()
    assert ann.modal["title"] == "A ticket"
    await ann.submit_modal(subject="no ink").done.wait()
    assert discord.seen_by(ann, ann.im)[1].text == "opened: no ink"


async def test_a_lost_socket_is_resumed_and_nothing_is_missed(discord, bot, ann, help_):
    discord.drop_sockets()
    ann.say(help_, "while you were away")
    await bot.hears("message")
    assert (discord.gateway.resumes, discord.gateway.identifies) == (1, 1)


async def test_a_refused_resume_leads_to_a_new_session(discord, bot, ann, help_):
    discord.expire_sessions()
    discord.drop_sockets()
    await discord.until(lambda: discord.gateway.identifies == 2)
    await bot.hears("connect", 2)
    ann.say(help_, "are you back?")
    await bot.hears("message")


@pytest.mark.parametrize("resumable", [True, False])
async def test_an_invalid_session_is_resumed_if_it_may_be(discord, bot, resumable):
    discord.invalidate_sessions(resumable=resumable)
    await discord.until(lambda: discord.gateway.resumes + discord.gateway.identifies == 2)
    assert discord.gateway.resumes == resumable


async def test_a_request_to_reconnect_is_followed(discord, bot, ann):
    discord.reconnect()
    await bot.hears("resumed")
    ann.dm("still there?")
    await bot.hears("message")


async def test_a_rate_limited_answer_is_sent_once(discord, bot, ann):
    ann.dm("hello")
    (message,) = await bot.hears("message")
    discord.faults.rate_limit("POST *", retry_after=0.01, times=2)
    await message.channel.send("hi")
    assert [shown.text for shown in discord.seen_by(ann, ann.im)] == ["hello", "hi"]
    assert [call.status for call in discord.calls("POST /channels/{channel}/messages")] == [429, 429, 200]


async def test_a_lost_answer_is_found_again_by_its_nonce(discord, bot, ann):
    channel = await (await bot.fetch_user(int(ann.id))).create_dm()
    discord.faults.cut_answer("POST *", times=1)
    with pytest.raises(aiohttp.ClientError):
        await channel.send("hi", nonce="n1")
    assert (await channel.send("hi", nonce="n1")).content == "hi"
    assert [shown.text for shown in discord.seen_by(ann, ann.im)] == ["hi"]


async def test_a_file_goes_both_ways(discord, bot, ann, help_):
    ann.say(help_, files={"log.txt": b"it broke"})
    (message,) = await bot.hears("message")
    assert await message.attachments[0].read() == b"it broke"
    await message.channel.send("here", file=library.File(io.BytesIO(b"fixed"), "fix.txt"))
    shown = discord.seen_by(ann, help_)[1]
    assert (shown.text, shown.files) == ("here", ("fix.txt",))


async def test_what_people_take_back_and_change_is_heard(discord, bot, ann, help_):
    message = ann.say(help_, "hi")
    ann.react(message, "👍")
    ann.unreact(message, "👍")
    ann.edit(message, "hello")
    discord.unfurl(message)
    ann.pin(message)
    ann.delete(message)
    await bot.hears("message_delete")
    assert [len(bot.said(name)) for name in ("reaction_add", "reaction_remove", "message_edit")] == [1, 1, 3]
    assert bot.said("raw_message_edit")[1][0].data["edited_timestamp"] is not None


async def test_a_wrong_token_is_refused(lib, discord):
    async with Bot() as bot:
        with pytest.raises(library.LoginFailure):
            await bot.login("wrong")


async def test_an_intent_that_is_switched_off_closes_the_socket(monkeypatch):
    setup = AppSetup(privileged=frozenset())
    async with DiscordService(app=setup) as discord, Bot() as bot:
        monkeypatch.setattr("discord.http.Route.BASE", discord.api_base)
        monkeypatch.setattr(
            "discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY", library.gateway.yarl.URL(discord.gateway_url)
        )
        await bot.login(discord.token)
        with pytest.raises(library.PrivilegedIntentsRequired):
            await bot.connect()
