"""A simulated Discord, as a bot's settings name it."""


def settings_for(discord, **others):
    return {
        "DISCORD_TOKEN": discord.token,
        "DISCORD_API_BASE": discord.api_base,
        "DISCORD_GATEWAY": discord.gateway_url,
        "DESK_MODEL": "offline",
        **others,
    }


def answers(discord, person, channel=None):
    """What the bot says to somebody, or in a channel and its threads."""
    places = [person.im] if channel is None else [channel, *discord.threads(channel)]
    seen = [one for place in places for one in discord.seen_by(person, place)]
    return [one.text for one in seen if one.user == discord.app.id and one.text and not one.loading]
