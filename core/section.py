"""What sections of settings have in common."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Settings that belong together; a name that is not one of them is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
