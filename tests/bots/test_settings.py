import re
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel

from bots.sections import AllSettings
from bots.settings import key_file, keyring_place, read_settings, store_file, variables
from core.config import SECRETS, check_settings_as
from core.errors import ConfigError, KeyringError

ROOT = Path(__file__).parents[2]
HOME = {"HOME": "/h"}
EXAMPLE = ROOT / "desk.example.toml"
MASTER_KEY = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="


def read(folder, environ=None, *, toml=None, dotenv=None):
    if toml is not None:
        (folder / "desk.toml").write_text(toml)
    if dotenv is not None:
        (folder / ".env").write_text(dotenv)
    return read_settings(HOME | (environ or {}), folder)


def refused(*args, **files):
    with pytest.raises(ConfigError) as caught:
        read(*args, **files)
    return str(caught.value)


def test_without_any_setting_there_is_one_file_in_the_data_folder(tmp_path):
    assert read(tmp_path).store == "sqlite:////h/.local/share/deskmate/desk.db"
    assert read(tmp_path, {"XDG_DATA_HOME": "/x"}).store == "sqlite:////x/deskmate/desk.db"
    assert read(tmp_path, {"XDG_DATA_HOME": "not/absolute"}).store == "sqlite:////h/.local/share/deskmate/desk.db"


def test_without_a_data_folder_the_store_must_be_named(tmp_path):
    with pytest.raises(ConfigError, match="DESK_STORE is not set"):
        read_settings({}, tmp_path)
    assert read_settings({"DESK_STORE": "memory:"}, tmp_path).store == "memory:"


def test_keys_stand_beside_the_store(tmp_path):
    settings = read(tmp_path, {"DESK_STORE": "sqlite:///a/desk.db"})
    assert store_file(settings) == Path("a/desk.db")
    assert keyring_place(settings) == "a/desk.db.keys"
    assert key_file(settings) == Path("a/desk.db.key")


def test_keys_of_a_store_on_a_server_stand_in_another_database_and_the_key_file_on_each_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", "/h")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    settings = read(tmp_path, {"DESK_STORE": "memory:", "DESK_KEYRING": "postgresql://db/desk_keys"})
    assert keyring_place(settings) == "postgresql://db/desk_keys"
    assert key_file(settings) == Path("/h/.local/share/deskmate/desk.db.key")
    settings = settings.model_copy(update={"store": "postgresql://db/desk", "keyring": None})
    assert keyring_place(settings) == "postgresql://db/desk_keys"


@pytest.mark.parametrize("keyring", ["postgresql://db/desk", "postgres://other:pw@db:5432/desk?sslmode=require"])
def test_the_keyring_is_never_in_the_database_of_the_store(tmp_path, keyring):
    settings = read(tmp_path, {"DESK_STORE": "memory:", "DESK_KEYRING": keyring})
    with pytest.raises(KeyringError, match="DESK_KEYRING is the database of the store: name another one"):
        keyring_place(settings.model_copy(update={"store": "postgresql://db/desk"}))


def test_what_is_in_memory_leaves_no_file(tmp_path):
    settings = read(tmp_path, {"DESK_STORE": "memory:"})
    assert store_file(settings) is None
    assert keyring_place(settings) == ":memory:"


def test_the_environment_wins_over_dotenv_and_that_over_the_operators_file(tmp_path):
    toml = 'model = "toml"\nopenai_api = "chat_completions"\n[work]\nattempts = 5\nmodel_retries = 5'
    dotenv = "DESK_MODEL=dotenv\nDESK_WORK__ATTEMPTS=6"
    settings = read(tmp_path, {"DESK_WORK__ATTEMPTS": "7"}, toml=toml, dotenv=dotenv)
    assert (settings.work.attempts, settings.work.model_retries) == (7, 5)
    assert (settings.model, settings.openai_api) == ("dotenv", "chat_completions")


def test_numbers_and_lists_are_read_from_text(tmp_path):
    environ = {"DESK_WORK__LEASE_SECONDS": "2.5", "DESK_TIERS__NAMES": "a, b", "DESK_TIERS__DEFAULT": "b"}
    settings = read(tmp_path, environ)
    assert settings.work.lease_seconds == 2.5
    assert settings.tiers.names == ("a", "b")


def test_the_model_service_keeps_the_names_the_world_gives_it(tmp_path):
    settings = read(tmp_path, {"OPENAI_API_KEY": "sk-1", "OPENAI_BASE_URL": "http://localhost/v1"})
    assert settings.openai_api_key.get_secret_value() == "sk-1"
    assert settings.openai_base_url == "http://localhost/v1"


def test_an_empty_variable_is_as_good_as_none(tmp_path):
    assert read(tmp_path, {"DESK_MODEL": " "}, dotenv="DESK_MODEL=\nDESK_KEYRING=\n").model is None


def test_dotenv_is_taken_literally(tmp_path):
    assert read(tmp_path, dotenv="DESK_AGENT__NAME='a${HOME}b'").agent.name == "a${HOME}b"


def test_another_operators_file_can_be_named(tmp_path):
    (tmp_path / "other.toml").write_text('model = "other"')
    assert read(tmp_path, {"DESK_CONFIG": "other.toml"}, toml='model = "desk"').model == "other"


def test_an_operators_file_that_was_named_must_be_there(tmp_path):
    assert refused(tmp_path, {"DESK_CONFIG": "gone.toml"}) == (
        f"DESK_CONFIG: {tmp_path / 'gone.toml'} cannot be read: No such file or directory"
    )


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"DESK_STOER": "memory:"}, "DESK_STOER: no such setting; is DESK_STORE meant?"),
        ({"DESK_XYZZY_PLUGH": "1"}, "DESK_XYZZY_PLUGH: no such setting"),
        ({"DESK_ROLES__X": "admin"}, "DESK_ROLES__X: no such setting"),
        ({"DESK_WORK__ATTEMPTS": "many"}, "DESK_WORK__ATTEMPTS: Input should be a valid integer.*found 'many'"),
        ({"DESK_WORK__ATTEMPTS": "0"}, "DESK_WORK__ATTEMPTS: Input should be greater than or equal to 1, found '0'"),
        ({"DESK_STRATEGIES__DIRECT": "usr"}, "DESK_STRATEGIES__DIRECT: Input should be 'user'.*found 'usr'"),
    ],
)
def test_a_wrong_variable_is_named_with_what_was_found_and_what_is_allowed(tmp_path, environ, message):
    assert re.match(message, refused(tmp_path, environ))


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("modle = 'x'", "modle in .*desk.toml: no such setting"),
        ("[work]\natempts = 1", "work.atempts in .*desk.toml: no such setting"),
        ("[work]\nattempts = 0", "work.attempts in .*desk.toml: Input should be greater than or equal to 1, found 0"),
        ("[roles]\nalice = 'admin'", "roles in .*desk.toml: 'alice' must be platform/workspace/user"),
        ("[roles]\n'terminal/local/alice' = 'king'", "roles.terminal/local/alice in .*desk.toml: .*found 'king'"),
        ("[tiers]\ndefault = 'gold'", "tiers in .*desk.toml: default 'gold' must be one of names"),
        ("work = 3", "work in .*desk.toml: Input should be a valid dictionary"),
        ("[work]\nattempts = x", ".*desk.toml is not TOML: Invalid value .at line 2"),
        (f"master_key = '{MASTER_KEY}'", "master_key in .*desk.toml: a secret belongs in .* as DESK_MASTER_KEY"),
        ("openai_api_key = 'sk-1'", "openai_api_key in .*desk.toml: a secret belongs in .* as OPENAI_API_KEY"),
    ],
)
def test_a_wrong_line_of_the_operators_file_is_named(tmp_path, toml, message):
    assert re.match(message, refused(tmp_path, toml=toml))


def test_a_section_must_be_one(tmp_path):
    assert (
        refused(tmp_path, {"DESK_WORK__ATTEMPTS": "1"}, toml="work = 3") == "work: a section is needed, [work], found 3"
    )


def test_no_message_shows_a_secret(tmp_path):
    toml, environ = f"master_key = '{MASTER_KEY}'", {"DESK_MASTER_KEY": MASTER_KEY, "DESK_WORK__ATTEMPTS": "many"}
    assert MASTER_KEY not in refused(tmp_path, environ)
    assert MASTER_KEY not in refused(tmp_path, toml=toml)
    assert MASTER_KEY not in repr(read(tmp_path, {"DESK_MASTER_KEY": MASTER_KEY}, toml=""))


@pytest.mark.parametrize("name", [".env", "desk.toml"])
def test_a_file_that_is_not_text_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"\xff\xfe\x00")
    assert name in refused(tmp_path)


def test_the_example_says_what_the_defaults_are():
    values = tomllib.loads(EXAMPLE.read_text())
    assert check_settings_as(AllSettings, values) == AllSettings()


def test_the_example_is_complete():
    values = tomllib.loads(EXAMPLE.read_text())
    left_out = set(re.findall(r"^# (\w+) = ", EXAMPLE.read_text(), re.MULTILINE))
    assert set(values) | left_out | set(SECRETS) == set(AllSettings.model_fields)
    for name, field in AllSettings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            assert set(values[name]) == set(field.annotation.model_fields)


def test_the_settings_of_a_start_have_a_line_in_the_example_of_dotenv():
    lines = (ROOT / ".env.example").read_text()
    plain = [name for name in variables() if "__" not in name]
    assert [name for name in (*plain, "DESK_CONFIG") if f"\n# {name}=" not in lines] == []


def test_the_example_of_dotenv_changes_nothing(tmp_path):
    assert read(tmp_path, dotenv=(ROOT / ".env.example").read_text()) == read(tmp_path, dotenv="")
