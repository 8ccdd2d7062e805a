import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.terminal.translate import event_of, payload_of, ref_of, typed_event
from core.errors import BadInputError
from core.models import (
    Command,
    ConversationRef,
    MessageDeleted,
    MessageEdited,
    Profile,
    Reaction,
    UserMessage,
)

ALICE = ConversationRef("terminal", "local", "dm:alice", "alice", direct=True)
MESSAGE = {"type": "message", "id": "m1", "user": "alice", "text": "hello"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    ["id", "user", "text", "channel", "thread", "name", "tier", "command", "args", "message", "key", "removed"]
)


def message(**fields):
    return event_of(MESSAGE | fields)


def typed_event_of(line):
    return typed_event(line, id_="1", ref=ALICE, profile=Profile())


def refused(payload):
    with pytest.raises(BadInputError) as caught:
        event_of(payload)
    return caught.value.reply


def test_a_message():
    assert message(name="Alice", tier="premium") == UserMessage("m1", ALICE, "hello", Profile("Alice", "premium"))


def test_a_command():
    line = {"type": "command", "id": "c1", "user": "alice", "command": "clear", "args": ["confirm"]}
    assert event_of(line) == Command("c1", ALICE, "clear", ("confirm",))


def test_a_command_without_arguments():
    assert event_of({"type": "command", "id": "c1", "user": "alice", "command": "Undo"}) == Command("c1", ALICE, "undo")


def test_an_edit():
    line = {"type": "edit", "id": "e1", "message": "m1", "user": "alice", "text": "goodbye"}
    assert event_of(line) == MessageEdited("e1", ALICE, "m1", "goodbye")


def test_a_deletion():
    line = {"type": "delete", "id": "d1", "message": "m1", "user": "alice"}
    assert event_of(line) == MessageDeleted("d1", ALICE, "m1")


@pytest.mark.parametrize("target", ["key", "message"])
def test_a_reaction_names_a_reply_by_its_key_or_a_message_by_its_id(target):
    line = {"type": "reaction", "id": "r1", "user": "alice", target: "x", "name": "repeat"}
    assert event_of(line) == Reaction("r1", ALICE, "x", "repeat", removed=False)


def test_a_reaction_taken_off():
    line = {"type": "reaction", "id": "r1", "user": "alice", "key": "x", "name": "repeat", "removed": True}
    assert event_of(line) == Reaction("r1", ALICE, "x", "repeat", removed=True)


def test_without_a_channel_two_users_never_share_a_place():
    places = {(ref.channel, ref.thread) for ref in (ref_of("alice"), ref_of("bob"), ref_of("bob", thread="t"))}
    assert len(places) == 3


def test_without_a_channel_a_place_is_direct():
    assert message().ref.direct
    assert message(thread="t1").ref == ConversationRef("terminal", "local", "dm:alice", "alice", "t1", direct=True)


def test_with_a_channel_a_place_is_shared():
    alice, bob = message(channel="help", thread="t1").ref, message(user="bob", channel="help", thread="t1").ref
    assert not alice.direct
    assert (alice.channel, alice.thread) == (bob.channel, bob.thread) == ("help", "t1")


def test_nobody_gets_into_a_direct_conversation_by_naming_its_channel():
    assert "channel must not begin with 'dm:'" in refused(MESSAGE | {"user": "bob", "channel": "dm:alice"})


def test_null_is_as_good_as_left_out():
    assert message(channel=None, thread=None, name=None, tier=None) == message()


def test_what_cannot_be_kept_is_mended_in_texts():
    assert message(text="a\0b\ud800c", name="Al\0ice").text == "ab\ufffdc"
    assert message(name="Al\0ice").profile == Profile("Alice")


def test_a_pair_of_surrogates_is_one_character():
    assert event_of(payload_of(json.dumps(MESSAGE | {"text": "😀"}).encode())).text == "😀"


@pytest.mark.parametrize("field", ["id", "user", "channel", "thread"])
def test_what_cannot_be_kept_is_refused_in_names(field):
    assert refused(MESSAGE | {field: "a\0"}).startswith(f"{field} has a character that cannot be kept")
    assert refused(MESSAGE | {field: "\udc00"}).startswith(f"{field} has a character that cannot be kept")


@pytest.mark.parametrize("text", ["", " ", "!undo", "/undo", "/etc/hosts is gone", "undo"])
def test_the_text_of_a_message_is_left_to_the_desk(text):
    assert message(text=text) == UserMessage("m1", ALICE, text)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"type": None}, "type is missing"),
        ({"type": "massage"}, "there is no type 'massage'; those there are: message, command, edit, delete, reaction"),
        ({"type": ["message"]}, "type must be a string, not a list"),
        ({"id": None}, "id is missing"),
        ({"id": 7}, "id must be a string, not a number"),
        ({"id": " "}, "id is empty"),
        ({"id": "x" * 201}, "id is longer than 200 characters"),
        ({"user": None}, "user is missing"),
        ({"user": True}, "user must be a string, not true or false"),
        ({"text": None}, "text is missing"),
        ({"text": {"a": 1}}, "text must be a string, not an object"),
        ({"channel": 3.5}, "channel must be a string, not a number"),
        ({"name": []}, "name must be a string, not a list"),
        ({"type": "command", "command": None}, "command is missing"),
        ({"type": "command", "command": ""}, "command is empty"),
        ({"type": "command", "command": "undo", "args": "2"}, 'args must be a list of strings, such as ["confirm"]'),
        ({"type": "command", "command": "undo", "args": [2]}, 'args must be a list of strings, such as ["confirm"]'),
        ({"type": "edit"}, "message is missing"),
        ({"type": "delete", "message": 1}, "message must be a string, not a number"),
        ({"type": "reaction", "name": "+1"}, "a reaction names either the key of a reply or the id of a message"),
        (
            {"type": "reaction", "name": "+1", "key": "k", "message": "m"},
            "a reaction names either the key of a reply or the id of a message",
        ),
        ({"type": "reaction", "key": "k"}, "name is missing"),
        ({"type": "reaction", "key": "k", "name": "x", "removed": 1}, "removed must be true or false, not a number"),
    ],
)
def test_each_wrong_shape_is_refused_in_one_sentence(change, sentence):
    assert refused(MESSAGE | change) == sentence


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (b'{"type": ', "this is not JSON (Expecting value: line 1 column 10 (char 9))"),
        (b"[]", "an object such as {...} is needed, not a list"),
        (b"null", "an object such as {...} is needed, not null"),
        (b"[" * 100_000, "this is nested too deeply"),
        (b"9" * 5_000, "this is not JSON (Exceeds the limit"),
    ],
)
def test_a_line_that_is_no_object_is_refused(line, sentence):
    with pytest.raises(BadInputError) as caught:
        payload_of(line)
    assert caught.value.reply.startswith(sentence)


@given(
    st.dictionaries(st.text(max_size=8), JSON) | st.dictionaries(FIELDS, JSON), st.sampled_from(["message", "command"])
)
def test_any_object_is_translated_or_refused(payload, kind):
    try:
        event = event_of(payload | {"type": kind})
    except BadInputError as error:
        assert error.reply
        assert "\n" not in error.reply
    else:
        assert event.id == payload["id"]


@pytest.mark.parametrize("typed", ["/branch what if", "!branch what if", " /Branch what  if\n"])
def test_a_typed_word_is_a_command(typed):
    assert typed_event_of(typed) == Command("1", ALICE, "branch", ("what", "if"))


def test_not_helpful_is_one_word():
    assert typed_event_of("/not helpful") == Command("1", ALICE, "not helpful")


@pytest.mark.parametrize("typed", ["hello", "/etc/hosts is gone", "!!!", "/", "1/2"])
def test_all_else_that_is_typed_is_a_message(typed):
    assert typed_event_of(typed) == UserMessage("1", ALICE, typed)


@pytest.mark.parametrize("typed", ["", "  ", "\n", "\0"])
def test_nothing_typed_is_no_event(typed):
    assert typed_event_of(typed) is None
