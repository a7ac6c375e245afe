"""Changes to a document: what they set, what they leave, what they remove."""

from typing import Any

from convex_evals.graders.api import Grading, assert_equal, rejects

FULL = {
    "name": "Ada",
    "nickname": "countess",
    "birthday": "12-10",
    "settings": {"theme": "dark", "email": {"news": True, "alerts": False}},
}
BARE = {"name": "Bob", "settings": {"theme": "light", "email": {"news": False, "alerts": True}}}


async def fill(g: Grading) -> tuple[dict[str, Any], dict[str, Any]]:
    """The two documents, as stored."""
    await g.response.insert("profiles", FULL, BARE)
    full, bare = await g.response.read("profiles")
    return full, bare


async def change(g: Grading, function: str, /, **args: Any) -> None:
    value = await g.response.public.mutation(f"profiles:{function}", args)
    assert value is None, f"{function} returned {value!r}, not null"


async def expect(g: Grading, *documents: dict[str, Any]) -> None:
    """These documents, ids and creation times included, are all that is stored."""
    stored = {document["_id"]: document for document in await g.response.read("profiles")}
    assert_equal(stored, {document["_id"]: document for document in documents}, "the stored profiles")


async def test_rename_sets_the_name(g: Grading) -> None:
    """rename sets the name and leaves all other fields."""
    full, bare = await fill(g)
    await change(g, "rename", id=full["_id"], name="Ada Lovelace")
    await expect(g, {**full, "name": "Ada Lovelace"}, bare)


async def test_set_email_changes_what_is_given(g: Grading) -> None:
    """setEmail sets the booleans that are given; the other one, the theme and the other fields stay."""
    full, bare = await fill(g)
    for args, email in (
        ({"alerts": True}, {"news": True, "alerts": True}),
        ({"news": False}, {"news": False, "alerts": True}),
        ({}, {"news": False, "alerts": True}),
        ({"news": True, "alerts": False}, {"news": True, "alerts": False}),
    ):
        await change(g, "setEmail", id=full["_id"], **args)
        await expect(g, {**full, "settings": {"theme": "dark", "email": email}}, bare)


async def test_remove_nickname_removes_the_field(g: Grading) -> None:
    """removeNickname leaves a document without the field, also when there was none."""
    full, bare = await fill(g)
    for document in (full, bare):
        await change(g, "removeNickname", id=document["_id"])
    await expect(g, {name: value for name, value in full.items() if name != "nickname"}, bare)


async def test_reset_keeps_the_name_alone(g: Grading) -> None:
    """reset leaves name and default settings under the same id and creation time."""
    full, bare = await fill(g)
    await change(g, "reset", id=full["_id"])
    kept = {name: full[name] for name in ("_id", "_creationTime", "name")}
    await expect(g, {**kept, "settings": BARE["settings"]}, bare)


async def test_they_fail_when_there_is_no_profile(g: Grading) -> None:
    """Each mutation fails when the profile does not exist, and creates none."""
    full, _ = await fill(g)
    calls: tuple[tuple[str, dict[str, Any]], ...] = (
        ("rename", {"name": "x"}),
        ("setEmail", {"news": True}),
        ("setEmail", {}),
        ("removeNickname", {}),
        ("reset", {}),
    )
    for name, more in calls:
        await change(g, name, id=full["_id"], **more)
    await g.response.clear("profiles")
    for name, more in calls:
        await rejects(g.response.public.mutation(f"profiles:{name}", {"id": full["_id"], **more}))
    await expect(g)


async def test_the_schema_is_as_described(g: Grading) -> None:
    """Documents with fields missing, with undeclared fields or with other values are refused."""
    await fill(g)
    settings = FULL["settings"]
    for document in (
        {"name": "x"},
        {**BARE, "age": 5},
        {**BARE, "nickname": None},
        {**BARE, "birthday": 5},
        {**BARE, "settings": {"theme": "blue", "email": settings["email"]}},
        {**BARE, "settings": {"theme": "dark", "email": {"news": True}}},
    ):
        await rejects(g.response.insert("profiles", document))
