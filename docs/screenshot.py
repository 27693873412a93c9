"""Take the pictures of the dashboard, light and dark, for the README and the first page.

    python docs/screenshot.py [FOLDER]

Needs the ``test`` extra and Chromium. A simulated person has given 80 labels, in real ones' place.
"""

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image

HERE = Path(__file__).parent
WIDTH = 1400
THEMES = {"light": "dashboard.webp", "dark": "dashboard_dark.webp"}
CELL = """
import astronomaly_widgets as aw
from astronomaly_widgets.simulation import Oracle, label_with

survey = aw.simulation.make_galaxies(n=2000)
session = aw.explore(survey, truth="interesting", title="Simulated galaxies", progress=False)
label_with(session, Oracle(survey.catalog["score"], error=0.1), n_labels=80, batch_size=20)
session.embedding
aw.Dashboard(session, per_page=48, order="trained_score")
"""


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
        for theme, name in THEMES.items():
            lab = LabPage(browser, server)
            try:
                taken = picture(lab, theme)
            finally:
                lab.close()
            # the sky is noise, which PNG does not compress
            Image.open(io.BytesIO(taken)).convert("RGB").save(target / name, quality=85, method=6)
            sys.stdout.write(f"{name}: {(target / name).stat().st_size / 1000:.0f} kB\n")


def picture(lab, theme):
    """Return a PNG of the dashboard in a new notebook."""
    lab.open(f"picture-{theme}", [CELL], theme=theme)
    lab.page.set_viewport_size({"width": WIDTH + 150, "height": 1300})
    lab.run(0)
    lab.page.wait_for_selector(".aw-dashboard .aw-object img")
    lab.page.locator(".aw-hide-labeled").click()
    lab.page.wait_for_timeout(3000)  # pictures, map and curves are drawn one after another
    return lab.page.locator(".aw-dashboard").screenshot()


if __name__ == "__main__":
    main()
