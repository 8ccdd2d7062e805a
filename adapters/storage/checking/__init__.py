"""Checking a store: what must be true of its rows, whether their sealed content opens, and what can be repaired."""
