"""Slack's request signature, version 0."""

import hashlib
import hmac


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Sign `body` as `X-Slack-Signature` carries it."""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
