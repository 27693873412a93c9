"""A private Jupyter server and a browser on it, for tests and for measuring.

Everything stays on the loopback interface: the server has its own home, configuration and
port, and whatever the browser asks of another host is recorded and fails to resolve.
One server speaks for JupyterLab (``/lab``), Notebook 7 (``/notebooks``) and Voila
(``/voila/render``).
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import nbformat

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from playwright.sync_api import Browser, ConsoleMessage, Page, Request

CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]
LOOPBACK = re.compile(r"(https?|wss?)://127\.0\.0\.1[:/]|data:|blob:|about:")
# What Lab says of its own requests when a page reloads or a kernel restarts; no widget's doing.
NOISE = re.compile(r"Canceled future for \w+_request message before replies were done")
SCREENSHOTS = Path(__file__).parent / "screenshots"
SERVER_CONFIG = {
    "ServerApp": {"allow_root": True, "disable_check_xsrf": True, "open_browser": False},
    "IdentityProvider": {"token": ""},
    "LabApp": {
        "expose_app_in_browser": True,
        "extension_manager": "readonly",
        "news_url": None,
        "check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
    },
    "JupyterNotebookApp": {"expose_app_in_browser": True, "news_url": None},
}
PAGE_CONFIG = {
    "disabledExtensions": {
        "@jupyterlab/apputils-extension:announcements": True,  # asks to be allowed to phone home
        "@jupyterlab/debugger-extension": True,  # logs errors of its own at a restart
    }
}
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
KERNELSPEC = {"name": "python3", "display_name": "Python 3", "language": "python"}


class NoBrowserError(RuntimeError):
    """There is no Chromium to run the browser tests in. They fail; they do not skip."""


def find_chromium() -> str:
    """Path of the browser: ``$CHROMIUM``, or the system's own.

    Raises
    ------
    NoBrowserError
        If there is none.
    """
    wanted = os.environ.get("CHROMIUM")
    names = [wanted] if wanted else ["chromium", "chromium-browser", "google-chrome"]
    for name in names:
        found = shutil.which(name)
        if found:
            return found
    raise NoBrowserError(
        f"no browser found (looked for {', '.join(names)}). The browser tests need Chromium: "
        "`apt-get install -y chromium`, or set CHROMIUM to the path of one."
    )


def free_port() -> int:
    """Port of the loopback interface that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_notebook(path: Path, cells: Sequence[str]) -> None:
    """Write a notebook of code cells."""
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": KERNELSPEC})
    notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    nbformat.write(notebook, path)


class JupyterServer:
    """A Jupyter server of our own; use it as a context manager.

    Parameters
    ----------
    base : Path
        Empty folder for home, configuration and log; notebooks live in ``base / "root"``.

    Attributes
    ----------
    url : str
        Address on the loopback interface, without a slash at the end.
    root : Path
        Folder the server shows; kernels start there.
    """

    def __init__(self, base: Path) -> None:
        self.base = base
        self.root = base / "root"
        self.url = ""
        self._process: subprocess.Popen[bytes] | None = None

    def _environment(self) -> dict[str, str]:
        """Environment of server and kernels, with the very package that this process tests."""
        spec = importlib.util.find_spec("astronomaly_widgets")
        if spec is None or spec.origin is None:
            raise RuntimeError("astronomaly_widgets is not importable: install it first")
        keep = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "PYTHON"))}
        return keep | {
            "HOME": str(self.base),
            "IPYTHONDIR": str(self.base / "ipython"),
            "JUPYTER_CONFIG_DIR": str(self.base / "config"),
            "JUPYTER_DATA_DIR": str(self.base / "data"),
            "JUPYTER_RUNTIME_DIR": str(self.base / "runtime"),
            "JUPYTERLAB_SETTINGS_DIR": str(self.base / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(self.base / "workspaces"),
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
            "PYTHONPATH": str(Path(spec.origin).parents[1]),
        }

    def __enter__(self) -> Self:
        """Start the server and wait until it answers."""
        config = self.base / "config"
        (config / "labconfig").mkdir(parents=True)
        (config / "labconfig" / "page_config.json").write_text(json.dumps(PAGE_CONFIG))
        self.root.mkdir()
        (config / "jupyter_server_config.json").write_text(json.dumps(SERVER_CONFIG))
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "jupyterlab", "--ip=127.0.0.1", f"--port={port}"]
        command += ["--ServerApp.port_retries=0", f"--ServerApp.root_dir={self.root}"]
        with (self.base / "server.log").open("wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self.root,
                env=self._environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_until_up(self._process)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the server and its kernels."""
        self.close()

    def _wait_until_up(self, process: subprocess.Popen[bytes], timeout: float = 60.0) -> None:
        end = time.monotonic() + timeout
        while time.monotonic() < end and process.poll() is None:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{self.url}/api/status", timeout=5).close()  # noqa: S310 - our own server
                return
            time.sleep(0.1)
        raise RuntimeError(f"Jupyter did not start; the end of its log:\n{self.log()[-3000:]}")

    def log(self) -> str:
        """Return what the server has written so far."""
        return (self.base / "server.log").read_text(errors="replace")

    def close(self) -> None:
        """Ask the server to stop its kernels and itself, and end the group if it does not."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Open a headless Chromium for as long as the context lasts."""
    from playwright.sync_api import sync_playwright

    executable = find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, headless=True, args=CHROMIUM_ARGS
        )
        try:
            yield browser
        finally:
            browser.close()


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
        self.page.goto(f"{self.server.url}/lab/tree/{name}.ipynb?reset")
        self.wait_for_kernel()
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
