"""Folders with a file for each object."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ..exceptions import SourceError

if TYPE_CHECKING:
    from pathlib import Path

_PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")


def files_in(folder: Path, suffixes: tuple[str, ...], what: str) -> dict[str, Path]:
    """Return the files of a folder by their names without suffix, which are the object ids.

    Raises
    ------
    SourceError
        There are none with such a suffix, or two of one name; `what` says what was looked for.
    """
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        suffix = _suffix(path, suffixes)
        if suffix is None or path.name.startswith("."):
            continue
        name = path.name[: -len(suffix)]
        if name in found:
            raise SourceError(f"{path.name!r} and {found[name].name!r} would have the same id")
        found[name] = path
    if not found:
        raise SourceError(
            f"there are no {what} in the folder {str(folder)!r}; wanted {', '.join(suffixes)}"
        )
    return found


def typical_file(folder: Path, suffixes: tuple[str, ...]) -> Path | None:
    """Return a file of the most common suffix, or None in a folder without one, or of pictures."""
    paths = [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
    if any(path.name.lower().endswith(_PICTURES) for path in paths):
        return None
    kinds = [(path, _suffix(path, suffixes)) for path in paths]
    count = Counter(suffix for _, suffix in kinds if suffix is not None)
    if not count:
        return None
    wanted = count.most_common(1)[0][0]
    return next(path for path, suffix in kinds if suffix == wanted)


def _suffix(path: Path, suffixes: tuple[str, ...]) -> str | None:
    return next((suffix for suffix in suffixes if path.name.lower().endswith(suffix)), None)
