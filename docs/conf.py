"""How the docs are built: ``make docs``."""

import re
import sys
import types
from pathlib import Path

import astronomaly_widgets as aw

HERE = Path(__file__).parent

project = "astronomaly_widgets"
author = "The astronomaly_widgets developers"
copyright = author  # noqa: A001 - Sphinx calls it so
version = release = aw.__version__

extensions = ["myst_parser", "numpydoc", "sphinx.ext.autodoc"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say it, with shapes and units
autosummary_generate = False
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_title = "astronomaly_widgets"
html_static_path = ["_static"]
html_theme_options = {"show_prev_next": False, "navigation_with_keys": False}
html_sidebars = {"install": [], "quickstart": [], "notebooks": [], "changelog": []}
html_show_sourcelink = False


def add_what_has_no_page(_app, docname, source):
    """Append to the page "More" each public name that stands on no other page of the reference."""
    if docname != "api/more":
        return
    pages = "\n".join(page.read_text(encoding="utf-8") for page in (HERE / "api").glob("*.md"))
    placed = set(
        re.findall(r"^\.\. auto\w+:: (?:astronomaly_widgets\.)?(\S+)", pages, re.MULTILINE)
    )
    wanted = [name for name in aw.__all__ if name not in placed and name != "__version__"]
    lines = []
    for name in wanted:
        value = getattr(aw, name)
        if isinstance(value, types.ModuleType):
            lines += [f".. automodule:: {value.__name__}", "   :members:", "   :imported-members:"]
        else:
            kind = "autoclass" if isinstance(value, type) else "autofunction"
            lines += [f".. {kind}:: {aw.__name__}.{name}"]
        lines += [""]
    source[0] += "\n".join(["", "```{eval-rst}", *lines, "```", ""]) if lines else ""


def render_notebooks(app, error):
    """Run the notebooks and lay them beside the pages, if ``-t notebooks`` asks for it."""
    if error is None and app.tags.has("notebooks"):
        sys.path.insert(0, str(HERE))
        from render import render

        render(Path(app.outdir) / "notebooks")


def setup(app):
    app.connect("source-read", add_what_has_no_page)
    app.connect("build-finished", render_notebooks)
