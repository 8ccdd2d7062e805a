import pytest
from agents.testing import ScriptedModel

from core.config import check_settings
from core.errors import ConfigError, UnknownOutcomeError
from core.ids import new_id
from core.models import UserMessage
from core.queries.outbox import OpenDeliveries
from core.queries.people import Sessions
from core.records.lanes import AddEvent, ClaimLane, FreeLanes
from core.sealed import seal_json
from tests.core.agent_scene import called, said
from tests.core.talk import Street, open_talk, place
from tests.core.test_desk import Flaky

STAFF = "terminal/local/staff-room"
WORDS = "the printer of Mr Smith burns"


class Linked(Street):
    async def link(self, ref):
        return f"https://example.com/{ref.channel}"


def told(talk):
    """What stands in the staff channel."""
    return [delivery.text for delivery in talk.street.posted if delivery.ref.channel == "staff-room"]


async def test_staff_are_told_once_that_an_answer_did_not_help():
    async with open_talk(platform=Linked(), staff_channel=STAFF) as talk:
        (answer,) = await talk.say("alice", WORDS, id_="q1")
        await talk.command("alice", "helpful")
        assert told(talk) == []
        await talk.react("alice", "q1", "-1")
        await talk.command("alice", "not helpful")
        assert told(talk) == ["An answer did not help: https://example.com/dm-alice"]
        assert answer not in told(talk)


@pytest.mark.parametrize("later", [False, True])
async def test_staff_are_told_of_an_urgent_ticket(later):
    opening = {"subject": WORDS, "priority": "normal" if later else "urgent"}
    change = {"ticket_id": "TKT-1001", "priority": "urgent"} if later else {"ticket_id": "TKT-1001", "note": "still"}
    steps = [called("create_ticket", **opening), said("Opened."), called("update_ticket", **change), said("Noted.")]
    async with open_talk(ScriptedModel(steps), platform=Linked(), staff_channel=STAFF) as talk:
        await talk.say("alice", WORDS)
        assert told(talk) == ([] if later else ["TKT-1001 is urgent: https://example.com/dm-alice"])
        await talk.say("alice", "hurry")
        assert told(talk) == ["TKT-1001 is urgent: https://example.com/dm-alice"]


async def test_a_turn_that_failed_tells_of_no_urgent_ticket():
    steps = [called("create_ticket", subject=WORDS, priority="urgent"), RuntimeError("gone")]
    async with open_talk(ScriptedModel(steps), work={"model_retries": 0}, staff_channel=STAFF) as talk:
        await talk.say("alice", WORDS)
        assert told(talk) == []


async def test_staff_are_told_once_of_a_ticket_that_waits_for_them():
    async with open_talk(staff_channel=STAFF) as talk:
        await talk.command("alice", "staff", *WORDS.split())
        await talk.command("alice", "staff", *WORDS.split())
        # Where a place has no link, its session is named.
        assert told(talk) == ["TKT-1001 waits for staff: terminal/local/dm/alice"]


async def test_staff_are_told_of_a_message_that_is_set_aside():
    async with open_talk(staff_channel=STAFF, work={"attempts": 1}) as talk:
        await talk.say("alice", "hello")
        (session,) = await talk.store.read(Sessions(9))
        id_, event = new_id(), UserMessage("m-9", place("alice"), WORDS)
        body = seal_json(talk.sealer, "inbox", session.owner, id_, event)
        queued = AddEvent(id_, b"key", session.id, session.owner, "message", 1, body)
        # Another desk took it up and died of it.
        await talk.desk.writer.commit((queued, ClaimLane(session.id, "another", 0.0)))
        await talk.desk.writer.commit((FreeLanes(),))
        await talk.desk.drain()
        assert told(talk) == [
            f"A message could not be answered and is set aside (event {id_}): terminal/local/dm/alice"
        ]


async def test_staff_are_told_of_a_reply_that_nobody_can_tell_was_posted():
    street = Flaky(UnknownOutcomeError("cut"), seen=UnknownOutcomeError("history is closed"))
    async with open_talk(platform=street, staff_channel=STAFF) as talk:
        await talk.say("alice", WORDS)
        assert told(talk) == ["Nobody can tell whether a reply was posted: terminal/local/dm/alice"]


async def test_a_notice_for_a_platform_of_another_process_waits_for_it(caplog):
    async with open_talk(staff_channel="slack/T1/C9") as talk:
        await talk.command("alice", "staff", *WORDS.split())
        (waiting,) = await talk.store.read(OpenDeliveries("slack", 0, 9))
        assert waiting.status == "pending"
        slack = Street("slack", repeats_by_key=False)
        async with talk.with_desk(slack) as desk:
            await desk.drain()
        assert "could not be delivered" not in caplog.text
        assert [delivery.text for delivery in slack.posted] == ["TKT-1001 waits for staff: terminal/local/dm/alice"]


async def test_without_a_staff_channel_nobody_is_told():
    async with open_talk(platform=Linked()) as talk:
        assert len(await talk.command("alice", "staff", *WORDS.split())) == 1


@pytest.mark.parametrize("channel", ["C9", "slack/C9", "slack//C9", "slack/T1/C9/x"])
def test_a_staff_channel_is_named_whole(channel):
    with pytest.raises(ConfigError, match=r"staff_channel: .* must be platform/workspace/channel"):
        check_settings({"staff_channel": channel})
