"""The processes beside the server: the projector, and a snapshot now and then.

They get a core's leftovers: orders come first, views catch up. A child that ends by
itself is started again; none outlives the server.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import Mapping, Sequence

import structlog

RESTART_SECONDS = 1.0
STOP_SECONDS = 10.0

_log = structlog.get_logger(__name__)


class Child:
    """One kind of child process: its module, its arguments and its environment."""

    def __init__(
        self,
        module: str,
        arguments: Sequence[str] = (),
        *,
        environment: Mapping[str, str],
        niceness: int = 0,
    ) -> None:
        self.module = module
        self.arguments = arguments
        self.environment = environment
        self.niceness = niceness

    async def start(self, *, told: int | None = None) -> asyncio.subprocess.Process:
        """Start one. It reads the end of its standard input when this process dies;
        what it tells goes where `told` says, or where this process tells."""
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            self.module,
            *self.arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=told,
            stderr=told,
            env=dict(self.environment),
            preexec_fn=self._step_back,
        )

    def _step_back(self) -> None:
        # A signal to the whole group, as Ctrl-C is, must reach the server alone.
        os.setsid()
        os.nice(self.niceness)

    async def keep_running(self) -> None:
        """Run one for as long as this task is not canceled."""
        while True:
            process = await self.start()
            try:
                code = await process.wait()
            except asyncio.CancelledError:
                await _end(process)
                raise
            _log.warning("child_ended", module=self.module, exit_code=code)
            await asyncio.sleep(RESTART_SECONDS)

    async def run_once(self) -> str | None:
        """Run one to its end; what it told where it failed, None where it did not."""
        process = await self.start(told=asyncio.subprocess.PIPE)
        try:
            out, err = await process.communicate()
            failed = bool(process.returncode)
            return (out + err).decode(errors="replace").strip() if failed else None
        except asyncio.CancelledError:
            await _end(process)
            raise


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
