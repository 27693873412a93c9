"""A bar of progress that leaves nothing behind."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def passing_bar(**settings: Any) -> Iterator[Any]:
    """Show a bar as long as the context lasts; what comes after it says what became of the work.

    tqdm's own ``leave=False`` empties the bar of a notebook, but not its place: a page that is
    loaded again would show "model not found" there.

    Parameters
    ----------
    **settings
        Of ``tqdm``.

    Yields
    ------
    tqdm
    """
    from tqdm.auto import tqdm

    settings |= {"smoothing": 0.1, "dynamic_ncols": True, "leave": False}
    notebook = sys.modules.get("tqdm.notebook")  # tqdm.auto imports it where there is one
    if notebook is None or not issubclass(tqdm, notebook.tqdm) or settings.get("disable"):
        with tqdm(**settings) as bar:
            yield bar
        return
    with tqdm(**settings, display=False) as bar:
        place = notebook.display(bar.container, display_id=True)
        yield bar
    place.update({"text/html": ""}, raw=True)
