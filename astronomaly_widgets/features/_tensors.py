"""Tensors and the settings beside them, on disk, without a pickle."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from .. import _optional
from ._torch import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_FORMAT = 1


def write_tensors(path: Path, tensors: Mapping[str, Any], metadata: Mapping[str, str]) -> None:
    """Write tensors by name as safetensors, whole or not at all."""
    save = _optional.require("safetensors.torch", extra="deep").save_file
    plain = torch().contiguous_format
    # clones: what two names share, safetensors refuses to write
    copies = {k: v.detach().cpu().clone(memory_format=plain) for k, v in tensors.items()}
    write_whole(path, lambda temporary: save(copies, temporary, dict(metadata)))


def write_whole(path: Path, write: Callable[[Path], Any]) -> None:
    """Write a file under another name and rename it, so that nobody sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{uuid4().hex[:8]}.tmp")
    try:
        write(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_tensors(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Read tensors by name, and the texts beside them.

    Raises
    ------
    ValueError
        The file holds something else.
    """
    library = _optional.require("safetensors", extra="deep")
    try:
        with library.safe_open(path, "pt") as file:
            # clones: the file may be replaced while they are in use
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118 - no mapping
            return tensors, file.metadata() or {}
    except library.SafetensorError as error:
        raise ValueError(f"{path} does not hold tensors as safetensors: {error}") from error


def write_settings(
    path: Path, name: str, arguments: Mapping[str, Any], history: list[dict[str, float]]
) -> None:
    """Write the arguments of a trained extractor, and how its training went, as JSON."""
    said = {"format": _FORMAT, "features": name, "settings": arguments, "history": history}
    text = json.dumps(said, indent=1)
    write_whole(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def read_settings(path: Path, name: str) -> tuple[dict[str, Any], list[dict[str, float]]]:
    """Read the arguments of a trained extractor, and how its training went.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        It is of other features, or holds something else.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no features were saved in {path.parent}: no {path.name}")
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        version, saved = said["format"], said["features"]
        arguments, history = dict(said["settings"]), list(said["history"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} does not hold settings of features: {error!r}") from error
    if version != _FORMAT:
        raise ValueError(f"{path} has format {version}; this version reads {_FORMAT}")
    if saved != name:
        raise ValueError(f"{path} is of {saved} features, not of {name} features")
    return arguments, history
