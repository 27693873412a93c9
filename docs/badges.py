"""Write the badges of the README for the address of the repository.

    python docs/badges.py

The address stands in pyproject.toml, ``[project.urls]``, as ``Repository``. Without one the badges
lead to the page that says how to open the notebooks in a browser.
"""

import re
import tomllib
from pathlib import Path
from urllib.parse import quote

HOME = Path(__file__).parents[1]
TOUR = "notebooks/01_tour.ipynb"
PICTURES = {
    "Binder": "https://mybinder.org/badge_logo.svg",
    "Colab": "https://colab.research.google.com/assets/colab-badge.svg",
}
EXPLAINED = "docs/notebooks.md#in-a-browser"
BADGES = re.compile(r"(\[!\[\w+\]\([^)]*\)\]\([^)]*\)\n)+")


def badges(address=None):
    """Return the badges for a repository of GitHub, as Markdown."""
    links = dict.fromkeys(PICTURES, EXPLAINED)
    if address is not None:
        owner_and_name = re.fullmatch(r"https://github\.com/([^/]+/[^/]+?)(?:\.git)?/?", address)
        if owner_and_name is None:
            raise SystemExit(f"{address} is not https://github.com/OWNER/NAME")
        name = owner_and_name[1]
        path = quote(f"lab/tree/{TOUR}", safe="")
        links["Binder"] = f"https://mybinder.org/v2/gh/{name}/HEAD?urlpath={path}"
        links["Colab"] = f"https://colab.research.google.com/github/{name}/blob/HEAD/{TOUR}"
    return "".join(f"[![{each}]({PICTURES[each]})]({links[each]})\n" for each in links)


def address():
    """Return where the repository is, or None where it is nowhere yet."""
    project = tomllib.loads((HOME / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project.get("urls", {}).get("Repository")


def main():
    readme = HOME / "README.md"
    text = readme.read_text(encoding="utf-8")
    readme.write_text(BADGES.sub(badges(address()), text, count=1), encoding="utf-8")


if __name__ == "__main__":
    main()
