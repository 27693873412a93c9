"""Names and values as ADQL writes them."""

from __future__ import annotations

import re

_REGULAR = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
# words of ADQL 2.1 that a catalog might use as a name of a column
_RESERVED = frozenset(
    """abs action add all and any area as asc at avg between bit box by case cast ceiling center
    centroid char character check circle close column constraint contains coord1 coord2 coordsys
    count cross current cursor date day desc distance distinct domain double else end exists exp
    external first float floor for found from full go group having hour identity in index inner
    input int integer intersects interval into is join key language last left level like local log
    log10 lower match max min minute mod module month names natural next no not null number offset
    on only open option or order outer output partial pi point polygon position power prior public
    rand read real references region relative right round rows schema scroll second section select
    session set sign sin size smallint some space sqrt sum table tan temporary then time timestamp
    to top trailing transaction translation trim truncate union unique unknown update upper usage
    user using value values view when where with work write year zone""".split()  # noqa: SIM905 - a word a line would fill a file
)


def quoted(name: str) -> str:
    """Write a name as ADQL does: in double quotes if it is no ordinary word, or a reserved one."""
    if _REGULAR.fullmatch(name) and name.lower() not in _RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def literal(value: str | float) -> str:
    """Write a value: text in single quotes, a negative number in brackets."""
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return f"({value!r})" if value < 0 else repr(value)
