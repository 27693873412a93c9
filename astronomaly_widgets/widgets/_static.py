"""Front-end files of the widgets, read once when a widget class is defined."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent / "static"


def bundle(*names: str) -> str:
    """Join front-end files into one text.

    anywidget wants one ES module and one style sheet per widget, and there is no build step: files
    that widgets share (``channel.js``) are plain functions without ``import`` or ``export``, put
    before the file that ends in ``export default { render }``. Top-level names of the joined files
    share one scope.

    Parameters
    ----------
    *names : str
        File names in ``widgets/static``, in the order in which they are joined.

    Returns
    -------
    str
        What to give to ``_esm`` or ``_css`` of an anywidget.
    """
    return "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in names)
