"""Images per second of the ellipse features, beside a plain way to do the same.

Run ``python benchmarks/features.py [FOLDER]``. The plain way is what one writes at first: pillow
reads, astropy clips, OpenCV draws, one image after another. Both see the same files in one run.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from astronomaly_widgets.features import EllipseFeatures, measure
from astronomaly_widgets.sources import ImageFolder

PERCENTILES = (90, 80, 70, 60, 50, 0)


def plain_features(path):
    """Measure one file in the plain way; None if there is no source."""
    from astropy.stats import sigma_clip

    image = np.asarray(Image.open(path)).astype(float)
    if image.ndim == 3:
        image = image.mean(axis=2)
    clipped = sigma_clip(image, sigma=3)
    threshold = np.ma.median(clipped) + 3 * clipped.std()
    center = (image.shape[1] / 2, image.shape[0] / 2)
    contours, _ = cv2.findContours((image > threshold).astype(np.uint8), 0, cv2.CHAIN_APPROX_NONE)
    found = [c for c in contours if cv2.pointPolygonTest(c, center, False) >= 0]
    if not found:
        return None
    mask = cv2.drawContours(np.zeros(image.shape, np.uint8), found[:1], 0, 1, cv2.FILLED)
    source = np.where(mask, image, 0)
    features, first = [], None
    for level in np.percentile(image[mask > 0], PERCENTILES):
        above = ((source >= level) & (mask > 0)).astype(np.uint8)
        contours, _ = cv2.findContours(above, 0, cv2.CHAIN_APPROX_NONE)
        contour = max(contours, key=cv2.contourArea)
        if len(contour) < 5:
            return None
        (x, y), (width, height), angle = ellipse = cv2.fitEllipse(contour)
        region = cv2.drawContours(np.zeros(image.shape, np.uint8), [contour], 0, 1, cv2.FILLED)
        drawn = cv2.ellipse(np.zeros(image.shape, np.uint8), ellipse, 1, cv2.FILLED)
        features.append(((drawn.astype(float) - region) ** 2).sum() / region.sum())
        if first is None:
            first = (x, y, height / width, angle)
            continue
        turn = abs(angle - first[3]) % 180
        features += [
            np.hypot(x - first[0], y - first[1]),
            height / width / first[2],
            min(turn, 180 - turn),
        ]
    return features


def draw_galaxies(folder, n, size=424):
    """Write n JPEGs of smooth galaxies with noise and neighbors."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:size, :size].astype(np.float32)
    for k in range(n):
        image = rng.normal(12, 5, (size, size, 3)).astype(np.float32)
        for place in [(size / 2, size / 2), *rng.uniform(0, size, (4, 2))]:
            angle, scale, ratio = rng.uniform(0, np.pi), rng.uniform(6, 20), rng.uniform(0.3, 1)
            dx, dy = x - place[0], y - place[1]
            u = dx * np.cos(angle) + dy * np.sin(angle)
            v = (dy * np.cos(angle) - dx * np.sin(angle)) / ratio
            image += rng.uniform(80, 300) * np.exp(-np.hypot(u, v) / scale)[..., None]
        Image.fromarray(image.clip(0, 255).astype(np.uint8)).save(folder / f"galaxy {k:04d}.jpg")


def timed(function):
    """Return seconds and result."""
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, help="default: 600 drawn galaxies")
    parser.add_argument("-n", type=int, default=300, help="images for the plain way (default 300)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        if arguments.folder is None:
            draw_galaxies(Path(temporary), 600)
        source = ImageFolder(arguments.folder or temporary)
        sample = [source.path_of(i) for i in source.object_ids[: arguments.n]]
        plain_features(sample[0])  # imports are not what is measured
        EllipseFeatures().extract(source.read(source.object_ids[0]))
        cv2.setNumThreads(1)
        seconds, plain = timed(lambda: [plain_features(path) for path in sample])
        baseline = len(sample) / seconds
        print(f"{len(source)} images, {os.cpu_count()} cores, Python {sys.version.split()[0]}")
        print(f"{'':26s}{'images/s':>9s}{'x plain':>9s}{'set aside':>11s}")
        failed = sum(features is None for features in plain)
        print(f"{'plain, 1 process':26s}{baseline:9.1f}{1:9.1f}{f'{failed}/{len(sample)}':>11s}")
        for n_jobs, what in ((1, "ours, 1 process"), (None, "ours, a process per core")):
            seconds, result = timed(
                lambda n_jobs=n_jobs: measure(source, "ellipse", n_jobs=n_jobs, progress=False)
            )
            rate = len(source) / seconds
            aside = f"{len(result.set_aside)}/{len(source)}"
            print(f"{what:26s}{rate:9.1f}{rate / baseline:9.1f}{aside:>11s}")


if __name__ == "__main__":
    main()
