"""Commands for keys."""

from typing import TYPE_CHECKING

from bots.commands.common import FAILED, Options, from_store, group, reading_command, write

if TYPE_CHECKING:
    from bots.commands.common import Commands


def add(commands: "Commands") -> None:
    keys = group(commands, "keys", "data keys, and the master key over them")
    reading_command(keys, "list", "list whose keys there are, by keyed hashes", _list)
    reading_command(keys, "check", "check that every key opens under the master key", _check)
    rotate = reading_command(
        keys, "rotate", "make new keys, also while a desk serves; old content stays readable", _rotate
    )
    rotate.add_argument("--master", action="store_true", help="rotate the master key, and no data keys")
    rotate.add_argument("--to", metavar="FILE", help="with --master: the file of the new key, made if it is not there")
    rotate.add_argument(
        "--made-before", metavar="TIME", help="only for whom the newest key is older: goes on after a cut"
    )


def _list(options: Options) -> int:
    from bots import keyring, tables

    write(options, from_store(keyring.owners), tables.keys)
    return 0


def _check(options: Options) -> int:
    from bots import keyring, tables

    found = from_store(keyring.check)
    write(options, found, tables.keys_checked)
    return 0 if found["ok"] else FAILED


def _rotate(options: Options) -> int:
    from bots import keyring, tables

    if options.master:
        found = from_store(lambda records: keyring.rotate_master(records, to=options.to))
    else:
        found = from_store(lambda records: keyring.rotate(records, made_before=options.made_before))
    write(options, found, tables.keys_rotated)
    return 0
