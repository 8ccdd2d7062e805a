import re
import socket
import sys
import time

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from adapters.metrics import PrometheusMetrics
from bots.assemble import open_desk
from bots.watching import metrics_of
from core.config import check_settings
from core.errors import ConfigError, StoreError
from core.models import Accepted, Profile, UserMessage
from core.queries.counts import BacklogRow
from tests.core.planted import found_in
from tests.core.talk import Street, place

PHRASE = "the zebra dances at dawn 4711"
STATUSES = {"done", "failed", "blocked", "stopped"}
WORDS = {
    "outcome": {one.value for one in Accepted},
    "status": STATUSES | {"sent", "unknown"},
    "stage": {"claimed", "committed", "posted"},
    "kind": {"input", "cached", "output"},
    "model": {"offline"},
    "priced": {"yes", "no"},
    "currency": {"USD"},
}


def free_address():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"127.0.0.1:{taken.getsockname()[1]}"


def figures(text):
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def watched(*messages):
    """Let a serving desk answer, and read its figures as Prometheus does."""
    address = free_address()
    settings = check_settings({"metrics": address, "model": "offline"})
    async with open_desk(settings, [Street(repeats_by_key=False)], serving=True) as desk:
        for message in messages:
            await desk.accept(message)
            await desk.drain()
        await desk.writer.flush()
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"http://{address}/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return answer.text


def message(id_, text):
    return UserMessage(id_, place("u-planted-77"), text, Profile("Quintessa Planted"))


async def test_the_page_counts_what_happened():
    told = figures(await watched(message("m1", "hello"), message("m1", "hello"), message("m2", "open a ticket: ink")))

    assert told["desk_events_total", "accepted"] == 2
    assert told["desk_events_total", "duplicate"] == 1
    assert told["desk_turns_total", "done"] == 2
    assert told["desk_deliveries_total", "sent"] == 2
    assert told["desk_model_calls_total", "offline", "yes"] >= 2
    assert told["desk_model_tokens_total", "input", "offline"] > 0
    assert told["desk_model_cost_total", "USD", "offline"] == 0
    assert [told["desk_stage_seconds_count", stage] for stage in ("claimed", "committed", "posted")] == [2, 2, 2]
    assert [told[name,] for name in ("desk_queue_depth", "desk_queue_age_seconds", "desk_deliveries_unknown")] == [
        0
    ] * 3


async def test_the_page_has_no_content_no_person_and_no_place_and_its_labels_are_closed_sets():
    text = await watched(message("m-planted-1", f"open a ticket: {PHRASE}"), message("m-planted-2", f"I am {PHRASE}"))

    assert found_in(text, PHRASE, "Quintessa Planted", "u-planted-77", "m-planted-1") == []
    for name, value in re.findall(r'(\w+)="([^"]*)"', text):
        assert name == "le" or value in WORDS[name], (name, value)


async def test_what_waits_is_read_when_it_is_asked_for():
    async def look():
        return BacklogRow(queued=3, oldest=int((time.time() - 90) * 1e6), parked=2, open=4, unknown=1)

    told = figures((await PrometheusMetrics("USD").text(look)).decode())

    assert told["desk_queue_depth",] == 3
    assert 90 <= told["desk_queue_age_seconds",] < 180
    assert [told[f"desk_{name}",] for name in ("parked", "deliveries_open", "deliveries_unknown")] == [2, 4, 1]


async def test_a_store_that_does_not_answer_is_no_figure_and_no_zero():
    async def look():
        raise StoreError("away")

    told = figures((await PrometheusMetrics("USD").text(look)).decode())

    assert told["desk_queue_depth",] != told["desk_queue_depth",]


def test_a_missing_library_names_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    monkeypatch.delitem(sys.modules, "adapters.metrics")
    with pytest.raises(ConfigError, match=r"deskmate\[metrics\]"):
        metrics_of(check_settings({"metrics": "9400"}))


@pytest.mark.parametrize("address", ["nowhere", "127.0.0.1:http", "127.0.0.1:99999"])
async def test_an_address_that_is_none_stops_the_start_and_names_the_setting(address):
    settings = check_settings({"metrics": address, "model": "offline"})
    with pytest.raises(ConfigError, match="DESK_METRICS"):
        async with open_desk(settings, [Street()], serving=True):
            pass


async def test_an_address_that_is_taken_is_said():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = check_settings({"metrics": str(taken.getsockname()[1]), "model": "offline"})
        with pytest.raises(ConfigError, match="DESK_METRICS 127.0.0.1"):
            async with open_desk(settings, [Street()], serving=True):
                pass
