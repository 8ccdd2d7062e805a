"""The programs a person starts."""
