"""How a table of text is written: what stands between its columns, and what these are called."""

from __future__ import annotations

import gzip
import re
import zlib
from contextlib import contextmanager
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

#: How tables of text are called.
TEXT = (".csv", ".tsv", ".txt", ".dat", ".ascii", ".csv.gz", ".tsv.gz", ".txt.gz", ".dat.gz")
_PROSE = (".txt", ".dat", ".ascii", ".txt.gz", ".dat.gz")  # of what may be no table
_BLANKS = r"\s+"
_QUOTED = re.compile(r'"[^"]*"')
_DASHES = re.compile(r"-+")
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
_BYTES, _N_BYTES_LOOKED = b"byte-by-byte description of file", 8192
_N_LOOKED = 100  # lines: whole numbers do not tell what a comma would mean


def layout(path: Path) -> dict[str, Any]:
    """Tell by its first lines how to read a table of text.

    Columns are separated by commas, tabs, semicolons (then numbers may have a decimal comma) or
    blanks. Lines in front that begin with # are skipped; the last of them may hold the names.
    Farther down, what follows a # is a comment, but not in a CSV or TSV, where a name may hold one.
    Columns that nothing names are ``col1``, ``col2``, ... Units above a line of dashes, as VizieR
    writes them, are skipped; names may have commas where the numbers have blanks, as in the forced
    photometry of ZTF.

    Returns
    -------
    dict
        Arguments of :func:`pandas.read_csv`.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    n_comments, comment, lines = _first_lines(path)
    separator = _separator(lines[0], path)
    first, second, *others = (_fields(line, separator) for line in lines)
    how = {"sep": separator, "skipinitialspace": True, "skiprows": n_comments}
    if others and all(map(_DASHES.fullmatch, others[0])):  # the last line is "#END#"
        skipped = [*range(n_comments), n_comments + 1, n_comments + 2]
        return how | {"skiprows": skipped, "comment": "#"}
    if len(second) == 1 < len(first) == len(second[0].split()):
        return how | {"sep": _BLANKS, "header": 0, "names": first}
    if path.name.lower().endswith(_PROSE):
        how["comment"] = "#"
    if separator == ";" and any(map(_DECIMAL_COMMA.fullmatch, chain(second, *others))):
        how["decimal"] = ","
    names = _fields(comment, _separator(comment, path)) if comment else []
    if len(names) == len(first) and not _are_names(first, second):
        return how | {"header": None, "names": names}
    if _are_data(first, separator):
        return how | {"header": None, "names": [f"col{k + 1}" for k in range(len(first))]}
    return how


def read_text(path: Path, how: dict[str, Any], **more: Any) -> pd.DataFrame:
    """Read a table of text of a known :func:`layout`; with further arguments of ``read_csv``.

    Raises
    ------
    OSError, ValueError
        The file cannot be read, or is no table.
    """
    import pandas as pd

    with _whole(path):
        try:
            frame: pd.DataFrame = pd.read_csv(path, **how, **more)
        except UnicodeDecodeError:  # as Excel writes
            frame = pd.read_csv(path, encoding="cp1252", encoding_errors="replace", **how, **more)
    return frame


def is_machine_readable(path: Path) -> bool:
    """Whether text begins with a description of its bytes, as tables of the journals do."""
    if not path.name.lower().endswith((".txt", ".mrt")):
        return False
    try:
        with path.open("rb") as file:
            return _BYTES in file.read(_N_BYTES_LOOKED).lower()
    except OSError:
        return False  # who reads it says what is wrong


def may_be_table(path: Path) -> bool:
    """Whether a file may be a table: any but one of prose, whose lines differ in length."""
    if not path.name.lower().endswith(_PROSE):
        return True
    try:
        _, _, lines = _first_lines(path)
    except OSError:
        return True  # who reads it says what is wrong
    separator = _separator(lines[0], path)
    first, second = (len(_fields(line, separator)) for line in lines[:2])
    return first == second > 1 or is_machine_readable(path)


def _first_lines(path: Path) -> tuple[int, str, list[str]]:
    """Return how many comments are in front, the last of them, and two or more other lines."""
    n_comments, comment = 0, ""
    lines: list[str] = []
    opened = gzip.open if path.name.lower().endswith(".gz") else open
    with (
        _whole(path),
        opened(path, "rt", encoding="utf-8-sig", errors="replace") as file,
    ):
        for line in file:
            if line.startswith("#") and not lines:
                n_comments, comment = n_comments + 1, line.lstrip("#").strip()
            elif data := _without_comment(line, path):
                lines.append(data)
            elif not lines:
                n_comments += 1  # a blank line among them
            if len(lines) == _N_LOOKED:
                break
    return n_comments, comment, lines + [""] * (2 - len(lines))


def _without_comment(line: str, path: Path) -> str:
    if path.name.lower().endswith(_PROSE):
        line = line.partition("#")[0]
    return line.rstrip("\r\n") if line.strip() else ""


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    """Say of a damaged archive what is said of other files that cannot be read."""
    try:
        yield
    except (EOFError, zlib.error) as error:
        raise OSError(f"{path.name!r} is damaged: {error}") from error


def _separator(line: str, path: Path) -> str:
    """Return what separates the columns, as pandas wants it."""
    plain = _QUOTED.sub("", line)
    best = max("\t;,", key=plain.count)
    if plain.count(best):
        return best
    return "," if ".csv" in path.name.lower() else _BLANKS


def _fields(line: str, separator: str) -> list[str]:
    if separator == _BLANKS:
        return line.split()
    return [field.strip().strip('"') for field in line.split(separator)]


def _are_names(first: list[str], second: list[str]) -> bool:
    """Whether a line is above its column, rather than in it: only below it are numbers."""
    return not any(map(_is_number, first)) and any(map(_is_number, second))


def _are_data(first: list[str], separator: str) -> bool:
    """Whether a line is of numbers that name no columns: 0, 1, 2 do, or wavelengths, in a CSV."""
    if not all(map(_is_number, first)):
        return False
    numbers = [float(field) for field in first]
    return separator in {_BLANKS, "\t"} or any(b <= a for a, b in pairwise(numbers))


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True
