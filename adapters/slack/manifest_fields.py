"""The fields of a Slack app manifest that we use, with Slack's limits; a field of no use to us is refused."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Name = Annotated[str, Field(min_length=1, max_length=50)]
Address = Annotated[str, Field(pattern=r"^https://\S+$", max_length=3_000)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class DisplayInformation(_Part):
    """How the app presents itself. Slack refuses a long description under 175 characters."""

    name: str = Field(min_length=1, max_length=35)
    description: str = Field(min_length=1, max_length=140)
    long_description: str = Field(min_length=175, max_length=4_000)
    background_color: str = Field(pattern=r"^#[0-9a-fA-F]{3}([0-9a-fA-F]{3})?$")


class AppHome(_Part):
    """The tabs of the app."""

    home_tab_enabled: bool
    messages_tab_enabled: bool
    messages_tab_read_only_enabled: bool


class BotUser(_Part):
    """The bot people talk to."""

    display_name: str = Field(pattern=r"^[a-z0-9._-]+$", max_length=80)
    always_online: bool


class Prompt(_Part):
    """A question offered to who has none."""

    title: str = Field(min_length=1, max_length=75)
    message: str = Field(min_length=1, max_length=1_000)


class AgentView(_Part):
    """Slack's agent surface; new apps cannot use its predecessor, `assistant_view`."""

    agent_description: str = Field(min_length=1, max_length=300)
    suggested_prompts: list[Prompt] = Field(max_length=4)


class Shortcut(_Part):
    """An entry in the menu of a message."""

    name: str = Field(min_length=1, max_length=24)
    type: Literal["message", "global"]
    callback_id: str = Field(min_length=1, max_length=255)
    description: str = Field(min_length=1, max_length=150)


class SlashCommand(_Part):
    """A slash command; `url` in HTTP mode only."""

    command: str = Field(pattern=r"^/[a-z0-9_-]+$", max_length=32)
    description: str = Field(min_length=1, max_length=2_000)
    usage_hint: str = Field(min_length=1, max_length=1_000)
    should_escape: bool
    url: Address | None = None


class Features(_Part):
    """What people see of the app."""

    app_home: AppHome
    bot_user: BotUser
    agent_view: AgentView | None = None
    shortcuts: list[Shortcut] = Field(min_length=1, max_length=10)
    slash_commands: list[SlashCommand] = Field(min_length=1, max_length=50)


class Scopes(_Part):
    """The permissions of the bot; whoever installs may leave out the optional ones."""

    bot: list[Name] = Field(min_length=1, max_length=255)
    bot_optional: list[Name] = Field(max_length=255)

    @model_validator(mode="after")
    def _optional_ones_are_asked_for(self) -> "Scopes":
        missing = set(self.bot_optional) - set(self.bot)
        if missing:
            raise ValueError(f"optional scopes stand in `bot` as well: {', '.join(sorted(missing))}")
        return self


class OAuthConfig(_Part):
    """How the app is installed; redirects in HTTP mode only."""

    redirect_urls: list[Address] | None = Field(default=None, max_length=1_000)
    scopes: Scopes


class EventSubscriptions(_Part):
    """What Slack tells us; `request_url` in HTTP mode only."""

    request_url: Address | None = None
    bot_events: list[Name] = Field(min_length=1, max_length=100)


class Interactivity(_Part):
    """Where buttons and shortcuts go; `request_url` in HTTP mode only."""

    is_enabled: bool
    request_url: Address | None = None


class Settings(_Part):
    """How Slack reaches us."""

    event_subscriptions: EventSubscriptions
    interactivity: Interactivity
    org_deploy_enabled: bool
    socket_mode_enabled: bool
    token_rotation_enabled: bool


class Manifest(_Part):
    """The whole app."""

    display_information: DisplayInformation
    features: Features
    oauth_config: OAuthConfig
    settings: Settings

    @model_validator(mode="after")
    def _socket_mode_or_addresses(self) -> "Manifest":
        addresses = (
            self.settings.event_subscriptions.request_url,
            self.settings.interactivity.request_url,
            *(command.url for command in self.features.slash_commands),
        )
        if any((address is None) != self.settings.socket_mode_enabled for address in addresses):
            raise ValueError("either Socket Mode is on, or every request URL is given")
        return self
