"""What a guard calls itself where it refuses, on every engine, and the refusal that is."""

from core.errors import AuditMovedError, ChangedError, FencedError, RefusedError, SpentError, StoppedError

GUARDS: dict[str, type[RefusedError]] = {
    "fenced": FencedError,
    "changed": ChangedError,
    "stopped": StoppedError,
    "moved": AuditMovedError,
    "spent": SpentError,
}
