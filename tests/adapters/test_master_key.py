import base64
import stat
import threading

import pytest

from adapters.sealing import MasterKey, master_key
from core.errors import KeyringError

SECRET = bytes(range(224, 256))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "desk.key"


@pytest.fixture
def key_file(path):
    def write(content, mode=0o600):
        path.write_text(content)
        path.chmod(mode)
        return path

    return write


WRITTEN = {
    "base64": base64.b64encode(SECRET).decode(),
    "base64 without padding": base64.b64encode(SECRET).decode().rstrip("="),
    "base64 for addresses": base64.urlsafe_b64encode(SECRET).decode(),
    "hex": SECRET.hex(),
    "capital hex": SECRET.hex().upper(),
    "with white space": f" {SECRET.hex()}\r\n",
}
NO_KEYS = {
    "empty": ("", "is empty"),
    "blank": (" \n", "is empty"),
    "too short": (base64.b64encode(SECRET[1:]).decode(), "has 44 characters"),
    "too long": (base64.b64encode(SECRET + b"x").decode(), "has 44 characters"),
    "cut hex": (SECRET.hex()[:-2], "has 62 characters"),
    "one character": ("A", "has 1 characters"),
    "wrong characters": ("!" + base64.b64encode(SECRET).decode()[1:], "has characters that are in no key"),
    "a password": ("correct horse battery staple é", "has characters that are in no key"),
}


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN.keys())
def test_a_key_may_be_set_as_base64_or_hex(path, text):
    assert master_key(text, path) == MasterKey(SECRET)


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN.keys())
def test_a_key_file_may_hold_base64_or_hex(key_file, text):
    assert master_key(None, key_file(text)) == MasterKey(SECRET)


@pytest.mark.parametrize(("text", "why"), NO_KEYS.values(), ids=NO_KEYS.keys())
def test_a_setting_that_is_no_key_is_refused_by_name(path, text, why):
    with pytest.raises(KeyringError, match=f"^DESK_MASTER_KEY {why}.*: give 32 bytes as base64"):
        master_key(text, path)


@pytest.mark.parametrize(("text", "why"), NO_KEYS.values(), ids=NO_KEYS.keys())
def test_a_file_that_holds_no_key_is_refused_by_path(key_file, text, why):
    path = key_file(text)
    with pytest.raises(KeyringError, match=f"^the key file {path} {why}.*: give 32 bytes as base64"):
        master_key(None, path)


def test_no_error_quotes_the_key(path):
    with pytest.raises(KeyringError) as raised:
        master_key("!" + SECRET.hex()[1:], path)
    assert SECRET.hex()[1:] not in str(raised.value)


def test_a_key_does_not_show_when_printed(path):
    key = master_key(SECRET.hex(), path)
    assert repr(SECRET)[2:-1] not in repr(key)


def test_the_first_start_makes_a_key_that_the_second_reads(path):
    first, second = master_key(None, path), master_key(None, path)
    assert (first.made, second.made) == (path, None)
    assert first.secret == second.secret
    assert len(first.secret) == 32


def test_a_made_key_file_is_for_its_owner_alone(path):
    master_key(None, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_making_a_key_leaves_one_file(path):
    master_key(None, path)
    assert [file.name for file in path.parent.iterdir()] == ["desk.key"]


def test_two_made_keys_are_two_keys(tmp_path):
    assert master_key(None, tmp_path / "one").secret != master_key(None, tmp_path / "two").secret


def test_first_starts_at_once_go_on_with_one_key(path):
    made = []
    go = threading.Barrier(8)

    def start():
        go.wait()
        made.append(master_key(None, path))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({key.secret for key in made}) == 1
    assert [key.made for key in made].count(path) == 1


def test_a_setting_wins_over_the_key_file_and_makes_none(path):
    assert master_key(SECRET.hex(), path).made is None
    assert not path.exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666])
def test_a_key_file_open_to_others_is_refused_with_the_command_to_run(key_file, mode):
    path = key_file(SECRET.hex(), mode)
    with pytest.raises(KeyringError, match=f"chmod 600 {path}"):
        master_key(None, path)


def test_where_none_may_be_made_a_missing_key_is_an_error_that_leaves_nothing(path):
    with pytest.raises(KeyringError, match=f"no key file at {path}: restore it, or set DESK_MASTER_KEY"):
        master_key(None, path, make=False)
    assert not path.exists()


def test_a_path_that_cannot_hold_a_key_is_named(tmp_path):
    with pytest.raises(KeyringError, match=f"no key file can be made at {tmp_path}/absent/key: No such file"):
        master_key(None, tmp_path / "absent" / "key")


@pytest.mark.parametrize("mode", [0o700, 0o755])
def test_a_folder_in_place_of_the_key_file_is_named_with_what_to_do(tmp_path, mode):
    tmp_path.chmod(mode)
    with pytest.raises(KeyringError, match=f"{tmp_path} is a folder, .* move it away, or set DESK_MASTER_KEY"):
        master_key(None, tmp_path)
