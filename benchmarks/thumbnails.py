"""How long a gallery waits for a page of 24 pictures, beside matplotlib in the same run.

    python benchmarks/thumbnails.py [--size 150] [--points 100]

Light curves in two bands with error bars, the same folded, spectra of 2,000 wavelengths, and images
of 150 x 150 pixels in three bands of float32. One thread; the gallery draws on three. The target is
100 ms for a page. matplotlib draws the same light curves and spectra at the same size, as plainly
as it can: one figure that is cleared for each.
"""

import argparse
import io
import time

import numpy as np
import pandas as pd

from astronomaly_widgets import render
from astronomaly_widgets.sources import ImageStack, LightCurves, Spectra

N = 24
TARGET_MS = 100


def light_curves(n_points, *, folded):
    rng = np.random.default_rng(0)
    time_ = rng.uniform(0, 1000, (N, n_points))
    table = pd.DataFrame(
        {
            "id": np.repeat([f"object-{k}" for k in range(N)], n_points),
            "mjd": time_.ravel(),
            "mag": (18 + np.sin(time_) + rng.normal(0, 0.1, time_.shape)).ravel(),
            "magerr": 0.1,
            "band": rng.choice(["g", "r"], time_.size),
        }
    )
    period = {f"object-{k}": 2 * np.pi for k in range(N)} if folded else None
    return LightCurves(table, period=period)


def spectra():
    rng = np.random.default_rng(0)
    axis = np.linspace(4000, 9000, 2000)
    return Spectra(1 + rng.normal(0, 0.1, (N, 2000)), axis)


def images():
    return ImageStack(np.random.default_rng(0).normal(size=(N, 150, 150, 3)).astype(np.float32))


def best_ms(draw, repeats):
    """Time of this thread alone, best of several: other work on the machine disturbs it least."""
    seconds = []
    for _ in range(repeats):
        started = time.thread_time()
        draw()
        seconds.append(time.thread_time() - started)
    return 1000 * min(seconds)


def matplotlib_page(source, size):
    """Return a function that draws the page by matplotlib."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(size / 100, size / 100), dpi=100)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))

    def draw():
        for object_id in source.object_ids:
            data = source.read(object_id)
            axes.clear()
            if source.kind == "spectrum":
                axes.plot(data["wavelength"], data["flux"], lw=0.8)
            else:
                for band in source.bands:
                    one = data[data["band"] == band]
                    axes.errorbar(one["time"], one["magnitude"], one["error"], fmt=".", ms=3)
                axes.invert_yaxis()
            figure.savefig(io.BytesIO(), format="png")

    return draw


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=150)
    parser.add_argument("--points", type=int, default=100, help="of a light curve")
    options = parser.parse_args()
    sources = {
        "light curves": light_curves(options.points, folded=False),
        "light curves, folded": light_curves(options.points, folded=True),
        "spectra": spectra(),
        "images": images(),
    }
    for name, source in sources.items():
        ours = best_ms(
            lambda source=source: [
                render.thumbnail(source, name, options.size) for name in source.object_ids
            ],
            20,
        )
        beside = ""
        if source.kind != "image":
            theirs = best_ms(matplotlib_page(source, options.size), 2)
            beside = f", matplotlib takes {theirs / ours:.0f} times as long"
        print(f"{name:21s} {N} in {ours:6.1f} ms (target {TARGET_MS}){beside}")


if __name__ == "__main__":
    main()
