"""Lines of text on a canvas, in the one font that is everywhere: the one that comes with Pillow."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ._drawing import WORDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

# the font has hardly a letter beyond ASCII; those of units are a letter with a mark on or under it
_MADE_OF = {"Å": ("A", "°"), "µ": ("u", "'")}
_ALIKE = str.maketrans({"\N{ANGSTROM SIGN}": "Å", "\N{GREEK SMALL LETTER MU}": "µ"})


def put(
    canvas: NDArray[np.uint8],
    text: str,
    x: int,
    y: int,
    size: int,
    *,
    align: str = "left",
    color: tuple[int, int, int] = WORDS,
) -> int:
    """Write a line of text with its top at y; return its width in pixels.

    Letters that cannot be written become question marks.
    """
    ink = _ink(text, size)
    height, width = int(ink.shape[0]), int(ink.shape[1])
    x -= {"left": 0, "center": width // 2, "right": width}[align]
    top, left = max(y, 0), max(x, 0)
    place = canvas[top : y + height, left : x + width]
    ink = ink[top - y :, left - x :][: place.shape[0], : place.shape[1], None]
    place[:] = (place + (np.array(color, np.float32) - place) * ink + 0.5).astype(np.uint8)
    return width


@lru_cache(maxsize=1024)
def _ink(text: str, size: int) -> NDArray[np.float32]:
    """Return how much of each pixel the letters cover, 0..1."""
    from PIL import Image, ImageDraw

    font = _font(size)
    text = text.translate(_ALIKE)
    plain = "".join(_MADE_OF.get(letter, letter)[0] for letter in text)
    plain = plain.encode("ascii", "replace").decode()
    _, _, right, bottom = font.getbbox(plain)
    below = size // 3 if "µ" in text else 0
    mask = Image.new("L", (max(1, int(right) + 1), max(1, int(bottom) + 1 + below)))
    draw = ImageDraw.Draw(mask)
    draw.text((0, 0), plain, fill=255, font=font)
    for k, letter in enumerate(text):
        if letter in _MADE_OF:
            x, y = _offset_of_mark(letter, size)
            draw.text((font.getlength(plain[:k]) + x, y), _MADE_OF[letter][1], fill=255, font=font)
    return np.asarray(mask, dtype=np.float32) / np.float32(255)


@lru_cache(maxsize=64)
def _offset_of_mark(letter: str, size: int) -> tuple[float, float]:
    """Return where the mark of a letter is drawn if the letter itself is drawn at (0, 0)."""
    base, mark = (_extent(part, size) for part in _MADE_OF[letter])
    if letter == "Å":  # the ring, on top of the A and over its middle
        return (base[0] + base[2] - mark[0] - mark[2]) / 2, base[1] - mark[3]
    return base[0] - mark[0], base[3] - 1 - mark[1]  # the left stroke of the u, drawn out


def _extent(letter: str, size: int) -> tuple[int, int, int, int]:
    """Return the left, top, right and bottom of the ink of a letter drawn at (0, 0)."""
    from PIL import Image, ImageDraw

    image = Image.new("L", (2 * size, 2 * size))
    ImageDraw.Draw(image).text((0, 0), letter, fill=255, font=_font(size))
    return image.getbbox() or (0, 0, 0, 0)


@lru_cache(maxsize=8)
def _font(size: int):  # type: ignore[no-untyped-def]  # noqa: ANN202 - Pillow has two kinds
    from PIL import ImageFont

    return ImageFont.load_default(size)
