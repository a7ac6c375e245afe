"""`convex-evals setup`: everything that runs need, installed once into the cache."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from convex_evals.cli.exits import PASSED
from convex_evals.cli.options import cache_folder


@click.command("setup")
@click.option("--browser/--no-browser", default=None, help="Also a browser for client evals, if there is none.")
def command(browser: bool | None) -> int:
    """Install the pinned tools (compiler, bundler, linter, Convex) and build the sandbox's runtime.

    Runs again in no time. Everything goes into the cache folder; nothing is installed anywhere else, except a
    browser where there is none and the package manager can install one.
    """
    cache = cache_folder()
    asyncio.run(_setup(cache))
    if browser is not False:
        _browser(cache, wanted=browser is True)
    click.echo(f"ready: {cache}")
    return PASSED


async def _setup(cache: Path) -> None:
    from convex_evals.backends.embedded import EmbeddedBackend
    from convex_evals.toolchain import Toolchain

    Toolchain.setup(cache, click.echo)
    tools = await Toolchain.start(cache)
    try:
        backend = await EmbeddedBackend.start(tools, cache)
        await backend.close()
    finally:
        await tools.close()


def _browser(cache: Path, wanted: bool) -> None:
    from convex_evals.errors import BrowserMissing
    from convex_evals.graders.browser import find_browser
    from convex_evals.graders.browser_install import install_browser

    found = find_browser(Path.home(), [cache / "browser"])
    if found is None:
        try:
            found = install_browser(cache / "browser", Path.home(), click.echo)
        except BrowserMissing as error:
            if wanted:
                raise
            click.echo(f"no browser: client evals will end as errors. {error}", err=True)
            return
    click.echo(f"browser: {found}")
