"""What lies on the sky: galaxies of all types, lenses, rings, mergers, stars.

Every function draws with the exposure's own random numbers and returns light in i, r, g of shape
(3, size, size). Lengths are in units of a pixel at 128 a side, angles in radians.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ._exposure import PIXEL, blurred, per_band, sersic

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ._exposure import Exposure

    Light = NDArray[np.float32]
    Point = tuple[float, float]
    Galaxy = Callable[..., Light]

CENTER = (0.0, 0.0)


def magnitude(half_light: float, surface_brightness: float) -> float:
    """Return the total r of a galaxy of this mean surface brightness (mag / arcsec^2)."""
    return float(surface_brightness - 2.5 * np.log10(2 * np.pi * (half_light * PIXEL) ** 2))


def elliptical(
    e: Exposure,
    center: Point,
    mag: float,
    radius: float,
    *,
    reddening: float = 0.0,
    bend: float = 0.0,
) -> Light:
    """Draw a smooth old galaxy: Sersic index 2.5 to 5 (4 is de Vaucouleurs)."""
    rng = e.rng
    u, v = e.plane(center, rng.uniform(0, np.pi), rng.uniform(0.55, 0.98), bend)
    light = sersic(np.hypot(u, v), rng.uniform(2.5, 5), radius)
    return e.shine(light, mag, rng.normal(0.80, 0.04) + reddening)


def spiral(
    e: Exposure,
    center: Point,
    mag: float,
    radius: float,
    *,
    reddening: float = 0.0,
    bend: float = 0.0,
) -> Light:
    """Draw bulge, old disk, logarithmic arms of young stars, HII regions and dust."""
    rng = e.rng
    scale = radius / 1.25
    u, v = e.plane(center, rng.uniform(0, np.pi), rng.uniform(0.42, 1.0), bend)
    r, phi = np.hypot(u, v), np.arctan2(v, u)
    n_arms = int(rng.choice([2, 2, 2, 3, 4]))
    pitch = float(np.tan(np.radians(rng.uniform(13, 30))) * rng.choice([-1, 1]))
    # jitter of the phase makes arms that fork and fray, as real ones do
    fray = np.log(e.texture(5, 0.45))
    phase = n_arms * (phi - np.log(r / scale + 0.08) / pitch) + fray
    inside = 1 - np.exp(-((r / (0.75 * scale)) ** 2))
    disk = np.exp(-r / scale)
    arms = np.exp(-r / (1.25 * scale)) * inside * (0.5 + 0.5 * np.cos(phase)) ** rng.uniform(1.5, 4)
    arms *= e.texture(1.6, 0.4)
    knots = arms * (e.rng.random(arms.shape, dtype=np.float32) ** 60)
    dust = np.exp(-r / (2 * scale)) * inside * (0.5 + 0.5 * np.cos(phase + 1.1)) ** 4

    bulge, young = rng.uniform(0.06, 0.32), rng.uniform(0.4, 0.65)
    core = np.hypot(u, v * (0.5 + 0.5 * rng.random()))
    if rng.random() < 0.35:  # a bar, from which the arms start
        turn = math.log(0.7 + 0.08) / pitch
        along, across = (
            u * math.cos(turn) + v * math.sin(turn),
            v * math.cos(turn) - u * math.sin(turn),
        )
        core = np.minimum(core, np.hypot(along * 0.38, across * 1.25))
    light = e.shine(sersic(core, 1.6, 0.28 * scale), mag - 2.5 * np.log10(bulge), 0.8 + reddening)
    light += e.shine(disk, mag - 2.5 * np.log10((1 - bulge) * (1 - young)), 0.58 + reddening)
    light += e.shine(arms, mag - 2.5 * np.log10((1 - bulge) * young), 0.20 + reddening)
    hii = e.shine(blurred(knots, 0.6 * e.unit), mag + rng.uniform(2.4, 3.4), 0.05 + reddening)
    hii *= per_band(1.0, 1.15, 1.0)  # H alpha falls into r
    return (light + hii) * extinction(rng.uniform(0.2, 0.8) * dust)


def edge_on(
    e: Exposure,
    center: Point,
    mag: float,
    radius: float,
    *,
    reddening: float = 0.0,
    bend: float = 0.0,
) -> Light:
    """Draw a disk from the side: sech^2 layer, bulge, and often a lane of dust."""
    rng = e.rng
    scale = 1.15 * radius
    u, v = e.plane(center, rng.uniform(0, np.pi), 1.0, bend + rng.normal(0, 0.0012))
    height = scale * rng.uniform(0.14, 0.32)
    disk = (
        np.exp(-np.hypot(u, 1.5) / scale)
        / np.cosh(np.minimum(np.abs(v) / (height * (1 + np.abs(u) / (4 * scale))), 20)) ** 2
    )
    disk *= e.texture(1.5, 0.14)
    bulge = rng.uniform(0.05, 0.4)
    core = sersic(np.hypot(u, v / rng.uniform(0.6, 0.85)), 2.2, 0.3 * scale)
    color = rng.normal(0.46, 0.13) + reddening
    light = e.shine(disk, mag - 2.5 * np.log10(1 - bulge), color)
    light += e.shine(core, mag - 2.5 * np.log10(bulge), 0.82 + reddening)
    lane = np.exp(-(((v - rng.normal(0, 0.3) * height) / (0.3 * height + 0.4)) ** 2))
    lane = lane * np.exp(-((u / (1.7 * scale)) ** 2)) * e.texture(1.8, 0.2)
    return light * extinction(lane * float(rng.choice([0.3, 1.5, 3.0, 4.0])))


def merger(
    e: Exposure, center: Point, mag: float, radius: float, *, reddening: float = 0.0
) -> Light:
    """Draw two galaxies that tear at each other: tidal tails, a bridge, young stars."""
    rng = e.rng
    apart, angle = rng.uniform(1.2, 3.0) * radius, rng.uniform(0, 2 * np.pi)
    step = np.array([np.cos(angle), np.sin(angle)]) * apart / 2
    spin = rng.choice([-1, 1])
    light = np.zeros_like(e.flux)
    for side, sibling, fainter in ((1, _pick(rng), 0.5), (-1, _pick(rng), rng.uniform(0.6, 1.6))):
        x, y = center[0] + side * step[0], center[1] + side * step[1]
        bend = side * rng.uniform(0.015, 0.05) * rng.choice([-1, 1])
        size = radius * rng.uniform(0.55, 0.85)
        light += sibling(e, (x, y), mag + fainter, size, reddening=reddening, bend=bend)
        away = np.arctan2(side * step[1], side * step[0]) + rng.normal(0, 0.5)
        turn, length = spin * rng.uniform(0.3, 1.9), radius * rng.uniform(2.5, 5.0)
        tail = _tail(e, (x, y), away, turn, length)
        light += e.shine(tail, mag + rng.uniform(1.6, 3.0), rng.uniform(0.3, 0.55) + reddening)
    t = rng.uniform(-1, 1, 300)
    bow = spin * 0.25 * (1 - t**2) * apart
    x = center[0] + step[0] * t - np.sin(angle) * bow + rng.normal(0, 1, 300)
    y = center[1] + step[1] * t + np.cos(angle) * bow + rng.normal(0, 1, 300)
    light += e.shine(e.curve(x, y, np.ones(300), 1.6), mag + 2.6, 0.4 + reddening)
    bursts = rng.normal(0, 0.4, (2, 25)) * apart
    blue = e.curve(center[0] + bursts[0], center[1] + bursts[1], rng.pareto(1.5, 25), 1.1)
    light += e.shine(blue, mag + 2.6, reddening)
    u, v = e.plane(center, angle, 0.7, 0.01)
    halo = sersic(np.hypot(u, v), 1.0, 1.7 * radius) * e.texture(9, 0.5)
    return light + e.shine(halo, mag + 1.2, 0.55 + reddening)


def ring(e: Exposure, center: Point, mag: float, radius: float, *, reddening: float = 0.0) -> Light:
    """Draw a collisional or Hoag-type ring: a blue, lumpy ring round a yellow core."""
    rng = e.rng
    big = radius * rng.uniform(1.3, 2.2)
    angle = rng.uniform(0, np.pi)
    u, v = e.plane(center, angle, rng.uniform(0.5, 1.0))
    r, phi = np.hypot(u, v), np.arctan2(v, u)
    width = big * rng.uniform(0.07, 0.15)
    uneven = 1 + rng.uniform(0.1, 0.7) * np.cos(phi - rng.uniform(0, 2 * np.pi))
    circle = np.exp(-(((r - big) / width) ** 2) / 2) * uneven * e.texture(1.7, 0.45)
    inner = np.exp(-((r / (0.8 * big)) ** 2))
    knocked = rng.uniform(0, 0.3) * big
    toward = rng.uniform(0, 2 * np.pi)
    core = e.plane(
        (center[0] + knocked * np.cos(toward), center[1] + knocked * np.sin(toward)), angle, 0.85
    )
    light = e.shine(circle, mag + 0.55, rng.normal(0.22, 0.06) + reddening)
    light += e.shine(inner, mag + rng.uniform(2.0, 3.5), 0.5 + reddening)
    return light + e.shine(sersic(np.hypot(*core), 2.5, 0.22 * big), mag + 0.9, 0.85 + reddening)


def lens(e: Exposure, center: Point, mag: float, radius: float, *, reddening: float = 0.0) -> Light:
    """Draw a red elliptical and, by ray tracing, a blue galaxy far behind it.

    The lens is a singular isothermal ellipsoid (Kormann et al. 1994): nearly aligned sources
    become Einstein rings, others giant arcs with a counter-image.
    """
    rng = e.rng
    einstein = rng.uniform(11, 22)
    q = rng.uniform(0.6, 0.93)
    u, v = e.plane(center, rng.uniform(0, np.pi), 1.0)
    f = math.sqrt(1 - q**2)
    psi = np.sqrt((q * u) ** 2 + v**2) + 1e-6
    strength = einstein * math.sqrt(q) / f
    beta_u = u - strength * np.arctan(f * u / psi)
    beta_v = v - strength * np.arctanh(f * v / (psi + 1e-6))

    offset = einstein * (rng.uniform(0, 0.1) if rng.random() < 0.35 else rng.uniform(0.2, 0.6))
    toward = rng.uniform(0, 2 * np.pi)
    arc = np.zeros_like(u)
    size = einstein * rng.uniform(0.07, 0.15)
    for clump in range(rng.integers(2, 5)):
        spread = 0.0 if clump == 0 else 1.1 * size
        x = offset * np.cos(toward) + rng.normal(0, 1) * spread
        y = offset * np.sin(toward) + rng.normal(0, 1) * spread
        scale = size if clump == 0 else size * rng.uniform(0.3, 0.5)
        arc += np.exp(-1.68 * np.hypot(beta_u - x, (beta_v - y) / 0.75) / scale)
    lit = 10 ** (0.4 * (22.5 - rng.uniform(20.9, 22.2))) * PIXEL**2  # surface brightness is kept
    blue = rng.uniform(-0.3, 0.1)
    far = e.shine(arc, 20.0, blue)
    far *= np.float32(lit / e.unit**2) / max(float(np.percentile(far[1], 99.7)), 1e-9)

    u, v = v, u  # the light follows the mass
    stars = sersic(np.hypot(u / (0.3 + 0.7 * q), v), 4, 0.5 * radius)
    light = e.shine(stars, mag + 1.2, 1.05 + reddening)
    for _ in range(rng.poisson(1.2)):  # lenses live in groups
        x, y = rng.normal(0, 26, 2)
        light += elliptical(e, (x, y), rng.uniform(18.2, 20.0), 3.0, reddening=0.2)
    return light + far


def neighbors(e: Exposure, n: float) -> Light:
    """Draw what happens to lie in the field: faint galaxies, far and near, and stars."""
    rng = e.rng
    light = np.zeros_like(e.flux)
    for _ in range(rng.poisson(n)):
        mag = 22.3 - rng.exponential(1.3)
        place = _aside(rng, 16)
        size = 1.1 * 10 ** (0.12 * (22 - mag)) * rng.uniform(0.6, 1.5)
        old = rng.random() < 0.4
        box = e.box(place, 8 * size + 4)  # beyond, it is fainter than the noise
        u, v = e.plane(place, rng.uniform(0, np.pi), rng.uniform(0.3, 1), box=box)
        profile = sersic(np.hypot(u, v), 4 if old else 1, size)
        color = rng.normal(1.0, 0.2) if old else rng.normal(0.4, 0.2)
        light[:, *box] += e.shine(profile, max(mag, 17.5), color)
    for _ in range(rng.poisson(0.3 * n)):
        place = _aside(rng, 14)
        mag = max(21.5 - rng.exponential(1.8), 14.5)
        box = e.box(place, 3)
        u, v = e.plane(place, 0.0, 1.0, box=box)
        color = float(rng.choice([0.1, 0.4, 0.6, 1.3])) + rng.normal(0, 0.1)
        light[:, *box] += e.shine(np.exp(-2 * (u * u + v * v)), mag, color)
    return light


def extinction(depth: NDArray[Any]) -> Light:
    """Transmission in i, r, g through dust of the given optical depth in r."""
    return np.asarray(np.exp(np.asarray(-depth, dtype=np.float32) * per_band(0.72, 1.0, 1.38)))


def _pick(rng: np.random.Generator) -> Galaxy:
    return elliptical if rng.random() < 0.3 else spiral


def _aside(rng: np.random.Generator, least: float) -> Point:
    """Give a place that leaves the central object alone."""
    while True:
        x, y = rng.uniform(-66, 66, 2)
        if np.hypot(x, y) > least:
            return float(x), float(y)


def _tail(e: Exposure, start: Point, away: float, turn: float, length: float) -> Light:
    """Throw stars out along an arc: dense and narrow at its root, wide and lumpy at its end."""
    rng = e.rng
    light = np.zeros_like(e.x)
    lumps = rng.random(4)
    for width, n in ((1.1, 220), (2.4, 260)):
        t = rng.beta(1.0, 1.5, n)
        t[: n // 3] = (lumps[rng.integers(0, 4, n // 3)] + rng.normal(0, 0.07, n // 3)).clip(0, 1.2)
        radius = 2 + length * t
        angle = away + turn * t**1.3
        spread = 0.5 + (0.9 * width) * t
        x = start[0] + radius * np.cos(angle) + rng.normal(0, 1, n) * spread
        y = start[1] + radius * np.sin(angle) + rng.normal(0, 1, n) * spread
        light += e.curve(x, y, rng.gamma(1.0, 1, n) * (1.15 - 0.6 * t), width)
    return light
