import sys

import pytest
from agents.testing import ScriptedModel, assistant_message, function_call
from agents.tracing import get_trace_provider
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from bots.tracing import exporter_named, traced
from core.errors import ConfigError
from core.models import Profile, UserMessage
from tests.core.agent_scene import streaming
from tests.core.planted import found_in
from tests.core.talk import Street, open_talk, place

PHRASE = "the zebra dances at dawn 4711"
ALLOWED = {"desk.event", "desk.session", "desk.piece", "desk.model", "desk.tool", "error.type"}


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


class Broken(Street):
    async def post(self, delivery):
        raise ValueError(delivery.text)


async def talked(*steps, platform=None):
    message = UserMessage("m1", place("u-planted-77"), f"please: {PHRASE}", Profile("Quintessa Planted"))
    async with open_talk(ScriptedModel(list(steps)), platform=platform) as talk:
        return await talk.hand_in(message)


async def test_a_turn_is_seen_from_accept_to_deliver(spans):
    await talked([function_call("create_ticket", {"subject": PHRASE}, call_id="c1")], [assistant_message(PHRASE)])

    names = [span.name for span in spans()]
    assert sorted(names) == ["accept", "commit", "deliver", "model call", "model call", "tool", "turn"]
    by_name = {span.name: span for span in spans()}
    event = by_name["turn"].attributes["desk.event"]
    assert event == by_name["accept"].attributes["desk.event"] == by_name["commit"].attributes["desk.event"]
    assert by_name["deliver"].attributes["desk.piece"] == f"{event}.1"
    for name in ("model call", "tool", "commit"):
        assert by_name[name].parent.span_id == by_name["turn"].context.span_id
    assert by_name["deliver"].parent is None


async def test_no_span_says_what_was_said_also_where_something_fails(spans):
    await talked(
        [function_call("create_ticket", {"subject": PHRASE}, call_id="c1")], streaming(then=ValueError(PHRASE))
    )

    await talked([assistant_message(PHRASE)], platform=Broken())

    written = "\n".join(span.to_json() for span in spans())
    assert {span.name for span in spans() if "error.type" in span.attributes} == {"model call", "deliver"}
    assert found_in(written, PHRASE, "Quintessa Planted", "u-planted-77") == []
    assert {name for span in spans() for name in span.attributes} <= ALLOWED
    assert all(not span.events for span in spans())


async def test_the_sdk_makes_no_spans_of_its_own_to_be_sent(monkeypatch):
    made = []
    processor = get_trace_provider()._multi_processor
    monkeypatch.setattr(processor, "on_trace_start", made.append)
    monkeypatch.setattr(processor, "on_span_start", made.append)

    await talked([assistant_message("hi")])

    assert made == []


async def test_what_a_program_traces_of_its_own_runs_is_left_to_it():
    before = get_trace_provider()._multi_processor._processors
    await talked([assistant_message("hi")])
    assert get_trace_provider()._multi_processor._processors is before


async def test_where_the_environment_asks_for_nothing_nothing_is_set_up():
    assert exporter_named({}) is None
    assert exporter_named({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}) is None
    assert exporter_named({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "true"}) is None
    assert exporter_named({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}) == "otlp"


async def test_an_exporter_that_is_not_known_is_said():
    with pytest.raises(ConfigError, match="OTEL_TRACES_EXPORTER: 'zipkin' was found; allowed are otlp"):
        exporter_named({"OTEL_TRACES_EXPORTER": "zipkin"})


async def test_a_missing_library_names_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(ConfigError, match=r"deskmate\[otel\]"):
        async with traced({"OTEL_TRACES_EXPORTER": "console"}):
            pass
