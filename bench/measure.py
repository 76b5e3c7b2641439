"""One run of a command, measured from outside: seconds, CPU seconds, and the peak memory of every process it had.

In flows a command, out flows a `Usage`. Memory is what the kernel noted as each process's peak (`VmHWM`), looked at
ten times a second, so what a process took in its last tenth of a second can be missed.
"""

import contextlib
import os
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

TICK = 0.1  # Seconds between two looks at the memory.
QUIET = 0.3  # Cores that others may use when a run begins.
LIMIT = 900  # Seconds after which a run is called hung.

_patience = 10.0


class Usage(NamedTuple):
    """What a run took: `peaks` in MB, one a process."""

    seconds: float
    cpu: float
    peaks: tuple[float, ...]
    out: str


class Peaks(threading.Thread):
    """Looks at the memory of a process and all below it until stopped."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._ended = threading.Event()
        self.peaks: dict[int, int] = {}

    def run(self) -> None:
        """Look."""
        while not self._ended.wait(TICK):
            self._look(self._pid)

    def _look(self, pid: int) -> None:
        with contextlib.suppress(OSError):  # It ended meanwhile.
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    self.peaks[pid] = int(line.split()[1])
            for task in os.listdir(f"/proc/{pid}/task"):
                for child in Path(f"/proc/{pid}/task/{task}/children").read_text().split():
                    self._look(int(child))

    def stop(self) -> tuple[float, ...]:
        """The peaks found, in MB, the largest first."""
        self._ended.set()
        self.join()
        return tuple(sorted((kilobytes / 1024 for kilobytes in self.peaks.values()), reverse=True))


def run(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> Usage:
    """Run a command once. Raises `AssertionError` with its own words when it fails."""
    settle()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error:
        began = time.perf_counter()
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=out, stderr=error)
        hung = threading.Timer(LIMIT, process.kill)
        hung.start()
        peaks = Peaks(process.pid)
        peaks.start()
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        hung.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        found = peaks.stop()
        out.seek(0)
        error.seek(0)
        said = out.read().decode(errors="replace")
        if process.returncode:
            complaint = error.read().decode(errors="replace")
            raise AssertionError(f"{' '.join(command)} ended with {process.returncode}: {complaint}{said}")
    return Usage(seconds, used.ru_utime + used.ru_stime, found, said)


def wait_for_others(seconds: float) -> None:
    """Say how long each run from now on may wait until others leave the machine alone."""
    global _patience
    _patience = seconds


def settle() -> None:
    """What is unwritten goes to the disk, and others on this machine may come to rest, before a run begins."""
    os.sync()
    deadline = time.monotonic() + _patience
    while time.monotonic() < deadline:
        before = _busy()
        time.sleep(0.3)
        if (_busy() - before) / 0.3 < QUIET:
            return


def _busy() -> float:
    """Seconds that all cores together have worked."""
    user, nice, system, _, _, *others = (
        int(part) for part in Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    )
    return (user + nice + system + sum(others[:3])) / os.sysconf("SC_CLK_TCK")


def spread(values: Sequence[float], digits: int = 0) -> str:
    """The median and, when there are several values, the lowest and highest."""
    median = f"{statistics.median(values):,.{digits}f}"
    if len(values) == 1:
        return median
    return f"{median} ({min(values):,.{digits}f}-{max(values):,.{digits}f})"
