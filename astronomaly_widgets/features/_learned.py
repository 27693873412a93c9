"""What a network has learned: its modules, how it went, and both in a folder."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._tensors import read_settings, write_settings, write_tensors

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    import pandas as pd

_WEIGHTS = "weights.safetensors"
_SETTINGS = "settings.json"
OWN = "own: "  # before the name of a network that only the person has


@dataclass(frozen=True)
class Learned:
    """The parts of a network that measure, in evaluation mode, and the epochs that led there.

    Attributes
    ----------
    modules : torch.nn.ModuleDict
    history : list of dict
        One row per epoch.
    """

    modules: Any
    history: list[dict[str, float]]

    @cached_property
    def digest(self) -> str:
        """A short text that no other weights have."""
        digest = hashlib.sha256()
        for name, tensor in self.modules.state_dict().items():
            digest.update(name.encode())
            digest.update(tensor.cpu().numpy().tobytes())
        return digest.hexdigest()[:16]

    def write(
        self, folder: str | os.PathLike[str], name: str, arguments: Mapping[str, Any]
    ) -> None:
        """Write it, and the arguments with which the extractor `name` was made."""
        folder = Path(folder).expanduser()
        write_settings(folder / _SETTINGS, name, arguments, self.history)
        write_tensors(folder / _WEIGHTS, self.modules.state_dict(), {})


def by_epoch(learned: Learned | None) -> pd.DataFrame:
    """Return what is known of each epoch, a row per epoch; none before the first."""
    import pandas as pd

    columns = ["epoch", "loss", "spread", "seconds"]
    rows = [] if learned is None else learned.history
    return pd.DataFrame(rows, columns=columns).set_index("epoch")


def read_learned(folder: Path, name: str) -> tuple[dict[str, Any], list[dict[str, float]], Path]:
    """Read what :meth:`Learned.write` wrote: arguments and history, and where the weights are.

    Raises
    ------
    FileNotFoundError
        It is not there.
    ValueError
        It is of other features, or holds something else.
    """
    return *read_settings(folder / _SETTINGS, name), folder / _WEIGHTS


def own_network(network: Any) -> str:
    """Return the name of a network, which says whether only the person has it."""
    if isinstance(network, str):
        return network
    return OWN + type(network).__name__
