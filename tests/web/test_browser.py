"""The first page in a real browser: it renders, loads nothing from elsewhere, and its form prices a run."""

import shutil
import subprocess
import threading
from pathlib import Path

import pytest
import uvicorn

from pricing_sources.registry import source_by_id
from service.app import create_app
from service.clock import now
from service.scheduling.feeds import feeds
from service.settings import Settings
from service.store.store import Store
from service.usecases.refresh import refresh

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH")]


@pytest.fixture
def served(sqlite_url: str):
    """The real server over the bundled baseline."""
    store = Store.open(sqlite_url, now)
    refresh(store, source_by_id("baseline"), None, now=now(), trigger="manual")
    settings = Settings({})
    browsed_app = create_app(settings, feeds(settings), store, now)
    server = uvicorn.Server(uvicorn.Config(browsed_app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()
    store.close()


def seen(url: str, profile: Path) -> str:
    """The document as the browser holds it after rendering."""
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"]
    command += ["--disable-background-networking", "--disable-component-update", f"--user-data-dir={profile}"]
    done = subprocess.run([*command, "--dump-dom", url], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


def test_the_first_page_renders_in_a_real_browser(served: str, tmp_path: Path) -> None:
    page = seen(f"{served}/", tmp_path / "profile")
    assert "What an LLM costs, and where each number comes from" in page
    assert "Latest prices" in page
    assert "6.88 USD" in page
