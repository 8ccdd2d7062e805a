"""`deselected.toml`, read: which of the SDK's tests are not run on our session, and why."""

import sys
import tomllib
from pathlib import Path


def files_left_out() -> dict[str, str]:
    """Whole files, each with the reason."""
    return {name: reason for name, reason in read_list().items() if isinstance(reason, str)}


def tests_deselected() -> dict[str, str]:
    """Test ids, each with the reason."""
    files = {name: tests for name, tests in read_list().items() if isinstance(tests, dict)}
    return {f"{file}::{test}": reason for file, tests in files.items() for test, reason in tests.items()}


def read_list() -> dict[str, str | dict[str, str]]:
    listed = tomllib.loads(Path(__file__).with_name("deselected.toml").read_text())
    reasons = {name: tests if isinstance(tests, dict) else {name: tests} for name, tests in listed.items()}
    for tests in reasons.values():
        if silent := [name for name, reason in tests.items() if not reason.strip()]:
            sys.exit(f"deselected.toml gives no reason for {', '.join(silent)}")
    return listed
