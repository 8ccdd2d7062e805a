"""Discord: threads in servers, and direct messages."""
