"""Checks of the machine: memory, disk, files, and the port of the server."""

import resource
import shutil
import socket
from pathlib import Path

import psutil

from infra.doctor.finding import Finding, ok, unknown, wrong
from infra.doctor.installation import Installation

_MEGABYTE, _GIGABYTE = 1 << 20, 1 << 30
MEMORY_FREE_MIN = 500 * _MEGABYTE
#: Between two checkpoints, the embedded Postgres writes up to 4 GB (max_wal_size).
DISK_FREE_MIN = 5 * _GIGABYTE
FILES_MIN = 4_096
FILES_USED_MAX_PERCENT = 80
CGROUP = Path("/sys/fs/cgroup")


def memory(_: Installation) -> Finding:
    """Check that memory is left, on the machine and in the container."""
    machine = psutil.virtual_memory()
    free, total = machine.available, machine.total
    limit = _cgroup_bytes("memory.max")
    if limit is not None and limit < total:
        used = _cgroup_bytes("memory.current") or 0
        free, total = min(free, limit - used), limit
    says = f"{_size(free)} of {_size(total)} are free"
    if free < MEMORY_FREE_MIN:
        return wrong(
            f"only {says}",
            "stop other programs, or give the machine more memory: without it the "
            "system kills the server or Postgres",
        )
    return ok(says)


def _cgroup_bytes(name: str) -> int | None:
    """Return a figure of the container's limits; None if there is no such limit."""
    try:
        text = (CGROUP / name).read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def disk(installation: Installation) -> Finding:
    """Check that the disks of the home and of the embedded Postgres have room."""
    wanted = [installation.home, installation.data_folder()]
    folders = [_existing(each) for each in wanted if each is not None]
    lines: list[str] = []
    is_short = False
    for folder in {each.stat().st_dev: each for each in folders}.values():
        usage = shutil.disk_usage(folder)
        lines.append(f"{_size(usage.free)} of {_size(usage.total)} free at {folder}")
        is_short |= usage.free < DISK_FREE_MIN
    says = "; ".join(lines)
    if not installation.is_embedded:
        says += "; the disk of DATABASE_URL is not seen from here"
    if is_short:
        return wrong(
            says,
            f"make room, at least {_size(DISK_FREE_MIN)}: on a full disk Postgres "
            "refuses every commit",
        )
    return ok(says)


def _existing(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that exists."""
    while not folder.exists():
        folder = folder.parent
    return folder


def files(installation: Installation) -> Finding:
    """Check how many files the server may open; each connection is one."""
    limit, used = resource.getrlimit(resource.RLIMIT_NOFILE)[0], 0
    whose = "a server that this shell starts"
    if installation.pid is not None:
        try:
            server = psutil.Process(installation.pid)
            limit, used = server.rlimit(psutil.RLIMIT_NOFILE)[0], server.num_fds()
        except (psutil.Error, AttributeError):
            return unknown("the limits of the server's process cannot be read")
        whose = "the server"
    says = f"{whose} may open {_count(limit)} files"
    if used:
        says += f" and has {used:,} open"
    if limit != resource.RLIM_INFINITY:
        if limit < FILES_MIN:
            return wrong(
                says,
                f"`ulimit -n {FILES_MIN}` (or LimitNOFILE of the service), then start "
                "the server again: each connection takes a file",
            )
        if used * 100 > limit * FILES_USED_MAX_PERCENT:
            return wrong(says, "raise the limit, or find out who keeps connections")
    return ok(says)


def _count(limit: int) -> str:
    return "any number of" if limit == resource.RLIM_INFINITY else f"{limit:,}"


def port(installation: Installation) -> Finding:
    """Check that the server has its port, or that the next start finds it free."""
    settings = installation.settings
    place = f"{settings.host}:{settings.port}"
    if installation.running is not None:
        return ok(f"the server listens on {installation.running.base_url}")
    if installation.is_served:
        return ok(f"a server is starting or stopping on {place}")
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        # As the server does: old connections do not block the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as reason:
            return wrong(
                f"a server could not listen on {place} ({reason.strerror})",
                "choose another BOURSE_PORT, or stop the program that has it",
            )
    return ok(f"{place} is free for a server")


def _size(count: int) -> str:
    if count >= _GIGABYTE:
        return f"{count / _GIGABYTE:,.1f} GB"
    return f"{count / _MEGABYTE:,.0f} MB"
