"""The Slack app as its manifest: what we ask of a workspace, and why.

`manifest.yml` at the root is this, written down. Limits: https://docs.slack.dev/reference/app-manifest
"""

from adapters.payloads import Json
from adapters.slack.manifest_fields import (
    AgentView,
    AppHome,
    BotUser,
    DisplayInformation,
    EventSubscriptions,
    Features,
    Interactivity,
    Manifest,
    OAuthConfig,
    Prompt,
    Scopes,
    Settings,
    Shortcut,
    SlashCommand,
)
from adapters.slack.permissions import EVENTS, SCOPES
from adapters.slack.saying import DESK, SHORTCUTS, TICKET_SUMMARY
from core.errors import ConfigError

EVENTS_PATH = "/slack/events"
"""Where Slack posts everything in HTTP mode."""
INSTALL_PATH, REDIRECT_PATH = "/slack/install", "/slack/oauth_redirect"
"""Where people begin to install the app in their workspace, and where Slack sends them back to."""

NAME = "Deskmate"
PROMPTS = (
    ("Open a ticket", "Something does not work and I would like to open a ticket."),
    ("Where do my tickets stand?", "Where do my open tickets stand?"),
    ("Find what we said", "What did we say about my last problem?"),
    ("What can you do?", "What can you do for me?"),
)

_ABOUT = "A support desk that remembers you: tickets, undo and summaries, in DMs, threads and channels."
_LONG = (
    "Deskmate is a support desk that lives where people already talk. Write it a direct message or mention it in a "
    "channel: it remembers each customer for days, opens and tracks tickets, sums up where they stand, and takes back "
    "a mistake when it is asked to. React to undo, say /ticket-summary to see where a ticket stands, or say /desk help "
    "to see every word it knows."
)
_SHORTCUTS = {
    "undo_from_here": ("Undo from here", "Take back this turn and all after it"),
    "summarise": ("Summarise", "Sum up this conversation, for you alone"),
    "create_ticket": ("Create ticket", "Open a ticket about this message"),
    "review": ("Review", "Read this conversation whole; for staff, who say why"),
}


def manifest(*, url: str | None = None, plain: bool = False) -> Json:
    """The manifest: for Socket Mode, or for HTTP under `url`; `plain` without Slack's agent surface.

    ConfigError when the url is none Slack can post to.
    """
    base = None if url is None else _checked(url)
    made = Manifest(
        display_information=DisplayInformation(
            name=NAME, description=_ABOUT, long_description=_LONG, background_color="#1f4d3a"
        ),
        features=_features(base, plain=plain),
        oauth_config=OAuthConfig(redirect_urls=[base + REDIRECT_PATH] if base else None, scopes=_scopes(plain=plain)),
        settings=_settings(base, plain=plain),
    )
    return made.model_dump(exclude_none=True)


def _features(base: str | None, *, plain: bool) -> Features:
    posted_to = base and base + EVENTS_PATH
    agent = AgentView(
        agent_description="Answers support questions, opens and tracks your tickets, and remembers what you told it.",
        suggested_prompts=[Prompt(title=title, message=message) for title, message in PROMPTS],
    )
    return Features(
        app_home=AppHome(home_tab_enabled=True, messages_tab_enabled=True, messages_tab_read_only_enabled=False),
        bot_user=BotUser(display_name=NAME.lower(), always_online=True),
        agent_view=None if plain else agent,
        shortcuts=[
            Shortcut(name=_SHORTCUTS[id_][0], type="message", callback_id=id_, description=_SHORTCUTS[id_][1])
            for id_ in SHORTCUTS
        ],
        slash_commands=[
            SlashCommand(
                command=DESK,
                description="Undo, redo, summary, clear and every other word of the desk",
                usage_hint="WORD, such as: help, undo, summary, tickets",
                should_escape=True,
                url=posted_to,
            ),
            SlashCommand(
                command=TICKET_SUMMARY,
                description="See where a ticket stands: this conversation's, the one you name, or your last one",
                usage_hint="[TKT-1001 or last]",
                should_escape=False,
                url=posted_to,
            ),
        ],
    )


def _scopes(*, plain: bool) -> Scopes:
    asked = [scope for scope in SCOPES if not (plain and scope.agent)]
    # Slack wants an optional scope in both lists.
    return Scopes(bot=[scope.name for scope in asked], bot_optional=[scope.name for scope in asked if scope.optional])


def _settings(base: str | None, *, plain: bool) -> Settings:
    posted_to = base and base + EVENTS_PATH
    events = [event.name for event in EVENTS if not (plain and event.agent)]
    return Settings(
        event_subscriptions=EventSubscriptions(request_url=posted_to, bot_events=events),
        interactivity=Interactivity(is_enabled=True, request_url=posted_to),
        org_deploy_enabled=False,
        socket_mode_enabled=base is None,
        token_rotation_enabled=False,
    )


def _checked(url: str) -> str:
    base = url.strip().rstrip("/")
    if (
        not base.startswith("https://")
        or len(base) < len("https://x")
        or any(character.isspace() for character in base)
    ):
        raise ConfigError(f"--http: Slack posts to a public https:// address, not to {url[:80]!r}")
    return base
