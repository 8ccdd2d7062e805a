import pytest

from core.errors import BadInputError, SchemaError, StoreBusyError, StoreError
from deskmate import SupportSession


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("DESK_STORE", "DESK_KEYRING", "DESK_MODEL", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def desk(tmp_path):
    with SupportSession(tmp_path / "support.db") as desk:
        yield desk


CALLS = {
    "run_turn": lambda desk, who: desk.run_turn(who, "Alice", "premium", "hello"),
    "get_items": lambda desk, who: desk.get_session(who).get_items(),
    "get_session_length": lambda desk, who: desk.get_session_length(who),
    "undo_last_turn": lambda desk, who: desk.undo_last_turn(who),
    "clear_session": lambda desk, who: desk.clear_session(who),
}


def test_a_conversation_goes_on_with_the_next_session_on_the_file(tmp_path, capsys):
    for known in ("new", "returning"):
        with SupportSession(tmp_path / "support.db") as desk:
            assert desk.run_turn("c1", "Alice", "premium", "hello") == known
    assert "Welcome back, Alice." in capsys.readouterr().out


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_closed_session_says_that_it_is_closed_and_what_to_do(desk, call):
    desk.close()
    desk.close()
    with pytest.raises(BadInputError, match="this SupportSession is closed: open a new one on the same file"):
        call(desk, "c1")


@pytest.mark.parametrize("who", ["", "  ", "a\0b"])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_customer_needs_an_id(desk, call, who):
    with pytest.raises(BadInputError, match="^customer_id (is empty|has a character)"):
        call(desk, who)


def test_a_second_session_on_a_file_is_told_of_its_path_and_not_of_a_setting(desk, tmp_path):
    with pytest.raises(StoreBusyError, match="or set db_path to another file") as refused:
        SupportSession(tmp_path / "support.db")
    assert "DESK_" not in str(refused.value)


def test_a_path_that_cannot_be_is_said_to_be_the_callers(tmp_path):
    (tmp_path / "other.db").write_bytes(b"not a database, but long enough to be one" * 100)
    for path, kind in (("nowhere/support.db", StoreError), (".", StoreError), ("other.db", SchemaError)):
        with pytest.raises(kind, match="set db_path to (another|a) file"):
            SupportSession(tmp_path / path)
