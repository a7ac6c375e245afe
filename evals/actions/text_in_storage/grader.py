"""Texts as files: what is written comes back, through the function and through the URL."""

import aiohttp

from convex_evals.graders.api import Grading, rejects

WRITE, READ = "index:writeTextToStorage", "index:readTextFromStorage"
TEXTS = ("hello", "", "two\r\nlines\n", "größe 漢字 🚀 \u0000 end", "0123456789" * 5_000)


async def write(g: Grading, text: str) -> dict[str, str]:
    """What writeTextToStorage returns, known to have the two fields."""
    value = await g.response.public.action(WRITE, {"text": text})
    fields = {name: type(field) for name, field in value.items()} if isinstance(value, dict) else {}
    assert fields == {"storageId": str, "url": str}, f"writing {text[:20]!r} returned {value!r}"
    return dict(value)


async def download(url: str) -> tuple[int, str, bytes]:
    """Status, content type and body behind a URL, asked for as anyone can."""
    assert url.startswith(("http://", "https://")), f"{url!r} is no URL that can be downloaded"
    try:
        async with aiohttp.ClientSession() as http, http.get(url) as response:
            return response.status, response.headers.get("Content-Type", ""), await response.read()
    except (aiohttp.ClientError, ValueError) as error:
        raise AssertionError(f"{url!r} cannot be downloaded: {error!r}") from None


async def test_what_is_read_is_what_was_written(g: Grading) -> None:
    """readTextFromStorage returns exactly the text that writeTextToStorage stored."""
    ids = [(await write(g, text))["storageId"] for text in TEXTS]
    assert len(set(ids)) == len(TEXTS), f"{len(TEXTS)} texts were stored under the ids {ids!r}"
    for storage_id, text in zip(ids, TEXTS, strict=True):
        actual = await g.response.public.action(READ, {"storageId": storage_id})
        assert actual == text, f"read {actual!r:.200}, but {text!r:.200} was written"


async def test_written_text_can_be_downloaded(g: Grading) -> None:
    """The URL gives anyone the content of the file."""
    for text in TEXTS:
        status, _, body = await download((await write(g, text))["url"])
        assert (status, body) == (200, text.encode()), f"{text!r:.200} downloads as HTTP {status}: {body!r:.200}"


async def test_the_file_is_plain_text(g: Grading) -> None:
    """The stored file has the content type text/plain."""
    written = await write(g, "plain")
    _, content_type, _ = await download(written["url"])
    assert content_type.partition(";")[0].strip() == "text/plain", f"the content type is {content_type!r}"
    stored = {file["_id"]: file for file in await g.response.read("_storage")}
    assert written["storageId"] in stored, f"{written['storageId']!r} is no file in storage: {sorted(stored)}"


async def test_the_id_is_validated(g: Grading) -> None:
    """storageId is validated as the id of a stored file, text as a string."""
    await write(g, "anything")
    for path, args in ((READ, {"storageId": "not an id"}), (READ, {}), (WRITE, {"text": 5}), (WRITE, {})):
        await rejects(g.response.public.action(path, args), match="ArgumentValidationError")
