"""Cut-outs per second from a large mosaic, beside astropy's Cutout2D, and the memory of both.

Run ``python benchmarks/cutouts.py [--side 10000] [-n 10000]``. Targets: at least 2,000 cut-outs a
second from a memory-mapped mosaic of 10,000 x 10,000 pixels, in less than 500 MB. Each way runs in
a process of its own on the same file and the same positions, in the same run; the plain way is
what one writes at first: astropy opens the file memory-mapped, and Cutout2D cuts.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits
from astropy.wcs import WCS

SIZE = 64
WAYS = ("nothing", "plain", "ours", "ours, 2 threads", "ours, north up", "ours, .fits.fz")


def field_wcs(side):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix = [150.0, 2.0], [side / 2, side / 2]
    angle = np.radians(20)
    wcs.wcs.cd = np.array([[-np.cos(angle), np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * 5e-5
    return wcs


def write_mosaic(path, side):
    """Write a mosaic strip by strip, so that it is never in memory."""
    header = fits.PrimaryHDU(np.zeros((2, 2), np.float32), field_wcs(side).to_header()).header
    header["NAXIS1"] = header["NAXIS2"] = side
    rng = np.random.default_rng(0)
    stream = fits.StreamingHDU(path, header)
    for start in range(0, side, 500):
        stream.write(rng.normal(size=(min(500, side - start), side)).astype(np.float32))
    stream.close()


def run(way, path, catalog):
    """Cut everything out one way; return seconds to open, and seconds to cut."""
    table = pd.read_csv(catalog)
    start = time.perf_counter()
    from astronomaly_widgets.sources import FITSCutouts

    if way == "nothing":
        return 0.0, 0.0, 0
    if way == "plain":
        return plain(path, table, start)
    source = FITSCutouts(path, table, size=SIZE, north_up=way.endswith("north up"))
    source.read(source.object_ids[0])
    opened = time.perf_counter() - start
    slow = way.endswith(("north up", "fz"))
    ids = source.object_ids[: len(table) // 20] if slow else source.object_ids
    start = time.perf_counter()
    if way.endswith("threads"):
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(2) as pool:
            for part in pool.map(
                lambda half: [source.read(i).sum() for i in half], (ids[::2], ids[1::2])
            ):
                len(part)
    else:
        for object_id in ids:
            source.read(object_id).sum()
    return opened, time.perf_counter() - start, len(ids)


def plain(path, table, start):
    from astropy.nddata import Cutout2D

    with fits.open(path, memmap=True) as hdus:
        data, wcs = hdus[0].data, WCS(hdus[0].header)
        x, y = wcs.all_world2pix(table["ra"], table["dec"], 0)
        opened = time.perf_counter() - start
        start = time.perf_counter()
        for place in zip(x, y, strict=True):
            cut = Cutout2D(data, place, SIZE, wcs=wcs, mode="partial", fill_value=np.nan)
            cut.data[::-1].astype(np.float32).sum()
        return opened, time.perf_counter() - start, len(table)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=10_000, help="of the mosaic, in pixels")
    parser.add_argument("-n", type=int, default=10_000, help="positions")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("files", nargs="*", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way:
        opened, seconds, n = run(arguments.way, *arguments.files)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(opened, seconds, n, peak)
        return
    with tempfile.TemporaryDirectory() as temporary:
        path, catalog = Path(temporary) / "mosaic.fits", Path(temporary) / "catalog.csv"
        write_mosaic(path, arguments.side)
        side = min(arguments.side, 2000)  # compressing all of it takes longer than all the rest
        with fits.open(path, memmap=True) as hdus:
            part = np.array(hdus[0].data[:side, :side])
        fits.CompImageHDU(part, field_wcs(arguments.side).to_header()).writeto(f"{path}.fz")
        rng = np.random.default_rng(1)
        x, y = rng.uniform(-0.5, arguments.side - 0.5, (2, arguments.n))
        ra, dec = field_wcs(arguments.side).all_pix2world(x, y, 0)
        pd.DataFrame({"ra": ra, "dec": dec}).to_csv(catalog, index=False)
        ra, dec = field_wcs(arguments.side).all_pix2world(
            x / x.max() * (side - 1), y / y.max() * (side - 1), 0
        )
        near = Path(temporary) / "near.csv"
        pd.DataFrame({"ra": ra, "dec": dec}).to_csv(near, index=False)
        print(
            f"{arguments.n} cut-outs of {SIZE} x {SIZE} from {arguments.side} x {arguments.side}, "
            f"{os.cpu_count()} cores, Python {sys.version.split()[0]}"
        )
        print(f"{'':18s}{'opened':>9s}{'cut-outs/s':>12s}{'x plain':>9s}{'peak MB':>9s}")
        baseline = None
        for way in WAYS:
            files = [f"{path}.fz", near] if way.endswith("fz") else [path, catalog]
            command = [sys.executable, __file__, "--way", way, *map(str, files)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            opened, seconds, n, peak = map(float, done.stdout.split())
            if way == "nothing":
                print(f"{'imports alone':18s}{'':30s}{peak:9.0f}")
                continue
            rate = n / seconds
            baseline = baseline or rate
            print(f"{way:18s}{opened:8.2f}s{rate:12.0f}{rate / baseline:9.1f}{peak:9.0f}")


if __name__ == "__main__":
    main()
