"""All recognisers asked at once: what of some kinds stands in a text."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from core.masking_settings import KINDS, PersonalDataSettings
from core.personal.addresses import find_emails, find_ips
from core.personal.folding import forms
from core.personal.national import national_id_finder
from core.personal.numbers import find_cards, find_ibans
from core.personal.phones import phone_finder
from core.personal.secrets import find_secrets
from core.ports import Found, Recogniser

LONG = 2_000
"""Characters above which a text is looked through outside the loop."""

_Find = Callable[[str], Iterable[Found]]


class Finder:
    """Finds what is of the kinds it was made for."""

    def __init__(
        self, kinds: Iterable[str], settings: PersonalDataSettings, recognisers: Sequence[Recogniser] = ()
    ) -> None:
        """The further recognisers are asked where one of the kinds is none of the desk's own."""
        self._kinds = frozenset(kinds)
        self._own = [find for kind, find in _own_recognisers(settings, self._kinds).items() if kind in self._kinds]
        self._further = recognisers if self._kinds - KINDS - settings.national_ids.keys() else ()

    def __bool__(self) -> bool:
        """Whether there is anything to look for."""
        return bool(self._kinds)

    def __contains__(self, kind: str) -> bool:
        """Whether a kind is looked for."""
        return kind in self._kinds

    async def find(self, text: str) -> list[Found]:
        """What stands in a text, in order; what overlaps is one."""
        found = self._find(text) if len(text) <= LONG else await asyncio.to_thread(self._find, text)
        for recogniser in self._further:
            # A language model takes its time: not in the loop.
            more = await asyncio.to_thread(recogniser.find, text)
            found += [one for one in more if one.kind in self._kinds]
        return merged(found)

    def _find(self, text: str) -> list[Found]:
        return [form.unfold(one) for form in forms(text) for find in self._own for one in find(form.text)]


def merged(found: Iterable[Found]) -> list[Found]:
    """Findings in order, those that overlap as one: of the kind whose recogniser is the surest."""
    whole: list[Found] = []
    for one in sorted(found, key=lambda each: (each.start, -each.end)):
        if not whole or one.start >= whole[-1].end:
            whole.append(one)
            continue
        last = whole[-1]
        kind = min(last.kind, one.kind, key=_rank)
        whole[-1] = Found(kind, last.start, max(last.end, one.end))
    return whole


_SUREST = ("secret", "card", "iban", "email")
_LEAST_SURE = ("phone", "ip")


def _rank(kind: str) -> int:
    if kind in _SUREST:
        return _SUREST.index(kind)
    return len(_SUREST) + (kind in _LEAST_SURE)


def _own_recognisers(settings: PersonalDataSettings, kinds: frozenset[str]) -> dict[str, _Find]:
    own: dict[str, _Find] = {
        "email": find_emails,
        "card": find_cards,
        "iban": find_ibans,
        "ip": find_ips,
        "secret": find_secrets,
    }
    if "phone" in kinds:
        own["phone"] = phone_finder(settings.phone_regions)
    return own | {name: national_id_finder(name, told) for name, told in settings.national_ids.items()}
