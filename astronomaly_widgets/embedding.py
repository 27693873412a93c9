"""Maps of feature space: every object a point in the plane, alike objects close together."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from .compute import chunks, report

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

_NUMBERS_PER_CHUNK = 2**22
_MOST_SAMPLED = 5000
_FEWEST_SAMPLED = 200
_MOST_FITTED = 20_000  # by UMAP; the others are placed among these
_OUTLYING = 0.2  # of those: what is rare should have a place of its own
_PLACED_AT_ONCE = 50_000
_FEWEST_OBJECTS = 5  # neighbor graphs of fewer say nothing
_SECONDS_BETWEEN_LOOKS = 0.1


def pca_embedding(X: ArrayLike) -> NDArray[np.float32]:
    """Map objects onto the two directions in which they vary most; quick, for a first look.

    Parameters
    ----------
    X : array, shape (n, d)
        Finite features, possibly memory-mapped. The directions come from at most 5,000 evenly
        spaced objects (fewer where d is large).

    Returns
    -------
    ndarray, shape (n, 2), dtype float32
        In the units of the features; 0 along directions that do not exist.

    Raises
    ------
    ValueError
        If `X` is not a matrix, or an object that is read has a feature that is NaN or infinite.
    """
    X = _matrix(X)
    n, d = X.shape
    n_sampled = min(n, max(_FEWEST_SAMPLED, min(_MOST_SAMPLED, _NUMBERS_PER_CHUNK // max(d, 1))))
    sample = np.asarray(
        X[np.linspace(0, max(n - 1, 0), n_sampled).astype(np.intp)], dtype=np.float64
    )
    if not np.isfinite(sample).all():
        raise ValueError("an object has a feature that is NaN or infinite; set it aside")
    center = sample.mean(axis=0) if n else np.zeros(d)
    axes = _two_axes(sample - center)
    out = np.zeros((n, 2), dtype=np.float32)
    for part in chunks(n, max(1, _NUMBERS_PER_CHUNK // max(d, 1))):
        out[part] = (np.asarray(X[part], dtype=np.float64) - center) @ axes.T
    return out


def compute(X: ArrayLike, method: str = "umap", random_state: int = 0) -> NDArray[np.float32]:
    """Map objects so that neighbors in feature space are neighbors on the map (LB21 figure 3).

    The work is done in a process of its own, because UMAP holds the interpreter while it
    compiles. It can be cancelled through the running :class:`~astronomaly_widgets.compute.Task`,
    and ends when this process does.

    Parameters
    ----------
    X : array, shape (n, d)
        Finite, scaled features, possibly memory-mapped. UMAP is fitted on at most 20,000 objects,
        a fifth of them the farthest from the center, the others drawn at random; all others are
        placed among them, some at a time.
    method : str
        One of ``METHODS``. t-SNE has no way to place others: it is for some 10,000 objects.
    random_state : int
        The same number gives the same map.

    Returns
    -------
    ndarray, shape (n, 2), dtype float32
        Units and orientation mean nothing. Fewer than 5 objects, or objects that are all alike,
        are placed by :func:`pca_embedding`.

    Raises
    ------
    ValueError
        If there is no such method, or `X` is not a matrix of finite numbers.
    RuntimeError
        If the process failed; the message is its reason.
    concurrent.futures.CancelledError
        If the running task was cancelled.
    """
    if method not in METHODS:
        raise ValueError(f"there is no embedding {method!r}; there are: {', '.join(METHODS)}")
    X = _matrix(X)
    first_look = pca_embedding(X)
    if not np.isfinite(first_look).all():
        raise ValueError("an object has a feature that is NaN or infinite; set it aside")
    if len(X) < _FEWEST_OBJECTS or not np.ptp(first_look, axis=0).any():
        return first_look
    with TemporaryDirectory(prefix="astronomaly-") as name:
        folder = Path(name)
        np.save(folder / "features.npy", np.asarray(X, dtype=np.float32))
        np.save(folder / "first_look.npy", first_look)
        _run(folder, method, random_state)
        return np.asarray(np.load(folder / "embedding.npy"), dtype=np.float32)


def _run(folder: Path, method: str, random_state: int) -> None:
    """Embed what is in the folder in another process, and wait for it."""
    start = f"import json, sys; sys.path[:] = json.loads(sys.argv[1]); import {__name__} as module"
    command = [
        sys.executable,
        "-c",
        f"{start}; module._main(*sys.argv[2:])",
        json.dumps(sys.path),
        str(folder),
        method,
        str(random_state),
    ]
    complaints = folder / "stderr.txt"
    with (
        complaints.open("wb") as stderr,
        subprocess.Popen(  # noqa: S603 - our own module, and no shell
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=stderr
        ) as process,
    ):
        try:
            while True:
                try:
                    process.wait(_SECONDS_BETWEEN_LOOKS)
                    break
                except subprocess.TimeoutExpired:
                    report(0.0)
        finally:
            process.kill()
    if process.returncode:
        said = complaints.read_text(errors="replace").strip().splitlines()
        reason = said[-1] if said else f"exit status {process.returncode}; is there enough memory?"
        raise RuntimeError(f"the {method} embedding failed: {reason}")
    report(1.0)


def _main(folder: str, method: str, random_state: str) -> None:
    """Do the work of :func:`compute`, in the other process."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(5)  # the person at the screen comes first
    X = np.load(Path(folder, "features.npy"), mmap_mode="r")
    first_look = np.load(Path(folder, "first_look.npy"))
    embedded = _EMBEDDERS[method](X, first_look, int(random_state))
    if not np.isfinite(embedded).all():
        raise FloatingPointError("some objects were placed nowhere; scale the features first")
    np.save(Path(folder, "embedding.npy"), embedded)


def _end_with_parent() -> None:
    """Stop this process when the one that holds the other end of stdin is gone."""
    os.read(0, 1)  # not sys.stdin, whose lock would be held when this process ends well
    os._exit(1)


def _umap(X: NDArray[Any], first_look: NDArray[Any], random_state: int) -> NDArray[Any]:
    del first_look  # UMAP starts from the graph itself
    from umap import UMAP

    model = UMAP(n_neighbors=min(15, len(X) - 1), random_state=random_state, n_jobs=1)
    if len(X) <= _MOST_FITTED:
        return np.asarray(model.fit_transform(X))
    fitted = _to_fit(X, random_state)
    out = np.empty((len(X), 2), dtype=np.float32)
    out[fitted] = model.fit_transform(np.asarray(X[fitted]))
    others = np.delete(np.arange(len(X)), fitted)
    for part in chunks(len(others), _PLACED_AT_ONCE):
        out[others[part]] = model.transform(np.asarray(X[others[part]]))
    return out


def _to_fit(X: NDArray[Any], random_state: int) -> NDArray[np.intp]:
    """Return the rows UMAP learns from, in ascending order."""
    rng = np.random.default_rng(random_state)
    drawn = np.asarray(X[np.sort(rng.choice(len(X), _MOST_SAMPLED, replace=False))], dtype=float)
    center, spread = drawn.mean(axis=0), drawn.std(axis=0)
    spread[spread == 0] = 1
    distance = np.empty(len(X), dtype=np.float32)
    for part in chunks(len(X), max(1, _NUMBERS_PER_CHUNK // X.shape[1])):
        distance[part] = (((np.asarray(X[part]) - center) / spread) ** 2).sum(axis=1)
    far = np.argsort(-distance, kind="stable")[: int(_OUTLYING * _MOST_FITTED)]
    others = np.delete(np.arange(len(X)), far)
    return np.sort(np.concatenate([far, rng.choice(others, _MOST_FITTED - len(far), False)]))


def _tsne(X: NDArray[Any], first_look: NDArray[Any], random_state: int) -> NDArray[Any]:
    from sklearn.manifold import TSNE

    start = first_look / first_look[:, 0].std() * 1e-4  # as small as scikit-learn makes its own
    model = TSNE(
        perplexity=min(30.0, (len(X) - 1) / 3),
        init=start.astype(np.float32),
        learning_rate="auto",
        random_state=random_state,
    )
    return np.asarray(model.fit_transform(X))


_EMBEDDERS: dict[str, Callable[[NDArray[Any], NDArray[Any], int], NDArray[Any]]] = {
    "umap": _umap,
    "tsne": _tsne,
}
METHODS = tuple(_EMBEDDERS)


def _two_axes(centered: NDArray[np.float64]) -> NDArray[np.float64]:
    """Leading two principal axes (2, d), largest entry positive; 0 where there is none."""
    s, d = centered.shape
    axes = np.zeros((2, d))
    wide = d > s
    # the smaller of the two matrices of inner products has the same leading directions
    gram = centered @ centered.T if wide else centered.T @ centered
    values, vectors = np.linalg.eigh(gram)
    for k in range(min(2, len(values))):
        value, vector = values[-1 - k], vectors[:, -1 - k]
        if value <= values[-1] * 1e-12 or value <= 0:
            break
        axis = centered.T @ vector / np.sqrt(value) if wide else vector
        axes[k] = axis * np.sign(axis[np.abs(axis).argmax()])
    return axes


def _matrix(X: ArrayLike) -> NDArray[Any]:
    array = np.asanyarray(X)
    if array.ndim != 2:
        raise ValueError(
            f"the features have shape {array.shape}; give a matrix (n_objects, n_features)"
        )
    return array
