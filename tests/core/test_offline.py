import pytest

from core.context import HistoryLine, Recollection
from core.models import TicketStatus, TurnStatus
from core.offline import OfflineModel
from tests.core.agent_scene import NOW, Scene, ticket


async def talk(*texts, scene=None, **given):
    scene = scene or Scene(**given)
    return [(await scene.ask(text)).text for text in texts]


async def test_it_opens_a_ticket_with_the_subject_it_is_given():
    scene = Scene()

    (text,) = await talk("open a ticket: Printer on fire", scene=scene)

    assert text == "I opened TKT-1001: “Printer on fire” (priority normal)."
    assert [one.subject for one in scene.tickets] == ["Printer on fire"]
    assert scene.watch.done == ["looking at your tickets", "opening a ticket"]


@pytest.mark.parametrize(
    ("text", "subject", "priority"),
    [
        ("Open a ticket: The app crashes.", "The app crashes.", "normal"),
        ("please open an urgent ticket: Outage", "Outage", "urgent"),
        ("My invoice INV-7 is wrong. Please open a ticket.", "My invoice INV-7 is wrong", "normal"),
        ("Hello! Could you create a new ticket about the fan", "the fan", "normal"),
        ('open a ticket: "Fan"\nIt is loud.', "Fan", "normal"),
    ],
)
async def test_it_understands_the_usual_ways_to_ask_for_a_ticket(text, subject, priority):
    scene = Scene()
    await talk(text, scene=scene)

    assert [(one.subject, one.priority) for one in scene.tickets] == [(subject, priority)]


async def test_it_refers_to_an_open_twin_instead_of_opening_a_second_ticket():
    scene = Scene()

    _, text = await talk("open a ticket: Printer on fire", "Open a ticket: printer ON fire", scene=scene)

    assert "TKT-1001" in text
    assert "no second" in text
    assert len(scene.tickets) == 1
    assert scene.watch.done == ["looking at your tickets"]


async def test_it_says_so_when_a_subject_is_too_long_or_missing():
    long, missing = await talk("open a ticket: " + "x" * 300, "open a ticket")

    assert "at most 200" in long
    assert "What is the ticket about?" in missing


async def test_it_lists_tickets_and_says_how_one_stands():
    tickets = [ticket(1001, "Fan"), ticket(1002, "Door", status=TicketStatus.WAITING_FOR_STAFF)]

    listed, one, other = await talk("list my tickets", "any news on tkt-1002?", "and TKT-1009?", tickets=tickets)

    assert "TKT-1001 “Fan”: open, priority normal" in listed
    assert one == "TKT-1002 “Door”: waiting for staff, priority normal."
    assert other == "There is no ticket TKT-1009 among yours."


async def test_it_changes_tickets():
    scene = Scene(tickets=[ticket(1001, "Fan")])

    said = await talk(
        "note on TKT-1001: it is loud", "priority of TKT-1001 to high", "resolve TKT-1001", "reopen TKT-1001",
        "close my ticket", "priority of TKT-1001 to huge", "resolve TKT-1009", scene=scene,
    )  # fmt: skip

    assert said[:5] == ["I added the note to TKT-1001.", "TKT-1001 has priority high now.", "TKT-1001 is resolved.",
                        "TKT-1001 is open again.", "TKT-1001 is resolved."]  # fmt: skip
    assert "no priority 'huge'" in said[5]
    assert "no such ticket" in said[6]


async def test_it_sums_up():
    lines = [HistoryLine(4, NOW, "My fan is loud", "I opened TKT-1001.")]

    (text,) = await talk("summary please", tickets=[ticket(1001, "Fan")], session_history=lines)

    assert text.startswith("Alice (premium), 4 actions so far. Open tickets: TKT-1001 “Fan”.")
    assert "My fan is loud" in text


SHARED_LINES = [
    HistoryLine(1, NOW, "Bob: open a ticket: no paper", "I opened TKT-1009: “no paper” (priority normal)."),
    HistoryLine(2, NOW, "Alice: my fan is loud", "I opened TKT-1001: “Fan” (priority normal)."),
    HistoryLine(3, NOW, "said in private, in a session of the same user", "Noted."),
    HistoryLine(4, NOW, "Alice: what of TKT-1009?", "There is no ticket TKT-1009 among yours."),
    # Another Alice: her words stand here for all to read, but her ticket is not this one's.
    HistoryLine(5, NOW, "Alice: open a ticket: no ink", "I opened TKT-1010: “no ink” (priority normal)."),
]
NAMED = [{"role": "user", "content": "Alice: what of TKT-1009?"}]


async def test_in_a_shared_place_it_sums_up_what_the_asker_has_in_it():
    scene = Scene(shared=True, history=NAMED, tickets=[ticket(1001, "Fan")], session_history=SHARED_LINES)

    answer = await scene.ask("Alice: summary please")

    assert answer.status is TurnStatus.DONE
    assert answer.text.splitlines() == [
        "Alice, 5 actions so far. Open tickets: TKT-1001 “Fan”.",
        "2. “my fan is loud” – I opened TKT-1001: “Fan” (priority normal).",
        "4. “what of TKT-1009?” – There is no ticket TKT-1009 among yours.",
        "5. “open a ticket: no ink”",
    ]


FACTS = [
    ("My invoice number is INV-4711, and it was charged twice.", "what was my invoice number?", "INV-4711"),
    ("I have a question about invoice INV-2201.", "What was my invoice number again?", "INV-2201"),
    ("INV-88 is my invoice number", "do you remember my invoice number?", "INV-88"),
    ("Our order id: 42/7-b. Thanks!", "What is our order id?", "42/7-b"),
    ("my favourite colour is dark blue!", "what's my favourite colour?", "dark blue"),
    ("My e-mail address is alice@example.org.", "tell me my e-mail address", "alice@example.org"),
    ("invoice number 2201 was paid", "what was that invoice number yesterday?", "2201"),
    ("my invoice number is INV-9", "which invoice number did I give you?", "INV-9"),
]


@pytest.mark.parametrize(("given", "asked", "fact"), FACTS)
async def test_it_recalls_a_fact_from_the_conversation(given, asked, fact):
    _, text = await talk(given, asked)

    assert fact in text
    assert "do not know" not in text


@pytest.mark.parametrize(("given", "asked", "fact"), FACTS)
async def test_it_recalls_a_fact_from_an_earlier_conversation(given, asked, fact):
    scene = Scene(recollections=[Recollection(NOW, given, "Noted.")])

    (text,) = await talk(asked, scene=scene)

    assert fact in text
    assert "2026-03-02" in text
    assert len(scene.asked_to_recall) == 1


async def test_the_newest_of_two_facts_counts():
    *_, text = await talk("my order id is A1", "no, my order id is B2", "what is my order id?")

    assert "B2" in text


async def test_it_says_so_when_it_does_not_know():
    (text,) = await talk("what is my shoe size?")

    assert text == "I do not know your shoe size: it was not said here, nor in an earlier conversation."


async def test_it_remembers_for_good_what_it_is_asked_to():
    scene = Scene()
    told, *_ = await talk("remember that my favourite colour is dark blue", "Remember: I prefer e-mail", scene=scene)
    scene.window = []

    (text,) = await talk("what is my favourite colour?", scene=scene)

    assert told == "I will remember your favourite colour: dark blue."
    assert text == "Your favourite colour was dark blue."
    assert scene.customer.preferences["prefer"] == "e-mail"


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("remember that I prefer e-mail.", "I will remember that you prefer e-mail."),
        ("remember: my door code is 4711", "I will remember your door code: 4711."),
        ("remember that the office moves in May", "I will remember this: the office moves in May."),
    ],
)
async def test_what_it_remembers_reads_as_a_sentence(said, answer):
    assert await talk(said) == [answer]


async def test_a_shared_place_gets_nothing_that_was_said_in_private():
    scene = Scene(shared=True, recollections=[Recollection(NOW, "my invoice number is INV-7", "Noted.")])

    (text,) = await talk("Alice: what was my invoice number?", scene=scene)

    assert "INV-7" not in text
    assert "direct message" in text


async def test_in_a_shared_place_each_ones_facts_are_their_own():
    history = [
        {"role": "user", "content": "Bob: my invoice number is INV-8"},
        {"role": "assistant", "content": "Noted."},
    ]

    (text,) = await talk("Alice: what was my invoice number?", shared=True, history=history)

    assert "INV-8" not in text


async def test_in_a_shared_place_the_notes_tell_each_only_what_they_said_themselves():
    notes = "Customer: Bob: my invoice number is INV-8\nDesk: Noted.\nCustomer: Alice: my order number is O-7"

    invoice, order = await talk(
        "Alice: what was my invoice number?", "Alice: what was my order number?", shared=True, summary=notes
    )

    assert "INV-8" not in invoice
    assert "O-7" in order


async def test_it_greets_by_name_and_a_returning_customer_as_returning():
    new, again = await talk("Hello", "hello again")
    (back,) = await talk("Hi!", returning=True, tickets=[ticket(1001, "Fan")])

    assert (new, again) == ("Hello, Alice. What can I do for you?",) * 2
    assert back == "Welcome back, Alice. You have 1 open ticket: TKT-1001 “Fan”. What can I do for you?"


async def test_a_returning_customer_is_greeted_when_a_conversation_begins_whatever_they_say():
    scene = Scene(returning=True, tickets=[ticket(1001, "Fan")])

    assert (await talk("any news about my ticket?", scene=scene))[0].startswith("Welcome back, Alice. TKT-1001")
    scene.given["session_history"] = [HistoryLine(1, NOW, "a", "b")]
    assert (await talk("and now?", scene=scene))[0].startswith("You wrote")


async def test_it_hands_over_to_a_specialist_and_back():
    scene = Scene()
    spoke_to = []
    for text in ("talk to billing", "my invoice is wrong", "talk to technical", "talk to the front desk"):
        await talk(text, scene=scene)
        spoke_to.append(scene.speaks_to)

    assert spoke_to == ["billing", "billing", "technical", "triage"]


async def test_anything_else_is_answered_with_a_sentence_that_quotes_it():
    (text,) = await talk("the weather is nice today")

    assert text.startswith("You wrote “the weather is nice today”.")
    assert "stand-in" in text


@pytest.mark.parametrize(
    "text", ["?", "…", "TKT-", "😀" * 50, "remember", "talk to", "what is my", "a" * 16_000, "\t\n x"]
)
async def test_odd_input_is_answered_too(text):
    answer = await Scene().ask(text)

    assert answer.status is TurnStatus.DONE
    assert answer.text


async def test_other_peoples_words_are_no_request():
    scene = Scene()

    await talk("(read along, Bob said:) open a ticket: Bob was here\nWhat do you think?", scene=scene)

    assert scene.tickets == []


async def test_the_same_input_gives_the_same_answer():
    assert await talk("hello", "open a ticket: A", "summary") == await talk("hello", "open a ticket: A", "summary")


async def test_it_streams_in_pieces_and_counts_tokens_by_length():
    scene = Scene()
    await talk("one. two. three. four. five. six.", scene=scene)

    (call,) = scene.calls
    assert call.model == "offline"
    assert call.usage.input_tokens > 100
    assert 20 < call.usage.output_tokens < 60
    assert len(scene.watch.texts) > 2
    assert all(
        longer.startswith(shorter) for shorter, longer in zip(scene.watch.texts, scene.watch.texts[1:], strict=False)
    )


async def test_it_answers_in_one_piece_too():
    response = await OfflineModel().get_response(
        None,
        "the weather is nice",
        None,
        [],
        None,
        [],
        None,
        previous_response_id=None,
        conversation_id=None,
        prompt=None,
    )

    assert response.output[0].content[0].text.startswith("You wrote “the weather is nice”.")
    assert response.usage.output_tokens > 0
