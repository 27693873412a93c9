"""How many interesting objects are left, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_BIN = 10  # labels whose hits are counted together
_N_STRATA = 8
_N_DRAWS = 3000
_PRIOR = (0.1, 0.9)  # hits and misses that a stratum is thought to have had before
_SPREAD = (5.0, 2.5)  # of intercept and slope, per standard deviation of worth, before any label
_N_BINS = 300  # of worth of the unlabeled
_N_SLOPES = 500
_N_STEPS = 50
_CLOSE = 1e-6


@dataclass(frozen=True, slots=True)
class Remaining:
    """How many interesting objects have not been labeled yet.

    Attributes
    ----------
    expected : float
        A middle value.
    low, high : float
        Interval that holds the truth with a probability of `level`.
    level : float
    """

    expected: float
    low: float
    high: float
    level: float


def estimate_remaining(
    hits: ArrayLike,
    worth: ArrayLike,
    worth_of_rest: ArrayLike,
    *,
    level: float = 0.9,
    random_state: int = 0,
) -> Remaining:
    """Estimate how many interesting objects are left among the unlabeled, from the labels alone.

    Three estimates. The upper end is that of the smaller of the first two, because both say too
    much: what is labeled was chosen because it looked better than its worth is now. The lower end
    is the lowest of all. The middle is between the smaller of the first two and the third, and
    never above the former:

    - by strata: the share of hits among labeled objects of like worth, applied to the unlabeled.
    - by slope: the same with a logistic regression on worth, which is surer of the many that are
      worth little.
    - by yield: hits come as a Poisson process whose rate has been falling exponentially since its
      peak; what is to come is the rest of its integral. Kinds not met so far do not show in it, so
      it says too little.

    In searches of twelve data sets of known truth (three seeds, 100 to 450 labels) the 90 %
    interval held the truth in 94 % of 288 cases; least often at 150 and 200 labels, while the yield
    rises (86 %), and in one of the data sets (78 %). It is wide: on average 160 objects, of some
    5,000. It fails where the yield rises late or nearly all is found, then saying too much, and
    where a kind of interesting object has not been met at all, then saying too little: no estimate
    from these labels could do better, but :func:`estimate_from_audit` can.

    Parameters
    ----------
    hits : array of bool, shape (m,)
        Whether each labeled object is interesting, in the order of labeling.
    worth : array, shape (m,)
        What the learner makes of each without its label, in any unit; NaN where it is not known.
    worth_of_rest : array, shape (k,)
        What it makes of the unlabeled objects, in the same unit.
    level : float
        Probability of the interval, 0..1.
    random_state : int
        Seed of the draws.

    Raises
    ------
    ValueError
        If there is not one worth per label, or `level` is no probability.
    """
    found = np.asarray(hits, dtype=bool)
    known = np.asarray(worth, dtype=np.float64)
    rest = np.asarray(worth_of_rest, dtype=np.float64)
    if found.ndim != 1 or known.shape != found.shape:
        raise ValueError(f"hits has shape {found.shape} and worth {known.shape}; give one of each")
    rng = np.random.default_rng(random_state)
    tails = _tails(level)
    told = np.isfinite(known)
    by_worth = np.minimum(
        np.quantile(_left_by_strata(found[told], known[told], rest, rng), tails),
        np.quantile(_left_by_slope(found[told], known[told], rest, rng), tails),
    )
    by_yield = np.quantile(_left_by_yield(found, len(rest), rng), tails)
    low, high = float(min(by_worth[0], by_yield[0])), float(by_worth[2])
    most = by_worth[1]  # says too much already: the third can only lower it
    middle = np.sqrt((most + 1) * (min(by_yield[1], most) + 1)) - 1
    return Remaining(float(np.clip(middle, low, high)), low, high, level)


def estimate_from_audit(hits: ArrayLike, n_rest: int, *, level: float = 0.9) -> Remaining:
    """Estimate how many interesting objects are left from a random sample of the unlabeled.

    It assumes nothing of the learner or of the objects, and is as wide as the sample is small:
    none among 50 still allows for 4 % of all.

    Parameters
    ----------
    hits : array of bool, shape (k,)
        Whether each object of the sample is interesting.
    n_rest : int
        How many unlabeled objects there are besides.
    level : float
        Probability of the interval, 0..1.
    """
    found = np.asarray(hits, dtype=bool)
    a, b = found.sum() + 0.5, (~found).sum() + 0.5  # Jeffreys' prior
    low, middle, high = _beta_binomial(n_rest, a, b, _tails(level))
    return Remaining(float(middle), float(low), float(high), level)


def _beta_binomial(n: int, a: float, b: float, shares: list[float]) -> NDArray[np.intp]:
    """Quantiles of the beta-binomial distribution; SciPy takes seconds for them among millions."""
    k = np.arange(n, dtype=np.float64)
    log_density = np.zeros(n + 1)
    np.cumsum(np.log((n - k) * (k + a) / ((k + 1) * (n - k - 1 + b))), out=log_density[1:])
    below = np.cumsum(np.exp(log_density - log_density.max()))
    quantiles: NDArray[np.intp] = np.searchsorted(below, np.multiply(shares, below[-1]))
    return quantiles


def _tails(level: float) -> list[float]:
    if not 0 < level < 1:
        raise ValueError(f"level is {level!r}; give a probability between 0 and 1, such as 0.9")
    return [(1 - level) / 2, 0.5, (1 + level) / 2]


def _left_by_strata(
    hits: NDArray[np.bool_],
    worth: NDArray[np.float64],
    rest: NDArray[np.float64],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Draw how many are left from the shares of hits in strata of worth."""
    shares = np.linspace(0, 1, _N_STRATA + 1)[1:-1]
    edges = np.unique(np.quantile(worth, shares)) if len(worth) else np.zeros(0)
    n = len(edges) + 1
    labeled, left = np.searchsorted(edges, worth), np.searchsorted(edges, rest)
    n_hits = np.bincount(labeled, weights=hits, minlength=n)
    n_misses = np.bincount(labeled, minlength=n) - n_hits
    share = rng.beta(n_hits + _PRIOR[0], n_misses + _PRIOR[1], size=(_N_DRAWS, n))
    drawn: NDArray[np.int64] = rng.binomial(np.bincount(left, minlength=n), share).sum(axis=1)
    return drawn


def _left_by_slope(
    hits: NDArray[np.bool_],
    worth: NDArray[np.float64],
    rest: NDArray[np.float64],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Draw how many are left from a logistic regression of the hits on worth.

    Its posterior is taken as normal round the mode (Bishop 2006, section 4.5).
    """
    from scipy.special import expit

    center, spread = (worth.mean(), worth.std() or 1.0) if len(worth) else (0.0, 1.0)
    inputs = np.column_stack([np.ones(len(worth)), (worth - center) / spread])
    precision = np.diag(np.array(_SPREAD) ** -2.0)
    mode = np.zeros(2)
    for _ in range(_N_STEPS):
        share = expit(inputs @ mode)
        hessian = (inputs.T * (share * (1 - share))) @ inputs + precision
        step = np.linalg.solve(hessian, inputs.T @ (hits - share) - precision @ mode)
        mode += step.clip(-1, 1)  # far from the mode a whole step may lead away
        if np.abs(step).max() < _CLOSE:
            break
    drawn = rng.multivariate_normal(mode, np.linalg.inv(hessian), size=_N_SLOPES)
    n_like, edges = np.histogram(rest, bins=_N_BINS)
    like = ((edges[1:] + edges[:-1]) / 2 - center) / spread
    # worth never speaks against an object
    share = expit(drawn[:, :1] + drawn[:, 1:].clip(min=0) * like)
    left: NDArray[np.int64] = rng.binomial(n_like, share).sum(axis=1)
    return left


def _left_by_yield(
    hits: NDArray[np.bool_], n_rest: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw how many are left from how the yield has been falling since its peak."""
    n_bins = len(hits) // _BIN
    counts = hits[: n_bins * _BIN].reshape(n_bins, _BIN).sum(axis=1)
    if n_bins > 5:
        counts = counts[min(int(np.argmax(np.convolve(counts, np.ones(5), "same"))), n_bins - 5) :]
    when = (np.arange(len(counts)) + 0.5) * _BIN
    falls = np.geomspace(1e-4, 0.1, 80)
    fall, start = np.meshgrid(falls, np.geomspace(1e-3, 1.0, 80))
    # of falling rates the logarithm is known where the rate itself is 0
    each = np.log(start * _BIN) * counts.sum() - fall * (counts @ when)
    all_of_it = np.exp(-np.multiply.outer(falls, when)).sum(axis=1)
    likelihood = each - start * _BIN * all_of_it
    chance = np.exp(likelihood - likelihood.max()).ravel()
    to_come = start * np.exp(-fall * _BIN * len(counts)) / fall
    drawn = rng.choice(len(chance), size=_N_DRAWS, p=chance / chance.sum())
    left: NDArray[np.int64] = rng.poisson(np.minimum(to_come.ravel(), n_rest)[drawn])
    return np.minimum(left, n_rest)
