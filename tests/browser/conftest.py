"""What the browser tests share: one Chromium, one server a profile, and a page that tells what it should not do.

What belongs here: starting and watching. What does not: what a view must show.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from dashboards.data import Profile
from dashboards.serve import make_server
from opora.home import Home
from tests.conftest import Region

_ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
_PATIENCE = 120_000  # milliseconds: a machine that builds something else beside is slow, not wrong
_SCREENSHOTS = os.environ.get("OPORA_SCREENSHOTS")


@dataclass
class Visit:
    """A page of the browser over one server, with everything that went wrong in it."""

    page: Any
    base: str
    name: str
    errors: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def open(self, address: str) -> None:
        self.page.goto(self.base + address)
        self.page.wait_for_selector("#title")
        self.page.wait_for_selector("#page:not([data-dash-is-loading])")

    def title(self) -> str:
        return str(self.page.inner_text("#title"))

    def text(self) -> str:
        return str(self.page.inner_text("main"))

    def settle(self) -> None:
        """Wait for grids and charts, which come after the rest with scripts of their own."""
        self.page.wait_for_load_state("networkidle")
        for awaited in (".plot .main-svg", ".grid .ag-row, .grid .ag-overlay"):
            if self.page.query_selector(awaited.split()[0]):
                self.page.wait_for_selector(awaited, state="attached")

    def shoot(self, name: str) -> None:
        """A picture of the whole page, if somebody asked for pictures."""
        if _SCREENSHOTS:
            self.settle()
            self.page.wait_for_timeout(300)
            folder = Path(_SCREENSHOTS)
            folder.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=str(folder / f"{self.name}-{name}.png"), full_page=True)

    def assert_clean(self) -> None:
        assert not self.errors
        assert not self.strangers


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium of the machine; without it the tests are skipped and say so."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(executable_path=chromium, args=list(_ARGUMENTS))
        yield launched
        launched.close()


@contextmanager
def served(home: Home, profile: Profile) -> Iterator[str]:
    """The address of a server over a home, while it is needed."""
    server = make_server(home, profile, "127.0.0.1", 0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        server.close()
        thread.join(timeout=5)


@contextmanager
def visited(browser: Any, base: str, name: str, **options: Any) -> Iterator[Visit]:
    """A fresh page in which every request to another origin is stopped and written down."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, "locale": "ru-RU"} | options)
    context.set_default_timeout(_PATIENCE)
    visit = Visit(context.new_page(), base, name)

    def guard(route: Any) -> None:
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(route.request.url))
        if origin == base:
            route.continue_()
        else:
            visit.strangers.append(route.request.url)
            route.abort()

    context.route(re.compile("^(?!data:|blob:)"), guard)
    visit.page.on("console", lambda said: visit.errors.append(said.text) if said.type == "error" else None)
    visit.page.on("pageerror", lambda error: visit.errors.append(str(error)))
    try:
        yield visit
    finally:
        context.close()


@pytest.fixture(scope="session")
def official(demo_region: Region) -> Iterator[str]:
    with served(demo_region.home, "official") as base:
        yield base


@pytest.fixture(scope="session")
def public(demo_region: Region) -> Iterator[str]:
    with served(demo_region.home, "public") as base:
        yield base


@pytest.fixture
def visit(browser: Any, request: pytest.FixtureRequest) -> Iterator[Callable[..., Visit]]:
    """`visit("official")` → a watched page over the server of that profile; it must stay clean."""
    opened: list[Visit] = []
    with ExitStack() as stack:

        def start(profile: str, **options: Any) -> Visit:
            base = request.getfixturevalue(profile)
            opened.append(stack.enter_context(visited(browser, base, profile, **options)))
            return opened[-1]

        yield start
    for page in opened:
        page.assert_clean()
