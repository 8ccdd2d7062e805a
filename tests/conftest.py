"""Rules every test lives under: nothing leaves the machine, and generated cases are the same on every CI run."""

import ipaddress
import os
import sys

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", deadline=None, max_examples=2_000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "default"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    """Two for each core: half of the time tests wait, for processes of theirs and for disks."""
    return 2 * (os.cpu_count() or 1)


ADDRESS_AT = {
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.sendmsg": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
}
left_machine: list[str] = []


@pytest.fixture(autouse=True)
def _stay_on_this_machine():
    """Fail the test that tried to leave, even if the code under test swallowed the refusal."""
    left_machine.clear()
    yield
    assert not left_machine, f"the test tried to reach {', '.join(left_machine)}"


def refuse_to_leave(event, args):
    # An audit hook sees what a patched method would not: C code, other threads, names looked up before connecting.
    if event in ADDRESS_AT and not is_loopback(args[ADDRESS_AT[event]]):
        left_machine.append(f"{args[ADDRESS_AT[event]]!r}")
        raise PermissionError(f"tests stay on this machine: {event} {args[ADDRESS_AT[event]]!r}")


def is_loopback(address):
    host = address[0] if isinstance(address, tuple) else address
    if isinstance(address, bytes):
        host = address.decode()
    if not host or host == "localhost" or host.startswith("/"):  # None: already connected; a path: a Unix socket
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


sys.addaudithook(refuse_to_leave)
