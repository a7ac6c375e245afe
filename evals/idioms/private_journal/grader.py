"""Private entries: who may do what, what a client learns when it may not, and what only the backend may do."""

from typing import Any

from convex_evals.graders.api import Client, Grading, assert_equal, rejects


async def write(client: Client, text: str) -> str:
    identifier = await client.mutation("journal:write", {"text": text})
    assert isinstance(identifier, str), f"write returned {identifier!r}, not an id"
    return identifier


async def texts(client: Client) -> list[Any]:
    """The texts that `mine` shows, newest first."""
    found = await client.query("journal:mine", {})
    assert isinstance(found, list), f"mine returned {found!r}"
    return [entry.get("text") if isinstance(entry, dict) else entry for entry in found]


async def test_own_entries_are_written_listed_and_removed(g: Grading) -> None:
    """A user writes entries, finds them as { id, text }, newest first, and removes one."""
    ada = g.response.as_user("ada")
    ids = [await write(ada, text) for text in ("one", "two", "three")]
    listed = [{"id": identifier, "text": text} for identifier, text in zip(ids, ("one", "two", "three"), strict=True)]
    assert_equal(await ada.query("journal:mine", {}), listed[::-1], "mine")
    value = await ada.mutation("journal:remove", {"entryId": ids[1]})
    assert value is None, f"remove returned {value!r}, not null"
    assert_equal(await texts(ada), ["three", "one"], "texts after the removal")
    stored = [document["_id"] for document in await g.response.read("entries")]
    assert_equal(stored, [ids[0], ids[2]], "the stored entries")


async def test_entries_of_others_are_not_listed(g: Grading) -> None:
    """mine shows the entries of the user who asks, and no others."""
    ada, bob = g.response.as_user("ada"), g.response.as_user("bob")
    await write(ada, "of ada")
    await write(bob, "of bob")
    assert_equal([await texts(ada), await texts(bob)], [["of ada"], ["of bob"]], "texts of ada and of bob")


async def test_users_of_different_providers_are_different(g: Grading) -> None:
    """The same subject, name and e-mail address at another provider is another user; the same one is the same."""
    same = {"name": "Ada", "email": "ada@example.com"}
    one = g.response.as_user("user1", issuer="https://one.example", **same)
    two = g.response.as_user("user1", issuer="https://two.example", **same)
    again = g.response.as_user("user1", issuer="https://one.example", name="Ada L.", email="new@example.com")
    await write(one, "first provider")
    assert_equal(await texts(two), [], "texts of the user of another provider")
    assert_equal(await texts(again), ["first provider"], "texts of the same user with a new name and address")


async def test_entries_of_others_cannot_be_removed(g: Grading) -> None:
    """Removing what belongs to someone else fails with NOT_FOUND and changes nothing."""
    ada, bob = g.response.as_user("ada"), g.response.as_user("bob")
    identifier = await write(ada, "of ada")
    failed = await rejects(bob.mutation("journal:remove", {"entryId": identifier}))
    assert_equal(failed.data, {"code": "NOT_FOUND"}, "data of the error")
    assert_equal(await texts(ada), ["of ada"], "texts of ada")


async def test_a_missing_entry_cannot_be_removed(g: Grading) -> None:
    """Removing an entry that does not exist any more fails with NOT_FOUND."""
    ada = g.response.as_user("ada")
    identifier = await write(ada, "gone")
    await g.response.clear("entries")
    failed = await rejects(ada.mutation("journal:remove", {"entryId": identifier}))
    assert_equal(failed.data, {"code": "NOT_FOUND"}, "data of the error")


async def test_all_fail_when_nobody_is_signed_in(g: Grading) -> None:
    """Without a user the three functions fail with UNAUTHENTICATED and nothing changes."""
    nobody = g.response.public
    identifier = await write(g.response.as_user("ada"), "of ada")
    for call, path, args in (
        (nobody.query, "journal:mine", {}),
        (nobody.mutation, "journal:write", {"text": "of nobody"}),
        (nobody.mutation, "journal:remove", {"entryId": identifier}),
    ):
        failed = await rejects(call(path, args))
        assert_equal(failed.data, {"code": "UNAUTHENTICATED"}, f"data of the error of {failed.path}")
    stored = [document["text"] for document in await g.response.read("entries")]
    assert_equal(stored, ["of ada"], "the stored texts")
    await g.response.clear("entries")
    failed = await rejects(nobody.mutation("journal:remove", {"entryId": identifier}))
    assert_equal(failed.data, {"code": "UNAUTHENTICATED"}, "data of the error of remove for an entry that is gone")


async def test_purge_deletes_the_entries_of_one_owner(g: Grading) -> None:
    """The backend deletes all entries of an owner and learns how many there were."""
    ada, bob = g.response.as_user("ada"), g.response.as_user("bob")
    for text in ("one", "two"):
        await write(ada, text)
    await write(bob, "of bob")
    owner = (await g.response.read("entries"))[0]["owner"]
    count = await g.response.admin.mutation("journal:purge", {"owner": owner})
    assert count == 2, f"two entries were purged, purge returned {count!r}"
    assert_equal([await texts(ada), await texts(bob)], [[], ["of bob"]], "texts of ada and of bob")


async def test_mine_and_purge_take_all(g: Grading) -> None:
    """mine lists and purge deletes every entry of an owner, also when they are many."""
    ada = g.response.as_user("ada")
    await write(ada, "first")
    owner = (await g.response.read("entries"))[0]["owner"]
    await g.response.insert("entries", *({"owner": owner, "text": f"text {n}"} for n in range(300)))
    assert_equal(await texts(ada), [*(f"text {n}" for n in reversed(range(300))), "first"], "texts of 301 entries")
    count = await g.response.admin.mutation("journal:purge", {"owner": owner})
    assert count == 301, f"301 entries were to be purged, purge returned {count!r}"
    assert_equal(await g.response.read("entries"), [], "entries after the purge")


async def test_clients_cannot_purge(g: Grading) -> None:
    """No client can call purge; the function is there for the backend."""
    await g.response.admin.mutation("journal:purge", {"owner": "no one"})
    public = sorted(
        entry.get("identifier", "an HTTP route")
        for entry in await g.response.function_spec()
        if entry["functionType"] == "HttpAction" or entry["visibility"]["kind"] == "public"
    )
    assert_equal(public, ["journal.js:mine", "journal.js:remove", "journal.js:write"], "public functions")


async def test_mine_reads_no_entries_of_others(g: Grading) -> None:
    """What mine reads does not depend on how many entries others have."""
    ada = g.response.as_user("ada")
    await write(ada, "of ada")
    read = []
    for others in (0, 30):
        await g.response.insert("entries", *({"owner": f"other {n}", "text": "x"} for n in range(others)))
        async with g.response.evidence() as seen:
            found = await texts(ada)
        assert_equal(found, ["of ada"], "texts of ada")
        read.append(seen.one("journal:mine").documents_read)
    assert read[0] == read[1], f"mine read {read[0]} documents, and {read[1]} when others had 30 entries"
