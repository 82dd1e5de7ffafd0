"""Child processes of the server: the projector, and a snapshot now and then.

Their low priority leaves the processor to the writer: orders come first, views catch
up. The server restarts a child that ends by itself. No child outlives the server.
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
    """A kind of child process: a module, its arguments and its environment."""

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
        #: How often the process ended by itself and was started again.
        self.restarts = 0

    async def start(self, *, output: int | None = None) -> asyncio.subprocess.Process:
        """Start a process. Its standard input ends when this process dies.

        It writes to `output`, or else to the output of this process.
        """
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            self.module,
            *self.arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=output,
            stderr=output,
            env=dict(self.environment),
            preexec_fn=self._step_back,
        )

    def _step_back(self) -> None:
        # Ctrl-C signals the whole process group; it must reach the server alone.
        os.setsid()
        os.nice(self.niceness)

    async def keep_running(self) -> None:
        """Run a process, and restart it when it ends, until this task is canceled."""
        while True:
            process = await self.start()
            if self.restarts:
                _log.info("child_restarted", module=self.module, pid=process.pid)
            try:
                code = await process.wait()
            except asyncio.CancelledError:
                await _end(process)
                raise
            _log.warning("child_ended", module=self.module, exit_code=code)
            await asyncio.sleep(RESTART_SECONDS)
            self.restarts += 1

    async def run_once(self) -> str | None:
        """Run a process to its end; return its output if it failed, else None."""
        process = await self.start(output=asyncio.subprocess.PIPE)
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
