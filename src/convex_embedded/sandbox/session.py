"""One process with one push loaded: lines become calls' affairs, and its death becomes their errors.

A session never comes back to life; `Sandbox` starts the next one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from convex_embedded.runtime import BuiltRuntime
from convex_embedded.sandbox import wire
from convex_embedded.sandbox.analysis import read_analysis
from convex_embedded.sandbox.calls import RunningCall
from convex_embedded.sandbox.nouns import Analysis, Invocation
from convex_embedded.sandbox.process import Process, deno_flags
from convex_embedded.sandbox.proxy import Proxy
from convex_embedded.sandbox.watchdog import Watchdog, out_of_memory
from convex_embedded.types import CallError, CallResult, DeployError, Limits, Push, SandboxError, SyscallHost

GARBLED_LINES = 100
"""So many lines without meaning are a flood; the process ends."""
INTERNED = 32
LARGEST_BACKLOG_BYTES = 384 * 2**20
"""Of answers that wait for the process; the largest that a push or one call's arguments need is a tenth."""
_OUT_OF_MEMORY = (b"out of memory", b"OOM", b"Allocation failed", b"allocation failed", b"memory allocation of")
_BYSTANDER = CallError("The function was interrupted: another function took its process down", kind="crash")


class Session:
    """Started with `Session(...)`; then `analyse` once or not at all, and any number of calls."""

    def __init__(self, deno: str, runtime: BuiltRuntime, push: Push, limits: Limits, proxy: Proxy) -> None:
        self._push = push
        self._limits = limits
        self._proxy = proxy
        self._calls: dict[int, RunningCall] = {}
        self._numbers = 0
        self._told: int | None = None
        self._importing: str | None = None
        self._analysis: asyncio.Future[bytes] | None = None
        self._interned: list[dict[str, Any]] = []
        self._interned_first = 0
        self._garbled = 0
        self._blame: tuple[RunningCall | None, CallError] | None = None
        self._retiring = False
        self.dead = False
        command = (deno, *deno_flags(limits.memory_mib), str(runtime.main))
        self._process = Process(command, runtime.main.parent, self._on_lines, self._on_exit)
        self._watchdog = Watchdog(self._process.pid, limits, self)
        self._handlers: dict[bytes, Callable[[list[bytes], bytes], None]] = {
            b"S": self._on_syscall,
            b"L": self._on_log,
            b"V": self._on_value,
            b"H": self._on_http,
            b"E": self._on_error,
            b"T": self._on_turn,
            b"P": self._on_pong,
            b"N": self._on_import,
            b"A": self._on_analysis,
            b"F": self._on_refusal,
        }
        self.write(wire.modules_line(push, limits))

    @property
    def pid(self) -> int:
        return self._process.pid

    async def analyse(self) -> Analysis:
        """Raises DeployError for what the code does, SandboxError when the process did not get as far as running it."""
        self._analysis = asyncio.get_running_loop().create_future()
        self._importing = ""
        self._watchdog.wake()
        self.write(b"z\t\n")
        try:
            async with asyncio.timeout(self._limits.deploy_wall_seconds):
                payload = await self._analysis
        except TimeoutError as error:
            seconds = self._limits.deploy_wall_seconds
            raise self._deploy_error(f"Function execution timed out (maximum duration: {seconds:g}s)") from error
        finally:
            self._analysis = self._importing = None
        return read_analysis(payload, self._push)

    async def call(self, call: Invocation, host: SyscallHost) -> CallResult:
        """Raises what the host raises that is no SyscallError, after dropping the call."""
        self._numbers += 1
        running = RunningCall(self._numbers, call, host, self._proxy, self.write)
        self._calls[running.number] = running
        self._watchdog.wake()
        env, tables = self._intern(call.env), self._intern(call.tables)
        self.write(wire.call_line(running.number, call, env, tables))
        ended = False
        try:
            result = await running.run()
            ended = True
            return result
        finally:
            self._forget(running, tell=not ended)

    def retire(self) -> None:
        """Let calls in flight end, then end."""
        self._retiring = True
        if not self._calls:
            self._process.kill()

    async def close(self) -> None:
        self._blame = self._blame or (None, CallError("The deployment was closed", kind="crash"))
        self._process.kill()
        await self._process.wait()

    # What the watchdog sees and does.

    def in_flight(self) -> Iterable[RunningCall]:
        return self._calls.values()

    def running(self) -> RunningCall | None:
        """The call whose code runs, as far as can be told."""
        if len(self._calls) == 1:
            return next(iter(self._calls.values()))
        told = self._calls.get(self._told) if self._told is not None else None
        return told or next((call for call in self._calls.values() if not call.waits), None)

    def importing(self) -> str | None:
        return self._importing

    @property
    def doomed(self) -> bool:
        """Dead, or killed and about to be: no call is to begin here."""
        return self.dead or self._process.killed

    def write(self, line: bytes) -> bool:
        """What the process does not read is kept here, up to a limit: asking for answers must not fill our memory.
        False when nobody will read it."""
        heard = self._process.write(line)
        if self._process.unsent_bytes > LARGEST_BACKLOG_BYTES:
            self.destroy(self.running(), out_of_memory(self._limits))
        return heard

    def abandon(self, call: RunningCall, error: CallError) -> None:
        call.fail(error)
        self._forget(call, tell=True)

    def destroy(self, culprit: RunningCall | None, error: CallError) -> None:
        self._blame = self._blame or (culprit, error)
        self._process.kill()

    def _forget(self, call: RunningCall, *, tell: bool) -> None:
        if self._calls.pop(call.number, None) is not None and tell:
            self.write(wire.drop_line(call.number))
        if self._retiring and not self._calls:
            self._process.kill()

    def _intern(self, value: Mapping[str, Any]) -> int:
        """Environment and table numbers are the same call after call: they are sent once."""
        for place, known in enumerate(self._interned):
            if known == value:
                return self._interned_first + place
        self._interned.append(dict(value))
        if len(self._interned) > INTERNED:
            del self._interned[0]
            self._interned_first += 1
        key = self._interned_first + len(self._interned) - 1
        self.write(wire.interned_line(key, value))
        return key

    # Lines from the process: hostile.

    def _on_lines(self, lines: list[bytes]) -> None:
        for line in lines:
            head, tab, payload = line.partition(b"\t")
            handler = self._handlers.get(head[:1])
            try:
                if handler is None or not tab:
                    raise wire.Garbled("unknown line")
                handler(head[1:].split(b" "), payload)
            except (wire.Garbled, ValueError):
                self._garbled += 1
                if self._garbled > GARBLED_LINES:
                    text = "The function wrote to its process's output"
                    self.destroy(self.running(), CallError(text, kind="crash"))
                    return

    def _find(self, words: list[bytes]) -> RunningCall | None:
        """None for calls that have ended, and for numbers that were never given."""
        return self._calls.get(int(words[0][:20]))

    def _on_syscall(self, words: list[bytes], payload: bytes) -> None:
        number, syscall, op = words
        call = self._find([number])
        if call is not None:
            call.ask(int(syscall[:20]), op.decode(), payload)

    def _on_log(self, words: list[bytes], payload: bytes) -> None:
        if call := self._find(words):
            call.log(wire.read_log_lines(payload, self._limits))

    def _on_value(self, words: list[bytes], payload: bytes) -> None:
        self._conclude(words, lambda call: call.succeed(payload))

    def _on_http(self, words: list[bytes], payload: bytes) -> None:
        self._conclude(words, lambda call: call.succeed_http(payload))

    def _on_error(self, words: list[bytes], payload: bytes) -> None:
        self._conclude(words, lambda call: call.fail(wire.read_error(payload)))

    def _conclude(self, words: list[bytes], end: Callable[[RunningCall], None]) -> None:
        call = self._find(words)
        if call is None:
            return
        try:
            end(call)
        except wire.Garbled as error:
            call.fail(CallError(f"The function's result could not be read: {error}", kind="crash"))
        self._forget(call, tell=False)

    def _on_turn(self, words: list[bytes], payload: bytes) -> None:
        self._told = int(words[0][:20])

    def _on_pong(self, words: list[bytes], payload: bytes) -> None:
        idle = wire.decode(payload)
        if not isinstance(idle, list) or not all(isinstance(number, int) for number in idle):
            raise wire.Garbled("a pong without numbers")
        self._watchdog.pong(int(words[0][:20]), idle)

    def _on_import(self, words: list[bytes], payload: bytes) -> None:
        name = wire.decode(payload)
        if isinstance(name, str) and self._importing is not None:
            self._importing = name[:500]
            self._watchdog.progress()

    def _on_analysis(self, words: list[bytes], payload: bytes) -> None:
        if self._analysis is not None and not self._analysis.done():
            self._analysis.set_result(payload)

    def _on_refusal(self, words: list[bytes], payload: bytes) -> None:
        if self._analysis is not None and not self._analysis.done():
            self._analysis.set_exception(DeployError(str(wire.decode(payload))))

    # The end.

    def _on_exit(self) -> None:
        self.dead = True
        self._watchdog.stop()
        culprit, error = self._blame or (self.running(), self._why())
        if self._analysis is not None and not self._analysis.done():
            if self._importing or self._blame:
                self._analysis.set_exception(self._deploy_error(error.message))
            else:
                self._analysis.set_exception(SandboxError(f"the sandbox did not start: {self._complaint()}"))
        calls = tuple(self._calls.values())
        self._calls.clear()
        for call in calls:
            call.fail(error if call is culprit or len(calls) == 1 else _BYSTANDER)

    def _why(self) -> CallError:
        """The process ended by itself."""
        if self._process.line_too_long:
            return CallError("The function's result or an argument of one of its calls is too large", kind="limit")
        if any(sign in self._process.stderr for sign in _OUT_OF_MEMORY):
            return out_of_memory(self._limits)
        return CallError(f"The function's process ended before it returned: {self._complaint()}", kind="crash")

    def _complaint(self) -> str:
        code = self._process.return_code
        last = self._process.stderr.decode(errors="replace").strip().splitlines()
        how = f"exit code {code}" if code is None or code >= 0 else f"signal {-code}"
        return f"{how}: {last[-1][:300]}" if last else how

    def _deploy_error(self, text: str) -> DeployError:
        return DeployError(f"Failed to analyze {self._importing or 'the pushed modules'}: {text}")
