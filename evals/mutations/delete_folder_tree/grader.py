"""Deleting a folder with all that lies in it: effect, count, one transaction, and what it reads."""

from convex_evals.graders.api import Grading, assert_equal, rejects

REMOVE = "folders:remove"


async def folders(g: Grading, *places: tuple[str, str | None]) -> list[str]:
    """Ids of new folders, each given by its name and the id of the folder around it."""
    documents = [{"name": name} if parent is None else {"name": name, "parent": parent} for name, parent in places]
    return await g.response.insert("folders", *documents)


async def notes(g: Grading, ids: dict[str, str]) -> None:
    """A note of the same name in each folder."""
    await g.response.insert("notes", *({"title": name, "folder": identifier} for name, identifier in ids.items()))


async def remove(g: Grading, identifier: str) -> object:
    return await g.response.public.mutation(REMOVE, {"folderId": identifier})


async def left(g: Grading) -> dict[str, list[object]]:
    """Names of the folders and titles of the notes that are there."""
    return {
        "folders": [document["name"] for document in await g.response.read("folders")],
        "notes": [document["title"] for document in await g.response.read("notes")],
    }


async def tree(g: Grading) -> dict[str, str]:
    """Two top-level folders, one of them with folders three levels deep, and a note in each folder."""
    work, home = await folders(g, ("work", None), ("home", None))
    plans, bills = await folders(g, ("plans", work), ("bills", home))
    (year,) = await folders(g, ("2025", plans))
    may, june = await folders(g, ("may", year), ("june", year))
    ids = {"work": work, "home": home, "plans": plans, "2025": year, "may": may, "june": june, "bills": bills}
    await notes(g, ids)
    return ids


async def test_everything_below_is_deleted(g: Grading) -> None:
    """The folder, all folders inside it at any depth and all their notes are gone; the count says how many."""
    ids = await tree(g)
    await g.response.insert("notes", {"title": "second", "folder": ids["may"]})
    count = await remove(g, ids["work"])
    assert_equal(await left(g), {"folders": ["home", "bills"], "notes": ["home", "bills"]}, "what is left")
    assert count == 11, f"5 folders and 6 notes were deleted, remove returned {count!r}"


async def test_other_documents_stay(g: Grading) -> None:
    """Removing a folder in the middle leaves what lies above and beside it."""
    ids = await tree(g)
    count = await remove(g, ids["2025"])
    remaining = {"folders": ["work", "home", "plans", "bills"], "notes": ["work", "home", "plans", "bills"]}
    assert_equal(await left(g), remaining, "what is left")
    assert count == 6, f"3 folders and 3 notes were deleted, remove returned {count!r}"


async def test_crowded_folders_are_emptied(g: Grading) -> None:
    """All notes and folders in a folder are deleted, also when they are many."""
    (crowded,) = await folders(g, ("crowded", None))
    await folders(g, *((f"folder {n}", crowded) for n in range(150)))
    await g.response.insert("notes", *({"title": f"note {n}", "folder": crowded} for n in range(150)))
    count = await remove(g, crowded)
    assert_equal(await left(g), {"folders": [], "notes": []}, "what is left")
    assert count == 301, f"151 folders and 150 notes were deleted, remove returned {count!r}"


async def test_an_empty_folder_counts_as_one(g: Grading) -> None:
    """A folder with nothing in it is deleted too."""
    (identifier,) = await g.response.insert("folders", {"name": "empty"})
    count = await remove(g, identifier)
    assert_equal((await left(g))["folders"], [], "folders that are left")
    assert count == 1, f"one folder was deleted, remove returned {count!r}"


async def test_a_missing_folder_counts_as_none(g: Grading) -> None:
    """When the folder does not exist, remove returns 0 and deletes nothing."""
    (identifier,) = await folders(g, ("gone", None))
    await notes(g, {"gone": identifier})
    await g.response.clear("folders")
    count = await remove(g, identifier)
    assert count == 0, f"the folder did not exist, remove returned {count!r}"
    assert_equal((await left(g))["notes"], ["gone"], "notes that are left")


async def test_it_is_one_transaction(g: Grading) -> None:
    """Everything is deleted by this one mutation: nothing is left to be done later."""
    ids = await tree(g)
    async with g.response.evidence() as seen:
        await remove(g, ids["work"])
    later = [name for call in seen.calls for name in call.scheduled]
    assert_equal(later, [], "functions that were scheduled")
    outside = [call.path for call in seen.calls if not call.nested and not call.path.startswith("_system")]
    assert_equal(outside, [REMOVE], "functions that ran")


async def test_only_what_is_deleted_is_read(g: Grading) -> None:
    """What is read does not depend on how many other folders and notes there are."""
    ids = await tree(g)
    await g.response.insert("folders", *({"name": f"other {n}"} for n in range(40)))
    await g.response.insert("notes", *({"title": f"other {n}", "folder": ids["home"]} for n in range(40)))
    async with g.response.evidence() as seen:
        count = await remove(g, ids["2025"])
    assert count == 6, f"3 folders and 3 notes were deleted, remove returned {count!r}"
    # Deleting a document may count as reading it, and the folder itself may be looked up before.
    read = max(call.documents_read for call in seen.calls)
    assert read <= 3 * 6, f"deleting 6 documents read {read}"


async def test_the_schema_is_as_described(g: Grading) -> None:
    """Folders and notes refer to folders by id; fields that are missing or of another type are refused."""
    (folder,) = await folders(g, ("a", None))
    await notes(g, {"in a": folder})
    (note,) = (document["_id"] for document in await g.response.read("notes"))
    for table, document in (
        ("folders", {}),
        ("folders", {"name": 5}),
        ("folders", {"name": "b", "parent": "a"}),
        ("folders", {"name": "b", "parent": None}),
        ("folders", {"name": "b", "parent": note}),
        ("notes", {"title": "x"}),
        ("notes", {"title": 5, "folder": folder}),
        ("notes", {"title": "x", "folder": "a"}),
        ("notes", {"title": "x", "folder": note}),
    ):
        await rejects(g.response.insert(table, document))
