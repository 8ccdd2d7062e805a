"""A phrase in every form in which it could stand in what a desk writes for its operators."""

import base64
import zlib
from collections.abc import Iterator


def forms(text: str) -> Iterator[bytes]:
    """Raw, UTF-16, hex, base64 at each of its three shifts, and squeezed."""
    raw = text.encode()
    yield raw
    yield text.encode("utf-16-le")
    yield raw.hex().encode()
    # What base64 makes of the text wherever in a group of three bytes it begins.
    for shift in range(3):
        yield base64.b64encode(bytes(shift) + raw)[4:-4]
    yield zlib.compress(raw)


def found_in(text: str, *phrases: str) -> list[str]:
    """Which of the phrases stand in a text, in any form."""
    content = text.encode()
    return [phrase for phrase in phrases if any(form in content for form in forms(phrase))]
