"""Sealing: content is encrypted before a store sees it, with one data key per owner.

    master key --HKDF--> wrapping key --AES-GCM--> data key of an owner --AES-GCM--> content, bound to its place
    (setting, key file)                            (wrapped, in the keyring)         (sealed, in the store)

`master.py` reads the key, `wrapping.py` wraps with it, `keyring.py` and
the files of its kinds keep what is wrapped, `sealer.py` seals. Nothing
here reads the environment. POSIX only: file modes and file locks are part of what is promised.
"""

from adapters.sealing.master import MasterKey, key_from_command, master_key, replace_key_file
from adapters.sealing.places import default_keyring, is_address, keyring_exists
from adapters.sealing.sealer import KeyringSealer, open_sealer
from adapters.sealing.waiting import patiently

__all__ = [
    "KeyringSealer",
    "MasterKey",
    "default_keyring",
    "is_address",
    "key_from_command",
    "keyring_exists",
    "master_key",
    "open_sealer",
    "patiently",
    "replace_key_file",
]
