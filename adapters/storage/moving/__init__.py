"""Moving a whole store: from one engine to another, into a backup and out of it, row by row and verified."""
