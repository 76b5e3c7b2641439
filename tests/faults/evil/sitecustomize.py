"""Makes the guarded child evil: imported by a Python that has this folder on its path, before anything of the product.

In flow EVIL in the environment, the name of one way to be evil; out flow a child that does it to each mail that says
X-Poison. The product knows nothing of this.
"""

import ctypes
import os
import re
import signal
import stat
import sys
import time
from collections.abc import Callable

MARK = b"X-Poison: yes"


def _loop() -> None:
    while True:
        pass


def _loop_in_c() -> None:
    re.match(r"(a+)+$", "a" * 64 + "b")


def _sleep() -> None:
    time.sleep(1000)


def _stop() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def _memory() -> None:
    eaten = []
    while True:
        eaten.append(bytearray(1 << 24))


def _memory_in_c() -> None:
    malloc = ctypes.CDLL(None).malloc
    malloc.restype = ctypes.c_void_p
    while found := malloc(ctypes.c_size_t(1 << 24)):
        ctypes.memset(found, 1, 1 << 24)
    os.abort()  # What a library does that gets no memory.


def _segfault() -> None:
    ctypes.string_at(0)


def _killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)  # As the kernel does when the machine has no memory left.


def _quiet_exit() -> None:
    os._exit(0)


def _raise() -> None:
    raise SystemExit("a parser that ends its program")


def _recursion() -> None:
    _recursion()


def _say(data: bytes) -> None:
    for fd in range(3, 40):
        try:
            if stat.S_ISFIFO(os.fstat(fd).st_mode):
                os.write(fd, data)
        except OSError:
            continue


def _garbage() -> None:
    _say(b"\x00\x00\x00\x09{garbage}")


def _garbage_and_death() -> None:
    _say(os.urandom(100))
    os._exit(1)


def _flood() -> None:
    while True:
        _say(b"\xff" * 65536)


def _half_an_answer() -> None:
    _say(b"\x00\x00\x10\x00only this")
    time.sleep(1000)


EVIL: dict[str, Callable[[], None]] = {
    "loop": _loop,
    "loop-in-c": _loop_in_c,
    "sleep": _sleep,
    "stop": _stop,
    "memory": _memory,
    "memory-in-c": _memory_in_c,
    "segfault": _segfault,
    "abort": os.abort,
    "killed": _killed,
    "quiet-exit": _quiet_exit,
    "raise": _raise,
    "recursion": _recursion,
    "garbage": _garbage,
    "garbage-and-death": _garbage_and_death,
    "flood": _flood,
    "half-an-answer": _half_an_answer,
    "huge-answer": lambda: None,
}
# Children that are never ready.
NEVER: dict[str, Callable[[], None]] = {
    "dies-at-birth": lambda: os._exit(1),
    "raises-at-birth": lambda: sys.exit("no such module"),
    "babbles-at-birth": lambda: print("Welcome to this machine!", flush=True),
    "hangs-at-birth": _sleep,
}


def _wear(name: str) -> None:
    if name in NEVER:
        NEVER[name]()
        return
    import msgspec

    from eventum.mail import message

    parse = message.parse

    def evil(raw: bytes) -> message.Message:
        if MARK not in raw[:2000]:
            return parse(raw)
        EVIL[name]()
        return msgspec.structs.replace(parse(raw), text="x" * (80 << 20))

    message.parse = evil


if os.environ.get("EVIL") and "eventum.tracker.reader" in getattr(sys, "orig_argv", ()):
    _wear(os.environ["EVIL"])
