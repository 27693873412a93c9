"""Which images are one band's tiles, and which are other bands."""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import numpy as np

from ..exceptions import SourceError
from ._geometry import middle, to_pixels
from ._images import image_stem
from ._mosaic import is_folder, mosaics_in, scan, split_extension

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ._mosaic import Plane

Bands = dict[str, list["Plane"]]
#: Filters from red to blue, as they are called at most telescopes.
_RED_TO_BLUE = (
    *("w4", "w3", "w2", "w1", "l", "ks", "k", "h", "j"),
    *("y", "z", "i", "r", "v", "g", "b", "u", "nuv", "fuv"),
)


def open_bands(mosaics: Any, wanted: Sequence[str] | None) -> Bands:
    """Sort the images of all files into bands.

    Parameters
    ----------
    mosaics : path, sequence of paths, or mapping
        A mapping names the bands itself; else see :func:`_guessed`.
    wanted : sequence of str, optional
        The bands to use, in this order; by default that of a mapping, or from red to blue if all
        are known filters, or that of the files. If none of these names is known and there are as
        many as bands, the bands are called so, in the order of the files.

    Returns
    -------
    dict
        Name of the band to its tiles.

    Raises
    ------
    SourceError
        A file cannot be opened, holds no image, or there is no such band.
    """
    if isinstance(mosaics, Mapping):
        bands = {str(name): _tiles(str(name), files) for name, files in mosaics.items()}
    else:
        bands = _guessed([plane for file in _listed(mosaics) for plane in scan(file)])
        bands = _red_first(bands) if wanted is None else bands
    if not bands:
        raise SourceError("no mosaic was given; wanted at least one FITS file")
    if wanted is None:
        return bands
    if isinstance(wanted, str):
        raise TypeError(f"bands is the text {wanted!r}; wanted a list of names")
    if not set(wanted) & set(bands) and len(wanted) == len(bands):
        return dict(zip(wanted, bands.values(), strict=True))
    missing = [name for name in wanted if name not in bands]
    if missing or not wanted:
        raise SourceError(
            f"there is no band {', '.join(map(repr, missing)) or '(bands is empty)'}; "
            f"there are {', '.join(map(repr, bands))}"
        )
    return {name: bands[name] for name in wanted}


def _listed(files: Any) -> list[str]:
    if isinstance(files, str | os.PathLike):
        return mosaics_in(files) if is_folder(files) else [os.fspath(files)]
    return [os.fspath(file) for file in files]


def _tiles(name: str, files: Any) -> list[Plane]:
    """Open the files of one band; each must hold one image, or several that do not overlap."""
    tiles = [plane for file in _listed(files) for plane in scan(file)]
    if not tiles:
        raise SourceError(f"band {name!r} has no file")
    if any(plane.index is not None for plane in tiles) or _any_overlap(tiles):
        raise SourceError(
            f"band {name!r} has several images of the same place; choose one extension, as in "
            f"'{_listed(files)[0]}[1]', or give the file without naming bands"
        )
    return tiles


def _guessed(planes: list[Plane]) -> Bands:
    """Tell bands from tiles: two images of the same place are two bands.

    Bands are called by their FILTER or BAND keyword, else by EXTNAME, else by what tells their
    files apart, else by number. A name that stands in the headers of two images of the same place
    is wrong, and not used.
    """
    if not planes:
        return {}
    tiled = not _any_overlap(planes)
    by_filter = _grouped(planes, lambda plane: plane.filter)
    if by_filter is not None:
        return by_filter
    if tiled:
        names = {plane.extension for plane in planes}
        return {(names.pop() if len(names) == 1 else "") or "image": planes}
    stems = _short_stems(planes)
    for name in (lambda plane: plane.extension, lambda plane: stems[plane.path]):
        bands = _grouped(planes, name)
        if bands is not None:
            return bands
    return {f"band-{k}": [plane] for k, plane in enumerate(planes, 1)}


def _red_first(bands: Bands) -> Bands:
    """Bring bands to the order of a screen's red, green and blue, if all are known filters."""
    short = {name: (name.split() or [""])[0].rstrip("'").lower() for name in bands}
    if not set(short.values()) <= set(_RED_TO_BLUE):
        return bands
    return dict(sorted(bands.items(), key=lambda band: _RED_TO_BLUE.index(short[band[0]])))


def _grouped(planes: list[Plane], name: Callable[[Plane], str]) -> Bands | None:
    """Group images by name; None if one has none, or a name is that of images that overlap."""
    bands: Bands = {}
    for plane in planes:
        bands.setdefault(name(plane), []).append(plane)
    good = "" not in bands and not any(_any_overlap(tiles) for tiles in bands.values())
    return bands if good else None


def _short_stems(planes: list[Plane]) -> dict[str, str]:
    """Name files by what is left of their names without what all have in common."""
    paths = list(dict.fromkeys(plane.path for plane in planes))
    names = [os.path.basename(split_extension(path)[0]) for path in paths]  # noqa: PTH119 - or an address
    stems = [image_stem(name) or name for name in names]
    if len(set(stems)) < len(stems):
        return dict.fromkeys(paths, "")
    if len(stems) == 1:
        return dict(zip(paths, stems, strict=True))
    start = _common_start(stems)
    end = _common_start([stem[start:][::-1] for stem in stems])
    short = [stem[start : len(stem) - end].strip("_-. ") for stem in stems]
    return dict(zip(paths, short if all(short) else stems, strict=True))


def _common_start(words: list[str]) -> int:
    """Return how many letters all words begin with in common."""
    columns = zip(*words, strict=False)
    return sum(1 for _ in takewhile(lambda letters: len(set(letters)) == 1, columns))


def _any_overlap(planes: Iterable[Plane]) -> bool:
    """Whether the middle of any image lies in another."""
    planes = list(planes)
    if len(planes) < 2:
        return False
    if any(plane.wcs is None for plane in planes):
        return True  # without coordinates, images can only be of one place
    middles = np.array([middle(plane) for plane in planes])
    for k, plane in enumerate(planes):
        others = np.delete(middles, k, axis=0)
        x, y = to_pixels(plane.wcs, others[:, 0], others[:, 1]).T
        height, width = plane.shape
        if ((x > -0.5) & (x < width - 0.5) & (y > -0.5) & (y < height - 0.5)).any():
            return True
    return False
