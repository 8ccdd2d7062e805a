"""What Discord refuses because it is too long, too much or malformed. Pure."""

from collections.abc import Iterator

from simulators.discord_service.errors import RefusedError, invalid
from simulators.discord_service.model import Json

CONTENT, NITRO_CONTENT = 2_000, 4_000
EMBEDS, EMBED_CHARACTERS = 10, 6_000
LONGEST_IN_EMBED = {"title": 256, "description": 4_096}
FIELDS, FIELD_NAME, FIELD_VALUE, FOOTER, AUTHOR = 25, 256, 1_024, 2_048, 256
ROWS, BUTTONS, LABEL, CUSTOM_ID, OPTIONS = 5, 5, 80, 100, 25
NONCE = 25
THREAD_NAME = 100
MODAL_TITLE = 45
CHOICES = 25
LINK_STYLE = 5
SELECTS = (3, 5, 6, 7, 8)


def check_message(body: Json) -> None:
    """Refuse the words, embeds and components Discord would refuse."""
    check_length("content", body.get("content"), CONTENT)
    check_length("nonce", None if body.get("nonce") is None else str(body["nonce"]), NONCE)
    check_embeds(body.get("embeds") or [])
    check_components(body.get("components") or [])


def check_length(field: str, text: object, most: int, *, least: int = 0) -> None:
    """Refuse a text out of its bounds."""
    if text is None and not least:
        return
    if not isinstance(text, str):
        raise invalid(field, "BASE_TYPE_REQUIRED", "This field is required")
    if not least <= len(text) <= most:
        if least:
            raise invalid(field, "BASE_TYPE_BAD_LENGTH", f"Must be between {least} and {most} in length.")
        raise invalid(field, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.")


def check_embeds(embeds: list[Json]) -> None:
    """Refuse embeds over their bounds, each and together."""
    if len(embeds) > EMBEDS:
        raise invalid("embeds", "BASE_TYPE_MAX_LENGTH", f"Must be {EMBEDS} or fewer in length.")
    for index, embed in enumerate(embeds):
        _check_embed(f"embeds.{index}", embed)
    if sum(len(text) for embed in embeds for text in words_of(embed)) > EMBED_CHARACTERS:
        raise invalid("embeds", "MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds maximum size of {EMBED_CHARACTERS}")


def words_of(embed: Json) -> Iterator[str]:
    """Give the words of an embed that count."""
    yield from (embed[name] for name in ("title", "description") if embed.get(name))
    for name, inner in (("footer", "text"), ("author", "name")):
        yield (embed.get(name) or {}).get(inner) or ""
    for field in embed.get("fields") or []:
        yield from (str(field.get("name", "")), str(field.get("value", "")))


def check_components(rows: list[Json]) -> None:
    """Refuse rows, buttons and menus over their bounds; custom ids are unique in a message."""
    if len(rows) > ROWS:
        raise invalid("components", "BASE_TYPE_MAX_LENGTH", f"Must be {ROWS} or fewer in length.")
    for index, row in enumerate(rows):
        inner = row.get("components") or []
        if row.get("type") != 1:
            raise invalid(f"components.{index}", "UNION_TYPE_CHOICES", "Value of field type must be one of (1,).")
        if not 1 <= len(inner) <= BUTTONS:
            raise invalid(
                f"components.{index}.components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length."
            )
        for number, component in enumerate(inner):
            _check_component(f"components.{index}.components.{number}", component)
    names = [each["custom_id"] for row in rows for each in row.get("components") or [] if "custom_id" in each]
    if len(names) != len(set(names)):
        raise invalid("components", "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated")


def check_modal(body: Json) -> None:
    """Refuse a form over its bounds."""
    check_length("data.title", body.get("title"), MODAL_TITLE, least=1)
    check_length("data.custom_id", body.get("custom_id"), CUSTOM_ID, least=1)
    if not 1 <= len(body.get("components") or []) <= ROWS:
        raise invalid("data.components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")


def check_not_empty(body: Json, *, files: bool) -> None:
    """Refuse a message without anything in it."""
    parts = ("embeds", "sticker_ids", "components")
    if not (files or str(body.get("content") or "").strip() or any(body.get(part) for part in parts)):
        raise RefusedError(50006)


def _check_embed(where: str, embed: Json) -> None:
    for name, most in LONGEST_IN_EMBED.items():
        check_length(f"{where}.{name}", embed.get(name), most)
    check_length(f"{where}.footer.text", (embed.get("footer") or {}).get("text"), FOOTER)
    check_length(f"{where}.author.name", (embed.get("author") or {}).get("name"), AUTHOR)
    fields = embed.get("fields") or []
    if len(fields) > FIELDS:
        raise invalid(f"{where}.fields", "BASE_TYPE_MAX_LENGTH", f"Must be {FIELDS} or fewer in length.")
    for index, field in enumerate(fields):
        check_length(f"{where}.fields.{index}.name", field.get("name"), FIELD_NAME, least=1)
        check_length(f"{where}.fields.{index}.value", field.get("value"), FIELD_VALUE, least=1)


def _check_component(where: str, component: Json) -> None:
    kind = component.get("type")
    if kind != 2 and kind not in SELECTS:
        raise invalid(f"{where}.type", "UNION_TYPE_CHOICES", "Value of field type must be one of (2, 3, 5, 6, 7, 8).")
    if kind == 2:
        check_length(f"{where}.label", component.get("label"), LABEL)
    if kind == 2 and component.get("style") == LINK_STYLE:
        check_length(f"{where}.url", component.get("url"), 512, least=1)
        return
    check_length(f"{where}.custom_id", component.get("custom_id"), CUSTOM_ID, least=1)
    if kind == 3 and not 1 <= len(component.get("options") or []) <= OPTIONS:
        raise invalid(f"{where}.options", "BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {OPTIONS} in length.")
