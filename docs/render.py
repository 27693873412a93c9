"""Run the notebooks and render them as pages, for ``make docs``."""

import os
import tempfile
from pathlib import Path

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
WIDGET = "application/vnd.jupyter.widget-view+json"


def render(target):
    """Write one HTML page per notebook into the folder `target`.

    What a widget shows needs a kernel, and stands in the pages as a line of text.
    """
    import nbclient
    import nbformat
    from nbconvert import HTMLExporter

    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        with tempfile.TemporaryDirectory() as folder:
            resources = {"metadata": {"path": folder}}
            client = nbclient.NotebookClient(
                notebook, timeout=600, resources=resources, store_widget_state=False
            )
            client.execute(env=dict(os.environ))
        for cell in notebook.cells:
            cell.source = cell.source.replace("](../docs/_static/", "](../_static/")
            cell.source = cell.source.replace("](../docs/", "](../").replace(".md)", ".html)")
            if "outputs" in cell:
                cell.outputs = [each for each in map(in_words, cell.outputs) if each is not None]
        notebook.cells.insert(
            0, nbformat.v4.new_markdown_cell("[All notebooks](../notebooks.html)")
        )
        html, _ = HTMLExporter().from_notebook_node(notebook)
        (target / f"{path.stem}.html").write_text(html, encoding="utf-8")


def in_words(output):
    """Return an output with a widget replaced by its name; of bars of progress, nothing."""
    data = output.get("data", {})
    if data.pop(WIDGET, None):
        name = data.get("text/plain", "").partition("(")[0]
        if not name.isidentifier():
            return None
        data.clear()
        data["text/html"] = f"<em>{name}: open the notebook to see and use it</em>"
    return output
