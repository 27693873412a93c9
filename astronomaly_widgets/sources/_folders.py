"""Folders with a file for each object."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

from .._text_tables import may_be_table
from ..exceptions import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
_N_ASKED = 5


def files_in(folder: Path, suffixes: tuple[str, ...], what: str) -> dict[str, Path]:
    """Return the files of a folder by their names without suffix, which are the object ids.

    Text that is no table, among more files of another kind, is notes.

    Raises
    ------
    SourceError
        There are none with such a suffix, or two of one name; `what` says what was looked for.
    """
    known = [
        (path, suffix)
        for path in sorted(folder.iterdir())
        if not path.name.startswith(".") and (suffix := _suffix(path.name, suffixes)) is not None
    ]
    count = Counter(suffix for _, suffix in known)
    found: dict[str, Path] = {}
    for path, suffix in known:
        if count[suffix] < max(count.values()) and not may_be_table(path):
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


def are_mostly(folder: Path, suffixes: tuple[str, ...], fits: Callable[[Path], bool]) -> bool:
    """Whether a folder holds files of a kind, as five of the most common suffix tell.

    Some may be broken, and there may be a few pictures of them; where pictures are most, they are
    what it holds.
    """
    names = [name for name in os.listdir(folder) if not name.startswith(".")]  # noqa: PTH208 - of millions of files, quicker
    known = sorted((name, kind) for name in names if (kind := _suffix(name, suffixes)) is not None)
    count = Counter(kind for _, kind in known)
    if not count:
        return False
    wanted, n = count.most_common(1)[0]
    if n <= sum(name.lower().endswith(_PICTURES) for name in names):
        return False
    paths = [folder / name for name, kind in known if kind == wanted]
    asked = paths[:: -(-n // _N_ASKED)]
    return 2 * sum(map(fits, asked)) > len(asked)


def _suffix(name: str, suffixes: tuple[str, ...]) -> str | None:
    return next((suffix for suffix in suffixes if name.lower().endswith(suffix)), None)
