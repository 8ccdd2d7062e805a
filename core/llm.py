"""The language model the settings name, made without a look at the environment."""

from typing import TYPE_CHECKING

from agents import Model, ModelRetrySettings, ModelSettings, OpenAIChatCompletionsModel, OpenAIResponsesModel
from agents.exceptions import AgentsException, ModelTimeoutError
from agents.models.default_models import get_default_model_settings
from agents.retry import ModelRetryBackoffSettings, RetryDecision, RetryPolicyContext
from openai import AsyncOpenAI, Timeout

from core.config import Settings
from core.errors import DeskError
from core.model_name import is_offline, model_key, model_name
from core.offline import OfflineModel

if TYPE_CHECKING:
    from pydantic import SecretStr

_OPENAI = "https://api.openai.com/v1"
_TIMEOUT = Timeout(120.0, connect=10.0)
"""Seconds to connect, and between two pieces of an answer. The turn as a whole has its own limit."""

_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 4.0
_TRY_AGAIN = (408, 409, 425, 429)


def model_of(settings: Settings) -> Model:
    """Make the model; `close` it when the desk stops. Raises ConfigError where a setting is missing."""
    if is_offline(settings):
        return OfflineModel()
    key = model_key(settings)
    name, client = model_name(settings), _client(key, settings.openai_base_url)
    if settings.openai_api == "chat_completions":
        return _ChatCompletions(name, client)
    return _Responses(name, client)


def model_settings(settings: Settings) -> ModelSettings:
    """How the model is called: as its maker advises, and again after a failure where that is safe."""
    ours = settings.openai_base_url is None and not is_offline(settings)
    advised = get_default_model_settings(model_name(settings)) if ours else ModelSettings()
    retry = ModelRetrySettings(
        max_retries=settings.work.model_retries,
        backoff=ModelRetryBackoffSettings(initial_delay=_FIRST_PAUSE, max_delay=_LONGEST_PAUSE, multiplier=2.0),
        policy=_may_retry,
    )
    return advised.resolve(ModelSettings(retry=retry))


def _may_retry(failure: RetryPolicyContext) -> bool | RetryDecision:
    """Whether the same call may help. The runner itself never repeats a call that has begun to answer."""
    error, status = failure.error, failure.normalized.status_code
    if isinstance(error, DeskError):
        return False
    if isinstance(error, AgentsException) and not isinstance(error, ModelTimeoutError):
        return False
    if failure.normalized.error_code == "insufficient_quota":
        return False
    if status is not None and status < 500 and status not in _TRY_AGAIN:
        return False
    wait = failure.normalized.retry_after
    return True if wait is None else RetryDecision(retry=True, delay=min(wait, _LONGEST_PAUSE))


class _Responses(OpenAIResponsesModel):
    """OpenAI's Responses API; closes the client it was given."""

    async def close(self) -> None:
        await self._client.close()


class _ChatCompletions(OpenAIChatCompletionsModel):
    """The Chat Completions API, OpenAI's or anybody's; closes the client it was given."""

    async def close(self) -> None:
        await self._client.close()


def _client(key: "SecretStr", base_url: str | None) -> AsyncOpenAI:
    # The runner retries, where that is safe; a client that retries by itself would hide it and wait for minutes.
    client = AsyncOpenAI(api_key=key.get_secret_value(), base_url=base_url or _OPENAI, max_retries=0, timeout=_TIMEOUT)
    # The client fills these from the environment when they are not given.
    client.organization = client.project = client.admin_api_key = client.webhook_secret = None
    return client
