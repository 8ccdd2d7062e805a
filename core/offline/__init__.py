"""The offline stand-in for a language model: rules, the real tools, no account and no key."""

from core.offline.model import OfflineModel

__all__ = ["OfflineModel"]
