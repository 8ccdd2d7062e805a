"""The terminal as a platform: one person at a keyboard, or JSON lines."""
