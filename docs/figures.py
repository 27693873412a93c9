"""Take the figures again that the notebooks show beforehand, from the notebooks as they run now.

    python docs/figures.py [FOLDER]

Needs the ``test`` extra, and some minutes.
"""

import base64
import io
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image

HERE = Path(__file__).parent
FIGURES = {  # the notebook, and what is in the cells whose figures stand one above the other
    "simulation": ("03_astronomaly_simulation", ("share = ", "lists = ")),
    "million": ("04_at_scale", ("hits = ",)),
    "kinds_of_galaxies": ("06_learned_features", ("clusters.members",)),
}


def main():
    target = Path(sys.argv[1] if len(sys.argv) > 1 else HERE / "_static")
    for name, (stem, words) in FIGURES.items():
        notebook = nbformat.read(HERE.parent / "notebooks" / f"{stem}.ipynb", as_version=4)
        with tempfile.TemporaryDirectory() as folder:
            NotebookClient(
                notebook, timeout=900, resources={"metadata": {"path": folder}}
            ).execute()
        path = target / f"{name}.webp"
        stacked([figure(notebook, word) for word in words]).save(path, quality=60, method=6)
        sys.stdout.write(f"{path.name}: {path.stat().st_size / 1000:.0f} kB\n")


def figure(notebook, word):
    """Return what the one cell with this word in it has drawn."""
    (cell,) = [cell for cell in notebook.cells if word in cell.source and "outputs" in cell]
    (drawn,) = [out.data["image/png"] for out in cell.outputs if "image/png" in out.get("data", {})]
    return Image.open(io.BytesIO(base64.b64decode(drawn))).convert("RGB")


def stacked(images):
    """Return images one above the other, on white."""
    size = max(image.width for image in images), sum(image.height for image in images)
    sheet = Image.new("RGB", size, "white")
    top = 0
    for image in images:
        sheet.paste(image, (0, top))
        top += image.height
    return sheet


if __name__ == "__main__":
    main()
