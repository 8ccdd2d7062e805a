"""Kills the desk at random and counts what was lost, doubled or out of order."""
