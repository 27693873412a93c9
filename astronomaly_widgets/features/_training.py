"""Train a network on pictures, step by step, so that it can stop anywhere and go on exactly."""

from __future__ import annotations

import json
import math
import time
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..compute import report
from ._tensors import read_tensors, write_tensors
from ._torch import torch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

# a killed training loses no more than this
_SAVE_SECONDS = 30.0
_STATE = "training.safetensors"


class Recipe(Protocol):
    """What is trained, and towards what.

    Attributes
    ----------
    modules : torch.nn.ModuleDict
        All that training changes.
    """

    modules: Any

    def loss(self, pictures: Any, generator: Any) -> Any:
        """Return what is to become small, a tensor of one number.

        Parameters
        ----------
        pictures : Tensor, shape (m, 3, size, size)
            In 0..1.
        generator : torch.Generator
            Of the processor; all that is drawn at random comes from it.
        """
        ...

    def follow(self) -> None:
        """Change what changes after each step without being trained."""
        ...


@dataclass
class Training:
    """Training of a recipe on pictures, with Adam at a constant rate.

    What is drawn at random depends on the step alone, not on what was drawn before. So a training
    that goes on from a checkpoint makes the same steps as one that was never interrupted, and one
    that has ended can be given more epochs.

    Parameters
    ----------
    recipe : Recipe
    pictures : ndarray, shape (n, size, size, 3), uint8
        At least two.
    batch_size : int
        At most so many pictures in a step; all steps of an epoch have about the same.
    learning_rate : float
        Of Adam.
    random_state : int
    device : torch.device
    folder : Path, optional
        Where the state is kept.
    key : mapping
        All that the training depends on, JSON-ready: a state with another is refused.

    Attributes
    ----------
    step : int
        Steps made, all in all.
    history : list of dict
        One row per epoch.
    """

    recipe: Recipe
    pictures: NDArray[Any]
    batch_size: int
    learning_rate: float
    random_state: int
    device: Any
    folder: Path | None
    key: Mapping[str, Any]

    def __post_init__(self) -> None:
        library = torch()
        modules = self.recipe.modules
        modules.to(self.device, memory_format=library.channels_last).train()
        self._trained = [each for each in modules.parameters() if each.requires_grad]
        self._optimizer = library.optim.Adam(self._trained, lr=self.learning_rate)
        self.step = 0
        self.history: list[dict[str, float]] = []
        self._losses: list[float] = []  # of this epoch
        self._seconds = 0.0
        if self.folder is not None and (self.folder / _STATE).is_file():
            self._load(self.folder / _STATE)

    @property
    def steps_per_epoch(self) -> int:
        """How many steps it takes to see each picture once."""
        return math.ceil(len(self.pictures) / self.batch_size)

    def run(self, n_epochs: int, bar: Any = None) -> Iterator[dict[str, float]]:
        """Train until so many epochs are done, and yield the row of each in the history.

        Parameters
        ----------
        n_epochs : int
            All in all, also counting those of the checkpoint.
        bar : tqdm, optional
            Shows the steps and the loss.

        Raises
        ------
        ValueError
            The loss is no longer a number.
        MemoryError
            The batch does not fit onto the device.
        concurrent.futures.CancelledError
            The running task was cancelled; the checkpoint is written before.
        """
        n_steps = n_epochs * self.steps_per_epoch
        saved = started = time.monotonic()
        try:
            while self.step < n_steps:
                report(self.step / n_steps)
                self._losses.append(self._make_step())
                self.step += 1
                if bar is not None:
                    bar.update()
                    bar.set_postfix(loss=f"{np.mean(self._losses[-20:]):.4f}", refresh=False)
                now = time.monotonic()
                self._seconds, started = self._seconds + now - started, now
                if self.step % self.steps_per_epoch == 0:
                    row: dict[str, float] = {"epoch": self.step // self.steps_per_epoch}
                    row |= {"loss": float(np.mean(self._losses)), "seconds": self._seconds}
                    self._losses, self._seconds = [], 0.0
                    self.history.append(row)
                    yield row
                    started = time.monotonic()
                if self.step == n_steps or time.monotonic() - saved > _SAVE_SECONDS:
                    self.save()
                    saved = time.monotonic()
            report(1.0)
        except CancelledError:  # comes between two steps, when all is of one piece
            self.save()
            raise

    def _rows(self) -> NDArray[Any]:
        epoch, k = divmod(self.step, self.steps_per_epoch)
        order = np.random.default_rng([self.random_state, epoch]).permutation(len(self.pictures))
        return np.array_split(order, self.steps_per_epoch)[k]

    def _make_step(self) -> float:
        library = torch()
        batch = library.from_numpy(self.pictures[self._rows()]).to(self.device)
        batch = batch.permute(0, 3, 1, 2).float() / 255
        seed = seed_of(self.random_state, self.step)
        generator = library.Generator().manual_seed(seed)
        on_gpu = self.device.type == "cuda"
        try:
            with (
                seeded(seed, self.device),
                library.autocast(self.device.type, library.bfloat16, enabled=on_gpu),
            ):
                loss = self.recipe.loss(batch, generator)
            self._optimizer.zero_grad()
            loss.backward()
        except library.cuda.OutOfMemoryError as error:
            raise MemoryError(
                f"{self.device} has too little memory free to train on {len(batch)} pictures at "
                "once; give a smaller batch_size or size, or device='cpu'"
            ) from error
        value = float(loss.detach())
        if not math.isfinite(value):
            raise ValueError(
                f"the loss is {value} after {self.step} steps; give a learning_rate below "
                f"{self.learning_rate:g}"
            )
        self._optimizer.step()
        self.recipe.follow()
        return value

    # -- checkpoint ------------------------------------------------------------------------------

    def save(self) -> None:
        """Write the state to the folder, if there is one, whole or not at all."""
        if self.folder is None:
            return
        tensors = {f"modules.{k}": v for k, v in self.recipe.modules.state_dict().items()}
        for k, state in self._optimizer.state_dict()["state"].items():
            tensors |= {f"adam.{k}.{name}": value for name, value in state.items()}
        said = {
            "key": self.key,
            "step": self.step,
            "history": self.history,
            "losses": self._losses,
            "seconds": self._seconds,
        }
        write_tensors(self.folder / _STATE, tensors, {"state": json.dumps(said)})

    def _load(self, path: Path) -> None:
        tensors, metadata = read_tensors(path)
        try:
            said = json.loads(metadata["state"])
            modules = _below("modules.", tensors)
            moments: dict[int, dict[str, Any]] = {}
            for name, value in _below("adam.", tensors).items():
                k, _, what = name.partition(".")
                moments.setdefault(int(k), {})[what] = value
            key, self.step, self.history = said["key"], said["step"], said["history"]
            self._losses, self._seconds = said["losses"], said["seconds"]
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path} is not the state of a training; remove it") from error
        different = [
            f"{name} {key.get(name)!r} instead of {value!r}"
            for name, value in self.key.items()
            if key.get(name) != value
        ]
        if different:
            raise ValueError(
                f"{path} is of another training: {'; '.join(different)}; go on with its settings, "
                "or give another folder"
            )
        try:
            self.recipe.modules.load_state_dict(modules)
        except RuntimeError as error:  # torch names what is missing, or of another shape
            raise ValueError(f"{path} is of another network: {error}") from error
        groups = self._optimizer.state_dict()["param_groups"]
        self._optimizer.load_state_dict({"state": moments, "param_groups": groups})


def _below(prefix: str, tensors: Mapping[str, Any]) -> dict[str, Any]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def seed_of(random_state: int, step: int) -> int:
    """Return a seed that no other step has."""
    return int(np.random.SeedSequence([random_state, step]).generate_state(1, np.uint64)[0] >> 1)


@contextmanager
def seeded(seed: int, device: Any) -> Iterator[None]:
    """Let torch draw from a seed, as its layers do, and leave its own numbers as they were."""
    library = torch()
    with library.random.fork_rng([device] if device.type == "cuda" else []):
        library.manual_seed(seed)
        yield


@contextmanager
def training_bar(training: Training, n_epochs: int, text: str | None) -> Iterator[Any]:
    """Show a bar of the steps; None without a text."""
    if text is None:
        yield None
        return
    from tqdm.auto import tqdm

    n_steps = n_epochs * training.steps_per_epoch
    with tqdm(
        total=max(n_steps, training.step),
        initial=training.step,
        desc=f"Training {text}",
        unit=" steps",
        smoothing=0.1,
        dynamic_ncols=True,
    ) as bar:
        yield bar
