"""Extractors whose network learns from the person's own images, with no label."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np

from .. import preprocess
from ..compute import evenly
from . import _torch
from ._by_network import ByNetwork
from ._collapse import check_spread, spread
from ._learned import OWN, Learned, by_epoch, read_learned
from ._pictures import read_pictures
from ._shown import as_call
from ._training import Training, seed_of, seeded, training_bar
from .cnn import CNNFeatures

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from .._protocols import Source
    from ._runner import Runner
    from ._training import Recipe

_PROBES = 256


class SelfTrained(ByNetwork):
    """What BYOL and the autoencoder have in common.

    A subclass says which arguments it was given, what is trained, and what of it measures.
    """

    name: str
    network: Any = None

    def __init__(
        self,
        *,
        size: int,
        seen: int,
        crop: int | Literal["source"] | None,
        color: Literal["rgb", "grey"],
        sigma: float | None,
        batch_size: int,
        learning_rate: float,
        random_state: int,
        device: str | None,
        keep_components: float | None,
    ) -> None:
        if batch_size < 2:
            raise ValueError(f"batch_size is {batch_size}; wanted at least 2")
        if not learning_rate > 0:
            raise ValueError(f"learning_rate is {learning_rate}; wanted more than 0")
        super().__init__()
        self._eye = CNNFeatures(
            size=size, crop=crop, color=color, sigma=sigma, keep_components=keep_components
        )
        self._seen = seen
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.random_state = random_state
        self.device = device
        self.keep_components = keep_components
        self._learned: Learned | None = None

    def __repr__(self) -> str:
        return as_call(self, self._arguments())

    # -- for the subclass ------------------------------------------------------------------------

    def _arguments(self) -> dict[str, Any]:
        """Return what the constructor was given, JSON-ready, but `device`."""
        eye = self._eye
        return {
            "size": eye.size,
            "crop": eye.crop,
            "color": eye.color,
            "sigma": eye.sigma,
            "batch_size": self.batch_size,
            "learning_rate": self.learning_rate,
            "random_state": self.random_state,
            "keep_components": self.keep_components,
        }

    def _learned_with(self) -> dict[str, Any]:
        """Return the arguments that what is learned depends on."""
        return {k: v for k, v in self._arguments().items() if k != "keep_components"}

    def _adam_rate(self) -> float:
        return self.learning_rate

    def _recipe(self) -> Recipe:
        """Return what is trained, with fresh weights."""
        raise NotImplementedError

    def _measuring(self, modules: Any) -> _torch.Trained:
        """Return the network that measures, made of the parts of a recipe that do."""
        raise NotImplementedError

    #: Names of the modules of the recipe that measure.
    _parts: ClassVar[tuple[str, ...]]
    #: Collapsed is what has less of the spread that it began with, and the remedy for that.
    _least_of_first: ClassVar[float]
    _against_collapse: ClassVar[str]

    def _telling(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Return the columns in which a collapse would show."""
        return rows

    # -- training --------------------------------------------------------------------------------

    def fit(
        self,
        source: Source,
        object_ids: Sequence[str] | None = None,
        *,
        epochs: int = 100,
        checkpoint: str | os.PathLike[str] | None = None,
        on_epoch: Callable[[Self], Any] | None = None,
        n_jobs: int | None = None,
        progress: bool = True,
    ) -> Self:
        """Learn from the images of a source.

        While this runs, the extractor measures with the network of the last epoch: in `on_epoch`,
        or in another thread.

        Parameters
        ----------
        source : Source
            Of images. Those that cannot be read, or have no data, are left out, see `left_out_`.
        object_ids : sequence of str, optional
            Learn from these alone; by default from all.
        epochs : int
            How often each image is seen, counting the epochs of the checkpoint; one that is further
            is taken as it is.
        checkpoint : path-like, optional
            A folder for the state of the training, written twice a minute. Called again, it goes on
            from there, to the same network as without the interruption (on a GPU, but for
            rounding); with more epochs it goes on from the end.
        on_epoch : callable, optional
            Called with the extractor after each epoch, as
            ``lambda byol: print(byol.history_.tail(1))``.
        n_jobs : int, optional
            Threads that read, one per core by default.
        progress : bool
            Show a bar with the loss and the time that is left.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            Not a source of images, fewer than two of which can be read; or the checkpoint is of
            another training; or the loss is no longer a number.
        RuntimeError
            The network has collapsed: it says the same of all images.
        MemoryError
            A batch does not fit onto the GPU.
        MissingDependencyError
            A package is not installed; the message says what brings it.
        concurrent.futures.CancelledError
            The running task was cancelled; the checkpoint is written before.
        """
        if epochs < 1:
            raise ValueError(f"epochs is {epochs}; wanted at least 1")
        runner = _torch.Runner(_torch.Trained(_torch.torch().nn.Identity()), self.device)
        with seeded(seed_of(self.random_state, 0), runner.device):
            recipe = self._recipe()
        pictures = read_pictures(source, object_ids, self._eye, n_jobs, progress)
        rows = evenly(len(pictures.images), _PROBES)
        probes = pictures.images[rows] / np.float32(255)
        first = self._spread(
            _torch.Runner(self._measuring(self._copied(recipe)), self.device), probes
        )
        training = Training(
            recipe,
            pictures.images,
            self.batch_size,
            self._adam_rate(),
            self.random_state,
            runner.device,
            None if checkpoint is None else Path(checkpoint).expanduser(),
            {"features": self.name, **self._learned_with(), "images": pictures.digest},
        )
        self.left_out_ = pictures.left_out
        self._take(Learned(self._copied(recipe), training.history))
        with training_bar(training, epochs, self.name if progress else None) as bar:
            for row in training.run(epochs, bar):
                self._take(Learned(self._copied(recipe), training.history))
                row["spread"] = self._spread(self._ready(), probes)
                check_spread(row["spread"], self._least_of_first * first, self._against_collapse)
                if on_epoch is not None:
                    on_epoch(self)
        return self

    def _take(self, learned: Learned) -> None:
        """Measure with this from now on."""
        with self._lock:
            self._learned, self._runner = learned, None

    @property
    def history_(self) -> pd.DataFrame:
        """One row per epoch: ``loss`` (mean), ``spread`` (see the class), ``seconds``."""
        return by_epoch(self._learned)

    def _copied(self, recipe: Recipe) -> Any:
        """Return a copy of what measures, in evaluation mode."""
        parts = {name: deepcopy(recipe.modules[name]) for name in self._parts}
        modules = _torch.torch().nn.ModuleDict(parts).eval()
        for parameter in modules.parameters():
            parameter.requires_grad_(requires_grad=False)
            parameter.grad = None
        return modules

    def _spread(self, runner: Runner, probes: NDArray[Any]) -> float:
        seen = np.stack([preprocess.center_crop(each, self._seen) for each in probes])
        return spread(self._telling(runner(seen, self.batch_size)))

    # -- measuring -------------------------------------------------------------------------------

    def feature_names(self, source: Source) -> tuple[str, ...]:  # noqa: ARG002 - the same for all
        """Names like ``byol_0``.

        Raises
        ------
        ValueError
            The network has not been trained.
        MissingDependencyError
            A package is not installed; the message says what brings it.
        """
        black = np.zeros((self._seen, self._seen, 3), np.float32)
        return tuple(f"{self.name}_{k}" for k in range(self.extract_batch([black]).shape[1]))

    def settings(self) -> Mapping[str, Any]:
        """Return all that the numbers depend on, with a digest of what was learned."""
        digest = "" if self._learned is None else self._learned.digest
        return {**self._learned_with(), "learned": digest, "version": 1}

    def prepare(self, data: NDArray[Any]) -> NDArray[Any]:
        """Return what the network sees of an image; (seen, seen, 3) float32, in 0..1.

        Raises
        ------
        MeasurementError
            See :meth:`extract`.
        """
        seen: NDArray[Any] = preprocess.center_crop(self._eye.prepare(data), self._seen)
        return seen

    def extract_batch(self, prepared: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """Measure images that are prepared; (m, d) float32.

        Raises
        ------
        ValueError
            The network has not been trained.
        MemoryError
            Not even one image fits onto the device.
        """
        return self._ready()(np.stack(prepared), self.batch_size)

    def _ready(self) -> Runner:
        with self._lock:
            if self._runner is None:
                measuring = self._measuring(self._trained().modules)
                self._runner = _torch.Runner(measuring, self.device)
            return self._runner

    def _trained(self) -> Learned:
        if self._learned is None:
            kind = type(self).__name__
            raise ValueError(
                f"{self.name} features have to learn from your images first: features = "
                f"{kind}().fit(source), and then explore(source, features=features); what was "
                f"learned before comes back with {kind}.load(folder)"
            )
        return self._learned

    # -- on disk ---------------------------------------------------------------------------------

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write what was learned, as safetensors, and the settings beside it, as JSON.

        Parameters
        ----------
        folder : path-like
            Made if it is not there.

        Raises
        ------
        ValueError
            The network has not been trained.
        """
        self._trained().write(folder, self.name, self._arguments())

    @classmethod
    def load(
        cls, folder: str | os.PathLike[str], *, network: Any = None, device: str | None = None
    ) -> Self:
        """Return the extractor that was saved.

        Parameters
        ----------
        folder : path-like
            Where it was saved.
        network : torch.nn.Module, optional
            The network, if it was one of your own: safetensors hold numbers, and no code.
        device : str, optional
            As for the constructor.

        Raises
        ------
        FileNotFoundError
            It is not there.
        ValueError
            It is of other features, or not a save at all, or the weights do not fit.
        """
        folder = Path(folder).expanduser()
        arguments, history, weights = read_learned(folder, cls.name)
        if network is not None:
            arguments["network"] = network
        elif str(arguments.get("network")).startswith(OWN):
            raise ValueError(
                f"{folder} holds the weights of a network of your own, "
                f"{arguments['network'].removeprefix(OWN)}: give it, as load(folder, network=...)"
            )
        try:
            extractor = cls(**arguments, device=device)
        except TypeError as error:
            raise ValueError(
                f"{folder} holds settings of another version: {error}; train and save again"
            ) from error
        with seeded(0, _torch.torch().device("cpu")):
            empty = extractor._copied(extractor._recipe())
        extractor._take(Learned(_torch.build(empty, weights).network, history))
        return extractor
