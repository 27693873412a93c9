"""What goes wrong between the sky and the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._exposure import blurred

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ._exposure import Exposure


def saturated_star(e: Exposure) -> None:
    """Put a star of 10th to 12th magnitude into the field: halo, spikes, bleeding columns."""
    rng = e.rng
    distance, angle = rng.uniform(0, 52), rng.uniform(0, 2 * np.pi)
    center = distance * np.cos(angle), distance * np.sin(angle)
    mag, color = rng.uniform(9.6, 12.6), rng.choice([0.1, 0.4, 0.9])
    u, v = e.plane(center, rng.choice([0.0, 0.6, np.pi / 4]), 1.0)
    r = np.hypot(u, v)
    halo = (1 + (r / 1.6) ** 2) ** -1.9
    reach = 5 + 6 * (12.6 - mag)
    spikes = np.exp(-np.abs(u) / reach - (v / 0.8) ** 2) + np.exp(
        -np.abs(v) / reach - (u / 0.8) ** 2
    )
    e.flux += e.shine(halo + 0.011 * spikes, mag, color)
    if rng.random() < 0.6:
        x, y = e.plane(center, 0.0, 1.0)
        column = np.exp(-((x / 1.2) ** 4)) * (np.abs(y) < reach * rng.uniform(1.0, 3.0))
        e.flux += e.shine(column, mag + 3.5, color)


def trail(e: Exposure) -> None:
    """Draw a satellite or an aircraft across, in the band that was being exposed."""
    rng = e.rng
    u, v = e.plane(tuple(rng.normal(0, 20, 2)), rng.uniform(0, np.pi), 1.0)
    light = np.exp(-((v / rng.uniform(0.5, 1.6)) ** 2))
    kind = rng.random()
    if kind < 0.25:  # an aircraft: two lights, one of them flashing
        light = 0.6 * light + np.exp(-(((v - 7) / 1.2) ** 2)) * (np.cos(u / 4) > 0.6)
    elif kind < 0.5:  # tumbling
        light = light * (0.55 + 0.45 * np.cos(u / rng.uniform(6, 18) + rng.uniform(0, 6)))
    light = light * (10 ** rng.uniform(-1.1, 0.6) / e.unit**2)
    e.flux[rng.integers(3)] += light
    if rng.random() < 0.25:
        e.flux[rng.integers(3)] += 0.7 * light


def missing_band(e: Exposure, flux: NDArray[Any]) -> NDArray[Any]:
    """Lose a band, all of it or beyond the edge of its detector."""
    rng = e.rng
    lost = np.zeros(flux.shape, dtype=bool)
    beyond = np.ones(e.x.shape, dtype=bool)
    if rng.random() < 0.5:
        beyond = e.plane(tuple(rng.uniform(-20, 20, 2)), rng.choice([0, 0, 0.35, 1.2]), 1.0)[0] > 0
    lost[rng.integers(3)] = beyond
    if rng.random() < 0.3:
        lost[rng.integers(3)] = beyond
    return np.where(lost, np.float32(np.nan), flux)


def corrupt(e: Exposure, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Damage the file: shifted rows, dead columns, interference, misplaced blocks."""
    rng, size = e.rng, e.size
    image = image.copy()
    kind = rng.integers(4)
    if kind == 0:
        first = rng.integers(0, size - size // 4)
        rows = slice(first, first + rng.integers(size // 8, size // 3))
        image[rows] = np.roll(image[rows], rng.integers(size // 8, size // 2), axis=1)
    elif kind == 1:
        columns = rng.choice(size, max(2, size // 10), replace=False)
        image[:, columns] = rng.choice([0, 255], (len(columns), 1)).astype(np.uint8)
        image[:, : rng.integers(1, size // 5)] = 0
    elif kind == 2:
        waves = np.sin(np.arange(size)[:, None] * rng.uniform(0.5, 2.5) + e.x / 9)
        rough = blurred(rng.standard_normal((size, size), dtype=np.float32), 0.7)
        pattern = (45 * waves + 60 * rough)[..., None] * rng.uniform(0.2, 1, 3)
        image = np.clip(image + np.maximum(pattern, 0), 0, 255).astype(np.uint8)
    else:
        block = max(size // 8, 1)
        for _ in range(14):
            x, y, from_x, from_y = rng.integers(0, size // block, 4) * block
            piece = image[from_y : from_y + block, from_x : from_x + block].copy()
            image[y : y + block, x : x + block] = piece[..., rng.permutation(3)]
    return image
