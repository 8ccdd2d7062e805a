"""Lanes of the desk beside engines that could have been used instead: the same events, the same handler, one run."""
