"""The words of the desk: one table, however a word is said (slash, text, reaction, button, menu, terminal)."""

from dataclasses import dataclass
from typing import Literal

from core.config import Operation
from core.models import Button, Command, Event, Reaction, UserMessage

Answer = Literal["place", "private", "none"]
"""Who sees what a word answers: everybody in the conversation, the asker alone, or nobody."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word: its arguments as help shows them, what it does, who sees the answer, and its reaction.

    `reactions` are the platform names of the reaction and `emoji` its character, without skin tone and variation
    selector. In a conversation that several people share, a `for_speakers` word is for those who spoke there.
    An `about_person` word means the same wherever it is said. `needs` is what the asker's role has to allow. An
    `of_others` word is said of somebody else, by a name that people say of themselves.
    """

    name: str
    about: str
    answer: Answer
    args: str = ""
    reaction: str = ""
    emoji: str = ""
    changes_history: bool = False
    for_speakers: bool = False
    about_person: bool = False
    needs: Operation = "own"
    of_others: bool = False


WORDS: tuple[Word, ...] = (
    Word(
        "undo",
        "take back the last turn, or the last n, with what they did",
        "place",
        args="[n]",
        reaction="leftwards_arrow_with_hook",
        emoji="↩",
        changes_history=True,
    ),
    Word(
        "redo",
        "bring back what was taken back last",
        "place",
        reaction="arrow_right_hook",
        emoji="↪",
        changes_history=True,
    ),
    Word("retry", "answer the last message again", "place", reaction="repeat", emoji="🔁", changes_history=True),
    Word(
        "branch",
        "try a what-if from here; `switch main` comes back",
        "place",
        args="[name] [thread]",
        reaction="twisted_rightwards_arrows",
        emoji="🔀",
        changes_history=True,
        for_speakers=True,
    ),
    Word("summary", "sum up this conversation", "private", reaction="memo", emoji="📝"),
    Word(
        "ticket-summary",
        "where a ticket stands: this conversation's, the one you name, or your last one",
        "private",
        args="[TKT-id or last]",
        reaction="ticket",
        emoji="🎫",
    ),
    Word(
        "clear",
        "delete this conversation for good",
        "private",
        reaction="broom",
        emoji="🧹",
        changes_history=True,
    ),
    Word("stop", "stop the answer that is being written", "place", reaction="octagonal_sign", emoji="🛑"),
    Word("helpful", "say that an answer helped", "none", reaction="+1", emoji="👍"),
    Word("not helpful", "say that an answer did not help", "none", reaction="-1", emoji="👎"),
    Word("rewind", "go back to turn N and take back all after it", "place", args="N", changes_history=True),
    Word("switch", "go on with another branch", "place", args="NAME", changes_history=True, for_speakers=True),
    Word("new", "start afresh; this conversation is kept", "place", changes_history=True, for_speakers=True),
    Word(
        "open",
        "let this conversation be about a ticket of yours",
        "place",
        args="TKT-id",
        changes_history=True,
        for_speakers=True,
    ),
    Word("mute", "keep me quiet here until `unmute`", "place", for_speakers=True),
    Word("unmute", "let me answer here again", "place", for_speakers=True),
    Word("help", "show these words", "private", about_person=True),
    Word("whoami", "show who I think you are", "private", about_person=True),
    Word("history", "show the newest turns and their numbers", "private", args="[n]"),
    Word("tickets", "list your tickets", "private", about_person=True),
    Word("ticket", "show one of your tickets", "private", args="TKT-id [platform]", about_person=True),
    Word("staff", "let our staff look at it: opens a ticket for them", "place", args="[what it is about]"),
    Word("branches", "list the branches of this conversation", "private"),
    Word("usage", "show what you have used", "private"),
    Word(
        "usage by",
        "add up what was used here by customer, session, ticket or model; for staff, and the audit log keeps it",
        "private",
        args="WHAT [YYYY-MM] [csv]",
        about_person=True,
        needs="usage_list",
    ),
    Word("export", "send you all I keep of you, as a file", "private", about_person=True),
    Word(
        "export",
        "send you all I keep of somebody here; for staff, and the audit log keeps why",
        "private",
        args="@person REASON",
        about_person=True,
        needs="export_person",
        of_others=True,
    ),
    Word(
        "review",
        "read somebody's conversation; for staff, and the audit log keeps why",
        "private",
        args="@person REASON",
        about_person=True,
        needs="review",
    ),
    Word(
        "search",
        "find words in everybody's conversations; for staff, and the audit log keeps why",
        "private",
        args="WORDS --reason REASON",
        about_person=True,
        needs="search",
    ),
    Word(
        "audit",
        "show who read or did what here; `audit verify` says whether the log is whole; for staff",
        "private",
        args="[n, verify or export]",
        about_person=True,
        needs="audit_read",
    ),
    Word(
        "retention",
        "count what is kept for its time and would go now; `retention run` deletes it, after asking; for admins",
        "private",
        args="[run]",
        about_person=True,
        needs="operate",
    ),
    Word(
        "keys",
        "count the data keys; `keys check` tries them, `keys rotate` makes new ones, after asking; for admins",
        "private",
        args="[check or rotate]",
        about_person=True,
        needs="operate",
    ),
    Word(
        "link",
        "prove on two platforms that you are one person; `link` gives a code, `link CODE` takes it",
        "private",
        args="[CODE] [join or apart]",
        about_person=True,
    ),
    Word("unlink", "be two customers again", "private", about_person=True),
    Word(
        "unlink",
        "take somebody here for one person with others no more; for admins, and the audit log keeps why",
        "private",
        args="@person REASON",
        about_person=True,
        needs="operate",
        of_others=True,
    ),
    Word("forget", "forget you for good, everywhere", "private", args="[me]", about_person=True),
    Word(
        "forget",
        "forget somebody here for good; for admins, and the audit log keeps why",
        "private",
        args="@person REASON",
        about_person=True,
        needs="operate",
        of_others=True,
    ),
    Word(
        "hold",
        "keep all of somebody, whoever wants it deleted, or `end` that; alone, list who is on hold; for admins",
        "private",
        args="[end] [@person REASON]",
        about_person=True,
        needs="operate",
    ),
)

BY_NAME = {word.name: word for word in WORDS if not word.of_others}
OF_OTHERS = {word.name: word for word in WORDS if word.of_others}
BY_REACTION = {key: word for word in WORDS for key in (word.reaction, word.emoji) if key}
_ALIASES = {"not-helpful": "not helpful", "nothelpful": "not helpful", "thumbsup": "+1", "thumbsdown": "-1"}
_OF_ONESELF = ("me", "my", "myself", "confirm", "here")
_VARIATION = "\N{VARIATION SELECTOR-16}"
_SKIN_TONES = "".join(chr(code) for code in range(0x1F3FB, 0x1F400))

ANSWER_BUTTONS = (
    Button("Undo", "undo"),
    Button("Retry", "retry"),
    Button("Helpful", "helpful"),
    Button("Not helpful", "not helpful"),
)
"""The buttons under every answer of the agent, the same on every platform."""
ASK_STAFF = Button("Open a ticket for our staff", "staff")
"""The button where the desk may not answer any more."""


def word_named(name: str) -> Word | None:
    """The word somebody said, None where there is no such word."""
    plain = name.strip().lower()
    return BY_NAME.get(_ALIASES.get(plain, plain))


def word_said(command: Command) -> tuple[Word | None, tuple[str, ...]]:
    """The word a command says, and its arguments."""
    name, args = _whole(command.name, command.args)
    return word_named(name), args


def meant(word: Word, args: tuple[str, ...]) -> Word:
    """The word that is meant: what names somebody else may be another one than what people say of themselves."""
    of_oneself = not args or args[0].lower() in _OF_ONESELF
    return word if of_oneself else OF_OTHERS.get(word.name, word)


def word_of_reaction(reaction: str) -> Word | None:
    """The word a reaction stands for, given as the platform's name or as the character; None for all others."""
    plain = reaction.strip(":").split("::skin-tone", 1)[0].replace(_VARIATION, "")
    plain = plain.rstrip(_SKIN_TONES) or plain
    return BY_REACTION.get(_ALIASES.get(plain, plain))


def words_of(text: str) -> tuple[str, tuple[str, ...]]:
    """Split what follows `/desk`, `!` or `/` into a word and its arguments."""
    name, *args = text.split() or ("",)
    return _whole(name, tuple(args))


def _whole(name: str, args: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """A word and its arguments, where a word of two words may come as one and its first argument."""
    longer = " ".join((name.strip(), *args[:1])).lower()
    return (longer, args[1:]) if args and longer in BY_NAME else (name, args)


def spoken_command(message: UserMessage) -> Command | None:
    """The command a message says with `!WORD`; None for every other message."""
    if not message.text.startswith("!"):
        return None
    name, args = words_of(message.text[1:])
    if word_named(name) is None:
        return None
    return Command(message.id, message.ref, name, args, profile=message.profile, more_than=message.more_than)


def says_stop(event: Event) -> bool:
    """Whether an event says the word that stops what runs, however it is said."""
    if isinstance(event, Reaction):
        word = None if event.removed else word_of_reaction(event.name)
    else:
        command = spoken_command(event) if isinstance(event, UserMessage) else event
        word = word_named(command.name) if isinstance(command, Command) else None
    return word is not None and word.name == "stop"
