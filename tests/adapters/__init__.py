"""One suite for every platform."""
