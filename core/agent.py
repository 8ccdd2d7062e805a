"""The support agent: triage, specialists, tools and guardrails, built once and run once for each turn."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import cast

from agents import (
    Agent,
    Handoff,
    InputGuardrailTripwireTriggered,
    MaxTurnsExceeded,
    Model,
    ModelBehaviorError,
    ModelRefusalError,
    ModelSettings,
    OutputGuardrailTripwireTriggered,
    RunConfig,
    RunContextWrapper,
    Runner,
    RunResultStreaming,
    StreamEvent,
    ToolExecutionConfig,
)
from agents.items import TResponseInputItem
from agents.tracing import get_trace_provider

from core.budgets import Purse
from core.config import AgentSettings, Settings
from core.context import SupportContext
from core.errors import DeskError, ModelFailedError, OverBudgetError, RefusedError
from core.guardrails import find_leak, input_guardrail, output_guardrail
from core.instructions import TRIAGE, Instructions, specialist_instructions, triage_instructions
from core.items import text_of
from core.llm import model_settings
from core.metering import Meter
from core.model_name import model_name
from core.models import Item, TurnStatus
from core.paid import paid
from core.personal.masking import PersonalData
from core.run_spans import Names, RunSpans
from core.sessions import TurnSession
from core.streaming import Follower, SafeText, UnsafeTextError, Watch
from core.tools import TOOLS
from core.usage import ModelCall
from core.veiled import veiled

log = logging.getLogger(__name__)

HELD_BACK = "I had an answer, but something in it may not be shown here, so I kept it back. Please ask in another way."
REFUSED = "My language model does not want to answer that. Please ask in another way."
TOO_MANY_STEPS = (
    "That took more steps than I may take at once, so nothing was done. Please ask for one thing at a time."
)
UNUSABLE = "My language model gave an answer I could not use, so nothing was done. Please say it again."

_STOP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a turn. `text` is for the person, `shown` what they may have seen of it while it came.

    Only a `DONE` answer leaves items in the session and effects on the stage to commit. `agent` is who answered.
    """

    status: TurnStatus
    text: str
    agent: str = ""
    calls: tuple[ModelCall, ...] = ()
    shown: str = ""


class SupportAgent:
    """Answers turns with the agents the settings describe, all on one model."""

    def __init__(self, settings: Settings, model: Model, personal: PersonalData, spans: RunSpans | None = None) -> None:
        # Made by the SDK at the first turn otherwise, with all it imports for that: the loop stood still for 100 ms.
        get_trace_provider()
        self.model = model
        self._personal = personal
        self._public = _operators_words(settings.agent)
        self._name = model_name(settings)
        self._most_calls = settings.agent.max_model_calls
        self._agents = _build_agents(settings.agent, model)
        incoming, outgoing = input_guardrail(settings.agent.blocked_phrases), output_guardrail()
        self._config = RunConfig(
            model_settings=model_settings(settings),
            # On an agent they would not run after a handoff, nor for a remembered specialist.
            input_guardrails=[incoming],
            output_guardrails=[outgoing],
            tracing_disabled=spans is None,
            trace_include_sensitive_data=False,
            tracing={"include_task_and_turn_spans": False},
            tool_not_found_behavior="return_error_to_model",
            # One after the other: two calls of one answer must not both find that there is no twin.
            tool_execution=ToolExecutionConfig(max_function_tool_concurrency=1),
        )
        self._spans = spans
        own = *self._agents, *(tool.name for tool in TOOLS), incoming.get_name(), outgoing.get_name()
        self._names = Names(self._name, frozenset(own))

    async def answer(  # noqa: PLR0913 - a turn has a history, a customer, words, an agent and a place to show it
        self,
        session: TurnSession,
        context: SupportContext,
        said: list[Item],
        *,
        agent: str,
        watch: Watch,
        calls: list[ModelCall] | None = None,
        purse: Purse | None = None,
    ) -> Answer:
        """Answer what was said; `agent` is who answered last. Model calls are booked into `calls` as they end, and made
        only where the `purse` has enough left.

        When this is cancelled the stage and the session are closed, and `calls` tells what was used. Raises
        RefusedError where a tool met one; every other failure is an answer.
        """
        calls = [] if calls is None else calls
        before, meter = len(calls), Meter(self._name, calls)
        text = SafeText(_leak_finder(context, (*session.window, *said)))
        config = self._config_for(context, purse)
        try:
            last = await self._run(
                session, context, said, self.agent_named(agent), Follower(text, watch, meter, context.links), config
            )
            outcome = TurnStatus.DONE, context.links.defused(_whole_text(session, text)), last
        except Exception as error:
            await _close(session, context)
            outcome = (*_failure(error, in_call=meter.calling), agent)
            meter.end(cut_off=isinstance(error, UnsafeTextError))
        except BaseException:
            await _close(session, context)
            meter.end(cut_off=True)
            raise
        return Answer(*outcome, tuple(calls[before:]), text.shown)

    async def _run(  # noqa: PLR0913 - what `answer` was given
        self,
        session: TurnSession,
        context: SupportContext,
        said: list[Item],
        agent: Agent[SupportContext],
        follower: Follower,
        config: RunConfig,
    ) -> str:
        with self._spans.of_run(self._names) if self._spans else nullcontext():
            result = Runner.run_streamed(
                agent,
                cast("list[TResponseInputItem]", said),
                context=context,
                session=session,
                max_turns=self._most_calls,
                hooks=follower.meter,
                run_config=config,
            )
            await _follow(result, follower, session, context)
        # A run that was cancelled ends without an error: only an answer is an answer.
        if result.final_output is None:
            raise ModelBehaviorError("the run ended without an answer")
        return result.last_agent.name

    def _config_for(self, context: SupportContext, purse: Purse | None) -> RunConfig:
        """The configuration of one turn: with a model that keeps to budgets and sees no personal data, where the
        operator says so."""
        veil = self._personal.veil((*context.own_words, *self._public) if context.shared else None)
        model = veiled(paid(self.model, purse), veil)
        return self._config if model is self.model else replace(self._config, model=model)

    def agent_named(self, name: str) -> Agent[SupportContext]:
        """The agent of that name, the first one where there is none."""
        return self._agents.get(name, self._agents[TRIAGE])


def _build_agents(settings: AgentSettings, model: Model) -> dict[str, Agent[SupportContext]]:
    def make(name: str, description: str, instructions: Instructions) -> Agent[SupportContext]:
        return Agent(
            name=name,
            handoff_description=description,
            instructions=instructions,
            tools=list(TOOLS),
            model=model,
            # Without one the SDK takes those of its own default model.
            model_settings=ModelSettings(),
        )

    triage = make(TRIAGE, "Everything that is nobody else's.", triage_instructions(settings))
    specialists = {
        name: make(name, specialist.description, specialist_instructions(settings, name))
        for name, specialist in settings.specialists.items()
    }
    triage.handoffs = [_handoff_to(specialist) for specialist in specialists.values()]
    for specialist in specialists.values():
        specialist.handoffs = [_handoff_to(triage)]
    return {TRIAGE: triage, **specialists}


def _operators_words(settings: AgentSettings) -> tuple[str, ...]:
    """What the operator wrote for customers to hear: nobody's personal data."""
    return settings.instructions, *[specialist.instructions for specialist in settings.specialists.values()]


def _handoff_to(agent: Agent[SupportContext]) -> Handoff[SupportContext, Agent[SupportContext]]:
    """A handoff made by hand: through those of `handoff()` the SDK fingerprints every agent three times in each run."""

    async def hand_over(run: RunContextWrapper[SupportContext], arguments: str) -> Agent[SupportContext]:
        return agent

    return Handoff(
        tool_name=Handoff.default_tool_name(agent),
        tool_description=Handoff.default_tool_description(agent),
        input_json_schema={"type": "object", "properties": {}, "required": [], "additionalProperties": False},
        on_invoke_handoff=hand_over,
        agent_name=agent.name,
    )


def _leak_finder(context: SupportContext, conversation: Sequence[Item]) -> Callable[[str], str | None]:
    return lambda text: find_leak(text, context, conversation)


def _whole_text(session: TurnSession, safe: SafeText) -> str:
    """All that was said in the run; checked again where some of it was not streamed."""
    said = [text_of(item).strip() for item in session.items if item.get("role") == "assistant"]
    text = "\n\n".join(part for part in said if part)
    if not text:
        raise ModelBehaviorError("the answer is empty")
    if text != safe.shown:
        safe.check(text)
    return text


async def _close(session: TurnSession, context: SupportContext) -> None:
    """Nothing of a failed run is kept, nothing comes later."""
    context.stage.close()
    session.close()
    await session.clear_session()


async def _follow(
    result: RunResultStreaming, follower: Follower, session: TurnSession, context: SupportContext
) -> None:
    """Show what a run does until it is over; where that is cut off, close what it writes to and end it."""
    events = cast("AsyncGenerator[StreamEvent]", result.stream_events())
    try:
        async for event in events:
            await follower.follow(event)
    except BaseException:
        context.stage.close()
        session.close()
        await _stop(result, events)
        raise
    finally:
        # The SDK leaves a run in a circle with it: all of a crowd's would stop the loop while they are collected.
        result._sandbox_cleanup = None


async def _stop(result: RunResultStreaming, events: "AsyncGenerator[StreamEvent]") -> None:
    """End a run and wait for it, so that no tool of it works on."""
    result.cancel()
    if result.run_loop_task is not None:
        await asyncio.wait({result.run_loop_task}, timeout=_STOP_SECONDS)
    await events.aclose()


def _failure(error: Exception, *, in_call: bool) -> tuple[TurnStatus, str]:
    """What a run's error means for the turn, and what the person is told."""
    if isinstance(error, InputGuardrailTripwireTriggered):
        return TurnStatus.BLOCKED, str(error.guardrail_result.output.output_info)
    for kind, status, text in _ANSWERS:
        if isinstance(error, kind):
            log.warning("the agent's turn ended %s: %s", status.value, type(error).__name__)
            return status, text
    own = error if isinstance(error, DeskError) else error.__cause__
    if isinstance(own, RefusedError):
        raise own
    if isinstance(own, OverBudgetError):
        return TurnStatus.BLOCKED, own.reply
    if isinstance(own, DeskError):
        log.warning("a tool failed: %s", type(own).__name__)
        return TurnStatus.FAILED, own.reply
    if in_call:
        log.warning("the model failed: %s", type(error).__name__)
        return TurnStatus.FAILED, ModelFailedError.reply
    log.error("a tool or the agent has a bug", exc_info=error)
    return TurnStatus.FAILED, DeskError.reply


_ANSWERS: tuple[tuple[type[Exception], TurnStatus, str], ...] = (
    (OutputGuardrailTripwireTriggered, TurnStatus.BLOCKED, HELD_BACK),
    (UnsafeTextError, TurnStatus.BLOCKED, HELD_BACK),
    (ModelRefusalError, TurnStatus.BLOCKED, REFUSED),
    (MaxTurnsExceeded, TurnStatus.FAILED, TOO_MANY_STEPS),
    (ModelBehaviorError, TurnStatus.FAILED, UNUSABLE),
)
