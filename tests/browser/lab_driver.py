"""Drive one notebook in JupyterLab or Notebook 7, and watch what goes wrong meanwhile."""

from __future__ import annotations

import contextlib
import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import nbformat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Browser, ConsoleMessage, Page, Request
    from private_jupyter import JupyterServer

LOOPBACK = re.compile(r"(https?|wss?)://127\.0\.0\.1[:/]|data:|blob:|about:")
# What Lab says of its own requests when a page reloads or a kernel restarts; no widget's doing.
NOISE = re.compile(r"Canceled future for \w+_request message before replies were done")
SCREENSHOTS = Path(__file__).parent / "screenshots"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
KERNELSPEC = {"name": "python3", "display_name": "Python 3", "language": "python"}


def write_notebook(path: Path, cells: Sequence[str]) -> None:
    """Write a notebook of code cells."""
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": KERNELSPEC})
    notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    nbformat.write(notebook, path)


class WatchedPage:
    """A browser page that remembers what went wrong and who was called.

    Parameters
    ----------
    browser : playwright Browser
        Each page gets a context of its own: no cookies or storage are shared.
    server : JupyterServer
        Whom to talk to.
    viewport : tuple of int
        Width and height in CSS pixels.

    Attributes
    ----------
    page : playwright Page
        For everything this class has no word for.
    errors : list of str
        Console errors and uncaught exceptions, in order.
    external : list of str
        Addresses off the loopback interface that were asked for.
    """

    def __init__(
        self, browser: Browser, server: JupyterServer, viewport: tuple[int, int] = (1500, 1100)
    ) -> None:
        self.server = server
        self._context = browser.new_context(
            viewport={"width": viewport[0], "height": viewport[1]}, reduced_motion="reduce"
        )
        self._context.set_default_timeout(30_000)
        self.page: Page = self._context.new_page()
        self.errors: list[str] = []
        self.external: list[str] = []
        self._watching = True
        self.page.on("pageerror", lambda error: self._on_error(f"uncaught: {error}"))
        self.page.on("console", self._on_console)
        self.page.on("request", self._on_request)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._on_error(f"{message.text} [{message.location.get('url', '')}]")

    def _on_error(self, text: str) -> None:
        if self._watching and not NOISE.search(text):
            self.errors.append(text)

    def _on_request(self, request: Request) -> None:
        if self._watching and not LOOPBACK.match(request.url):
            self.external.append(request.url)

    @property
    def root(self) -> Path:
        """Folder of the notebooks, where kernels start."""
        return self.server.root

    def screenshot(self, name: str) -> Path:
        """Take a picture of the window; returns where it is."""
        SCREENSHOTS.mkdir(exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        self.page.screenshot(path=path)
        return path

    def wait_for(self, condition: str, arg: Any = None, timeout: float = 30.0) -> None:
        """Wait until a JavaScript function returns something true; `timeout` in seconds."""
        self.page.wait_for_function(condition, arg=arg, timeout=timeout * 1000)

    def close(self) -> None:
        """Close the page and forget its storage."""
        self._watching = False
        self._context.close()


class LabPage(WatchedPage):
    """One notebook in JupyterLab, driven through ``window.jupyterapp``.

    Lab's own chrome is never clicked: commands do not move when Lab is redesigned.
    """

    ADDRESS = "lab/tree/{}.ipynb?reset"
    PANEL = "window.jupyterapp.shell.currentWidget"

    def open(self, name: str, cells: Sequence[str], *, theme: str = "light") -> Self:
        """Write a notebook of these cells, open it, and wait for its kernel.

        Parameters
        ----------
        name : str
            File name without suffix; unique in a test run.
        cells : sequence of str
            Code, not run yet.
        theme : str
            ``"light"`` or ``"dark"``.
        """
        write_notebook(self.root / f"{name}.ipynb", cells)
        self.page.goto(f"{self.server.url}/{self.ADDRESS.format(name)}")
        self.wait_for_kernel()
        if "application:toggle-left-area" in self.commands():
            self.command("application:toggle-left-area")
        self.theme(theme)
        return self

    def wait_for_kernel(self, timeout: float = 60.0) -> None:
        """Wait until the notebook is the current panel and its kernel is idle."""
        self.wait_for(
            f"() => window.jupyterapp && "
            f"{self.PANEL}?.sessionContext?.session?.kernel?.status === 'idle'",
            timeout=timeout,
        )

    def commands(self) -> list[str]:
        """Names of the commands that :meth:`command` can execute."""
        names: list[str] = self.page.evaluate("() => window.jupyterapp.commands.listCommands()")
        return names

    def command(self, name: str, **arguments: Any) -> None:
        """Execute a command of Lab's registry and wait for it."""
        self.page.evaluate(
            "([name, args]) => window.jupyterapp.commands.execute(name, args).then(() => null)",
            [name, arguments],
        )

    def theme(self, name: str) -> None:
        """Switch Lab to the ``"light"`` or the ``"dark"`` theme."""
        self.command("apputils:change-theme", theme=THEMES[name])
        light = "true" if name == "light" else "false"
        self.wait_for(
            "(x) => document.body.dataset.jpThemeLight === x"
            " && !document.querySelector('#jupyterlab-splash')",
            light,
        )

    def run(self, i: int, *, wait: bool = True) -> None:
        """Run cell `i`; with ``wait=False`` return while it runs.

        Raises
        ------
        AssertionError
            The cell ended with an error.
        """
        script = (
            f"async (i) => {{ const nb = {self.PANEL}.content; nb.activeCellIndex = i; "
            "nb.deselectAll(); await nb.scrollToItem(i);"
            "const done = window.jupyterapp.commands.execute('notebook:run-cell');"
        )
        self.page.evaluate(script + ("await done; }" if wait else "}"), i)
        if wait:
            failed = [o for o in self.outputs(i) if o["output_type"] == "error"]
            if failed:
                raise AssertionError("\n".join(failed[0]["traceback"]))

    def outputs(self, i: int) -> list[dict[str, Any]]:
        """Outputs of cell `i` as the notebook's model has them, drawn or not."""
        found: list[dict[str, Any]] = self.page.evaluate(
            f"(i) => {self.PANEL}.content.widgets[i].model.outputs.toJSON()", i
        )
        return found

    def json(self, i: int, timeout: float = 10.0) -> Any:
        """Run cell `i`, which writes JSON in its last line, and return that.

        Outputs travel apart from the reply, so they are waited for.
        """
        self.run(i)
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            streams = [o["text"] for o in self.outputs(i) if o["output_type"] == "stream"]
            text = "".join("".join(part) for part in streams).strip()
            if text:
                return json.loads(text.splitlines()[-1])
            self.page.wait_for_timeout(50)
        raise AssertionError(f"cell {i} wrote nothing within {timeout} s")

    def json_when(self, i: int, has: dict[str, Any], timeout: float = 10.0) -> Any:
        """Run cell `i` until its JSON has these values: the page tells its kernel after drawing.

        Raises
        ------
        AssertionError
            It never had them; with what it had instead.
        """
        end = time.monotonic() + timeout
        while True:
            state = self.json(i, timeout)
            found = {key: state[key] for key in has}
            if found == has:
                return state
            if time.monotonic() > end:
                raise AssertionError(f"cell {i} told {found}, wanted {has}, after {timeout} s")
            self.page.wait_for_timeout(50)

    def scroll_to(self, i: int) -> None:
        """Bring cell `i` into view: Lab draws cells only near the window."""
        self.page.evaluate(f"(i) => {self.PANEL}.content.scrollToItem(i)", i)

    def reload(self) -> None:
        """Save the notebook and reload the page; the kernel lives on."""
        self.command("docmanager:save")
        self.page.reload()
        self.wait_for_kernel()

    def restart_kernel(self) -> None:
        """Give the notebook a new kernel process: all Python state is gone."""
        self.page.evaluate(f"() => {self.PANEL}.sessionContext.restartKernel()")
        self.wait_for_kernel()

    def close(self) -> None:
        """Shut the kernel down and close the page; what Lab says of that is no error."""
        self._watching = False
        with contextlib.suppress(Exception):  # the page may be gone already
            self.page.evaluate(f"() => {self.PANEL}?.sessionContext?.shutdown()")
        super().close()


class Notebook7Page(LabPage):
    """One notebook in Notebook 7, which is made of the same parts as JupyterLab."""

    ADDRESS = "notebooks/{}.ipynb"


class VoilaPage(WatchedPage):
    """One notebook as a page of Voila: run when it is opened, code hidden."""

    def open(self, name: str, cells: Sequence[str]) -> Self:
        """Write a notebook of these cells and have Voila run and show it."""
        write_notebook(self.root / f"{name}.ipynb", cells)
        self.page.goto(f"{self.server.url}/voila/render/{name}.ipynb", timeout=120_000)
        return self
