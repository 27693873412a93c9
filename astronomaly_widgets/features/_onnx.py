"""Networks in ONNX files, whichever library trained them; run by ONNX Runtime, without torch."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _optional
from . import _runner

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SUFFIX = ".onnx"
_GPU = "CUDAExecutionProvider"
_PROCESSOR = "CPUExecutionProvider"
_ONLY_ERRORS = 3  # as ONNX Runtime counts; below it writes to the terminal


def is_onnx(network: Any) -> bool:
    """Whether something is the path of an ONNX file."""
    return isinstance(network, str | os.PathLike) and Path(network).suffix.lower() == _SUFFIX


def fingerprint(path: str | os.PathLike[str]) -> str:
    """Tell files apart by what is in them."""
    with _existing(path).open("rb") as file:
        return f"onnx {hashlib.file_digest(file, 'sha256').hexdigest()[:16]}"


class Runner(_runner.Runner):
    """A network in a file.

    Parameters
    ----------
    path : path-like
        It takes one batch of images, float32, either (m, 3, size, size) or (m, size, size, 3), and
        its first output is what it sees.
    size : int
        Of the images that it will be given.
    mean, std : sequence of float
        What is taken off red, green and blue, and what they are then divided by.
    device : str, optional
        ``"cuda"`` or ``"cpu"``; by default the former where ``onnxruntime-gpu`` is installed.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        The file is no network, or one that takes something else; or there is no such device.
    MissingDependencyError
        ONNX Runtime is not installed.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        size: int,
        mean: Any,
        std: Any,
        device: str | None = None,
    ) -> None:
        runtime = _optional.require("onnxruntime", extra="onnx")
        path = _existing(path)
        self.on_cpu = _provider(device, runtime.get_available_providers()) == _PROCESSOR
        options = runtime.SessionOptions()
        options.log_severity_level = _ONLY_ERRORS
        providers = [_PROCESSOR] if self.on_cpu else [_GPU, _PROCESSOR]
        try:
            self._session = runtime.InferenceSession(path, options, providers=providers)
        except Exception as error:  # it raises many kinds, which share no other name
            raise ValueError(
                f"{path} does not hold a network that can be run: {str(error).splitlines()[0]}"
            ) from error
        self._name, self.fixed_batch, self._channels_last = self._asked(path, size)
        self._output = self._session.get_outputs()[0].name
        self._mean, self._std = (np.asarray(each, np.float32) for each in (mean, std))

    def __str__(self) -> str:
        return "the processor" if self.on_cpu else "the GPU"

    def _asked(self, path: Path, size: int) -> tuple[str, int | None, bool]:
        """Name of the input, size of the batch if only one will do, and where the colors stand."""
        inputs = self._session.get_inputs()
        first = inputs[0]
        # names of sizes that may be any are not numbers
        shape = [n if isinstance(n, int) else None for n in first.shape]
        for last, wanted in ((False, (3, size, size)), (True, (size, size, 3))):
            fits = len(shape) == 4 and all(
                n is None or n == m for n, m in zip(shape[1:], wanted, strict=True)
            )
            if fits and len(inputs) == 1 and first.type == "tensor(float)":
                return first.name, shape[0], last
        said = ", ".join(f"{each.name} {each.shape} {each.type}" for each in inputs)
        raise ValueError(
            f"the network in {path} takes {said}; wanted one input (m, 3, {size}, {size}) or "
            f"(m, {size}, {size}, 3) of tensor(float): give the size that it was made for"
        )

    def _outputs(self, images: NDArray[Any]) -> NDArray[Any] | None:
        x = (images - self._mean) / self._std
        if not self._channels_last:
            x = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
        try:
            y = self._session.run([self._output], {self._name: x})[0]
        except Exception as error:
            # ONNX Runtime has no kind of its own for this; bare, its errors are no RuntimeErrors
            if "allocate memory" not in str(error):
                raise
            return None
        return np.asarray(y, np.float32)


def _existing(path: str | os.PathLike[str]) -> Path:
    path = Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"there is no network at {path}")
    return path


def _provider(device: str | None, available: list[str]) -> str:
    if device not in {None, "cpu", "cuda"}:
        raise ValueError(f"an ONNX file cannot be run on {device!r}; wanted 'cpu' or 'cuda'")
    if device == "cuda" and _GPU not in available:
        raise ValueError("ONNX Runtime sees no GPU here; it needs: pip install onnxruntime-gpu")
    return _PROCESSOR if device == "cpu" or _GPU not in available else _GPU
