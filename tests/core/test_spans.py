"""What is traced of a turn, from accepted to delivered: ids and the desk's own names, nothing that anybody wrote."""

import asyncio

import pytest
from agents import Agent, Runner
from agents.testing import ModelStep, ScriptedModel
from agents.tracing import (
    TracingProcessor,
    agent_span,
    custom_span,
    function_span,
    get_trace_provider,
    guardrail_span,
    handoff_span,
)
from agents.tracing import trace as sdk_trace
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from core.config import check_settings
from core.llm import model_of
from core.model_name import DEFAULT_MODEL
from core.models import Profile, UserMessage
from core.run_spans import RunSpans
from tests.core.agent_scene import called, said, streaming, unstreamed
from tests.core.planted import found_in
from tests.core.talk import Street, open_talk, place

PHRASE = "the zebra dances at dawn 4711"
INVENTED = "leak_zebra_4711"
WHO = ("Quintessa Planted", "u-planted-77")
ALLOWED = {
    *("desk.event", "desk.session", "desk.piece", "desk.model", "desk.tool"),
    *("desk.agent", "desk.from", "desk.to", "desk.guardrail", "error.type"),
}
SECRET = "sk-proj-" + "a1B2" * 10


@pytest.fixture(scope="module")
def provider():
    # One for the whole process: OpenTelemetry takes no second one.
    provider = TracerProvider()
    trace.set_tracer_provider(provider)
    return provider


@pytest.fixture
def spans(provider):
    exporter = InMemorySpanExporter()
    processor = SimpleSpanProcessor(exporter)
    provider.add_span_processor(processor)
    yield exporter.get_finished_spans
    exporter.shutdown()


@pytest.fixture
def processors():
    """Those of the SDK, as the test leaves them; then they are what they were."""
    of_all = get_trace_provider()._multi_processor
    before = of_all._processors
    yield lambda: of_all._processors
    of_all.set_processors(list(before))


@pytest.fixture
def traced(processors):
    runs = RunSpans()
    runs.take_over()
    return runs


class Heard(TracingProcessor):
    """A processor of somebody else's: what it heard of."""

    def __init__(self):
        self.names = []

    def on_trace_start(self, trace):
        self.names.append(trace.name)

    def on_span_start(self, span):
        self.names.append(span.span_data.type)

    def on_trace_end(self, trace):
        pass

    def on_span_end(self, span):
        pass

    def shutdown(self):
        pass

    def force_flush(self):
        pass


class Broken(Street):
    async def post(self, delivery):
        raise ValueError(delivery.text)


def scripted(*steps):
    return ScriptedModel(list(steps), emit_traces=True)


async def talked(asked, *, text=f"please: {PHRASE}", **how):
    message = UserMessage("m1", place(WHO[1]), text, Profile(WHO[0]))
    async with open_talk(asked, **how) as talk:
        return await talk.hand_in(message)


def tree(spans):
    """Each span of the turn as `parent > name`, with the names told of it and its error, in the order they began."""
    by_id = {span.context.span_id: span for span in spans}
    return [
        " ".join(
            [
                f"{by_id[span.parent.span_id].name} > {span.name}:",
                *[str(value) for key, value in span.attributes.items() if key not in ("desk.event", "desk.session")],
            ]
        )
        for span in sorted(spans, key=lambda span: span.start_time)
        if span.parent is not None and by_id[span.parent.span_id].name in ("turn", "agent")
    ]


async def test_a_turn_is_seen_from_accept_to_deliver(spans, traced):
    await talked(scripted(called("create_ticket", subject=PHRASE), said(PHRASE)), spans=traced)

    assert tree(spans()) == [
        "turn > agent: triage",
        "agent > guardrail: input",
        "agent > model call: offline",
        "agent > tool: create_ticket",
        "agent > model call: offline",
        "agent > guardrail: output",
        "turn > commit:",
    ]
    by_name = {span.name: span for span in spans()}
    event = by_name["turn"].attributes["desk.event"]
    assert event == by_name["accept"].attributes["desk.event"] == by_name["commit"].attributes["desk.event"]
    assert by_name["deliver"].attributes["desk.piece"] == f"{event}.1"
    assert by_name["deliver"].parent is None


async def test_of_two_turns_at_once_each_has_its_own_spans(spans, traced):
    both = asyncio.Barrier(2)

    async def answer(_):
        await both.wait()
        return said("hello")

    async with open_talk(scripted(ModelStep.respond(answer), ModelStep.respond(answer)), spans=traced) as talk:
        for user in ("alice", "bob"):
            await talk.desk.accept(UserMessage(user, place(user), "hello", Profile(user)))
        await talk.desk.drain()

    by_id = {span.context.span_id: span for span in spans()}
    agents = {by_id[span.parent.span_id].context.span_id: span for span in spans() if span.name == "agent"}
    assert [by_id[turn].name for turn in agents] == ["turn", "turn"]
    for agent in agents.values():
        inside = [span.name for span in spans() if span.parent and span.parent.span_id == agent.context.span_id]
        assert sorted(inside) == ["guardrail", "guardrail", "model call"]


async def test_a_handoff_is_seen_with_both_agents(spans, traced):
    await talked(scripted(called("transfer_to_billing"), said("Billing here.")), spans=traced)

    seen = [line for line in tree(spans()) if "guardrail" not in line]
    assert seen == [
        "turn > agent: triage",
        "agent > model call: offline",
        "agent > handoff: triage billing",
        "turn > agent: billing",
        "agent > model call: offline",
        "turn > commit:",
    ]


@pytest.mark.parametrize(
    ("text", "answer", "guardrail"),
    [("i will kill you", said("never asked"), "input"), ("hello", unstreamed(f"It is {SECRET}."), "output")],
)
async def test_a_guardrail_that_trips_is_an_error_of_its_own_kind(spans, traced, text, answer, guardrail):
    await talked(scripted(answer), text=text, spans=traced)

    assert f"agent > guardrail: {guardrail} tripped" in tree(spans())
    assert "turn > agent: triage tripped" in tree(spans())
    assert found_in("\n".join(span.to_json() for span in spans()), SECRET, "i will kill you") == []


async def test_no_span_says_what_was_said_or_made_up_also_where_something_fails(spans, traced):
    await talked(scripted(called(INVENTED, with_=PHRASE), said(PHRASE)), spans=traced)
    await talked(scripted(called("create_ticket", nothing=PHRASE), said(PHRASE)), spans=traced)
    tools = called("create_ticket", subject=PHRASE), called("list_tickets", "c2")
    await talked(scripted(*tools, streaming(PHRASE, then=ValueError(PHRASE))), spans=traced)
    await talked(scripted(said(PHRASE)), platform=Broken(), spans=traced)

    written = "\n".join(span.to_json() for span in spans())
    assert found_in(written, PHRASE, INVENTED, *WHO) == []
    assert {name for span in spans() for name in span.attributes} <= ALLOWED
    assert all(not span.events and span.status.description is None for span in spans())
    failed = {(span.name, span.attributes["error.type"]) for span in spans() if "error.type" in span.attributes}
    told = [("agent", "no such tool"), ("tool", "failed"), ("agent", "failed"), ("model call", "failed")]
    assert failed == {*told, ("deliver", "ValueError")}


async def test_a_name_that_the_desk_did_not_give_is_not_told_nor_a_span_of_another_kind(spans, traced):
    async def stream(call):
        with (
            custom_span(PHRASE, {"with": PHRASE}),
            agent_span(PHRASE),
            handoff_span(PHRASE, PHRASE),
            guardrail_span(PHRASE),
            function_span(INVENTED, PHRASE, PHRASE) as span,
        ):
            span.set_error({"message": PHRASE, "data": {"with": PHRASE}})
        for event in unstreamed("Done.").stream_events:
            yield event

    await talked(scripted(ModelStep.stream(stream)), spans=traced)

    made_up = [span for span in spans() if "unknown" in span.attributes.values()]
    assert {span.name for span in made_up} == {"agent", "handoff", "tool", "guardrail"}
    assert found_in("\n".join(span.to_json() for span in spans()), PHRASE, INVENTED) == []
    assert {span.name for span in spans()} == {span.name for span in made_up} | {
        *("accept", "turn", "model call", "commit", "deliver")
    }


async def test_a_service_that_fails_is_an_error_of_the_call(spans, traced):
    settings = {"openai_api_key": "k", "work": {"model_retries": 0}}
    nobody = check_settings(settings | {"model": "gpt-x", "openai_base_url": "http://127.0.0.1:1/v1"})

    await talked(model_of(nobody), spans=traced, **settings)

    # By the name that the desk's settings have for it.
    assert f"agent > model call: {DEFAULT_MODEL} failed" in tree(spans())
    assert "turn > agent: triage failed" in tree(spans())


async def test_a_turn_that_is_stopped_ends_its_spans_as_cut_off(spans, traced):
    begun = asyncio.Event()

    async def stream(call):
        begun.set()
        await asyncio.Event().wait()
        yield None

    async with open_talk(scripted(ModelStep.stream(stream)), spans=traced) as talk:
        await talk.desk.accept(UserMessage("m1", place("alice"), "tell me all"))
        await begun.wait()
        await talk.command("alice", "stop")

    assert {"turn > agent: triage cut off", "agent > model call: offline cut off"} <= set(tree(spans()))


async def test_a_turn_whose_text_must_not_go_out_ends_its_spans_as_cut_off(spans, traced):
    await talked(scripted(streaming(f"It is {SECRET}. ", "And so on. ")), spans=traced)

    assert {"turn > agent: triage failed", "agent > model call: offline cut off"} <= set(tree(spans()))


async def test_an_answer_that_nobody_can_use_is_an_error_of_the_agent(spans, traced):
    twice = called("create_ticket", subject="printer"), called("create_ticket", subject="scanner")
    await talked(scripted(*twice, said("Done.")), spans=traced)

    assert "turn > agent: triage failed" in tree(spans())


async def test_a_span_that_is_left_open_ends_with_the_run(spans, traced):
    async def stream(call):
        function_span("create_ticket").start()
        for event in unstreamed("Done.").stream_events:
            yield event

    await talked(scripted(ModelStep.stream(stream)), spans=traced)

    (left,) = [span for span in spans() if span.name == "tool"]
    assert (left.attributes["desk.tool"], left.attributes["error.type"]) == ("create_ticket", "cut off")


async def test_the_stand_ins_calls_are_seen_too(spans, traced):
    await talked(None, text="open a ticket: the printer burns", spans=traced)

    names = [line.split(": ")[0].removeprefix("agent > ") for line in tree(spans()) if line.startswith("agent")]
    assert names == ["guardrail", "model call", "tool", "model call", "tool", "model call", "guardrail"]


async def test_a_call_within_a_budget_ends_well(spans, traced):
    await talked(scripted(said("One.")), spans=traced, budgets={"customer": {"day_tokens": 10**6}})

    assert "agent > model call: offline" in tree(spans())


async def test_a_desk_without_spans_makes_none_of_its_runs_and_no_processor_hears_of_them(spans, processors):
    heard = Heard()
    get_trace_provider().set_processors([heard])

    with sdk_trace("a program's own"), custom_span("its own"):
        await talked(scripted(called("list_tickets"), said("None.")))

    assert heard.names == ["a program's own", "custom"]
    assert processors() == (heard,)
    assert {span.name for span in spans()} == {"accept", "turn", "commit", "deliver"}


async def test_a_run_of_somebody_elses_in_the_same_process_is_not_told(spans, traced):
    heard = Heard()
    get_trace_provider().register_processor(heard)

    async def stream(call):
        # In the middle of a turn of the desk.
        with sdk_trace("a program's own"):
            result = await Runner.run(Agent("stranger", model=scripted(said(PHRASE))), PHRASE)
        for event in unstreamed(result.final_output).stream_events:
            yield event

    await talked(scripted(ModelStep.stream(stream)), spans=traced)
    await Runner.run(Agent("stranger", model=scripted(said(PHRASE))), PHRASE)

    assert heard.names.count("a program's own") == 1
    assert tree(spans()) == [
        "turn > agent: triage",
        "agent > guardrail: input",
        "agent > model call: offline",
        "agent > guardrail: output",
        "turn > commit:",
    ]


async def test_the_desks_run_is_told_also_where_a_trace_of_somebody_elses_is_open(spans, traced):
    with sdk_trace("a program's own"), custom_span("its own"):
        await talked(scripted(said("Hello.")), spans=traced)

    assert "turn > agent: triage" in tree(spans())


async def test_where_the_sdks_tracing_is_switched_off_turns_are_answered_all_the_same(spans, traced, monkeypatch):
    monkeypatch.setattr(get_trace_provider(), "_disabled", True)
    monkeypatch.setattr(get_trace_provider(), "_manual_disabled", True)

    both = asyncio.Barrier(2)

    async def stream(call):
        await both.wait()
        for event in unstreamed("Hello.").stream_events:
            yield event

    async with open_talk(scripted(*[ModelStep.stream(stream)] * 2), spans=traced) as talk:
        for user in ("alice", "bob"):
            await talk.desk.accept(UserMessage(user, place(user), "hello"))
        await talk.desk.drain()
        assert sorted(posted.text for posted in talk.street.posted) == ["Hello.", "Hello."]
    assert "agent" not in {span.name for span in spans()}
