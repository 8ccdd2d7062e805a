"""The model's Markdown as Slack's mrkdwn, through a real parser. What comes out can ping nobody.

Slack gives `&`, `<` and `>` a meaning anywhere, also in code, and knows no backslash:
https://docs.slack.dev/messaging/formatting-message-text
"""

import re
from collections.abc import Iterable

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

JOINER = "\N{WORD JOINER}"
"""An invisible character that parts what must not be read together."""

_BOUNDARY = "\N{ZERO WIDTH SPACE}"
"""An invisible blank: Slack reads its marks at the edge of a word only."""

_DEEPEST = 60
_PARSER = (
    MarkdownIt("commonmark", {"html": False, "maxNesting": _DEEPEST})
    .enable(["table", "strikethrough"])
    # Definitions of links would vanish, and a piece of a long text has not its other pieces' definitions.
    .disable("reference")
)
_MARKS = {"strong": "*", "em": "_", "s": "~"}
_MARKED = {*_MARKS, "code_inline"}
_BULLETS = "•◦▪"
_RULE = "─" * 10
_WIDEST = 120
"""Characters a table may be wide and still have its columns aligned."""

_ADDRESS = re.compile(r"(?:https?://|mailto:|tel:)\S", re.IGNORECASE)
_BARE_ADDRESS = re.compile(r"https?://[^\s<>|`*\"]+[^\s<>|`*\".,;:!?'()\[\]]", re.IGNORECASE)
_EVERYBODY = re.compile(r"(?<!\w)@(?=(?:channel|here|everyone|group)\b)", re.IGNORECASE)
_TOKEN = re.compile(r"<(?=[!@#])")
_UNDECIDED = re.compile(r"(?:<|@\w{0,8})\Z")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_IN_ADDRESS = {"<": "%3C", ">": "%3E", "|": "%7C", "&": "&amp;"}


def mrkdwn(markdown: str) -> str:
    """Render Markdown as mrkdwn; blank only where it is blank."""
    tokens = _PARSER.parse(markdown)
    if any(one.level >= _DEEPEST - 1 for token in tokens for one in (token, *(token.children or ()))):
        # The parser leaves out what is nested deeper: better as it is than not at all.
        return plain(markdown).strip()
    rendered = _blocks(SyntaxTreeNode(tokens).children).strip("\n")
    return rendered if rendered.strip() else plain(markdown).strip()


def plain(text: str) -> str:
    """Render a text as it stands: nothing in it is markup, a mention or a fence."""
    return _EVERYBODY.sub("@" + JOINER, text.translate(_ESCAPES)).replace("`", f"{JOINER}`{JOINER}")


def defused(markdown: str) -> str:
    """Take the pings out of Markdown that Slack renders itself, as in streams: it reads `<!here>` there as well."""
    return _EVERYBODY.sub("@" + JOINER, _TOKEN.sub("<" + JOINER, markdown))


def decided(markdown: str) -> str:
    """The beginning of a text still being written whose `defused` form stays the same whatever follows."""
    return _UNDECIDED.sub("", markdown)


def _blocks(nodes: Iterable[SyntaxTreeNode], between: str = "\n\n", depth: int = 0) -> str:
    return between.join(block for node in nodes if (block := _block(node, depth)))


def _block(node: SyntaxTreeNode, depth: int) -> str:
    match node.type:
        case "paragraph":
            return _inline(node)
        case "heading":
            title = _inline(node, bold=True).replace("\n", " ")
            return f"*{title}*" if title.strip() else ""
        case "bullet_list" | "ordered_list":
            return _list(node, depth)
        case "blockquote":
            return _lines(_blocks(node.children, depth=depth), first="> ", others="> ")
        case "fence" | "code_block":
            return _code(node.content)
        case "table":
            return _table(node)
        case "hr":
            return _RULE
    return plain(node.content)


def _list(node: SyntaxTreeNode, depth: int) -> str:
    start = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else None
    items = []
    for number, item in enumerate(node.children):
        mark = _BULLETS[depth % len(_BULLETS)] if start is None else f"{start + number}."
        body = _blocks(item.children, between="\n", depth=depth + 1)
        items.append(_lines(body, first=f"{mark} ", others="    "))
    return "\n".join(items)


def _lines(text: str, *, first: str, others: str) -> str:
    return first + text.replace("\n", "\n" + others)


def _code(content: str) -> str:
    code = re.sub("`(?=`)", "`" + JOINER, content.rstrip("\n").translate(_ESCAPES))
    return f"```\n{code}\n```" if code.strip() else "``` ```"


def _table(node: SyntaxTreeNode) -> str:
    """A table as code: Slack's mrkdwn has none. A wide one has its columns unaligned."""
    lists = [row.children for part in node.children for row in part.children]
    rows = [[_words(cell).replace("\n", " ") for cell in cells] for cells in lists]
    widths = [max(3, *(len(cell) for cell in column)) for column in zip(*rows, strict=True)]
    if sum(widths) > _WIDEST:
        widths = [3] * len(widths)
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "-+-".join("-" * width for width in widths))
    return _code("\n".join(lines))


def _inline(node: SyntaxTreeNode, *, bold: bool = False) -> str:
    """Render what stands in a block or a mark; inside bold, bold is nothing further."""
    done, marked = "", False
    for child in node.children:
        if child.type == "inline":
            return _inline(child, bold=bold)
        piece = _piece(child, bold=bold)
        if not piece:
            continue
        parted = (child.type in _MARKED and done[-1:].isalnum()) or (marked and piece[0].isalnum())
        done += _BOUNDARY + piece if parted or (marked and child.type in _MARKED) else piece
        marked = child.type in _MARKED
    return done


def _piece(node: SyntaxTreeNode, *, bold: bool) -> str:
    match node.type:
        case "text":
            return _text(node.content)
        case "softbreak" | "hardbreak":
            return "\n"
        case "code_inline":
            return f"`{node.content.translate(_ESCAPES).replace('`', 'ˋ')}`"
        case "strong" | "em" | "s":
            inner = _inline(node, bold=bold or node.type == "strong").replace("\n", " ")
            mark = "" if bold and node.type == "strong" else _MARKS[node.type]
            return f"{mark}{inner}{mark}" if inner.strip() else inner
        case "link":
            return _link(str(node.attrs.get("href", "")), _words(node))
        case "image":
            return _link(str(node.attrs.get("src", "")), node.content)
    return plain(node.content)


def _words(node: SyntaxTreeNode) -> str:
    """The bare words in a node, without marks and links."""
    if node.type in ("softbreak", "hardbreak"):
        return "\n"
    return "".join(map(_words, node.children)) if node.children else node.content


def _text(text: str) -> str:
    """Render a raw text; addresses in it become links, since Slack is told to find none itself."""
    pieces, at = [], 0
    for address in _BARE_ADDRESS.finditer(text):
        pieces += [plain(text[at : address.start()]), f"<{_address(address[0])}>"]
        at = address.end()
    return "".join((*pieces, plain(text[at:])))


def _link(target: str, label: str) -> str:
    """Link to the web, a mailbox or a telephone; whatever else a link leads to is shown and not linked."""
    words = plain(" ".join(label.split()))
    if not _ADDRESS.match(target):
        return f"{words} ({plain(target)})" if target else words
    # A label that is an address itself could name another one than it leads to.
    return f"<{_address(target)}|{words}>" if words and not _ADDRESS.match(label) else f"<{_address(target)}>"


def _address(target: str) -> str:
    return re.sub(r"[<>|&\s]", lambda found: _IN_ADDRESS.get(found[0], "%20"), target)
