"""Everything that touches the outside: platforms, storage, sealing."""
