"""Items of a conversation, as the Agents SDK adds them."""

from pathlib import Path
from types import SimpleNamespace

from agents.usage import Usage

ROOT = Path(__file__).parents[2]


def user(text):
    return {"role": "user", "content": text}


def answer(text):
    return {
        "type": "message",
        "role": "assistant",
        "id": f"msg_{text}",
        "status": "completed",
        "content": [{"type": "output_text", "text": text, "annotations": []}],
    }


def call(number=1):
    return {"type": "function_call", "call_id": f"call_{number}", "name": "look_up", "arguments": '{"for": "it"}'}


def output(number=1):
    return {"type": "function_call_output", "call_id": f"call_{number}", "output": "found"}


def turn(number):
    return [user(f"question {number}"), call(number), output(number), answer(f"answer {number}")]


async def say(session, *numbers):
    for number in numbers:
        await session.add_items([user(f"question {number}")])
        await session.add_items([call(number), output(number)])
        await session.add_items([answer(f"answer {number}")])


def turns(*numbers):
    return [item for number in numbers for item in turn(number)]


def used(**counts):
    return SimpleNamespace(context_wrapper=SimpleNamespace(usage=Usage(**counts)))
