"""Take the pictures of the dashboard for the README, the first page and the notebooks.

    python docs/screenshot.py [FOLDER]

Needs the ``test`` extra and Chromium. A simulated person has given the labels, in real ones' place.
Without FOLDER they go where the docs have theirs, and a small one of the first into the tour.
"""

import base64
import io
import re
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from PIL import Image

HERE = Path(__file__).parent
IMPORTS = """
import astronomaly_widgets as aw
from astronomaly_widgets.simulation import Oracle, label_with
"""
SEARCH = """
session = aw.explore(survey, truth="interesting", title={title!r}, progress=False)
label_with(session, Oracle(survey.catalog["score"], error=0.1), n_labels={n}, batch_size={batch})
session.embedding
aw.Dashboard(session, per_page=48, order="trained_score")
"""
GALAXIES = "survey = aw.simulation.make_galaxies(n=2000)" + SEARCH.format(
    title="Simulated galaxies", n=80, batch=20
)
STARS = "survey = aw.simulation.make_light_curves(n=500, n_nights=60)" + SEARCH.format(
    title="Variable stars", n=60, batch=10
)
SPECTRA = "survey = aw.simulation.make_spectra(n=500)" + SEARCH.format(
    title="Spectra of galaxies", n=60, batch=10
)
CLASS = """
survey = aw.simulation.make_galaxies(n=800, random_state=7, size=96)
session = aw.explore(survey, title="Find the lenses", progress=False)
words = {"merger": "two galaxies, or one torn apart: a merger"}
catalog = survey.catalog.loc[session.object_ids]
exercise = aw.teaching.Exercise(
    session, catalog["score"], words=catalog["class_name"].map(words).dropna()
)
session.embedding
classroom = aw.Classroom(exercise, per_page=40)
for object_id in session.ranking()[:18]:
    session.label(object_id, catalog.loc[object_id, "score"])
classroom
"""


class Picture(NamedTuple):
    """A cell, and what it shows."""

    name: str
    cell: str
    theme: str = "light"
    shown: str = ".aw-dashboard"


PICTURES = (
    Picture("dashboard", GALAXIES),
    Picture("dashboard_dark", GALAXIES, theme="dark"),
    Picture("light_curves", STARS),
    Picture("spectra", SPECTRA),
    Picture("classroom", CLASS, shown=".aw-classroom"),
)
WIDTH = 1400


def main():
    sys.path.insert(0, str(HERE.parent / "tests" / "browser"))
    from lab_driver import LabPage
    from private_jupyter import JupyterServer, chromium

    target = Path(sys.argv[1] if len(sys.argv) > 1 else HERE / "_static")
    with (
        tempfile.TemporaryDirectory() as folder,
        JupyterServer(Path(folder)) as server,
        chromium() as browser,
    ):
        for picture in PICTURES:
            lab = LabPage(browser, server)
            try:
                taken = take(lab, picture)
            finally:
                lab.close()
            path = target / f"{picture.name}.webp"
            path.write_bytes(as_webp(Image.open(io.BytesIO(taken))))
            sys.stdout.write(f"{path.name}: {path.stat().st_size / 1000:.0f} kB\n")

    if target == HERE / "_static":
        put_into_the_tour(target / f"{PICTURES[0].name}.webp")


def as_webp(image, quality=85):
    """Return the bytes of an image; the sky is noise, which PNG does not compress."""
    written = io.BytesIO()
    image.convert("RGB").save(written, "webp", quality=quality, method=6)
    return written.getvalue()


def put_into_the_tour(path):
    """Give the tour, which is installed without the docs, a small picture to carry with it."""
    tour = HERE.parent / "notebooks" / "01_tour.ipynb"
    image = Image.open(path)
    small = image.resize((800, round(image.height * 800 / image.width)), Image.Resampling.LANCZOS)
    data = base64.b64encode(as_webp(small, 75)).decode()
    text = tour.read_text(encoding="utf-8")
    text = re.sub(r"(?<=data:image/webp;base64,)[\w+/=]+", data, text)
    tour.write_text(text, encoding="utf-8")


def take(lab, picture):
    """Return a PNG of what a cell shows in a new notebook."""
    lab.open(picture.name.replace("_", "-"), [IMPORTS + picture.cell], theme=picture.theme)
    lab.page.set_viewport_size({"width": WIDTH + 150, "height": 1500})
    lab.run(0)
    lab.page.wait_for_selector(".aw-dashboard .aw-object img")
    lab.page.locator(".aw-hide-labeled").click()
    # the simulated expert labels, too, and is waited for
    lab.wait_for("() => !document.querySelector('.aw-score-board')?.textContent.includes('…')")
    lab.page.wait_for_timeout(3000)  # pictures, map and curves are drawn one after another
    return lab.page.locator(picture.shown).screenshot()


if __name__ == "__main__":
    main()
