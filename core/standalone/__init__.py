"""Sessions for anyone's Runner, without a desk: `DeskSession`, and the store that all of a process share."""
