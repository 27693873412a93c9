"""Compute the first search of the tour, so that it is there when a person opens it.

Changes the tour of this copy: its first search is kept in a folder, where the work is done already
and where the labels can be downloaded from.
"""

import json
from pathlib import Path

PLAIN = "session = aw.explore(hubble, "
KEPT = 'session = aw.explore(hubble, project="hubble-deep-field", '


def keep_first_search(notebook):
    """Let the tour keep its first search in a folder beside it; return the code of its cell."""
    tour = json.loads(notebook.read_text(encoding="utf-8"))
    cell = next(cell for cell in tour["cells"] if cell["cell_type"] == "code")
    code = "".join(cell["source"])
    if KEPT not in code:
        if PLAIN not in code:
            raise SystemExit(f"the first cell of {notebook.name} no longer has {PLAIN!r}")
        code = code.replace(PLAIN, KEPT)
        cell["source"] = code.splitlines(keepends=True)
        notebook.write_text(json.dumps(tour, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return code


def main():
    """Run the first cell once, where the notebook will run it, and compute the map."""
    import os

    notebook = Path(__file__).parents[1] / "notebooks" / "01_tour.ipynb"
    code = keep_first_search(notebook)
    os.chdir(notebook.parent)
    names = {}
    exec(compile(code, notebook.name, "exec"), names)  # noqa: S102 - the tour's own words
    session = names["session"]
    session.start_embedding().result()
    session.close()


if __name__ == "__main__":
    main()
