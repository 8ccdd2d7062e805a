"""Everything that can go wrong, as one tree.

DeskError
├── BadInputError          a person or a caller gave something that cannot be used
│   ├── TooLongError           text over the limit
│   ├── UnknownCommandError    a word that is not in the table
│   ├── NothingToUndoError  NothingToRedoError
│   ├── NoSuchTurnError  NoSuchBranchError  BranchExistsError
│   ├── NoSuchTicketError      also the answer for somebody else's ticket
│   └── NoSuchSessionError
├── NotAllowedError        the role or the ownership for it is missing
├── ConfigError            a setting is missing or wrong; stops the start
│   └── KeyringError           the master key or the keyring does not fit the store
│       └── KeyringAwayError       the server that keeps the keyring does not answer now
├── StoreError             the store cannot do its work
│   ├── StoreBusyError         another desk works this store
│   └── SchemaError            not a store of ours, or of a newer version
├── RefusedError           a commit the store refused; nothing of it was written
│   ├── FencedError            the lane's epoch has moved on
│   ├── ChangedError           a row was changed by someone else meanwhile
│   ├── StoppedError           the person asked to stop this turn
│   ├── SpentError             a budget would be overrun
│   ├── AuditMovedError        the audit log does not end where the commit's line was to follow
│   └── ConflictError          a row with this key is there already
├── UnreadableError        sealed content did not open: wrong place, tampered with, or its key is absent
├── ErasedError            sealed content whose key was destroyed on purpose
├── StageClosedError       a tool came too late: its turn is over
├── OverBudgetError        a call of the model was not made: somebody's budget is used up
├── ModelFailedError       the model did not answer
└── PlatformError          a platform refused or could not be reached
    ├── RejectedError          it said no, for good
    └── UnknownOutcomeError    it may or may not have happened
"""


class DeskError(Exception):
    """Base of all errors of the desk; `reply` may be shown to a stranger."""

    reply = "Something went wrong on our side. Nothing was changed."

    def __init__(self, message: str = "", *, reply: str | None = None) -> None:
        super().__init__(message or reply or self.reply)
        if reply is not None:
            self.reply = reply


class BadInputError(DeskError, ValueError):
    """A person or a caller gave something that cannot be used. A ValueError too, as the SDK's sessions raise."""

    reply = "I could not read that. Say `help` to see what I understand."


class TooLongError(BadInputError):
    """A text is longer than the desk takes."""

    reply = "That message is longer than 16,000 characters. Please send it in parts."


class UnknownCommandError(BadInputError):
    """A word is not in the table of commands."""

    reply = "I do not know that word. Say `help` to see what I understand."


class NothingToUndoError(BadInputError):
    """The conversation has no turn left to take back."""

    reply = "There is nothing to undo."


class NothingToRedoError(BadInputError):
    """Nothing was taken back since the last new turn."""

    reply = "There is nothing to redo."


class NoSuchTurnError(BadInputError):
    """The conversation has no such turn."""

    reply = "There is no such turn here. Say `history` to see the turns and their numbers."


class NoSuchBranchError(BadInputError):
    """The conversation has no branch of that name."""

    reply = "There is no branch of that name here. Say `branches` to see them."


class BranchExistsError(BadInputError):
    """The conversation has a branch of that name already."""

    reply = "A branch of that name is here already. Choose another name, or `switch` to it."


class NoSuchTicketError(BadInputError):
    """There is no such ticket, or it is somebody else's: the answer is the same."""

    reply = "There is no such ticket among yours. Say `tickets` to see them."


class NoSuchSessionError(BadInputError):
    """There is no such session."""

    reply = "There is no such conversation."


class NotAllowedError(DeskError):
    """The role or the ownership for it is missing."""

    reply = "You may not do that here."


class ConfigError(DeskError):
    """A setting is missing or wrong; the message names it, what was found and what is allowed."""


class KeyringError(ConfigError):
    """The master key or the keyring does not fit the store."""


class KeyringAwayError(KeyringError):
    """The server that keeps the keyring does not answer now; it may in a moment."""


class StoreError(DeskError):
    """The store cannot do its work."""

    reply = "The desk cannot reach its records just now. Please try again in a moment."


class StoreBusyError(StoreError):
    """Another desk works this store."""


class SchemaError(StoreError):
    """The file is not a store of ours, or of a newer version."""


class RefusedError(DeskError):
    """The store refused a commit; nothing of it was written."""


class FencedError(RefusedError):
    """The lane was given to another worker: its epoch has moved on."""


class ChangedError(RefusedError):
    """A row was changed by someone else since it was read; run it again on fresh values."""


class StoppedError(RefusedError):
    """The person asked to stop this turn before it was committed."""


class SpentError(RefusedError):
    """What a call of the model may take is more than what is left of a budget."""


class AuditMovedError(RefusedError):
    """The audit log does not end where the commit's line was to follow: somebody else wrote one meanwhile."""


class ConflictError(RefusedError):
    """A row with this key is there already."""


class UnreadableError(DeskError):
    """Sealed content did not open: wrong place, tampered with, or its key is absent."""

    reply = "A part of this conversation cannot be read. An operator has been told."


class ErasedError(DeskError):
    """Sealed content whose key was destroyed on purpose."""

    reply = "This was erased."


class StageClosedError(DeskError):
    """A tool came too late: its turn failed, was stopped or is committed already."""


class OverBudgetError(DeskError):
    """A call of the model was not made, because somebody's budget is used up."""

    reply = "What may be used of me is used up for now, so I did not answer."


class ModelFailedError(DeskError):
    """The model did not answer, after all retries."""

    reply = "I could not reach my language model just now, so nothing was done. Please say it again in a moment."


class PlatformError(DeskError):
    """A platform refused or could not be reached."""


class RejectedError(PlatformError):
    """The platform said no, for good: trying again changes nothing."""


class UnknownOutcomeError(PlatformError):
    """The call was cut: it may or may not have happened."""
