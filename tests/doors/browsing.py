"""Headless Chromium through ChromeDriver, spoken to over HTTP as https://www.w3.org/TR/webdriver2/ says."""

import base64
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
needs_chromium = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not installed (Debian: chromium chromium-driver)"
)
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
FLAGS = (
    "--headless=new",
    "--no-sandbox",  # it may run as root, and opens nothing but what is served here
    "--disable-gpu",
    "--disable-quic",
    "--disable-3d-apis",
    "--force-prefers-reduced-motion",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


class Browser:
    """One browser window with an empty profile; `scripts=False` is a browser that runs no JavaScript of any page."""

    def __init__(
        self,
        folder: Path,
        *,
        scripts: bool = False,
        width: int = 1100,
        height: int = 900,
        dark: bool = False,
        scale: float = 1.0,
    ) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self._log = (folder / f"driver-{port}.log").open("wb")
        self._driver = subprocess.Popen([str(DRIVER), f"--port={port}"], stdout=self._log, stderr=self._log)
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60.0, trust_env=False)
        self._session = ""
        self._until_ready()
        flags = [*FLAGS, f"--user-data-dir={folder / f'profile-{port}'}", f"--window-size={width},{height}"]
        flags.append(f"--force-device-scale-factor={scale:g}")
        if dark:
            flags.append("--blink-settings=preferredColorScheme=0")
        options: dict[str, Any] = {"args": flags, "binary": CHROMIUM}
        if not scripts:
            options["prefs"] = {"profile.managed_default_content_settings.javascript": 2}
        asked = {"capabilities": {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}}
        self._session = self._call("POST", "/session", asked)["sessionId"]

    def _until_ready(self) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                if self._http.get("/status").is_success:
                    return
            except httpx.HTTPError:
                time.sleep(0.05)
        raise AssertionError("chromedriver does not come up")

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        where = f"/session/{self._session}{path}" if self._session else path
        answer = self._http.request(method, where, json=body if method == "POST" else None)
        value = answer.json()["value"]
        assert answer.is_success, value
        return value

    def open(self, url: str) -> None:
        self._call("POST", "/url", {"url": url})

    @property
    def url(self) -> str:
        return str(self._call("GET", "/url"))

    @property
    def title(self) -> str:
        return str(self._call("GET", "/title"))

    def find(self, css: str) -> list[str]:
        found = self._call("POST", "/elements", {"using": "css selector", "value": css})
        return [one[_ELEMENT] for one in found]

    def one(self, css: str) -> str:
        (found,) = self.find(css)
        return found

    def text(self, css: str = "body") -> str:
        return str(self._call("GET", f"/element/{self.one(css)}/text"))

    def click(self, css: str) -> None:
        self._call("POST", f"/element/{self.one(css)}/click", {})

    def click_away(self, css: str) -> None:
        """Click on each such element, for as long as it is there."""
        for element in self.find(css):
            self._http.post(f"/session/{self._session}/element/{element}/click", json={})

    def click_text(self, css: str, text: str, *, seconds: float = 60.0) -> None:
        """Click on the first element that says just this, once there is one that can be clicked."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for element in self.find(css):
                said = self._http.get(f"/session/{self._session}/element/{element}/text")
                if said.is_success and said.json()["value"].strip() == text:
                    done = self._http.post(f"/session/{self._session}/element/{element}/click", json={})
                    if done.is_success:
                        return
            time.sleep(0.05)
        raise AssertionError(f"nothing says {text!r}: {self.text()[:500]}")

    def wait_for(self, css: str, *, seconds: float = 60.0) -> None:
        """Wait until the page shows such an element."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.find(css):
                return
            time.sleep(0.05)
        raise AssertionError(f"{css} does not come: {self.text()[:500]}")

    def submit(self, css: str) -> None:
        """Click on what sends a form, and wait for the page that answers."""
        before = self.one("html")
        self.click(css)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            gone = not self._http.get(f"/session/{self._session}/element/{before}/name").is_success
            if gone and self.find("main"):
                return
            time.sleep(0.02)
        raise AssertionError(f"{css} sent nothing: {self.text()[:500]}")

    def type(self, css: str, text: str, *, number: int = 0) -> None:
        """Type into an element, of several the one with that number, instead of what stands there."""
        element = self.find(css)[number]
        self._call("POST", f"/element/{element}/clear", {})
        self._call("POST", f"/element/{element}/value", {"text": text})

    def place(self, css: str) -> dict[str, float]:
        """Where an element stands on the page, and how large it is."""
        return dict(self._call("GET", f"/element/{self.one(css)}/rect"))

    def devtools(self, command: str, **parameters: Any) -> Any:
        return self._call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def shoot(self, path: Path, css: str = "html", *, in_view: bool = False) -> Path:
        """A picture of the whole page, however long it is, or of one element; `in_view` is one that floats above it."""
        box = self.place(css)
        if css == "html":
            box |= self.devtools("Page.getLayoutMetrics")["cssContentSize"]
        clip = {key: box[key] for key in ("x", "y", "width", "height")} | {"scale": 1}
        taken = self.devtools("Page.captureScreenshot", format="png", captureBeyondViewport=not in_view, clip=clip)
        path.write_bytes(base64.b64decode(taken["data"]))
        return path

    def close(self) -> None:
        try:
            if self._session:
                self._call("DELETE", "")
        finally:
            self._http.close()
            self._driver.terminate()
            self._driver.wait(timeout=20)
            self._log.close()
