"""Six empty functions: kind, visibility, arguments, result."""

from convex_evals.graders.api import Client, Grading, compare_function_spec, rejects

KINDS = ("query", "mutation", "action")


async def call(client: Client, kind: str, visibility: str, args: dict[str, object] | None = None) -> object:
    """Call `empty<Visibility><Kind>` as a function of that kind; it fails when it is of another."""
    return await getattr(client, kind)(f"index:empty{visibility}{kind.capitalize()}", args or {})


async def test_public_functions_return_null(g: Grading) -> None:
    """Clients can call the three public functions, each as what it is, and get null."""
    for kind in KINDS:
        value = await call(g.response.public, kind, "Public")
        assert value is None, f"emptyPublic{kind.capitalize()} returned {value!r}, not null"


async def test_private_functions_return_null_on_the_server(g: Grading) -> None:
    """The three private functions exist for the backend itself and return null."""
    for kind in KINDS:
        value = await call(g.response.admin, kind, "Private")
        assert value is None, f"emptyPrivate{kind.capitalize()} returned {value!r}, not null"


async def test_clients_cannot_call_the_private_functions(g: Grading) -> None:
    """Clients must not be able to call the private functions."""
    for kind in KINDS:
        await call(g.response.admin, kind, "Private")
        await rejects(call(g.response.public, kind, "Private"), match="Could not find public function")


async def test_arguments_are_refused(g: Grading) -> None:
    """None of the six takes arguments: a call that passes one is refused."""
    for kind in KINDS:
        for visibility in ("Public", "Private"):
            await rejects(call(g.response.admin, kind, visibility, {"extra": 1}), match="ArgumentValidationError")
    six = [f"index:empty{visibility}{kind.capitalize()}" for kind in KINDS for visibility in ("Public", "Private")]
    await compare_function_spec(g, only=six, internal=True)
