"""A private Jupyter server and a browser, for tests and for measuring.

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
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

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
SERVER_CONFIG = {
    "ServerApp": {"allow_root": True, "disable_check_xsrf": True},
    "IdentityProvider": {"token": ""},
    "LabApp": {
        "expose_app_in_browser": True,
        "extension_manager": "readonly",
        "news_url": None,
        "check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
    },
}
NOTEBOOK_CONFIG = {"JupyterNotebookApp": {"expose_app_in_browser": True}}
PAGE_CONFIG = {
    "disabledExtensions": {
        "@jupyterlab/apputils-extension:announcements": True,  # asks to be allowed to phone home
        "@jupyterlab/debugger-extension": True,  # logs errors of its own at a restart
    }
}


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
        self.root.mkdir(exist_ok=True)
        (config / "jupyter_server_config.json").write_text(json.dumps(SERVER_CONFIG))
        (config / "jupyter_notebook_config.json").write_text(json.dumps(NOTEBOOK_CONFIG))
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = self.command(port)
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

    def command(self, port: int) -> list[str]:
        """Return what starts the server."""
        return [
            *[sys.executable, "-m", "jupyterlab", "--ip=127.0.0.1", f"--port={port}"],
            *["--no-browser", "--ServerApp.port_retries=0"],
            f"--ServerApp.root_dir={self.root}",
        ]

    def is_up(self) -> bool:
        """Whether the server answers."""
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"{self.url}/api/status", timeout=5).close()  # noqa: S310 - our own server
            return True
        return False

    def __exit__(self, *_: object) -> None:
        """Stop the server and its kernels."""
        self.close()

    def _wait_until_up(self, process: subprocess.Popen[bytes], timeout: float = 60.0) -> None:
        end = time.monotonic() + timeout
        while time.monotonic() < end and process.poll() is None:
            if self.is_up():
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


class AppServer(JupyterServer):
    """``astronomaly-widgets app DATA``, as a person starts it; `data` lies in :attr:`root`."""

    def __init__(self, base: Path, data: str) -> None:
        super().__init__(base)
        self._data = data

    def command(self, port: int) -> list[str]:
        """Return what starts the page."""
        start = "from astronomaly_widgets.cli import main; raise SystemExit(main())"
        words = ["app", self._data, "--no-browser", f"--port={port}"]
        return [sys.executable, "-c", start, *words]

    def is_up(self) -> bool:
        """Whether somebody listens: a look at the page itself would run its code."""
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", int(self.url.rpartition(":")[2])), 5).close()
            return True
        return False


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
