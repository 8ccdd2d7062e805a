"""Room: how many more lanes a process can take up; desks that share a store take no more than they can work."""


class Room:
    """Places for lanes, taken before a claim and given back when nothing was claimed or the lane is done."""

    def __init__(self, most: int | None) -> None:
        """`most` places, None for no end of them: a desk that holds its store alone takes every lane."""
        self._left = most

    def take(self, wanted: int = 1) -> int:
        """Take up to so many places; the number that was to be had."""
        if self._left is None:
            return wanted
        taken = min(wanted, self._left)
        self._left -= taken
        return taken

    def give(self, count: int = 1) -> None:
        """Give places back."""
        if self._left is not None:
            self._left += count
