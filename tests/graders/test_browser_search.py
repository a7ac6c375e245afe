"""Where a browser is looked for, and that one that is there is not installed again."""

from pathlib import Path

import pytest

from convex_evals.graders import browser
from convex_evals.graders.browser import find_browser
from convex_evals.graders.browser_install import install_browser


@pytest.fixture(autouse=True)
def bare_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a browser of its own."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(browser, "LINUX_PLACES", ())
    monkeypatch.setattr(browser, "MAC_APPS", ())


def executable(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    "place",
    [
        "home/.cache/ms-playwright/chromium-1200/chrome-linux64/chrome",
        "home/Library/Caches/ms-playwright/chromium-1200/chrome-mac-arm64/Chromium.app/Contents/MacOS/Chromium",
        "cache/chromium_headless_shell-1200/chrome-headless-shell-linux64/chrome-headless-shell",
        "cache/chromium",
    ],
)
def test_a_browser_is_found_and_kept(tmp_path: Path, place: str) -> None:
    assert find_browser(tmp_path / "home", [tmp_path / "cache"]) is None
    path = executable(tmp_path / place)
    assert find_browser(tmp_path / "home", [tmp_path / "cache"]) == path
    said: list[str] = []
    assert install_browser(tmp_path / "cache", tmp_path / "home", said.append) == path
    assert said == []


def test_a_browser_on_the_path_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = executable(tmp_path / "bin" / "google-chrome")
    monkeypatch.setenv("PATH", str(path.parent))
    assert find_browser(tmp_path) == path
