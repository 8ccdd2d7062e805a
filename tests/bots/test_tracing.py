import json
import sys

import pytest

from bots.tracing import exporter_named, traced
from core.errors import ConfigError
from tests.bots.command_line import run_changed

SERVED = """
import asyncio

import tests.conftest
from agents.tracing import get_trace_provider

from bots.assemble import open_desk
from core.config import Settings
from core.models import UserMessage
from tests.core.talk import Street, place


async def serve():
    settings = Settings(store="memory:", model="offline")
    async with open_desk(settings, [Street()], serving=True) as desk:
        await desk.accept(UserMessage("m1", place("alice"), "open a ticket: the printer burns"))
        await desk.drain()
    # What the exporter to OpenAI would have got is sent now.
    get_trace_provider().force_flush()
    processors = get_trace_provider()._multi_processor._processors
    print([type(processor).__name__ for processor in processors], tests.conftest.left_machine)


asyncio.run(serve())
"""


def served(folder, **settings):
    return run_changed(folder, SERVED, OPENAI_API_KEY="sk-planted", **settings)


def test_a_serving_desk_that_is_traced_has_the_sdk_tell_nobody_else(tmp_path):
    done = served(tmp_path, OTEL_TRACES_EXPORTER="console")

    assert done.stdout == "['RunSpans'] []\n"
    assert {"accept", "turn", "agent", "guardrail", "model call", "tool", "commit"} <= set(names_in(done.stderr))


def test_a_serving_desk_that_is_not_traced_has_the_sdk_trace_nothing(tmp_path):
    done = served(tmp_path)

    assert done.stdout == "['BatchTraceProcessor'] []\n"


def names_in(written):
    decoder, at = json.JSONDecoder(), written.find("{")
    while at >= 0:
        span, end = decoder.raw_decode(written, at)
        yield span["name"]
        at = written.find("{", end)


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
