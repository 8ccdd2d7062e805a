"""Which language model the settings name. It is made in `llm.py`, whose import takes seconds."""

from pydantic import SecretStr

from core.config import Settings
from core.errors import ConfigError

OFFLINE = "offline"
"""The stand-in's name in settings, usage and prices."""

DEFAULT_MODEL = "gpt-5.6-luna"
"""The model where there is a key of OpenAI's and nobody named one: what the Agents SDK 0.24 takes."""


def is_offline(settings: Settings) -> bool:
    """Whether the stand-in answers: it was asked for, or nothing else is set."""
    return settings.model == OFFLINE or (not settings.model and settings.openai_api_key is None)


def model_name(settings: Settings) -> str:
    """The name its calls are booked under. Raises ConfigError where nobody named one."""
    if is_offline(settings):
        return OFFLINE
    if settings.model:
        return settings.model
    if settings.openai_base_url:
        raise ConfigError("model is not set: name one that openai_base_url serves (DESK_MODEL), or 'offline'")
    return DEFAULT_MODEL


def model_key(settings: Settings) -> SecretStr:
    """The key to its service. Raises ConfigError where it is not set."""
    if settings.openai_api_key is None:
        raise ConfigError(
            f"model is {settings.model!r} but openai_api_key is not set: set OPENAI_API_KEY, or the model to 'offline'"
        )
    return settings.openai_api_key
