"""The table of Web API methods: what runs, which scope it takes, whose token."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from simulators.slack_service.context import Context
from simulators.slack_service.methods import (
    assistant,
    conversations,
    files,
    history,
    identity,
    posting,
    reactions,
    streams,
    usergroups,
    views,
)
from simulators.slack_service.model import Json


@dataclass(frozen=True, slots=True)
class Method:
    """One method. A scope that depends on the channel is asked for inside `run`."""

    run: Callable[[Context], Json]
    scope: str = ""
    whose: Literal["bot", "app", "none"] = "bot"


METHODS = {
    "agents.sessions.rename": Method(assistant.rename_session, "chat:write"),
    "agents.sessions.setStatus": Method(assistant.set_session, "chat:write"),
    "api.test": Method(identity.api_test, whose="none"),
    "apps.connections.open": Method(identity.connections_open, whose="app"),
    "assistant.threads.setStatus": Method(assistant.set_status, "chat:write"),
    "assistant.threads.setSuggestedPrompts": Method(assistant.set_prompts, "assistant:write"),
    "assistant.threads.setTitle": Method(assistant.set_title, "assistant:write"),
    "auth.revoke": Method(identity.auth_revoke),
    "auth.test": Method(identity.auth_test),
    "bots.info": Method(identity.bots_info, "users:read"),
    "chat.appendStream": Method(streams.append, "chat:write"),
    "chat.delete": Method(posting.delete, "chat:write"),
    "chat.getPermalink": Method(posting.permalink),
    "chat.postEphemeral": Method(posting.whisper, "chat:write"),
    "chat.postMessage": Method(posting.post, "chat:write"),
    "chat.startStream": Method(streams.start, "chat:write"),
    "chat.stopStream": Method(streams.stop, "chat:write"),
    "chat.update": Method(posting.update, "chat:write"),
    "conversations.history": Method(history.history),
    "conversations.info": Method(conversations.info),
    "conversations.list": Method(conversations.list_),
    "conversations.members": Method(conversations.members),
    "conversations.open": Method(conversations.open_),
    "conversations.replies": Method(history.replies),
    "files.completeUploadExternal": Method(files.complete, "files:write"),
    "files.getUploadURLExternal": Method(files.announce, "files:write"),
    "files.info": Method(files.info, "files:read"),
    "oauth.v2.access": Method(identity.oauth_access, whose="none"),
    "reactions.add": Method(reactions.add, "reactions:write"),
    "reactions.get": Method(reactions.get, "reactions:read"),
    "reactions.remove": Method(reactions.remove, "reactions:write"),
    "team.info": Method(identity.team_info, "team:read"),
    "usergroups.list": Method(usergroups.list_, "usergroups:read"),
    "usergroups.users.list": Method(usergroups.users, "usergroups:read"),
    "users.conversations": Method(conversations.joined),
    "users.info": Method(identity.users_info, "users:read"),
    "users.list": Method(identity.users_list, "users:read"),
    "views.open": Method(views.open_),
    "views.publish": Method(views.publish),
    "views.push": Method(views.push),
    "views.update": Method(views.update),
}
