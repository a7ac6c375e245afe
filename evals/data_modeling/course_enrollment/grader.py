"""Who is enrolled in what: effects, order, and what it costs when a course is large."""

import asyncio

from convex_evals.graders.api import Grading, assert_equal

# An order in which nothing is sorted by creation, in either direction.
SHUFFLED = (3, 0, 5, 1, 4, 2)
CROWD = 15


async def students(g: Grading, count: int) -> list[str]:
    """Ids of new students."""
    return await g.response.insert("students", *({"name": f"student {n}"} for n in range(count)))


async def courses(g: Grading, count: int) -> list[str]:
    """Ids of new courses."""
    return await g.response.insert("courses", *({"title": f"course {n}"} for n in range(count)))


async def change(g: Grading, name: str, student: str, course: str) -> None:
    """Enroll or withdraw; the result is null."""
    value = await g.response.public.mutation(f"enrollments:{name}", {"studentId": student, "courseId": course})
    assert value is None, f"{name} returned {value!r}, not null"


async def is_enrolled(g: Grading, student: str, course: str) -> object:
    return await g.response.public.query("enrollments:isEnrolled", {"studentId": student, "courseId": course})


async def shown(g: Grading, name: str, field: str, args: dict[str, object]) -> list[object]:
    """One field of each document that a query returns."""
    found = await g.response.public.query(f"enrollments:{name}", args)
    assert isinstance(found, list), f"{name} returned {found!r}"
    return [document.get(field) if isinstance(document, dict) else document for document in found]


async def test_enroll_and_withdraw(g: Grading) -> None:
    """isEnrolled follows enroll and withdraw, for this student and this course alone."""
    (ada, bob), (maths, music) = await students(g, 2), await courses(g, 2)
    await change(g, "enroll", ada, maths)
    pairs = [(ada, maths), (ada, music), (bob, maths), (bob, music)]
    seen = [await is_enrolled(g, *pair) for pair in pairs]
    assert seen == [True, False, False, False], f"after one enrollment the four pairs are {seen}"
    await change(g, "enroll", bob, maths)
    await change(g, "withdraw", ada, maths)
    await change(g, "withdraw", ada, music)
    seen = [await is_enrolled(g, *pair) for pair in pairs]
    assert seen == [False, False, True, False], f"after the withdrawal the four pairs are {seen}"


async def test_enrolling_twice_is_enrolling_once(g: Grading) -> None:
    """A second enroll changes nothing, and one withdraw ends it."""
    (ada,), (maths,) = await students(g, 1), await courses(g, 1)
    await change(g, "enroll", ada, maths)
    await change(g, "enroll", ada, maths)
    titles = await shown(g, "coursesOf", "title", {"studentId": ada})
    assert_equal(titles, ["course 0"], "courses after enrolling twice")
    names = await shown(g, "firstStudents", "name", {"courseId": maths, "count": 10})
    assert_equal(names, ["student 0"], "students after enrolling twice")
    await change(g, "withdraw", ada, maths)
    assert await is_enrolled(g, ada, maths) is False, "still enrolled after enrolling twice and withdrawing"


async def test_courses_come_in_the_order_of_enrollment(g: Grading) -> None:
    """coursesOf returns the documents of this student's courses in the order of enrollment."""
    (ada, bob), ids = await students(g, 2), await courses(g, len(SHUFFLED))
    for place in SHUFFLED:
        await change(g, "enroll", ada, ids[place])
    await change(g, "enroll", bob, ids[0])
    found = await g.response.public.query("enrollments:coursesOf", {"studentId": ada})
    documents = {document["_id"]: document for document in await g.response.read("courses")}
    assert_equal(found, [documents[ids[place]] for place in SHUFFLED], "coursesOf")


async def test_first_students_come_in_the_order_of_enrollment(g: Grading) -> None:
    """firstStudents returns at most count documents of those still enrolled, in the order of enrollment."""
    ids, (maths, music) = await students(g, len(SHUFFLED)), await courses(g, 2)
    for place in SHUFFLED:
        await change(g, "enroll", ids[place], maths)
    await change(g, "enroll", ids[4], music)
    await change(g, "withdraw", ids[SHUFFLED[1]], maths)
    left = [f"student {place}" for n, place in enumerate(SHUFFLED) if n != 1]
    for count in (1, 2, 3, 50):
        names = await shown(g, "firstStudents", "name", {"courseId": maths, "count": count})
        assert_equal(names, left[:count], f"firstStudents with count {count}")


async def cost(g: Grading, first: str, new: str, maths: str) -> dict[str, tuple[int, int]]:
    """Documents and bytes that each function reads, for a student who is the first of the course and one who is new."""
    async with g.response.evidence() as seen:
        assert await is_enrolled(g, first, maths) is True, "the first student is not enrolled"
        await change(g, "enroll", new, maths)
        await change(g, "withdraw", new, maths)
        titles = await shown(g, "coursesOf", "title", {"studentId": first})
        names = await shown(g, "firstStudents", "name", {"courseId": maths, "count": 2})
    assert (titles, len(names)) == (["course 0"], 2), f"coursesOf gave {titles}, firstStudents {names}"
    calls = [call for call in seen.calls if call.path.startswith("enrollments:") and not call.nested]
    return {call.path: (call.documents_read, call.bytes_read) for call in calls}


async def test_reads_do_not_grow_with_the_course(g: Grading) -> None:
    """What the functions read stays the same when many others are enrolled."""
    ids, (maths,) = await students(g, CROWD + 4), await courses(g, 1)
    await change(g, "enroll", ids[0], maths)
    await change(g, "enroll", ids[2], maths)
    before = await cost(g, ids[0], ids[1], maths)
    await asyncio.gather(*(change(g, "enroll", student, maths) for student in ids[4:]))
    # Someone new again: what is kept of the first one's withdrawal is theirs.
    after = await cost(g, ids[0], ids[3], maths)
    for path, (documents, size) in after.items():
        old_documents, old_size = before[path]
        grown = documents > old_documents or size > old_size + 50
        assert not grown, (
            f"{path} reads {documents} documents, {size} bytes with {CROWD} more students in the course; "
            f"before them it read {old_documents} documents, {old_size} bytes"
        )


async def test_reads_do_not_grow_with_withdrawals(g: Grading) -> None:
    """Those who are not enrolled any more are not read."""
    ids, places = await students(g, CROWD), await courses(g, CROWD)
    for student, course in ((ids[-1], places[0]), (ids[-1], places[-1])):
        await change(g, "enroll", student, course)

    async def read() -> dict[str, int]:
        async with g.response.evidence() as seen:
            names = await shown(g, "firstStudents", "name", {"courseId": places[-1], "count": 2})
            titles = await shown(g, "coursesOf", "title", {"studentId": ids[-1]})
        expected = ([f"student {CROWD - 1}"], ["course 0", f"course {CROWD - 1}"])
        assert (names, titles) == expected, f"firstStudents gave {names}, coursesOf {titles}"
        return {name: seen.one(f"enrollments:{name}").documents_read for name in ("firstStudents", "coursesOf")}

    before = await read()
    for name in ("enroll", "withdraw"):
        await asyncio.gather(*(change(g, name, student, places[-1]) for student in ids[:-1]))
        for course in places[1:-1]:
            await change(g, name, ids[-1], course)
    after = await read()
    assert_equal(after, before, f"documents read after {CROWD - 1} students and {CROWD - 2} courses were withdrawn")
