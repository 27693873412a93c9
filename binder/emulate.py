"""Build what Binder builds, without Docker, and run notebooks in it within Binder's memory.

    python3.11 binder/emulate.py [--folder FOLDER] [NOTEBOOK ...]

Works on the last commit, as Binder does. Prints how long each step takes, how large the environment
is, and for each notebook its time, that of its first cell, and the memory of all its processes
together; ends with an error if a notebook fails or a limit is broken. Without NOTEBOOK: the tour.
"""

import argparse
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
MEMORY = 1300  # MB, of the notebook's processes together; JupyterLab itself takes 200 of 1500
DISK = 2000  # MB, of the environment
TOUR = "notebooks/01_tour.ipynb"

# runs inside the environment: one notebook, and who takes how much memory meanwhile
RUN = """
import json, sys, threading, time
import nbformat, psutil
from nbclient import NotebookClient

path, folder = sys.argv[1:3]
peak, first, stop = 0, None, threading.Event()

def memory():
    total = 0
    for process in psutil.Process().children(recursive=True):
        try:
            total += process.memory_full_info().pss
        except psutil.Error:
            continue  # it has just ended
    return total

def watch():
    global peak
    while not stop.wait(0.2):
        peak = max(peak, memory())

notebook = nbformat.read(path, as_version=4)
codes = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
client = NotebookClient(notebook, timeout=600, resources={"metadata": {"path": folder}})
watcher = threading.Thread(target=watch)
watcher.start()
try:
    with client.setup_kernel():
        started = time.perf_counter()
        for i in codes:
            client.execute_cell(notebook.cells[i], i)
            first = first or time.perf_counter() - started
        total = time.perf_counter() - started
finally:
    stop.set()
    watcher.join()
print(json.dumps({"seconds": total, "first": first, "memory": peak / 1e6}))
"""


def main():
    """Build, run, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", default=[TOUR], metavar="NOTEBOOK")
    parser.add_argument("--folder", help="where to build; kept afterwards (a temporary one)")
    options = parser.parse_args()
    if sys.version_info[:2] != wanted_python():
        major, minor = wanted_python()
        raise SystemExit(
            f"Binder has Python {major}.{minor} here: run this with python{major}.{minor}"
        )
    if options.folder:
        failed = check(Path(options.folder).resolve(), options.notebooks)
    else:
        with tempfile.TemporaryDirectory(prefix="binder-") as folder:
            failed = check(Path(folder), options.notebooks)
    if failed:
        raise SystemExit("\n".join(failed))


def wanted_python():
    """Version of Python that runtime.txt asks for, as a pair of int."""
    text = (REPOSITORY / "binder" / "runtime.txt").read_text(encoding="utf-8")
    major, minor = text.strip().removeprefix("python-").split(".")
    return int(major), int(minor)


def check(folder, notebooks):
    """Build in `folder` and run the notebooks; return what is wrong, in words."""
    copy, environment = folder / "repository", folder / "environment"
    clone(copy)
    shutil.rmtree(environment, ignore_errors=True)
    inside = os.environ | {
        "PATH": f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "VIRTUAL_ENV": str(environment),
        "HOME": str(folder),
        "PYTHONNOUSERSITE": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "OMP_NUM_THREADS": "1",
    }
    for name in ("PYTHONPATH", "PYTHONHOME", "JUPYTER_PATH"):
        inside.pop(name, None)
    pip = ["pip", "install", "--quiet", "--no-cache-dir", "-r"]
    for title, command in (
        ("environment", [sys.executable, "-m", "venv", environment]),
        ("Binder's JupyterLab", [*pip, "binder/base.txt"]),
        ("requirements.txt", [*pip, "binder/requirements.txt"]),
        ("postBuild", ["binder/postBuild"]),
        ("pip check", ["pip", "check"]),
    ):
        started = time.perf_counter()
        program = shutil.which(command[0], path=inside["PATH"]) or copy / command[0]
        done = subprocess.run([program, *command[1:]], cwd=copy, env=inside, check=False)
        if done.returncode:
            return [f"{title} failed"]
        say(f"{title:24s}{time.perf_counter() - started:8.1f} s")
    failed = []
    disk = sum(p.stat().st_size for p in environment.rglob("*") if p.is_file()) / 1e6
    say(f"{'size of the environment':24s}{disk:8.0f} MB (at most {DISK})")
    if disk > DISK:
        failed.append(f"the environment takes {disk:.0f} MB; at most {DISK} are wanted")
    for name in notebooks:
        done = run(copy / name, environment, inside)
        say(
            f"{name}: {done['seconds']:.1f} s, first cell {done['first']:.1f} s, "
            f"{done['memory']:.0f} MB (at most {MEMORY})"
        )
        if done["memory"] > MEMORY:
            failed.append(f"{name} takes {done['memory']:.0f} MB; at most {MEMORY} are wanted")
    return failed


def clone(target):
    """Lay out the last commit, as a clone has it."""
    shutil.rmtree(target, ignore_errors=True)
    archive = subprocess.run(
        ["git", "archive", "HEAD"],  # noqa: S607 - whichever git the person has
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(target, filter="data")


def run(notebook, environment, inside):
    """Run one notebook; return seconds, those of the first cell, and megabytes."""
    done = subprocess.run(
        [environment / "bin" / "python", "-c", RUN, notebook, notebook.parent],
        env=inside,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def say(text):
    """Tell the person at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
