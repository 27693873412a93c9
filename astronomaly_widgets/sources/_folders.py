"""Folders and lists with a file for each object."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._text_tables import may_be_table
from ..exceptions import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
_N_ASKED = 5


def are_files(thing: Any) -> bool:
    """Whether something is a list of paths."""
    return (
        isinstance(thing, list | tuple)
        and bool(thing)
        and all(isinstance(each, str | os.PathLike) for each in thing)
    )


def is_folder_or_files(thing: Any) -> bool:
    """Whether something is the path of a folder, or a list of paths."""
    if isinstance(thing, str | os.PathLike):
        return Path(thing).expanduser().is_dir()
    return are_files(thing)


def absolute(paths: Any) -> str | list[str]:
    """Return a path, or a list of them, as a project finds it again from elsewhere."""
    if isinstance(paths, str | os.PathLike):
        return str(Path(paths).expanduser().absolute())
    return [str(Path(path).expanduser().absolute()) for path in paths]


def matching(pattern: str) -> list[str]:
    """Return the files that a pattern such as ``cutouts/*.png`` fits, sorted by name.

    Hidden ones are left out, as a shell does: macOS lays a ``._a.png`` beside each ``a.png``.
    """
    whole = Path(pattern).expanduser()
    inside = str(whole.relative_to(whole.anchor))
    found = map(str, Path(whole.anchor).glob(inside))
    return sorted(path for path in found if _n_hidden(path) <= _n_hidden(str(whole)))


def _n_hidden(path: str) -> int:
    return f"{os.sep}{path}".count(f"{os.sep}.")


def is_pattern(path: str | os.PathLike[str]) -> bool:
    """Whether a path stands for several files; one that exists is what it says."""
    return any(c in os.fspath(path) for c in "*?[") and not Path(path).expanduser().exists()


def files_in(
    place: str | os.PathLike[str] | Sequence[Any], suffixes: tuple[str, ...], what: str
) -> dict[str, Path]:
    """Return the files of a folder, or of a list, by their names without suffix: the object ids.

    Text that is no table, among more files of another kind in a folder, is notes. What a list names
    is an object, whatever it is called.

    Raises
    ------
    SourceError
        There are none with such a suffix, or two of one name; `what` says what was looked for.
    """
    if isinstance(place, str | os.PathLike):
        known = [
            (path, suffix)
            for path in sorted(Path(place).expanduser().iterdir())
            if not path.name.startswith(".") and (suffix := _suffix(path.name, suffixes))
        ]
        count = Counter(suffix for _, suffix in known)
        most = max(count.values(), default=0)
        known = [(p, suffix) for p, suffix in known if count[suffix] == most or may_be_table(p)]
    else:
        paths = [Path(path).expanduser() for path in place]
        known = [(path, _suffix(path.name, suffixes) or path.suffix) for path in paths]
    found: dict[str, Path] = {}
    for path, suffix in known:
        name = path.name[: len(path.name) - len(suffix)]
        if name in found:
            raise SourceError(
                f"{str(path)!r} and {str(found[name])!r} would have the same id, {name!r}; give a "
                "mapping from ids of your own to the files"
            )
        found[name] = path
    if not found:
        raise SourceError(
            f"there are no {what} in the folder {str(place)!r}; wanted {', '.join(suffixes)}"
        )
    return found


def are_mostly(
    place: str | os.PathLike[str] | Sequence[Any],
    suffixes: tuple[str, ...],
    fits: Callable[[Path], bool],
) -> bool:
    """Whether a folder or a list holds files of a kind, as five of the most common suffix tell.

    Some may be broken, and there may be a few pictures of them; where pictures are most, they are
    what it holds.
    """
    folder = Path()
    if isinstance(place, str | os.PathLike):
        folder = Path(place).expanduser()
        names = [name for name in os.listdir(folder) if not name.startswith(".")]  # noqa: PTH208 - of millions of files, quicker
    else:
        names = list(map(os.fspath, place))
    known = sorted((name, kind) for name in names if (kind := _suffix(name, suffixes)) is not None)
    count = Counter(kind for _, kind in known)
    if not count:
        return False
    wanted, n = count.most_common(1)[0]
    if n <= sum(name.lower().endswith(_PICTURES) for name in names):
        return False
    names = [name for name, kind in known if kind == wanted]
    asked = [(folder / name).expanduser() for name in names[:: -(-n // _N_ASKED)]]
    return 2 * sum(map(fits, asked)) > len(asked)


def _suffix(name: str, suffixes: tuple[str, ...]) -> str | None:
    return next((suffix for suffix in suffixes if name.lower().endswith(suffix)), None)
