import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from core.config import check_settings
from core.errors import ConfigError, ModelFailedError
from core.llm import model_of
from core.model_name import model_name
from core.models import TurnStatus, Usage
from core.offline import OfflineModel
from core.summaries import RunningSummary
from tests.core.agent_scene import Scene

PATHS = {"responses": "/v1/responses", "chat_completions": "/v1/chat/completions"}


class Provider(ThreadingHTTPServer):
    """Speaks both of OpenAI's APIs on the loopback, from a script: a text, a tool call, a status or 'cut'."""

    daemon_threads = True

    def __init__(self, *script):
        super().__init__(("127.0.0.1", 0), Handler)
        self.script = list(script)
        self.asked = []

    def settings(self, api, **more):
        url = f"http://127.0.0.1:{self.server_address[1]}/v1"
        return check_settings(
            {"model": "test-model", "openai_api_key": "test-key", "openai_base_url": url, "openai_api": api, **more}
        )


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, dict(self.headers), body))
        step = self.server.script.pop(0)
        if isinstance(step, int):
            self.answer(step, "application/json", b'{"error": {"message": "no", "code": "no"}}')
            return
        events = (responses_events if self.path == PATHS["responses"] else chat_events)(step)
        if not body.get("stream"):
            whole = events[-1]["response"] if self.path == PATHS["responses"] else chat_whole(step)
            self.answer(200, "application/json", json.dumps(whole).encode())
            return
        lines = [f"event: {event['type']}\n" if "type" in event else "" for event in events]
        data = "".join(f"{line}data: {json.dumps(event)}\n\n" for line, event in zip(lines, events, strict=True))
        cut = step == "cut"
        self.answer(200, "text/event-stream", f"{data}{'' if cut else 'data: [DONE]'}\n\n".encode(), cut=cut)

    def answer(self, status, kind, body, *, cut=False):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) + 100 * cut))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = cut

    def log_message(self, *args):
        pass


def responses_events(step):
    item = {"id": "i1", "status": "completed"}
    if isinstance(step, dict):
        item |= {"type": "function_call", "call_id": "c1", "name": step["tool"], "arguments": "{}"}
    else:
        part = {"type": "output_text", "text": step, "annotations": []}
        item |= {"type": "message", "role": "assistant", "content": [part]}
    response = {"id": "r1", "created_at": 0, "model": "m", "object": "response", "output": [item], "tools": [],
                "tool_choice": "auto", "parallel_tool_calls": False, "status": "completed",
                "usage": {"input_tokens": 11, "output_tokens": 5, "total_tokens": 16,
                          "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
                          "output_tokens_details": {"reasoning_tokens": 2}}}  # fmt: skip
    place = {"item_id": "i1", "output_index": 0, "content_index": 0, "logprobs": []}
    events = [{"type": "response.created", "response": {**response, "output": [], "usage": None}}]
    events.append({"type": "response.output_item.added", "output_index": 0, "item": {**item, "content": []}})
    if isinstance(step, str):
        events += [{"type": "response.output_text.delta", "delta": word + " ", **place} for word in step.split()]
    if step != "cut":
        events.append({"type": "response.output_item.done", "output_index": 0, "item": item})
        events.append({"type": "response.completed", "response": response})
    return [{**event, "sequence_number": at} for at, event in enumerate(events)]


CHAT_USAGE = {
    "prompt_tokens": 11,
    "completion_tokens": 5,
    "total_tokens": 16,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 2},
}


def chat_events(step):
    chunk = {"id": "r1", "created": 0, "model": "m", "object": "chat.completion.chunk"}
    if isinstance(step, dict):
        call = {"index": 0, "id": "c1", "type": "function", "function": {"name": step["tool"], "arguments": "{}"}}
        deltas = [{"role": "assistant", "tool_calls": [call]}]
    else:
        deltas = [{"role": "assistant", "content": word + " "} for word in step.split()]
    events = [{**chunk, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    if step != "cut":
        events.append({**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        events.append({**chunk, "choices": [], "usage": CHAT_USAGE})
    return events


def chat_whole(step):
    message = {"role": "assistant", "content": step}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    return {
        "id": "r1",
        "created": 0,
        "model": "m",
        "object": "chat.completion",
        "choices": choices,
        "usage": CHAT_USAGE,
    }


@pytest.fixture
def provider():
    running = []

    def start(*script):
        server = Provider(*script)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        running.append((server, thread))
        return server

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(params=PATHS)
def api(request):
    return request.param


async def ask(settings, text="hello"):
    scene = Scene(model_of(settings), settings=settings)
    try:
        return await scene.ask(text), scene
    finally:
        await scene.model.close()


async def test_a_real_model_answers_streams_and_calls_tools(provider, api):
    server = provider({"tool": "list_tickets"}, "You have none. Shall I open one?")

    answer, scene = await ask(server.settings(api))

    assert (answer.status, answer.text.strip()) == (TurnStatus.DONE, "You have none. Shall I open one?")
    assert scene.watch.texts[0] == "You have none."
    assert scene.watch.done == ["looking at your tickets"]
    assert [call.model for call in answer.calls] == ["test-model"] * 2
    assert answer.calls[1].usage == Usage(1, 11, 4, 5, 2)
    assert {path for path, _, _ in server.asked} == {PATHS[api]}


async def test_a_second_turn_sends_what_the_first_left(provider, api):
    server = provider({"tool": "list_tickets"}, "You have none.", "Still none.")
    settings = server.settings(api)
    scene = Scene(model_of(settings), settings=settings)

    await scene.ask("my tickets?")
    answer = await scene.ask("and now?")
    await scene.model.close()

    assert answer.text.strip() == "Still none."
    sent = json.dumps(server.asked[-1][2])
    assert all(words in sent for words in ("my tickets?", "list_tickets", "You have none.", "and now?"))


async def test_a_server_error_is_tried_again(provider, api):
    answer, _ = await ask(provider(503, "Here I am.").settings(api))

    assert answer.text.strip() == "Here I am."
    assert answer.calls[0].usage.requests == 2


@pytest.mark.parametrize("status", [400, 401, 404])
async def test_a_request_that_will_never_work_is_not_repeated(provider, api, status):
    server = provider(status, "never")

    answer, _ = await ask(server.settings(api))

    assert (answer.status, answer.text) == (TurnStatus.FAILED, ModelFailedError.reply)
    assert len(server.asked) == 1


async def test_a_stream_that_is_cut_is_not_repeated_and_is_booked_as_estimated(provider, api):
    server = provider("cut", "never")

    answer, _ = await ask(server.settings(api))

    assert (answer.status, answer.text) == (TurnStatus.FAILED, ModelFailedError.reply)
    assert [call.estimated for call in answer.calls] == [True]
    assert len(server.asked) == 1


async def test_nothing_listens_at_the_address_is_answered_honestly(api):
    server = Provider()
    server.server_close()

    answer, _ = await ask(server.settings(api, work={"model_retries": 0}))

    assert (answer.status, answer.text) == (TurnStatus.FAILED, ModelFailedError.reply)


async def test_a_model_sums_up_in_one_call_that_is_booked(provider, api):
    server = provider("Alice has a loud fan.")
    settings = server.settings(api)
    model = model_of(settings)

    text, (call,) = await RunningSummary(settings, model).extend("Before.", [[{"role": "user", "content": "my fan"}]])
    await model.close()

    assert text == "Alice has a loud fan."
    assert (call.purpose, call.model, call.usage.input_tokens) == ("summary", "test-model", 11)
    assert "my fan" in json.dumps(server.asked[0][2])


async def test_the_environment_is_not_read(provider, api, monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_BASE_URL"):
        monkeypatch.setenv(name, "from-the-environment")
    server = provider("Hello.")

    await ask(server.settings(api))

    _, headers, _ = server.asked[0]
    assert headers["authorization"] == "Bearer test-key"
    assert "from-the-environment" not in str(headers)


def test_without_a_key_and_a_model_the_stand_in_answers():
    assert isinstance(model_of(check_settings({})), OfflineModel)
    assert isinstance(model_of(check_settings({"model": "offline", "openai_api_key": "k"})), OfflineModel)


def test_a_model_without_a_key_stops_the_start_with_one_clear_line():
    with pytest.raises(ConfigError, match="'gpt-5' but openai_api_key is not set: set OPENAI_API_KEY") as caught:
        model_of(check_settings({"model": "gpt-5"}))
    assert "\n" not in str(caught.value)


def test_a_provider_of_ones_own_needs_a_models_name():
    with pytest.raises(ConfigError, match="model is not set"):
        model_of(check_settings({"openai_api_key": "k", "openai_base_url": "http://localhost:1/v1"}))


def test_a_key_alone_takes_the_default_model():
    assert model_name(check_settings({"openai_api_key": "k"})).startswith("gpt-")
