"""Real surveys, end to end: everything accounted for, and what is found in 200 labels.

    python benchmarks/real_data.py [FOLDER] [--only NAME ...] [--labels 200] [--batch 20]
                                   [--seeds 0 1 2]

FOLDER holds one folder per survey: light curves of CRTS (lc_crts), ZTF supernovae (lc_ztf_bts) and
Stripe 82 RR Lyrae stars (lc_s82_rrlyrae), spectra of supernovae (spec_sn), radio galaxies
(radio_mirabest), the tables HTRU2 (tab_htru2) and LINEAR (tab_linear), and mosaics with catalogs of
positions (fits_mosaics); what is not there is left out. Each survey has labels.csv, with an id and
what is known of each object.

Printed for each: how many objects were measured, how many set aside and for what, and how many of
the interesting ones are found in so many labels by the default learner, by the anomaly score alone
and at random (expected). The person is an oracle: 5 for interesting objects, 1 for others. For RR
Lyrae stars: how many periods are right. For mosaics: whether every position on the image is cut
out.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits
from astropy.wcs import WCS

import astronomaly_widgets as aw
from astronomaly_widgets.exceptions import ReadError
from astronomaly_widgets.simulation import Oracle, label_with
from astronomaly_widgets.sources import (
    FeatureTable,
    FITSCutouts,
    ImageFolder,
    LightCurves,
    Spectra,
)

CRTS_COMMON = ("SN", "CV", "AGN", "Blazar", "Unknown")


def light_curves(folder, **options):
    labels = pd.read_csv(folder / "labels.csv", dtype={"id": str})
    return LightCurves(folder / "lightcurves.csv.gz", catalog=labels, **options)


def table(folder, columns, liked):
    labels = pd.read_csv(folder / "labels.csv", dtype={"id": str})
    source = FeatureTable(labels, id_column="id", columns=columns)
    return source, None, labels.set_index("id")[liked] > 0


def crts(folder):
    source = light_curves(folder)
    return source, None, ~source.catalog["class_name"].isin(CRTS_COMMON)


def ztf(folder):
    source = light_curves(folder)
    return source, None, source.catalog["anomaly_peculiar"] > 0


def rr_lyrae(folder):
    source = light_curves(folder)
    return source, None, source.catalog["class_name"] == "c"


def supernovae(folder):
    labels = pd.read_csv(folder / "labels.csv")
    file = np.load(folder / "spectra.npz")
    one = (labels["class_name"] != "II-pec").to_numpy()  # 241 spectra of SN 1987A alone
    source = Spectra(
        file["flux"][one], file["wavelength"], object_ids=file["id"][one], catalog=labels
    )
    return source, None, source.catalog["anomaly_rare"] > 0


def radio_galaxies(folder):
    source = ImageFolder(folder / "images", catalog=folder / "labels.csv")
    return source, ["morphology", "power_spectrum"], source.catalog["anomaly_hybrid"] > 0


def pulsars(folder):
    names = [f"{n}_{of}" for of in ("profile", "dm") for n in ("mean", "std", "kurt", "skew")]
    return table(folder, names, "pulsar")


def variables(folder):
    colors = ["u_g", "g_i", "i_K", "J_K"]
    return table(folder, [*colors, "logP", "ampl", "skew", "kurt"], "anomaly")


SURVEYS = {
    "lc_crts": (crts, "all but SN, CV, AGN, Blazar, Unknown"),
    "lc_ztf_bts": (ztf, "all but ordinary Ia"),
    "lc_s82_rrlyrae": (rr_lyrae, "type c among ab"),
    "spec_sn": (supernovae, "rare types but SN 1987A"),
    "radio_mirabest": (radio_galaxies, "hybrids"),
    "tab_htru2": (pulsars, "pulsars"),
    "tab_linear": (variables, "delta Scuti stars"),
}


MOSAICS = {  # catalog, its columns of positions, and the images
    "M6707HH_sep_catalog.csv": (("ra", "dec"), {"B": "M6707HH.fits"}),
    "sdss_ngc6976_r_sep_catalog.csv": (
        ("ra", "dec"),
        {band: f"sdss_ngc6976_{band}.fits" for band in "gri"},
    ),
    "w5_psc.csv": (("RAJ2000", "DEJ2000"), {"W1": "w5.fits"}),
}


def mosaics(folder):
    """Print how many positions are cut out, and whether any that lies on the image is not."""
    for name, (columns, images) in MOSAICS.items():
        files = {band: folder / image for band, image in images.items()}
        source = FITSCutouts(files, folder / name, size=32, columns=columns)
        cut = np.zeros(len(source), bool)
        for row, object_id in enumerate(source.object_ids):
            try:
                cut[row] = source.read(object_id).shape[:2] == (32, 32)
            except ReadError:
                continue
        table = pd.read_csv(folder / name)
        image = fits.getdata(next(iter(files.values())))
        with fits.open(next(iter(files.values()))) as hdus:
            x, y = WCS(hdus[0].header).all_world2pix(table[columns[0]], table[columns[1]], 0)
        inside = (x > 0) & (x < image.shape[1] - 1) & (y > 0) & (y < image.shape[0] - 1)
        print(
            f"  {name}: {len(cut)} = {cut.sum()} cut out + {(~cut).sum()} set aside; of "
            f"{inside.sum()} positions on the image {(inside & ~cut).sum()} are not cut out"
        )


def explored(source, features):
    """Measure a survey once; print what became of each object."""
    started = time.perf_counter()
    session = aw.explore(source, features=features, progress=False)
    seconds = time.perf_counter() - started
    n_aside = len(session.set_aside)
    if session.n_objects + n_aside != len(source):
        raise RuntimeError(f"{len(source) - session.n_objects - n_aside} objects are lost")
    rate = f"{len(source) / seconds:.0f} objects/s"
    print(f"  {len(source)} = {session.n_objects} measured + {n_aside} set aside, {rate}")
    reasons = session.set_aside["reason"].str.replace(r"\d+", "N", regex=True)
    for reason, n in reasons.value_counts().items():
        print(f"    {n:5d}  {reason}")
    return session


def search(session, liked, options):
    """Print what is found by the learner, by the anomaly score alone, and at random."""
    interesting = liked.reindex(session.object_ids).to_numpy(dtype=bool)
    features = pd.DataFrame(
        session.features, columns=session.feature_names, index=session.object_ids
    )
    scores = pd.Series(np.where(interesting, 5.0, 1.0), index=session.object_ids)
    found, alone, given = [], [], []
    for seed in options.seeds:
        one = aw.Session(features, random_state=seed)
        top = np.argsort(-one.anomaly_score, kind="stable")[: options.labels]
        alone.append(interesting[top].sum())
        given.append(label_with(one, Oracle(scores), options.labels, options.batch))
        found.append(given[-1]["found"].iloc[-1])
        one.close()
    n_labels = min(options.labels, len(interesting))
    chance = n_labels * interesting.mean()
    print(
        f"  {interesting.sum()} interesting; found in {n_labels} labels: {np.mean(found):.1f}, by "
        f"the anomaly score alone {np.mean(alone):.1f}, at random {chance:.1f}"
    )
    return given


def periods(session):
    """Print how many periods are right to 1 %, and the median error."""
    catalog = session.catalog
    for name, group in catalog.groupby("class_name"):
        error = (group["period"] / group["period_d"] - 1).abs()
        print(
            f"  type {name}: {(error < 0.01).mean():.1%} of {len(group)} periods are right to 1 %; "
            f"median error {error.median():.5%}"
        )


def supernovae_found(session, given):
    """Print of how many supernovae, not spectra, something was found."""
    name = session.catalog["sn"]
    rare = session.catalog["anomaly_rare"] > 0
    n = [name[g.loc[g["score"] == 5, "object_id"]].nunique() for g in given]
    print(f"  that is {np.mean(n):.1f} of {name[rare].nunique()} supernovae of rare types")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    names = [*SURVEYS, "fits_mosaics"]
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--labels", type=int, default=200)
    parser.add_argument("--batch", type=int, default=20)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options = parser.parse_args()
    if options.folder is None:
        print("no folder of surveys was given, so there is nothing to measure")
        return
    for name in options.only:
        folder = options.folder / name
        if not folder.is_dir():
            continue
        if name == "fits_mosaics":
            print(name)
            mosaics(folder)
            continue
        make, words = SURVEYS[name]
        print(f"{name} ({words})")
        source, features, liked = make(folder)
        session = explored(source, features)
        if name == "lc_s82_rrlyrae":
            periods(session)
        given = search(session, liked, options)
        if name == "spec_sn":
            supernovae_found(session, given)
        session.close()
        sys.stdout.flush()


if __name__ == "__main__":
    main()
