"""`Sandbox`: the code of one deployment, always ready to be called, however often it takes its process down."""

from __future__ import annotations

from deno import find_deno_bin  # type: ignore[import-untyped]

from convex_embedded.runtime import BuiltRuntime
from convex_embedded.sandbox.nouns import Analysis, Invocation
from convex_embedded.sandbox.proxy import Proxy
from convex_embedded.sandbox.session import Session
from convex_embedded.types import CallResult, Limits, Push, SandboxError, SyscallHost


class Sandbox:
    """One Deno process a deployment; a new one when it died, and for each push."""

    def __init__(self, runtime: BuiltRuntime, limits: Limits, proxy: Proxy) -> None:
        self._runtime = runtime
        self._limits = limits
        self._proxy = proxy
        self._deno = find_deno_bin()
        self._push: Push | None = None
        self._session: Session | None = None
        self._sessions: set[Session] = set()

    async def load(self, push: Push) -> Analysis:
        """Analyse new code and switch to it. Calls in flight end on the old code, which stays when this raises.

        Raises DeployError (wrong or hostile code) or SandboxError (ours).
        """
        session = self._start(push)
        good = False
        try:
            analysis = await session.analyse()
            good = True
        finally:
            if not good:
                await session.close()
        if self._session is not None:
            self._session.retire()
        self._push, self._session = push, session
        return analysis

    async def call(self, call: Invocation, host: SyscallHost) -> CallResult:
        """Run one function. Raises SandboxError when no process can be started, and what `host` raises."""
        if self._push is None:
            raise SandboxError("nothing was loaded into the sandbox")
        if self._session is None or self._session.doomed:
            self._session = self._start(self._push)
        return await self._session.call(call, host)

    async def close(self) -> None:
        """Ends all processes; calls in flight end with an error."""
        self._push = None
        for session in tuple(self._sessions):
            await session.close()
        self._sessions.clear()

    def _start(self, push: Push) -> Session:
        self._sessions = {session for session in self._sessions if not session.dead}
        session = Session(self._deno, self._runtime, push, self._limits, self._proxy)
        self._sessions.add(session)
        return session
