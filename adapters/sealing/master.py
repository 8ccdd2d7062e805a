"""The master key: read from a setting or a key file, or made on the first start."""

import base64
import os
import re
import secrets
import shlex
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from adapters.sealing.files import require_private, sync_folder
from core.errors import KeyringError

LENGTH = 32
SETTING = "DESK_MASTER_KEY"
COMMAND = "DESK_MASTER_KEY_COMMAND"
COMMAND_SECONDS = 10.0
ALLOWED = "give 32 bytes as base64 (44 characters) or as hex (64 characters)"
HEX = re.compile(r"[0-9A-Fa-f]{64}")
BASE64 = re.compile(r"[A-Za-z0-9+/_-]{43}=?")


@dataclass(frozen=True, slots=True)
class MasterKey:
    """The key over all keys. `made` is the path of its file when it was made just now: say so, once."""

    secret: bytes = field(repr=False)
    made: Path | None = None


def master_key(setting: str | None, path: Path, *, make: bool = True) -> MasterKey:
    """Take the key from the setting, else from the key file at `path`, else make that file.

    With `make=False` a missing file is a KeyringError: right wherever a keyring is there already, since no key that is
    made now could fit it.
    """
    if setting is not None:
        return MasterKey(_parsed(setting, SETTING))
    if path.exists():
        return MasterKey(_read(path))
    if not make:
        raise KeyringError(f"there is no key file at {path}: restore it, or set {SETTING}")
    return _made(path)


def key_from_command(command: str) -> MasterKey:
    """Ask a command for the key, such as that of a key management service: what it writes, run without a shell.

    Raises KeyringError, which never quotes what it wrote.
    """
    try:
        done = subprocess.run(  # noqa: S603 - the operator's own command, from their settings
            shlex.split(command), stdin=subprocess.DEVNULL, capture_output=True, timeout=COMMAND_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise KeyringError(f"{COMMAND} did not answer within {COMMAND_SECONDS:.0f} seconds") from None
    except (OSError, ValueError) as error:
        raise KeyringError(f"{COMMAND} cannot be run: {error}") from None
    if done.returncode:
        raise KeyringError(f"{COMMAND} failed with exit code {done.returncode}: run it by hand to see why")
    return MasterKey(_parsed(done.stdout.decode("ascii", errors="replace"), f"what {COMMAND} wrote"))


def _parsed(text: str, source: str) -> bytes:
    """Decode a key. The errors never quote it."""
    text = "".join(text.split())
    if HEX.fullmatch(text):
        return bytes.fromhex(text)
    if BASE64.fullmatch(text):
        return base64.b64decode(text.rstrip("=") + "=", altchars=b"-_" if {"-", "_"} & {*text} else None)
    if not text:
        raise KeyringError(f"{source} is empty: {ALLOWED}")
    if re.search(r"[^A-Za-z0-9+/=_-]", text):
        raise KeyringError(f"{source} has characters that are in no key: {ALLOWED}")
    raise KeyringError(f"{source} has {len(text)} characters: {ALLOWED}")


def _read(path: Path) -> bytes:
    try:
        require_private(path, instead=SETTING)
        content = path.read_text(encoding="ascii", errors="replace")
    except OSError as error:
        raise KeyringError(f"the key file {path} cannot be read: {error.strerror}") from error
    return _parsed(content, f"the key file {path}")


def replace_key_file(path: Path, new: Path) -> None:
    """Let a new key file take the place of another, durable when this returns."""
    try:
        os.replace(new, path)
        sync_folder(path.absolute().parent)
    except OSError as error:
        raise KeyringError(f"{new} cannot take the place of {path}: {error.strerror}. Move it there by hand") from error


def _made(path: Path) -> MasterKey:
    secret = secrets.token_bytes(LENGTH)
    try:
        first = _publish(path, base64.b64encode(secret) + b"\n")
    except OSError as error:
        raise KeyringError(f"no key file can be made at {path}: {error.strerror}. Or set {SETTING}") from error
    return MasterKey(secret, made=path) if first else MasterKey(_read(path))


def _publish(path: Path, content: bytes) -> bool:
    """Put a new file in place, whole and durable; False when another process was first.

    Written aside, then linked: a kill in between must not leave half a key under the name, and of two first starts at
    once both must go on with the same key.
    """
    aside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    file = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(file, content)
        os.fsync(file)
        os.link(aside, path)
    except FileExistsError:
        return False
    finally:
        os.close(file)
        aside.unlink()
    sync_folder(path.parent)
    return True
