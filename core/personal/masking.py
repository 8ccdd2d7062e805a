"""What the desk does about personal data: taken out before anything is kept, or kept from the model only."""

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TypeVar

from core.masking_settings import PersonalDataSettings
from core.models import Command, Event, MessageEdited, Profile, Quote, UserMessage
from core.personal.finding import Finder
from core.personal.veil import Veil
from core.ports import Recogniser
from core.text import changed

EventT = TypeVar("EventT", bound=Event)

_CALLED = {"email": "e-mail address", "phone": "phone number", "iban": "IBAN", "ip": "IP address"}
_MOST_TIMES = 3

_OWN_ID = re.compile(r"(?:in:|by:\d{1,15}\.)[0-9a-f]{12}|[0-9a-f]{32}", re.ASCII)
"""What buttons say: conversations, audit lines and turns. Some of these ids look like a card's number by chance."""


class PersonalData:
    """The operator's policy at work. Both sides cost nothing where nothing is masked there."""

    def __init__(self, settings: PersonalDataSettings, recognisers: Sequence[Recogniser] = ()) -> None:
        """`recognisers` find kinds that the desk does not know by itself."""
        self._never_kept = Finder(settings.kinds_masked("mask_before_storage"), settings, recognisers)
        self._never_sent = Finder(settings.kinds_masked("mask_before_model"), settings, recognisers)

    def veil(self, own: Iterable[str] | None = None) -> Veil | None:
        """What stands between a turn and the model; None where nothing does.

        In a place that others read `own` are the asker's texts: what is not in them is not put back.
        """
        return Veil(self._never_sent, own) if self._never_sent else None

    async def masked(self, event: EventT) -> EventT:
        """An event without what must never be kept. To mask it again changes nothing."""
        if not self._never_kept:
            return event
        match event:
            case UserMessage():
                return changed(
                    event,
                    text=await self.mask(event.text),
                    profile=await self._masked_profile(event.profile),
                    files=tuple([changed(note, name=await self.mask(note.name)) for note in event.files]),
                    quotes=tuple([await self._masked_quote(quote) for quote in event.quotes]),
                )
            case MessageEdited():
                return changed(event, text=await self.mask(event.text))
            case Command():
                profile = await self._masked_profile(event.profile)
                return changed(event, args=await self._masked_args(event.args), profile=profile)
            case _:
                return event

    async def mask(self, text: str) -> str:
        """A text with words such as `[card removed]` where something stood that must never be kept."""
        # What is taken out may uncover something: once more, until nothing is found.
        for _ in range(_MOST_TIMES):
            found = await self._never_kept.find(text)
            if not found:
                break
            for one in reversed(found):
                text = f"{text[: one.start]}{removed(one.kind)}{text[one.end :]}"
        return text

    async def _masked_quote(self, quote: Quote) -> Quote:
        return Quote(await self.mask(quote.speaker), await self.mask(quote.text))

    async def _masked_profile(self, profile: Profile) -> Profile:
        name = None if profile.name is None else await self.mask(profile.name)
        return changed(profile, name=name, email=None if "email" in self._never_kept else profile.email)

    async def _masked_args(self, args: tuple[str, ...]) -> tuple[str, ...]:
        masked: list[str] = []
        for own, said in groupby(args, lambda arg: _OWN_ID.fullmatch(arg) is not None):
            words = tuple(said)
            # A number may be said in groups.
            text = " ".join(words)
            changed = text if own else await self.mask(text)
            masked += words if changed == text else changed.split()
        return tuple(masked)


def removed(kind: str) -> str:
    """What stands where something of a kind was taken out."""
    return f"[{_CALLED.get(kind, kind.replace('_', ' '))} removed]"
