"""A headless Chromium that is spoken to over a pipe (Chrome DevTools Protocol), one for a whole module."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from parts import missing

PATIENCE_S = 60

OVERFLOWS = """
(() => {
  const far = document.documentElement.clientWidth + 1, found = [];
  for (const each of document.querySelectorAll('body *')) {
    if (each.closest('.wide, svg, figure') && !each.matches('.wide, figure')) continue;
    const box = each.getBoundingClientRect();
    if (box.width && box.right > far) found.push(each.tagName + '.' + each.className + ' ' + Math.round(box.right));
  }
  return found.slice(0, 5);
})()
"""
"""What stands out of the window to the right; tables and pictures scroll inside their own frame."""

CONTRASTS = """
(() => {
  const part = text => (text.match(/[0-9.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const paper = each => {
    for (let at = each; at; at = at.parentElement) {
      const colour = part(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const each of document.querySelectorAll('body *')) {
    const own = [...each.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
    if (!own || each.closest('svg') || !each.getClientRects().length) continue;
    const [one, other] = [light(part(getComputedStyle(each).color)), light(paper(each))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) found.push(each.tagName + '.' + each.className + ' ' + ratio.toFixed(2));
  }
  return [...new Set(found)].slice(0, 5);
})()
"""
"""Texts that stand out from their paper by less than 4.5 to 1 (WCAG 2.1, contrast of text)."""


class Tab:
    """One page. ``complaints`` are errors, warnings and refused loads that the browser told of."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser, self._session = browser, session
        self.complaints: list[str] = []

    def __call__(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._browser.call(method, parameters, self._session, self._hear)

    def _hear(self, message: dict[str, Any]) -> None:
        about = message.get("params", {})
        match message.get("method"):
            case "Log.entryAdded" if about["entry"]["level"] in {"error", "warning"}:
                self.complaints.append(about["entry"]["text"])
            case "Runtime.exceptionThrown":
                self.complaints.append(str(about["exceptionDetails"].get("text")))
            case "Runtime.consoleAPICalled":
                self.complaints.append(f"console.{about['type']}")
            case "Network.requestWillBeSent" if not about["request"]["url"].startswith(("file:", "data:")):
                self.complaints.append(f"asks for {about['request']['url']}")

    def open(self, path: Path) -> None:
        """Show a file."""
        for domain in ("Page", "Log", "Runtime", "Network"):
            self(f"{domain}.enable")
        self("Page.navigate", url=path.as_uri())
        state = "new Promise(done => document.readyState === 'complete' ? done(1) : addEventListener('load', done))"
        self("Runtime.evaluate", expression=state, awaitPromise=True)

    def look(self, width: int, *, dark: bool = False, height: int = 900) -> None:
        """A window of another width, in one of the two colour schemes."""
        self("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self("Emulation.setEmulatedMedia", features=[scheme])

    def ask(self, expression: str) -> Any:
        """What an expression is in the page."""
        got = self("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in got, got
        return got["result"].get("value")

    def pdf(self) -> bytes:
        """The page as it prints."""
        return base64.b64decode(self("Page.printToPDF", preferCSSPageSize=True)["data"])


class Browser:
    """The process at the other end of the pipe."""

    def __init__(self, ask: int, answer: int) -> None:
        self._ask, self._answer = os.fdopen(ask, "wb"), os.fdopen(answer, "rb")
        self._number = 0

    def tab(self) -> Tab:
        """A new page."""
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        attached = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})
        return Tab(self, attached["sessionId"])

    def call(self, method: str, parameters: dict[str, Any], session: str | None = None, hear: Any = None) -> Any:
        """Send a command and wait for its answer; what is told meanwhile goes to ``hear``."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        self._ask.write(json.dumps(message).encode() + b"\0")
        self._ask.flush()
        while True:
            got = self._read()
            if got.get("id") == self._number:
                assert "error" not in got, got
                return got["result"]
            if hear is not None and got.get("sessionId") == session:
                hear(got)

    def _read(self) -> Any:
        parts = bytearray()
        while (byte := self._answer.read(1)) != b"\0":
            assert byte, "the browser is gone"
            parts += byte
        return json.loads(parts)

    def close(self) -> None:
        """Let go of the pipe."""
        self._ask.close()
        self._answer.close()


@contextmanager
def running(folder: Path) -> Iterator[Browser]:
    """A browser for a while; the test is skipped where there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        missing("there is no Chromium here (Debian package chromium)")
    assert found is not None
    to_browser, ask = os.pipe()
    answer, from_browser = os.pipe()
    # the protocol wants descriptors 3 and 4, whatever numbers the pipes have here
    start = f'exec "$0" "$@" 3<&{to_browser} 4>&{from_browser}'
    flags = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe")
    process = subprocess.Popen(
        ["/bin/bash", "-c", start, found, *flags, f"--user-data-dir={folder / 'profile'}"],
        pass_fds=(to_browser, from_browser),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(to_browser)
    os.close(from_browser)
    browser = Browser(ask, answer)
    try:
        yield browser
    finally:
        browser.close()
        process.terminate()
        process.wait(PATIENCE_S)
