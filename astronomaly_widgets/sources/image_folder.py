"""A folder or a list of image files."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..exceptions import SourceError
from ._catalogs import match_files
from ._folders import absolute
from ._geometry import middle_of_file
from ._images import IMAGE_SUFFIXES, decode, image_stem
from ._mosaic import is_fits
from ._tables import read_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pandas as pd
    from numpy.typing import NDArray


class ImageFolder:
    """The images of a folder or of a list of files, one object per file.

    PNG, JPEG, TIFF and FITS (also ``.fits.gz``), with suffixes of any case; grey, RGB or with any
    number of bands. Hidden files are not looked at; files with other suffixes are counted in
    `ignored`. What looks like an image but cannot be read is an object too: :meth:`read` says why.

    Parameters
    ----------
    path : path-like or sequence of these
        The folder, or the files. What a list names is an object though there is no such file.
    catalog : path, DataFrame or Table, optional
        A table (CSV or other text, ECSV, FITS, VOTable, Parquet) with one row per image. Rows are
        matched by the column whose values are most often file names, with or without folder and
        suffix.
    recursive : bool, optional
        Also look in sub-folders, following links.
    ids : {"stem", "name"}, optional
        What an object is called: the file name without its suffix, or the path within the folder
        (of a list, the one that holds them all).

    Attributes
    ----------
    path : Path
        The folder; of a list, the one that holds them all.
    ignored : int
        Files that are there but not images.
    max_pixels : int
        Images with more pixels than this are refused before they are decoded.
    spec : dict
        How a project finds this source again; JSON-ready.

    Raises
    ------
    SourceError
        Not a folder, no images in it, two images of one name, or a catalog that fits no image.
    """

    kind = "image"
    max_pixels = 64_000_000

    def __init__(
        self,
        path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        *,
        catalog: Any = None,
        recursive: bool = False,
        ids: Literal["stem", "name"] = "stem",
    ) -> None:
        if ids not in {"stem", "name"}:
            raise ValueError(f"ids is {ids!r}; wanted 'stem' or 'name'")
        if isinstance(path, str | os.PathLike):
            self.path = Path(path).expanduser()
            names: Iterable[str] = _walk(self.path, recursive)
        else:
            self.path, names = _common(absolute(path))
        self._files, others = _scan(self.path, names, ids)
        self.ignored = others.total()
        if not self._files:
            raise SourceError(_nothing_found(self.path, others, recursive))
        self._ids = np.array(sorted(self._files), dtype=object)
        arguments = {"path": absolute(path), "recursive": recursive, "ids": ids}
        self.spec = {"room": "sources", "name": "ImageFolder", "arguments": arguments}
        self._catalog = None if catalog is None else match_files(read_table(catalog), self._files)

    def __len__(self) -> int:
        return len(self._ids)

    def __repr__(self) -> str:
        ignored = f", {self.ignored} other files ignored" if self.ignored else ""
        return f"<ImageFolder {str(self.path)!r}: {len(self)} images{ignored}>"

    @property
    def object_ids(self) -> NDArray[Any]:
        """Names of the objects, sorted; (n,) object array of str."""
        return self._ids

    @property
    def fingerprints(self) -> NDArray[Any]:
        """Size and time of each file as they are now; (n,) object array of str."""
        return np.array([_fingerprint(self.path_of(i)) for i in self._ids], dtype=object)

    @property
    def catalog(self) -> pd.DataFrame | None:
        """What the catalog says of each object, indexed by object id, or None."""
        return self._catalog

    def path_of(self, object_id: str) -> Path:
        """Return the file of an object; KeyError if there is no such object."""
        return self.path / self._files[object_id]

    def read(self, object_id: str) -> NDArray[Any]:
        """Read one image.

        Returns
        -------
        ndarray
            (height, width) or (height, width, bands), row 0 at the top; uint8, or floating
            (16-bit integers too). NaN where a FITS file has no data. Transparency is dropped.

        Raises
        ------
        ReadError
            The file is no image, damaged, too large, or without any data.
        KeyError
            There is no such object.
        """
        return decode(self.path_of(object_id), self.max_pixels)

    def position(self, object_id: str) -> tuple[float, float] | None:
        """Return where the middle of an image is, by the WCS in the header of its FITS file.

        Returns
        -------
        (float, float) or None
            Right ascension and declination, in ICRS degrees; None where the file does not say: no
            FITS, no celestial coordinates in its header, or none that can be used.

        Raises
        ------
        KeyError
            There is no such object.
        """
        path = self.path_of(object_id)
        return middle_of_file(path) if is_fits(path.name) else None

    def positions(self) -> pd.DataFrame:
        """Return where all images are, as :meth:`position` says; by object id, NaN where unknown.

        Each file is opened, which takes some milliseconds. As a catalog, it puts the positions into
        exports and conditions: ``ImageFolder(path, catalog=ImageFolder(path).positions())``.
        """
        import pandas as pd

        places = [self.position(object_id) or (np.nan, np.nan) for object_id in self._ids]
        index = pd.Index(self._ids, name="object_id")
        return pd.DataFrame(places, index=index, columns=["ra", "dec"], dtype=np.float64)


def _scan(folder: Path, names: Iterable[str], ids: str) -> tuple[dict[str, str], Counter[str]]:
    """Map object id to relative path, and count by suffix what is no image."""
    files: dict[str, str] = {}
    others: Counter[str] = Counter()
    for relative in names:
        name = relative.rpartition("/")[2]
        stem = image_stem(name)
        if stem is None:
            others[Path(name).suffix.lower() or "no suffix"] += 1
            continue
        # names that are not UTF-8 could be neither shown nor stored
        key = stem if ids == "stem" else relative
        key = key.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        if files.get(key) == relative:
            raise SourceError(f"{relative!r} in {folder} is listed twice")
        if key in files:
            raise SourceError(
                f"{files[key]!r} and {relative!r} in {folder} would both be called {key!r}; "
                "aw.sources.ImageFolder(..., ids='name') calls objects by their whole file name"
            )
        files[key] = relative
    return files, others


def _common(files: Any) -> tuple[Path, list[str]]:
    """Return the folder that holds all of some files, and their paths within it, with "/"."""
    if not files:
        raise SourceError("the list of images is empty")
    folder = os.path.commonpath([os.path.dirname(file) for file in files])  # noqa: PTH120 - see `_walk`
    return Path(folder), [os.path.relpath(file, folder).replace(os.sep, "/") for file in files]


def _walk(folder: Path, recursive: bool) -> Iterator[str]:
    """Yield relative paths, with "/", of all that is not hidden; each real folder once."""
    waiting = [""]
    seen: set[tuple[int, int]] = set()
    while waiting:
        inside = waiting.pop()
        try:
            place = (folder / inside).stat()
            if (place.st_dev, place.st_ino) in seen:  # a link back to where we have been
                continue
            seen.add((place.st_dev, place.st_ino))
            # plain names: a Path for each of millions of files takes minutes
            entries = sorted(os.listdir(folder / inside))  # noqa: PTH208 - see above
        except FileNotFoundError:
            raise SourceError(f"there is no folder {str(folder / inside)!r}") from None
        except NotADirectoryError:
            raise SourceError(
                f"{str(folder)!r} is a file; ImageFolder wants the folder that holds the images"
            ) from None
        except OSError as error:
            raise SourceError(f"cannot look into {str(folder / inside)!r}: {error}") from error
        for name in entries:
            if name.startswith("."):
                continue
            if recursive and (folder / inside / name).is_dir():
                waiting.append(f"{inside}{name}/")
            elif image_stem(name) is not None or not (folder / inside / name).is_dir():
                yield inside + name


def _fingerprint(path: Path) -> str:
    try:
        status = path.stat()
    except OSError:
        return "missing"
    return f"{status.st_size}-{status.st_mtime_ns}"


def _nothing_found(folder: Path, others: Counter[str], recursive: bool) -> str:
    found = ", ".join(f"{count} {suffix}" for suffix, count in others.most_common(5))
    wanted = ", ".join(sorted(IMAGE_SUFFIXES))
    hint = "; aw.sources.ImageFolder(..., recursive=True) looks in sub-folders, too"
    hint = "" if recursive else hint
    return (
        f"no images in {str(folder)!r} (found: {found or 'nothing'}; wanted: {wanted}{hint}); a "
        "folder of light curves or spectra has one file for each object, with columns called like "
        "time and mag, or wavelength and flux, and a table of many objects is opened by the path "
        "of its file"
    )
