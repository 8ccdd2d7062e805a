"""What an operator sets about personal data: which kinds there are, and what is done about each."""

import re
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from core.patterns import bounded_pattern
from core.section import Section

Policy = Literal["keep", "mask_before_storage", "mask_before_model"]
"""What is done about a kind of personal data."""
KINDS = frozenset(("email", "phone", "card", "iban", "ip", "secret"))
"""The kinds of personal data the desk finds by itself."""

_KIND = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,30}", re.ASCII)


class NationalId(Section):
    """A number that people are given: how it looks, and how its check digits are made.

    `weights` and `modulus` say that the digits, each times its weight, add up to a multiple of the modulus.
    """

    pattern: str
    checksum: Literal["none", "luhn", "mod97", "mod11_10"] = "none"
    weights: tuple[int, ...] = ()
    modulus: int = Field(default=0, ge=0, le=1_000)
    policy: Policy = "mask_before_storage"

    @field_validator("pattern")
    @classmethod
    def _pattern_has_an_end(cls, pattern: str) -> str:
        bounded_pattern(pattern)
        return pattern

    @model_validator(mode="after")
    def _weights_have_a_modulus(self) -> "NationalId":
        if bool(self.weights) != bool(self.modulus) or (self.weights and self.checksum != "none"):
            raise ValueError("weights and modulus belong together, and stand in the place of a checksum")
        return self


class PersonalDataSettings(Section):
    """What is done about personal data, by kind; each of `national_ids` and of `presidio` is a kind more.

    `phone_regions` are the countries whose numbers count without their + and code, too.
    """

    email: Policy = "keep"
    phone: Policy = "keep"
    card: Policy = "mask_before_storage"
    iban: Policy = "keep"
    ip: Policy = "keep"
    secret: Policy = "mask_before_storage"  # noqa: S105 - what is done about secrets is none
    phone_regions: tuple[str, ...] = ()
    national_ids: dict[str, NationalId] = Field(default_factory=dict)
    presidio: dict[str, Policy] = Field(default_factory=dict)
    presidio_language: str = "en"
    presidio_model: str = "en_core_web_lg"

    @field_validator("phone_regions")
    @classmethod
    def _regions_are_countries(cls, regions: tuple[str, ...]) -> tuple[str, ...]:
        if regions:
            # Its tables are large: imported where they are wanted.
            from phonenumbers import SUPPORTED_REGIONS

            for region in regions:
                if region not in SUPPORTED_REGIONS:
                    raise ValueError(f"{region!r} must be a country by its two capital letters, such as 'DE'")
        return regions

    @field_validator("national_ids", "presidio")
    @classmethod
    def _names_are_new_words(cls, named: dict[str, Any]) -> dict[str, Any]:
        for name in named:
            if not _KIND.fullmatch(name) or name.lower() in KINDS or name.lower() == "text":
                raise ValueError(f"{name!r} must be one word of letters, digits and _, and no kind there is already")
        return named

    def kinds_masked(self, policy: Policy) -> frozenset[str]:
        """The kinds that have a policy."""
        own = {kind for kind in KINDS if getattr(self, kind) == policy}
        national = {name for name, told in self.national_ids.items() if told.policy == policy}
        return frozenset(own | national | {name.lower() for name, each in self.presidio.items() if each == policy})
