"""Simulated curves of five classes with known truth (LB21 section 6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Draw = Callable[[np.random.Generator, int, NDArray[np.float64]], NDArray[np.float64]]

N_POINTS = 100
NOISE = 0.1


@dataclass(frozen=True, slots=True)
class SimulatedCurves:
    """Curves, what they really are, and what the simulated person thinks of them.

    Attributes
    ----------
    object_ids : ndarray, shape (n,), dtype object
        ``curve-00000`` onwards. The classes are shuffled: an id says nothing of the class.
    values : ndarray, shape (n, 100), dtype float32
        The curve at 100 evenly spaced x in 0..1, used as features as they are.
    classes : ndarray, shape (n,), dtype object
        ``sine``, ``parabola`` (the inliers), ``step``, ``exponential``, ``five_sines``.
    scores : ndarray, shape (n,), dtype float64
        The person's score, 0..5: five sines 5, step 3, exponential 0, inliers 0.
    """

    object_ids: NDArray[Any]
    values: NDArray[Any]
    classes: NDArray[Any]
    scores: NDArray[Any]

    def __repr__(self) -> str:
        n, n_points = self.values.shape
        return f"<SimulatedCurves: {n} curves of {n_points} points>"


def _sine(rng: np.random.Generator, n: int, x: NDArray[np.float64]) -> NDArray[np.float64]:
    y: NDArray[np.float64] = np.sin(rng.normal(5, 2, (n, 1)) * x)
    return y


def _parabola(rng: np.random.Generator, n: int, x: NDArray[np.float64]) -> NDArray[np.float64]:
    a, b = rng.normal(0.5, 0.2, (2, n, 1))
    y: NDArray[np.float64] = a * x**2 + b * x + rng.normal(0, 0.2, (n, 1))
    return y


def _step(rng: np.random.Generator, n: int, x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(x <= rng.normal(0.5, 0.2, (n, 1)), rng.normal(1, 0.3, (n, 1)), 0.0)


def _bump(
    rng: np.random.Generator,
    n: int,
    x: NDArray[np.float64],
    draws: tuple[tuple[float, float], ...],
) -> NDArray[np.float64]:
    """Exponential whose amplitude, center and width have these means and deviations."""
    amplitude, center, width = (rng.normal(mean, sigma, (n, 1)) for mean, sigma in draws)
    y: NDArray[np.float64] = amplitude * np.exp(-(((x - center) / width) ** 2))
    return y


def _exponential(rng: np.random.Generator, n: int, x: NDArray[np.float64]) -> NDArray[np.float64]:
    return _bump(rng, n, x, ((0.5, 0.2), (0.1, 0.05), (1, 0.5)))


def _narrow_exponential(
    rng: np.random.Generator, n: int, x: NDArray[np.float64]
) -> NDArray[np.float64]:
    return _bump(rng, n, x, ((1, 0.5), (0.5, 0.2), (0.1, 0.05)))


def _five_sines(rng: np.random.Generator, n: int, x: NDArray[np.float64]) -> NDArray[np.float64]:
    y: NDArray[np.float64] = 0.2 * np.sin(rng.normal(30, 20, (n, 5, 1)) * x).sum(axis=1)
    return y


# LB21 table 1: class -> (its curves, how many, the person's score)
_TABLE: dict[str, tuple[Draw, int, float]] = {
    "sine": (_sine, 25_000, 0.0),
    "parabola": (_parabola, 24_500, 0.0),
    "step": (_step, 150, 3.0),
    "exponential": (_exponential, 150, 0.0),
    "five_sines": (_five_sines, 150, 5.0),
}


def make_curves(random_state: int = 0, *, as_printed: bool = True) -> SimulatedCurves:
    """Simulate the 49,950 curves of LB21 table 1, with Gaussian noise of sigma 0.1.

    Parameters
    ----------
    random_state : int
        The same number gives the same curves.
    as_printed : bool
        Whether the exponentials are as table 1 has them, and look like the inliers. With False its
        three distributions are each taken by the next symbol (A ~ N(1, .5), mu ~ N(.5, .2),
        w ~ N(.1, .05)): narrow bumps, found in the order that the paper describes.

    References
    ----------
    Lochner & Bassett 2021, Astronomy and Computing 36, 100481, section 6.1 and table 1.
    """
    rng = np.random.default_rng(random_state)
    x = np.linspace(0, 1, N_POINTS)
    draws = {name: draw for name, (draw, _, _) in _TABLE.items()}
    if not as_printed:
        draws["exponential"] = _narrow_exponential
    values = np.concatenate([draws[name](rng, n, x) for name, (_, n, _) in _TABLE.items()])
    values += rng.normal(0, NOISE, values.shape)
    counts = [n for _, n, _ in _TABLE.values()]
    classes = np.repeat(np.array(list(_TABLE), dtype=object), counts)
    scores = np.repeat([score for _, _, score in _TABLE.values()], counts)
    order = rng.permutation(len(values))
    ids = np.array([f"curve-{i:05d}" for i in range(len(values))], dtype=object)
    return SimulatedCurves(
        object_ids=ids,
        values=values[order].astype(np.float32),
        classes=classes[order],
        scores=scores[order],
    )
