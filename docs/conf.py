"""How the docs are built: ``make docs``."""

import inspect
import re
import sys
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
add_module_names = False  # the heading says which room it is
autosummary_generate = False
suppress_warnings = ["autosummary.import_cycle"]  # names are given in full, and shown short
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_title = "astronomaly_widgets"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_theme_options = {
    "header_links_before_dropdown": 7,
    "navbar_align": "left",
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": False,
}
html_sidebars = {page.stem: [] for page in HERE.glob("*.md")}  # sections alone have one
html_show_sourcelink = False


def add_table_of_contents(_app, what, name, obj, options, lines):
    """Let a room, and a class whose members are shown, begin with a list of what is in it."""
    if what == "module" and options.members:
        own = [key for key, value in vars(obj).items() if is_of(value, obj.__name__)]
        names = [
            key for key in getattr(obj, "__all__", own) if is_of(getattr(obj, key), aw.__name__)
        ]
    elif what == "class" and options.inherited_members:
        names = [
            key
            for base in reversed(obj.__mro__)
            for key, value in vars(base).items()
            if f"{base.__module__}.".startswith(f"{aw.__name__}.")
            and (inspect.isroutine(value) or isinstance(value, property | classmethod))
        ]
    else:
        return
    names = list(dict.fromkeys(key for key in names if key[0] != "_"))
    if len(names) > 1:
        lines += ["", ".. autosummary::", "   :nosignatures:", ""]
        lines += [*(f"   ~{name}.{key}" for key in names), ""]


def take_signature_of_init(_app, what, _name, obj, _options, signature, returns):
    """Show what a class takes where its base, of traitlets, says that it takes anything."""
    if what == "class" and signature == "(*args, **kwargs)":
        _, *parameters = inspect.signature(obj.__init__).parameters.values()
        signature = re.sub(r": '[^']*'", "", str(inspect.Signature(parameters)))
    return signature, returns


def is_of(value, home):
    """Tell whether it is a class or function that was defined in a module or below it."""
    defined = inspect.isclass(value) or inspect.isroutine(value)
    return defined and f"{value.__module__}.".startswith(f"{home}.")


def link_notebooks(app, docname, source):
    """Let the names of notebooks lead to the rendered ones, where there are any."""
    if docname == "notebooks" and app.tags.has("notebooks"):
        link = r'| <a href="notebooks/\1.html">\1</a> |'
        source[0] = re.sub(r"^\| `(\w+)\.ipynb` \|", link, source[0], flags=re.MULTILINE)


def render_notebooks(app, error):
    """Run the notebooks and lay them beside the pages, if ``-t notebooks`` asks for it."""
    if error is None and app.tags.has("notebooks"):
        sys.path.insert(0, str(HERE))
        from render import render

        render(Path(app.outdir) / "notebooks")


def setup(app):
    app.connect("autodoc-process-docstring", add_table_of_contents, priority=900)  # after numpydoc
    app.connect("autodoc-process-signature", take_signature_of_init)
    app.connect("source-read", link_notebooks)
    app.connect("build-finished", render_notebooks)
