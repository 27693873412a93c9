"""Images per second of the features of images, beside a plain way to do the same.

Run ``python benchmarks/features.py [FOLDER]``. The plain way is what one writes at first: pillow
reads, astropy clips, OpenCV draws, one image after another; statmorph for morphology, PyWavelets
for wavelets. Both see the same images in one run. Beside the seconds of the clock stand those of
the processor, which other work on the machine hardly changes.
"""

import argparse
import os
import sys
import tempfile
import time
import warnings
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from astronomaly_widgets.features import EllipseFeatures, by_name, measure
from astronomaly_widgets.sources import ImageFolder, ImageStack

PERCENTILES = (90, 80, 70, 60, 50, 0)
SIDE = 150  # pixels, of what is measured in memory
TARGET = 300  # images/s on 2 cores, of power spectrum, wavelets and photometry


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


def plain_power_spectrum(image):
    """Average the power in 12 rings, each found by a comparison."""
    frequency = np.hypot(*np.meshgrid(*(np.fft.fftfreq(n) for n in image.shape[:2])))
    window = np.outer(np.hanning(SIDE), np.hanning(SIDE))
    edges = np.geomspace(1 / SIDE, 0.5, 13)
    result = []
    for band in np.moveaxis(image.astype(float), 2, 0):
        power = np.abs(np.fft.fft2(window * (band - band.mean()))) ** 2
        for low, high in pairwise(edges):
            result.append(np.log10(power[(frequency >= low) & (frequency < high)].mean()))
    return result


def plain_wavelet(image):
    """Take the energies of five levels from PyWavelets' stationary transform."""
    import pywt

    result = []
    for band in np.moveaxis(image.astype(float), 2, 0):
        padded = np.pad(band - band.mean(), 5, mode="symmetric")
        for _, details in pywt.swt2(padded, "haar", level=5, norm=True):
            result += [np.log10(sum((d**2).sum() for d in details)), np.abs(details).sum()]
    return result


def plain_photometry(image):
    """Sum the pixels above 3 sigma of each band, after astropy has found the sky."""
    from astropy.stats import sigma_clipped_stats

    grey = image.astype(float).mean(axis=2)
    _, median, sigma = sigma_clipped_stats(grey)
    mask = grey > median + 3 * sigma
    result = []
    for band in np.moveaxis(image.astype(float), 2, 0):
        _, sky, _ = sigma_clipped_stats(band[~mask])
        result.append(-2.5 * np.log10((band[mask] - sky).sum()))
    return result


def plain_flux_histogram(image):
    """Count pixels in sigmas above the sky that astropy has found."""
    from astropy.stats import sigma_clipped_stats

    edges = [-np.inf, -3, -1, 0, 1, 3, 10, 30, 100, np.inf]
    result = []
    for band in np.moveaxis(image.astype(float), 2, 0):
        _, median, sigma = sigma_clipped_stats(band)
        result.append(np.histogram((band - median) / sigma, edges)[0])
    return result


def plain_morphology(image):
    """Let statmorph measure the pixels above 3 sigma around the center."""
    import statmorph
    from astropy.stats import sigma_clipped_stats

    grey = image.astype(float).mean(axis=2)
    _, median, sigma = sigma_clipped_stats(grey)
    _, regions = cv2.connectedComponents((grey > median + 3 * sigma).astype(np.uint8))
    source = (regions == regions[SIDE // 2, SIDE // 2]).astype(int)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of sources that a Sersic profile does not fit
        return statmorph.SourceMorphology(grey - median, source, label=1, gain=1.0).gini


# features, what is plain, how many images for the plain way
IN_MEMORY = (
    ("power_spectrum", plain_power_spectrum, 60),
    ("wavelet", plain_wavelet, 20),
    ("photometry", plain_photometry, 60),
    ("flux_histogram", plain_flux_histogram, 60),
    ("morphology", plain_morphology, 4),
    (["power_spectrum", "wavelet", "photometry"], None, 0),
)


def in_memory(stack, n_jobs):
    """Print the table of features of a stack of color images."""
    source = ImageStack(stack)
    print(f"\n{len(stack)} images of {SIDE} px in 3 bands, {stack.dtype}; target {TARGET} images/s")
    print(f"{'':42s}{'images/s':>9s}{'/CPU s':>8s}{'x plain':>9s}{'plain':>17s}")
    for features, plain, n in IN_MEMORY:
        extractor = by_name(features)
        extractor.extract(stack[0])
        cpu = time.process_time()
        measure(source, extractor, n_jobs=1, progress=False)
        per_cpu = len(stack) / (time.process_time() - cpu)
        seconds, _ = timed(
            lambda extractor=extractor: measure(source, extractor, n_jobs=n_jobs, progress=False)
        )
        ratio = what = ""
        if plain is not None:
            plain(stack[0])
            cpu = time.process_time()
            for image in stack[:n]:
                plain(image)
            plain_rate = n / (time.process_time() - cpu)
            ratio, what = f"{per_cpu / plain_rate:.1f}", f"{plain_rate:.1f} /CPU s"
        rate = len(stack) / seconds
        print(f"{extractor.name:42s}{rate:9.0f}{per_cpu:8.0f}{ratio:>9s}{what:>17s}")


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


def drawn_stack(n):
    """Return n color images of smooth galaxies, (n, SIDE, SIDE, 3) uint8."""
    with tempfile.TemporaryDirectory() as folder:
        draw_galaxies(Path(folder), n, SIDE)
        return np.stack([np.asarray(Image.open(path)) for path in sorted(Path(folder).iterdir())])


def timed(function):
    """Return seconds and result."""
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, help="default: 600 drawn galaxies")
    parser.add_argument("-n", type=int, default=300, help="images for the plain way (default 300)")
    parser.add_argument("-m", type=int, default=600, help="images in memory (default 600)")
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
    stack = drawn_stack(arguments.m)
    for dtype in (np.uint8, np.float32):
        in_memory(stack.astype(dtype), n_jobs=None)


if __name__ == "__main__":
    main()
