"""Settings: the environment and `.env` over `desk.toml` over the defaults.

A variable is called DESK_ and the setting's name; one in a section joins both by two underscores (`work.attempts` is
DESK_WORK__ATTEMPTS), and a list is separated by commas. The key and address of a model's service keep the names the
whole world gives them. Tables (specialists, roles, prices) stand in desk.toml alone; secrets never do.
"""

import difflib
import os
import tomllib
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel

from adapters.sealing import default_keyring, is_address
from bots.sections import AllSettings
from core.config import SECRETS, Settings, check_settings_as
from core.errors import ConfigError, KeyringError

CONFIG = "DESK_CONFIG"
_SQLITE = "sqlite:///"
_Place = tuple[str, ...]


def read_settings(environ: Mapping[str, str] | None = None, folder: Path = Path()) -> AllSettings:
    """Read and check all settings as seen from a folder. Raises ConfigError."""
    given = given_here(environ, folder)
    values, names = _operators_file(given, folder)
    for name, place in _named(given):
        _put(values, place, _plain(place, given[name]))
        names[".".join(place)] = name
    store = values.get("store") or default_store(given)
    if not store:
        raise ConfigError("DESK_STORE is not set, and neither HOME nor XDG_DATA_HOME says where your data folder is")
    return check_settings_as(AllSettings, values | {"store": store}, names)


def given_here(environ: Mapping[str, str] | None = None, folder: Path = Path()) -> dict[str, str]:
    """What is set as seen from a folder: the environment over `.env`; what is blank is not set."""
    found = {**_dotenv(folder / ".env"), **(os.environ if environ is None else environ)}
    return {name: text for name, text in found.items() if text.strip()}


def variables() -> dict[str, _Place]:
    """Name every variable that can be set, and the setting it is."""
    places: dict[str, _Place] = {}
    for name, field in AllSettings.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            inner = ((name, each) for each, at in kind.model_fields.items() if not _is_table(at.annotation))
            places |= {f"DESK_{name}__{each}".upper(): (name, each) for name, each in inner}
        elif not _is_table(kind):
            places[_variable(name)] = (name,)
    return places


def default_store(given: Mapping[str, str]) -> str | None:
    """One file in the user's data folder; None where nothing says where that is."""
    folder = default_folder(given)
    return f"{_SQLITE}{folder}/desk.db" if folder else None


def default_folder(given: Mapping[str, str]) -> Path | None:
    """The desk's folder in the user's data folder; None where nothing says where that is."""
    data = Path(given.get("XDG_DATA_HOME", ""))
    if not data.is_absolute():
        data = Path(given.get("HOME", "")) / ".local/share"
    return data / "deskmate" if data.is_absolute() else None


def store_file(settings: Settings) -> Path | None:
    """The file a store is kept in; None where it is not one file."""
    return Path(settings.store.removeprefix(_SQLITE)) if settings.store.startswith(_SQLITE) else None


def keyring_place(settings: Settings) -> str:
    """Where the wrapped data keys are kept: as set, else beside the store. Raises KeyringError where they cannot be.

    Looked at here because a keyring that is there decides whether a master key may be made.
    """
    place = settings.keyring or default_keyring(settings.store)
    if Path(place).is_dir():
        raise KeyringError(f"{place} is a folder: set DESK_KEYRING to a file")
    if is_address(place) and _database(place) == _database(settings.store):
        raise KeyringError(
            "DESK_KEYRING is the database of the store: name another one, so that a backup of the store opens nothing"
        )
    return place


def shown(address: str) -> str:
    """An address as it may be shown: without the password."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return f"{address.partition(':')[0]}:..."
    if parts.password is None:
        return address
    return urlunsplit(parts._replace(netloc=f"{parts.username or ''}:...@{parts.netloc.rpartition('@')[2]}"))


def key_file(settings: Settings) -> Path:
    """Where the master key is kept when it is not set: beside the store, else beside the keyring, else where the store
    would be if it were a file.
    """
    place = keyring_place(settings)
    path = store_file(settings) or (Path(default_folder(os.environ) or ".", "desk.db") if is_address(place) else place)
    return Path(f"{path}.key")


def _database(address: str) -> tuple[str, int, str]:
    """Which database an address names, whoever logs in there."""
    parts = urlsplit(address)
    return parts.hostname or "localhost", parts.port or 5432, parts.path.strip("/")


def anchor_file(settings: Settings) -> str | None:
    """Where the end of the audit log is kept: as set, else beside the store; None where it is not one file."""
    path = store_file(settings)
    return settings.audit.anchor or (f"{path}.anchors" if path else None)


def _variable(name: str) -> str:
    return name.upper() if name in ("openai_api_key", "openai_base_url") else f"DESK_{name}".upper()


def _is_table(kind: object) -> bool:
    return typing.get_origin(kind) is dict or (isinstance(kind, type) and issubclass(kind, BaseModel))


def _named(given: Mapping[str, str]) -> Iterator[tuple[str, _Place]]:
    known = variables()
    for name in given:
        if name in known:
            yield name, known[name]
        elif name.startswith("DESK_") and name != CONFIG:
            near = difflib.get_close_matches(name, (*known, CONFIG), n=1)
            raise ConfigError(f"{name}: no such setting{f'; is {near[0]} meant?' if near else ''}")


def _put(values: dict[str, Any], place: _Place, value: str | list[str]) -> None:
    *above, last = place
    section = values
    for part in above:
        section = section.setdefault(part, {})
        if not isinstance(section, dict):
            raise ConfigError(f"{part}: a section is needed, [{part}], found {section!r}")
    section[last] = value


def _plain(place: _Place, text: str) -> str | list[str]:
    kind: Any = AllSettings
    for part in place:
        kind = kind.model_fields[part].annotation
    return [part.strip() for part in text.split(",")] if typing.get_origin(kind) is tuple else text


def _dotenv(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    from dotenv import dotenv_values

    try:
        return {name: text for name, text in dotenv_values(path, interpolate=False).items() if text is not None}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error


def _operators_file(given: Mapping[str, str], folder: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Read `desk.toml`, and how its settings are called in messages."""
    named = given.get(CONFIG)
    path = folder / (named or "desk.toml")
    if not named and not path.exists():
        return {}, {}
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error
    except OSError as error:
        reason = f"{path} cannot be read: {error.strerror}"
        raise ConfigError(f"{CONFIG}: {reason}" if named else reason) from error
    for secret in SECRETS:
        if secret in values:
            raise ConfigError(
                f"{secret} in {path}: a secret belongs in the environment or in .env, as {_variable(secret)}"
            )
    return values, {name: f"{name} in {path}" for name in _dotted(values)}


def _dotted(values: Mapping[str, Any], above: str = "") -> Iterator[str]:
    for name, value in values.items():
        yield f"{above}{name}"
        if isinstance(value, dict):
            yield from _dotted(value, f"{above}{name}.")
