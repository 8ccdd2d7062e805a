"""The desk: knows no platform and no database."""
