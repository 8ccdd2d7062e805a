import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.slack.markdown import JOINER, decided, defused, mrkdwn

PING = re.compile(r"<[!@#]|(?<!\w)@(?:channel|here|everyone|group)\b", re.IGNORECASE)
MARKS = st.sampled_from(
    [
        "*",
        "**",
        "_",
        "~~",
        "`",
        "``",
        "```",
        "````",
        "~~~\n",
        "# ",
        "- ",
        "1. ",
        "> ",
        "\n",
        "\n\n",
        "    ",
        "|",
        "|-|\n",
    ]
    + ["<!channel>", "<@U1>", "<#C1>", "&lt;!here&gt;", "&#60;!here>", "@here", "@everyone", "\\", "<", ">", "&"]
    + [
        "[a](",
        ")",
        "![",
        "](javascript:x)",
        "](<!here>)",
        "https://x.example/?a=1&b|<",
        "<https://y.example>",
        "[",
        "]",
    ]
)
MARKDOWN = st.lists(MARKS | st.text(max_size=6), max_size=30).map("".join)


@pytest.mark.parametrize(
    ("markdown", "rendered"),
    [
        ("plain", "plain"),
        ("**bold** *it* _it_ ~~no~~ `code`", "*bold* _it_ _it_ ~no~ `code`"),
        ("***both***", "_*both*_"),
        ("# Title with **bold**", "*Title with bold*"),
        ("one\ntwo\n\nthree", "one\ntwo\n\nthree"),
        ("a < b & c > d", "a &lt; b &amp; c &gt; d"),
        ("`a < b`", "`a &lt; b`"),
        ("```py\nif a < b:\n    x()\n```", "```\nif a &lt; b:\n    x()\n```"),
        ("~~~\n```\n~~~", f"```\n`{JOINER}`{JOINER}`\n```"),
        ("- one\n  - two\n- three", "• one\n    ◦ two\n• three"),
        ("3. three\n4. four", "3. three\n4. four"),
        ("- one\n\n  more", "• one\n    more"),
        ("> said\n> so", "> said\n> so"),
        ("| a | b |\n|---|---|\n| 1 | <2> |", "```\na   | b\n----+----\n1   | &lt;2&gt;\n```"),
        ("[label](https://x.example/?a=1&b=2)", "<https://x.example/?a=1&amp;b=2|label>"),
        ("<https://x.example>", "<https://x.example>"),
        ("see https://x.example/a_b, ok", "see <https://x.example/a_b>, ok"),
        ("[mail](mailto:a@x.example)", "<mailto:a@x.example|mail>"),
        ("![picture](https://x.example/p.png)", "<https://x.example/p.png|picture>"),
        ("[me](javascript:alert(1))", "[me](javascript:alert(1))"),
        ("[me](slack://channel?id=1)", "me (slack://channel?id=1)"),
        ("[id]: https://x.example", "[id]: <https://x.example>"),
        ("<b>html</b>", "&lt;b&gt;html&lt;/b&gt;"),
        ("fish&amp;chips &lt;b&gt;", "fish&amp;chips &lt;b&gt;"),
        ("a**b**c", "a\u200b*b*\u200bc"),
        ("---", "─" * 10),
        ("#", "#"),
        ("", ""),
    ],
)
def test_markdown_becomes_mrkdwn(markdown, rendered):
    assert mrkdwn(markdown) == rendered


@pytest.mark.parametrize("ping", ["<!channel>", "<!here|x>", "<@U1>", "<#C1>", "<!subteam^S1>", "@everyone", "@here"])
@pytest.mark.parametrize(
    "around", ["{}", "**{}**", "`{}`", "```\n{}\n```", "> {}", "| {} |\n|---|", "[{}](https://x.example)"]
)
def test_nobody_is_pinged(ping, around):
    rendered = mrkdwn(around.format(ping))
    assert not re.search(r"<[!@#]", rendered)
    assert "`" in rendered or not PING.search(rendered)


def test_an_address_cannot_end_its_link_early():
    assert mrkdwn("[a](<https://x.example/|b c>)") == "<https://x.example/%7Cb%20c|a>"


def test_a_label_cannot_name_another_address_than_it_leads_to():
    assert mrkdwn("[https://good.example](https://bad.example)") == "<https://bad.example>"


def test_a_wide_table_has_its_columns_unaligned():
    table = f"| a | b |\n|---|---|\n| {'x' * 150} | y |\n| z | w |"
    assert mrkdwn(table).split("\n")[-2] == "z   | w"


def test_what_is_nested_too_deeply_is_shown_as_it_stands():
    assert mrkdwn(">" * 200 + "deep") == "&gt;" * 200 + "deep"
    assert "deep" in mrkdwn("*" * 3_000 + "deep" + "*" * 3_000)


@given(MARKDOWN)
@example("`a`\\``b`")
@example("~~~\n`````\n~~~")
def test_no_text_pings_breaks_a_fence_or_vanishes(markdown):
    rendered = mrkdwn(markdown)
    assert not re.search(r"<(?!https?://|mailto:|tel:)", rendered, re.IGNORECASE)
    assert not re.search(r"&(?!amp;|lt;|gt;)", rendered)
    assert rendered.count("```") % 2 == 0
    assert "````" not in rendered
    assert bool(rendered.strip()) == bool(markdown.strip())


@given(MARKDOWN)
def test_a_stream_pings_nobody_and_only_ever_grows(markdown):
    shown = ""
    for end in range(len(markdown) + 1):
        now = defused(decided(markdown[:end]))
        assert now.startswith(shown)
        shown = now
    whole = defused(markdown)
    assert whole.startswith(shown)
    assert not PING.search(whole)
    assert whole.replace(JOINER, "") == markdown.replace(JOINER, "")
