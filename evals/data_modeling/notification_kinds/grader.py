"""A table of three kinds of documents: what it takes, what it refuses, and how the kinds are read."""

from collections.abc import Mapping

from convex_evals.graders.api import CallFailed, Grading, Int64, assert_equal, rejects

TABLE = "notifications"
Document = Mapping[str, object]

MENTION: Document = {"recipient": "ada", "kind": "mention", "author": "Bob", "excerpt": "see this"}
PAYMENT: Document = {"recipient": "ada", "kind": "payment", "cents": Int64(9_007_199_254_740_993), "currency": "EUR"}
OUTAGE: Document = {"recipient": "ada", "kind": "outage", "services": ["api", "web"], "severity": "major"}
KINDS = (MENTION, PAYMENT, OUTAGE)


def without(document: Document, *names: str) -> Document:
    return {name: value for name, value in document.items() if name not in names}


REFUSED: tuple[Document, ...] = (
    without(MENTION, "recipient"),
    without(MENTION, "kind"),
    without(MENTION, "excerpt"),
    without(PAYMENT, "currency"),
    without(OUTAGE, "severity"),
    {**MENTION, "kind": "payment"},
    {**MENTION, "kind": "reminder"},
    {**MENTION, "cents": Int64(5)},
    {**MENTION, "author": None},
    {**PAYMENT, "cents": 5.0},
    {**PAYMENT, "currency": "GBP"},
    {**OUTAGE, "services": "api"},
    {**OUTAGE, "severity": "none"},
    {**OUTAGE, "note": "undeclared"},
)


async def notify(g: Grading, document: Document) -> str:
    """The id that notify returns."""
    return str(await g.response.public.mutation("notifications:notify", {"notification": document}))


async def test_the_database_takes_the_three_kinds(g: Grading) -> None:
    """Each kind is a valid document, read or not, and the other values of its literals are valid too."""
    documents: tuple[Document, ...] = (
        *KINDS,
        *({**document, "readAt": 17.5} for document in KINDS),
        {**PAYMENT, "currency": "USD"},
        {**OUTAGE, "severity": "minor", "services": []},
    )
    try:
        await g.response.insert(TABLE, *documents)
    except CallFailed as error:
        raise AssertionError(f"one of these documents is refused: {documents!r}: {error.message}") from None
    # A table without any validator takes them as well, so something has to be refused here.
    await rejects(g.response.admin.mutation("notifications:notify", {"notification": 5}), match="ArgumentValidation")


async def test_the_database_refuses_other_documents(g: Grading) -> None:
    """A document that is none of the three kinds is refused, whoever writes it."""
    await g.response.insert(TABLE, MENTION)
    for document in (*REFUSED, {**MENTION, "readAt": "today"}, {**MENTION, "readAt": None}):
        try:
            await g.response.insert(TABLE, document)
        except CallFailed:
            continue
        raise AssertionError(f"the database took {document!r}")
    assert await g.response.schema() is not None, "there is no schema"


async def test_notify_stores_what_it_is_given(g: Grading) -> None:
    """notify stores the notification and returns its id."""
    ids = [await notify(g, document) for document in KINDS]
    stored = {
        str(document["_id"]): without(document, "_id", "_creationTime") for document in await g.response.read(TABLE)
    }
    assert_equal(stored, dict(zip(ids, KINDS, strict=True)), "the stored notifications")


async def test_notify_refuses_anything_else(g: Grading) -> None:
    """An argument that is no notification, or one with readAt, is an invalid argument."""
    for document in (*REFUSED, {**MENTION, "readAt": 5}):
        await rejects(
            g.response.public.mutation("notifications:notify", {"notification": document}),
            match="ArgumentValidationError",
        )


async def test_mark_read_sets_read_at(g: Grading) -> None:
    """markRead sets readAt, changes nothing else, and returns null."""
    ids = [await notify(g, document) for document in KINDS]
    for place, notification in enumerate(ids):
        value = await g.response.public.mutation("notifications:markRead", {"id": notification, "readAt": 100 + place})
        assert value is None, f"markRead returned {value!r}, not null"
    stored = [without(document, "_id", "_creationTime") for document in await g.response.read(TABLE)]
    expected = [{**document, "readAt": 100 + place} for place, document in enumerate(KINDS)]
    assert_equal(stored, expected, "the stored notifications")


async def test_headlines_of_each_kind(g: Grading) -> None:
    """headlines has a line for each notification of the recipient, newest first, with those read marked."""
    await g.response.insert(
        TABLE,
        MENTION,
        {**MENTION, "recipient": "bob"},
        {**PAYMENT, "readAt": 0},
        OUTAGE,
        {**OUTAGE, "services": ["db"]},
    )
    lines = await g.response.public.query("notifications:headlines", {"recipient": "ada"})
    expected = ["major: db", "major: api, web", "(read) 9007199254740993 EUR", "Bob: see this"]
    assert_equal(lines, expected, "headlines of ada")
    lines = await g.response.public.query("notifications:headlines", {"recipient": "cy"})
    assert_equal(lines, [], "headlines of someone without notifications")


async def test_headlines_of_many(g: Grading) -> None:
    """There is a headline for each notification, also when they are many."""
    await g.response.insert(TABLE, *({**OUTAGE, "services": [f"s{n}"]} for n in range(300)))
    lines = await g.response.public.query("notifications:headlines", {"recipient": "ada"})
    assert_equal(lines, [f"major: s{n}" for n in reversed(range(300))], "headlines of 300 notifications")


async def test_only_the_notifications_of_the_recipient_are_read(g: Grading) -> None:
    """headlines reads the notifications of no one else."""
    others: list[Document] = [{**MENTION, "recipient": f"user {n}"} for n in range(30)]
    await g.response.insert(TABLE, MENTION, *others)
    async with g.response.evidence() as seen:
        lines = await g.response.public.query("notifications:headlines", {"recipient": "ada"})
    assert_equal(lines, ["Bob: see this"], "headlines of ada")
    read = seen.one("notifications:headlines").documents_read
    assert read == 1, f"headlines read {read} documents for one notification"
