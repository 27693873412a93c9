"""How the docs are built: ``make docs``."""

import astronomaly_widgets

project = "astronomaly_widgets"
author = "The astronomaly_widgets developers"
copyright = author  # noqa: A001 - Sphinx calls it so
version = release = astronomaly_widgets.__version__

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
