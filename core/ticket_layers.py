"""One ticket's timeline replayed, so that a turn's part in it can be lifted off and put on again. Pure.

What a turn changed in a field is a layer on that field. Undo lifts it off, redo puts it on again. Only the top layer
can be lifted, and it goes back only onto the layers it was lifted from. An opening is the layer under everything else;
notes lie beside each other and can always be lifted.
"""

from dataclasses import dataclass, field, replace

from core.models import Ticket, TicketStatus
from core.stage import StagedChange
from core.tickets import field_value, with_value

_OPENING = "opened"
_WITHDRAWN = TicketStatus.WITHDRAWN.value


@dataclass(frozen=True, slots=True)
class PastChange:
    """A line of the timeline, opened. `turn` is whose change it is, or whose change it takes or brings back."""

    id: str
    turn: str | None
    version: int
    field: str
    cause: str
    before: str | None
    after: str | None

    @property
    def key(self) -> str:
        """Name whose layer it belongs to: a turn's, or that of one act of staff."""
        return self.turn or self.id


@dataclass(frozen=True, slots=True)
class _Layer:
    key: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class _Lifted:
    layer: _Layer
    below: list[str]
    while_withdrawn: bool


@dataclass(slots=True)
class Layers:
    """A ticket and the layers of its timeline; `changes` are the new lines that `lift` and `put_back` make."""

    ticket: Ticket
    changes: list[tuple[str, StagedChange]] = field(default_factory=list)
    stands: dict[str, str] = field(default_factory=dict)
    _opener: str | None = None
    _withdrawn_from: str | None = None
    _on: dict[str, list[_Layer]] = field(default_factory=lambda: {"status": [], "priority": []})
    _off: dict[tuple[str, str], _Lifted] = field(default_factory=dict)
    _notes: dict[str, list[str | None]] = field(default_factory=dict)
    _notes_off: dict[str, list[str | None]] = field(default_factory=dict)
    _laid: dict[str, int] = field(default_factory=dict)
    _lifted: dict[str, int] = field(default_factory=dict)

    @property
    def opening_changed(self) -> bool:
        """Whether the new lines withdraw the ticket or bring it back from that."""
        return any(turn == self._opener for turn, _ in self.changes)

    def replay(self, change: PastChange) -> None:
        """Take in the next line of the timeline, oldest first."""
        (self._lifted if change.cause == "undo" else self._laid)[change.key] = change.version
        if change.field == _OPENING:
            self._opener = change.key
        elif change.key == self._opener:
            self._replay_opener(change)
        elif change.field == "note":
            self._replay_note(change)
        elif change.cause == "undo":
            self._take_off(change.field, change.key)
        elif change.cause == "redo":
            self._put_on(change.field, self._off.pop((change.field, change.key)).layer)
        else:
            self._put_on(change.field, _Layer(change.key, change.before, change.after))

    def lift(self, turns: set[str]) -> None:
        """Take back what these turns did, the newest first."""
        for turn in _newest_first(turns, self._laid):
            if turn == self._opener:
                self._withdraw(turn)
            else:
                for name in self._on:
                    self._lift_field(turn, name)
                for note in self._notes.pop(turn, []):
                    self._change(turn, "note", note, None)

    def put_back(self, turns: set[str]) -> None:
        """Bring back what was taken of these turns, the last taken first."""
        for turn in _newest_first(turns, self._lifted):
            if turn == self._opener:
                self._return(turn)
            else:
                for name in self._on:
                    self._put_back_field(turn, name)
                for note in self._notes_off.pop(turn, []):
                    self._change(turn, "note", None, note)
                    self._notes.setdefault(turn, []).append(note)

    # --- the opening: with all its turn did to the ticket, the layer under all others -----------------------------

    def _replay_opener(self, change: PastChange) -> None:
        # The rest of what the opening turn did belongs to the opening; so only its undo and redo count here.
        if change.cause == "undo":
            self._withdrawn_from = change.before
        elif change.cause == "redo":
            self._withdrawn_from = None

    def _withdraw(self, turn: str) -> None:
        if self._withdrawn_from is not None:
            return
        if self._built_on():
            self._stand(_OPENING, "later")
            return
        self._withdrawn_from = self.ticket.status.value
        self._change(turn, "status", self._withdrawn_from, _WITHDRAWN)

    def _return(self, turn: str) -> None:
        if self._withdrawn_from is None:
            return
        if self._built_on() or self.ticket.status is not TicketStatus.WITHDRAWN:
            self._stand(_OPENING, "meanwhile")
            return
        self._change(turn, "status", _WITHDRAWN, self._withdrawn_from)
        self._withdrawn_from = None

    def _built_on(self) -> bool:
        return any(self._on.values()) or any(self._notes.values())

    # --- fields -------------------------------------------------------------------------------------------------------

    def _lift_field(self, turn: str, name: str) -> None:
        layers = self._on[name]
        if not any(layer.key == turn for layer in layers):
            return
        top = layers[-1]
        if top.key != turn or field_value(self.ticket, name) != top.after:
            self._stand(name, "again later")
            return
        self._take_off(name, turn)
        self._change(turn, name, top.after, top.before)

    def _put_back_field(self, turn: str, name: str) -> None:
        lifted = self._off.get((name, turn))
        if lifted is None:
            return
        if not self._fits(name, lifted):
            self._stand(name, "meanwhile")
            return
        del self._off[name, turn]
        self._put_on(name, lifted.layer)
        self._change(turn, name, lifted.layer.before, lifted.layer.after)

    def _fits(self, name: str, lifted: _Lifted) -> bool:
        withdrawn = self._withdrawn_from is not None
        same = self._keys(name) == lifted.below and withdrawn == lifted.while_withdrawn
        return same and field_value(self.ticket, name) == lifted.layer.before

    def _take_off(self, name: str, key: str) -> None:
        layer = next(layer for layer in self._on[name] if layer.key == key)
        self._on[name].remove(layer)
        self._off[name, key] = _Lifted(layer, self._keys(name), self._withdrawn_from is not None)

    def _put_on(self, name: str, layer: _Layer) -> None:
        layers = self._on[name]
        if layers and layers[-1].key == layer.key:
            # A turn that changed a field twice made one layer of it.
            layer = replace(layer, before=layers.pop().before)
        layers.append(layer)

    def _keys(self, name: str) -> list[str]:
        return [layer.key for layer in self._on[name]]

    # --- notes --------------------------------------------------------------------------------------------------------

    def _replay_note(self, change: PastChange) -> None:
        # A turn's notes are taken and brought back together, so their order tells which is which.
        if change.cause == "undo":
            self._notes_off.setdefault(change.key, []).append(self._notes[change.key].pop(0))
        elif change.cause == "redo":
            self._notes.setdefault(change.key, []).append(self._notes_off[change.key].pop(0))
        else:
            self._notes.setdefault(change.key, []).append(change.after)

    # --- what comes of it ---------------------------------------------------------------------------------------------

    def _change(self, turn: str, name: str, before: str | None, after: str | None) -> None:
        changed = with_value(self.ticket, name, after) if after is not None else self.ticket
        self.ticket = replace(changed, version=self.ticket.version + 1)
        self.changes.append((turn, StagedChange(self.ticket.id, self.ticket.version, name, before, after)))

    def _stand(self, name: str, when: str) -> None:
        self.stands[name] = when

    def sentences(self) -> list[str]:
        """Say what stands, as it is now."""
        return [self._sentence(name, when) for name, when in self.stands.items()]

    def _sentence(self, name: str, when: str) -> str:
        if name == _OPENING:
            return f"{self.ticket.name} stays {_words(self.ticket.status.value)}: it was worked on {when}."
        value = _words(field_value(self.ticket, name) or "")
        return f"The {name} of {self.ticket.name} stays {value}: it was changed {when}."


def _newest_first(turns: set[str], versions: dict[str, int]) -> list[str]:
    return sorted(turns & versions.keys(), key=lambda turn: versions[turn], reverse=True)


def _words(value: str) -> str:
    return value.replace("_", " ")
