"""E-mail and IP addresses."""

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address

from core.ports import Found

_LONGEST_NAME = 64
_LONGEST_DOMAIN = 253
_NAME_LETTERS = frozenset(".!#$%&'*+/=?^_`{|}~-")
_NOT_FIRST = frozenset(".'`*_~|{/=&?#!$%^")
_DOMAIN = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}(?:xn--[A-Za-z0-9-]{2,59}|[^\W\d_]{2,63})(?![\w-]|\.\w)")

_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\w)", re.ASCII)
_IPV6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f:]{2,39}(?:(?<=:)\d{1,3}(?:\.\d{1,3}){3})?(?![\w:])", re.ASCII)
_VERSION = re.compile(
    r"(?:\b(?:v|ver|version|release|build|firmware|driver|update|section|chapter)[ .:=]{0,3}|\w/)\Z", re.I
)
_LOOK_BACK = 16


def find_emails(text: str) -> Iterator[Found]:
    """E-mail addresses."""
    at = text.find("@")
    before = 0
    while at != -1:
        start = _name_start(text, max(before, at - _LONGEST_NAME), at)
        domain = _DOMAIN.match(text, at + 1, min(len(text), at + 1 + _LONGEST_DOMAIN)) if start < at else None
        if domain:
            before = domain.end()
            yield Found("email", start, domain.end())
        at = text.find("@", at + 1)


def _name_start(text: str, least: int, at: int) -> int:
    """Where the part before the @ begins."""
    start = at
    while start > least and (text[start - 1].isalnum() or text[start - 1] in _NAME_LETTERS):
        start -= 1
    while start < at and text[start] in _NOT_FIRST:
        start += 1
    return start


def find_ips(text: str) -> Iterator[Found]:
    """IP addresses of both versions, but not a machine's own (127.0.0.1), nor what is called a version."""
    for match in _IPV4.finditer(text):
        if not _VERSION.search(text[max(0, match.start() - _LOOK_BACK) : match.start()]) and _is_ip(match[0]):
            yield Found("ip", match.start(), match.end())
    if ":" not in text:
        return
    for match in _IPV6.finditer(text):
        written = match[0]
        # Words of a program such as `Fa::Be` have no digit.
        if written.count(":") >= 2 and any(map(str.isdigit, written)) and _is_ip(written):
            yield Found("ip", match.start(), match.end())


def _is_ip(written: str) -> bool:
    try:
        address: IPv4Address | IPv6Address = ip_address(written)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)
