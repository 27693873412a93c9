"""Pages as windows on a ranking that was taken once and does not move."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray


class Pages:
    """A fixed list of objects, shown some at a time.

    Objects can become hidden while the list is read (they are labeled, and labeled ones are to be
    hidden). A page is therefore not the k-th slice of what is left, which would skip objects after
    each labeled page, but the next `per_page` objects to be seen after the last one that was shown.

    Parameters
    ----------
    rows : ndarray of int, shape (n,)
        The list, as rows of the session.
    per_page : int
        How many objects a page holds.
    is_hidden : callable
        ``is_hidden(row)``: whether to leave the object out of pages to come.
    """

    def __init__(
        self, rows: NDArray[np.intp], per_page: int, is_hidden: Callable[[int], bool]
    ) -> None:
        self.rows = rows
        self.per_page = per_page
        self._is_hidden = is_hidden

    def go_on(self, kept: int, rows: NDArray[np.intp]) -> None:
        """Keep the first so many of the list, and let `rows`, but for those, follow."""
        first = self.rows[:kept]
        self.rows = np.concatenate([first, rows[~np.isin(rows, first)]])

    def start(self) -> tuple[int, ...]:
        """Return the positions of the first page."""
        return self._forward(0)

    def after(self, shown: Sequence[int]) -> tuple[int, ...]:
        """Return the positions of the page after the one of `shown`; empty if there is none."""
        return self._forward(shown[-1] + 1) if shown else ()

    def before(self, shown: Sequence[int]) -> tuple[int, ...]:
        """Return the positions of the page before the one of `shown`; empty if there is none."""
        if not shown:
            return ()
        found: list[int] = []
        for position in range(shown[0] - 1, -1, -1):
            if not self._is_hidden(int(self.rows[position])):
                found.append(position)
                if len(found) == self.per_page:
                    return tuple(reversed(found))
        # fewer than a page before: a full first page is better than a stub
        return self.start() if found else ()

    def around(self, row: int) -> tuple[int, ...]:
        """Return the positions of the page that holds an object, hidden or not, or empty."""
        found = np.flatnonzero(self.rows == row)
        if not len(found):
            return ()
        position = int(found[0])
        return self._forward(position - position % self.per_page, keep=position)

    def number(self, shown: Sequence[int]) -> int:
        """Return the number of the page that shows `shown`, from 1."""
        return shown[0] // self.per_page + 1 if shown else 1

    def count(self, shown: Sequence[int]) -> int:
        """Return the number of pages, as it seems from the page that shows `shown`."""
        if not self.after(shown):
            return self.number(shown)
        return max(self.number(shown) + 1, -(-len(self.rows) // self.per_page))

    def at(self, positions: Sequence[int]) -> NDArray[np.intp]:
        """Return the rows at these positions."""
        return self.rows[list(positions)]

    def _forward(self, start: int, keep: int = -1) -> tuple[int, ...]:
        found: list[int] = []
        for position in range(start, len(self.rows)):
            if position == keep or not self._is_hidden(int(self.rows[position])):
                found.append(position)
                if len(found) == self.per_page:
                    break
        return tuple(found)
