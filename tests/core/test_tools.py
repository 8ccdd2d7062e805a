import json
from datetime import UTC, datetime

import pytest
from agents.testing import ScriptedModel, function_call

from core.context import HistoryLine, Recollection
from core.models import TicketStatus, TurnStatus
from tests.core.agent_scene import NOW, Scene, called, said, ticket

CALL = "call-1"


async def use(tool, *, scene=None, arguments=None, **given):
    """Let the model call one tool, and read what it was told."""
    scene = scene or Scene()
    model = ScriptedModel([[function_call(tool, given if arguments is None else arguments, call_id=CALL)], said("Ok.")])
    scene.agent = Scene(model).agent
    answer = await scene.ask("do it")
    assert answer.status is TurnStatus.DONE
    return json.loads(next(item["output"] for item in model.last_call.input if item.get("call_id") == CALL
                           and item["type"] == "function_call_output"))  # fmt: skip


async def test_a_new_ticket_gets_a_reserved_number_and_is_staged_with_the_turn():
    scene = Scene()

    told = await use(
        "create_ticket", scene=scene, subject="  Printer  on fire ", description="It burns.", priority="high"
    )

    assert told["opened"] == {"id": "TKT-1001", "subject": "Printer on fire", "status": "open", "priority": "high"}
    (opened,) = scene.context.tickets
    assert (opened.customer, opened.workspace, opened.description) == ("c-alice", "local", "It burns.")
    assert [change.field for change in scene.context.stage.changes] == ["opened"]


@pytest.mark.parametrize("status", [TicketStatus.OPEN, TicketStatus.WAITING_FOR_STAFF])
async def test_a_twin_of_an_open_ticket_is_not_opened(status):
    scene = Scene(tickets=[ticket(1001, "Printer on fire", status=status)])

    told = await use("create_ticket", scene=scene, subject="printer ON  Fire")

    assert told["already_open"]["id"] == "TKT-1001"
    assert scene.context.stage.changes == []


@pytest.mark.parametrize("status", [TicketStatus.RESOLVED, TicketStatus.WITHDRAWN])
async def test_a_subject_that_was_dealt_with_before_may_be_opened_again(status):
    scene = Scene(tickets=[ticket(1001, "Printer on fire", status=status)])

    assert "opened" in await use("create_ticket", scene=scene, subject="Printer on fire")


async def test_two_calls_for_the_same_ticket_in_one_answer_open_one():
    twice = [function_call("create_ticket", {"subject": "Printer"}, call_id=f"c{at}") for at in (1, 2)]
    scene = Scene(ScriptedModel([twice, said("Opened.")]))

    await scene.ask("open one")

    assert [one.name for one in scene.context.tickets] == ["TKT-1001"]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"subject": " \n "}, "needs a subject"),
        ({"subject": "x" * 201}, "at most 200"),
        ({"subject": "x", "description": "y" * 8_001}, "at most 8,000"),
        ({"subject": "x", "priority": "gigantic"}, "no priority 'gigantic'; there are low, normal, high, urgent"),
    ],
)
async def test_a_ticket_that_cannot_be_opened_is_explained_to_the_model(given, problem):
    scene = Scene()

    assert problem in (await use("create_ticket", scene=scene, **given))["error"]
    assert scene.context.tickets == []
    assert scene.numbers == 1000


@pytest.mark.parametrize("arguments", ["{not json", "[]", '{"subject": {"a": 1}}', "{}"])
async def test_arguments_that_are_no_arguments_are_explained_to_the_model(arguments):
    assert "do not fit" in (await use("create_ticket", arguments=arguments))["error"]


async def test_tickets_are_listed_newest_first_and_only_the_customers_own():
    told = await use("list_tickets", scene=Scene(tickets=[ticket(1001, "Old"), ticket(1004, "New")]))

    assert [one["id"] for one in told["tickets"]] == ["TKT-1004", "TKT-1001"]


async def test_a_ticket_takes_a_note_a_priority_and_a_state_at_once():
    scene = Scene(tickets=[ticket(1001, "Printer")])

    told = await use("update_ticket", scene=scene, ticket_id="tkt-1001", note="Put out.", priority="low", resolve=True)

    assert told["changed"] == {"id": "TKT-1001", "subject": "Printer", "status": "resolved", "priority": "low"}
    assert [change.field for change in scene.context.stage.changes] == ["note", "priority", "status"]


async def test_a_resolved_ticket_can_be_reopened_and_one_that_waits_for_staff_goes_on_waiting():
    resolved = Scene(tickets=[ticket(1001, "Printer", status=TicketStatus.RESOLVED)])
    waiting = Scene(tickets=[ticket(1001, "Printer", status=TicketStatus.WAITING_FOR_STAFF)])

    assert (await use("update_ticket", scene=resolved, ticket_id="TKT-1001", reopen=True))["changed"][
        "status"
    ] == "open"
    await use("update_ticket", scene=waiting, ticket_id="TKT-1001", reopen=True)
    assert waiting.context.stage.changes == []


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"ticket_id": "TKT-9999", "note": "x"}, "no such ticket among yours"),
        ({"ticket_id": "nonsense", "note": "x"}, "no such ticket among yours"),
        ({"ticket_id": "TKT-1001"}, "Say what to change"),
        ({"ticket_id": "TKT-1001", "note": "n", "priority": "huge"}, "no priority 'huge'"),
        ({"ticket_id": "TKT-1001", "resolve": True, "reopen": True}, "not both"),
        ({"ticket_id": "TKT-1001", "note": "n" * 8_001}, "at most 8,000"),
        ({"ticket_id": "TKT-1002", "note": "n"}, "was withdrawn"),
    ],
)
async def test_a_change_that_cannot_be_made_is_explained_and_nothing_of_it_is_staged(given, problem):
    scene = Scene(tickets=[ticket(1001, "Printer"), ticket(1002, "Typo", status=TicketStatus.WITHDRAWN)])

    assert problem in (await use("update_ticket", scene=scene, **given))["error"]
    assert scene.context.stage.changes == []


async def test_the_summary_names_customer_tier_actions_open_tickets_and_history():
    lines = [HistoryLine(at, NOW, f"question {at}", "answer") for at in range(3, 20)]
    tickets = [ticket(1001, "Open one"), ticket(1002, "Done one", status=TicketStatus.RESOLVED)]

    told = await use("get_conversation_summary", scene=Scene(tickets=tickets, session_history=lines, summary="Kites."))

    assert (told["name"], told["tier"], told["actions"], told["earlier"]) == ("Alice", "premium", 19, "Kites.")
    assert told["open_tickets"] == [{"id": "TKT-1001", "subject": "Open one"}]
    assert [line["turn"] for line in told["recent"]] == list(range(10, 20))


async def test_in_a_shared_place_the_summary_leaves_the_tier_out():
    assert "tier" not in await use("get_conversation_summary", scene=Scene(shared=True))


async def test_a_preference_is_kept_with_the_turn():
    scene = Scene()

    assert (await use("remember_preference", scene=scene, name="Contact", value="by mail"))["remembered"]
    assert scene.customer.preferences == {"Contact": "by mail"}
    assert scene.context.stage.remembered


@pytest.mark.parametrize(
    ("name", "value"), [("", "x"), ("x", " "), ("x" * 61, "y"), ("x", "y" * 501), ("one too many", "y")]
)
async def test_what_cannot_be_remembered_is_explained(name, value):
    scene = Scene()
    scene.customer.preferences.update({f"p{at}": "v" for at in range(100)})

    assert (await use("remember_preference", scene=scene, name=name, value=value))["error"]
    assert not scene.context.stage.remembered


async def test_recall_finds_what_the_customer_said_earlier():
    earlier = Recollection(datetime(2026, 3, 1, 8, 0, tzinfo=UTC), "My invoice is INV-7.", "Noted.")
    scene = Scene(recollections=[earlier])

    told = await use("recall", scene=scene, question="invoice")

    assert told["found"] == [{"at": "2026-03-01T08:00+00:00", "said": "My invoice is INV-7.", "answered": "Noted."}]
    assert scene.asked_to_recall == ["invoice"]


async def test_recall_in_a_shared_place_offers_ticket_ids_and_subjects_only():
    earlier = Recollection(NOW, "My invoice is INV-7.", "Noted.")
    scene = Scene(
        shared=True, recollections=[earlier], tickets=[ticket(1001, "Invoice twice"), ticket(1002, "Printer")]
    )

    told = await use("recall", scene=scene, question="my invoice number")

    assert told["tickets"] == [{"id": "TKT-1001", "subject": "Invoice twice"}]
    assert "INV-7" not in json.dumps(told)
    assert scene.asked_to_recall == []


async def test_an_unknown_tool_and_a_known_one_can_come_in_one_answer():
    calls = [*called("explode", "c1"), *called("list_tickets", "c2")]
    answer = await Scene(ScriptedModel([calls, said("You have none.")])).ask("tickets?")

    assert answer.text == "You have none."
