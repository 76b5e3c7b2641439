"""The order of promises, read from the trace of a clean run: before each yes, what it speaks of must be on the disk.

In flow a trace and a command, out flow checks, one for each mail and yes; a check says what is missing, or nothing.

    a mail is deleted on its server, or in a Maildir     its bytes lie under a final name: file and folder were fsynced
    exit 0, an answer to a post                          so does every mail, record and entry that the run made
    the next mail is offered to a server                 the one before, which it took, lies under `sent`
"""

import random
import re
from collections.abc import Iterator
from typing import NamedTuple

from tests.faults import checker
from tests.faults.deeds import YES
from tests.faults.recording import Op
from tests.faults.watched import Command, Traced
from tests.faults.worlds import Disk, Tree

FINAL = re.compile(r"data/(spool/\w+|issues/\d+/\d+/mail|pool/\w+/\w+)/(new|cur)/")
KEPT = re.compile(
    FINAL.pattern + r"|data/(issues/\d+/\d+/(issue|history/\d+)\.json|pool/\w+/\w+\.json|journal/|people/)"
)
MESSAGE_ID = re.compile(rb"^X-Eventum-Message-Id: (\S+)\r$", re.MULTILINE)


class Check(NamedTuple):
    """One mail at one yes; `missing` says what was not on the disk, "" when all was."""

    name: str
    missing: str


def faults(check: Check) -> tuple[str, ...]:
    """What it found, as a trial says it."""
    return (check.missing,) if check.missing else ()


def checks(command: Command, traced: Traced) -> Iterator[Check]:
    """All checks of a trace."""
    disk = Disk(traced.before)
    numbers = _numbered(command)
    for at, op in enumerate(traced.ops):
        if op.kind == "said":
            sure = disk.world("strict", random.Random(0))
            for what, mail in _deleted(command, op, numbers):
                yield Check(f"{at} {what}", "" if mail in _mails(sure) else "early: it is deleted, and not on the disk")
            if op.path.startswith(YES):
                yield from _made(at, sure, disk.all(), traced.before)
            if op.data.startswith(b"MAIL FROM"):
                for name in traced.outsides[op.outside]:
                    yield Check(
                        f"{at} {name}", "" if name in _sent(sure) else "doubled: sent, and not noted on the disk"
                    )
        disk.do(op)


def _numbered(command: Command) -> dict[str, bytes]:
    """The mails of the mailbox by what the trace calls them: a path, a UID, a number of POP3."""
    found = {}
    for path in (command.scene.prepared / "box").rglob("*"):
        if path.is_file():
            name = str(path.relative_to(command.scene.prepared))
            found[name if path.suffix != ".eml" else path.stem] = path.read_bytes()
    return found


def _deleted(command: Command, op: Op, numbers: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """The mails that this tells a server to delete, each with the words."""
    if op.path.startswith("unlink box/"):
        name = op.path.removeprefix("unlink ")
        yield f"unlink {name}", numbers[name]
    for line in op.data.split(b"\r\n"):
        words = line.decode("utf-8", "replace").split()
        if words[:1] == ["DELE"]:
            yield line.decode(), numbers[words[1]]
        if words[1:3] in (["UID", "STORE"], ["UID", "EXPUNGE"]):
            for part in words[3].split(","):
                first, _, last = part.partition(":")
                for uid in range(int(first), int(last or first) + 1):
                    yield f"{words[2]} {uid}", numbers[str(uid)]


def _mails(tree: Tree) -> set[bytes]:
    """The mails under final names."""
    return {checker.raw_of(held[0]) for path, held in tree.items() if held and FINAL.match(path)}


def _sent(tree: Tree) -> set[str]:
    """The Message-IDs of what is noted as sent."""
    heads = (
        held[0].replace(b"\r\n ", b" ") for path, held in tree.items() if held and path.startswith("data/spool/sent/")
    )
    return {found[1].decode() for head in heads if (found := MESSAGE_ID.search(head))}


def _made(at: int, sure: Tree, now: Tree, before: Tree) -> Iterator[Check]:
    """All that the run made and that counts is on the disk."""
    for path in sorted(now):
        held, was, there = now[path], before.get(path), sure.get(path)
        if held is None or not KEPT.match(path) or (was is not None and was[0] == held[0]):
            continue
        missing = "" if there is not None and there[0] == held[0] else f"early: {path} is not on the disk"
        yield Check(f"{at} yes {path}", missing)
