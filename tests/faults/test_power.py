"""The short form of the power cuts and of the lint, and whether what they are made from is all there is.

The whole rows: `make faults ROW=power`.
"""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.faults.recording import Op
from tests.faults.short import said
from tests.faults.worlds import Disk, Tree, worlds

ROOT = Path(__file__).parent.parent.parent
CALL = re.compile(r"^(\w+)\((.*)\) = (-?\d+)")
QUOTED = re.compile(r'"([^"]*)"')
OF_DESCRIPTOR = re.compile(r"^\d+<([^>]*)>")
KINDS = {
    "rename": "rename",
    "link": "link",
    "linkat": "link",
    "unlink": "unlink",
    "mkdir": "mkdir",
    "rmdir": "rmdir",
    "fsync": "sync",
    "fdatasync": "sync",
    "write": "write",
    "pwrite64": "write",
    "ftruncate": "truncate",
    "openat": "open",
}
PATHS = [str(ROOT), *sys.path]
PREPARED = """
import sys
from pathlib import Path
from tests.faults.trials import Scene
Scene(Path(sys.argv[1]), 6)
"""
# A recorded download in a process of its own, which strace watches too.
RECORDED = """
import json, sys
from pathlib import Path
from tests.faults import trials
from tests.faults.recording import Recorder
root = Path(sys.argv[1])
trials.warm()
recorder = Recorder(root)
recorder.install()
done = trials.flask(root, "download-emails", "--json")
ops = [(op.kind, op.path, op.at) for op in recorder.ops if op.path.startswith("data/")]
print(json.dumps([done["code"], ops]))
"""


def test_the_power_may_go_at_any_moment_and_a_copy_without_fsyncs_is_found_out() -> None:
    out = said("power-download-maildir", "power-send", "power-reply", "power-undo", "broken-power")
    assert len(re.findall(r"operations, \d+ worlds", out)) == 4
    assert re.search(r"found out in [1-9]\d* of", out)


def test_every_yes_comes_after_the_fsync_of_file_and_folder_and_of_broken_copies_the_lint_complains() -> None:
    out = said("lint", "broken-lint")
    assert re.search(r"^lint: \d{3,} checks", out, re.MULTILINE)


def test_no_call_that_changes_the_store_goes_past_the_recorder(tmp_path: Path) -> None:
    folder = tmp_path / "scene"
    folder.mkdir()
    python, environment = os.path.realpath(sys.executable), {**os.environ, "PYTHONPATH": os.pathsep.join(PATHS)}
    subprocess.run([python, "-c", PREPARED, str(folder)], cwd=ROOT, check=True, env=environment)
    root = folder / "prepared"
    tracing = ["strace", "-ff", "-qq", "-y", "-s", "4096", "-o", str(tmp_path / "trace")]
    ran = subprocess.run(
        [*tracing, "-e", f"trace={','.join(KINDS)}", python, "-c", RECORDED, str(root)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    code, ops = json.loads(ran.stdout)
    assert code == 0
    noted = Counter((kind, path) for kind, path, at in ops if kind in KINDS.values() and (kind != "open" or at))
    seen = Counter(call for path in tmp_path.glob("trace.*") for call in changing(path.read_text(), root))
    assert seen and noted == seen


def changing(trace: str, root: Path) -> list[tuple[str, str]]:
    """The calls of one thread that changed something below the store: what was done, and to which path first."""
    found = []
    for line in trace.splitlines():
        match = CALL.match(line)
        if match is None or int(match[3]) < 0:
            continue
        name, arguments = match[1], match[2]
        if name == "openat" and "O_CREAT" not in arguments and "O_TRUNC" not in arguments:
            continue
        held = (
            OF_DESCRIPTOR.match(arguments) if KINDS[name] in ("sync", "write", "truncate") else QUOTED.search(arguments)
        )
        path = held[1].removesuffix(" (deleted)") if held else ""
        if path.startswith(f"{root}/data/"):
            found.append((KINDS[name], path.removeprefix(f"{root}/")))
    return found


# The model of a disk itself.


def after(*ops: Op, kind: str = "strict") -> Tree:
    """What a disk with one old file and two folders holds when the power goes after these operations."""
    import random

    disk = Disk({"a": None, "b": None, "a/old": (b"old", 1, 1)})
    for op in ops:
        disk.do(op)
    return disk.world(kind, random.Random(1))


def contents(tree: Tree) -> dict[str, bytes]:
    """The files and what is in them."""
    return {path: held[0] for path, held in tree.items() if held is not None}


NEW = (Op("open", "a/new", handle=1, at=os.O_CREAT), Op("write", "a/new", handle=1, data=b"whole"))
SYNC = Op("sync", "a/new", handle=1)
FOLDER = (Op("open", "a", handle=2), Op("sync", "a", handle=2))
OTHER = (Op("open", "b", handle=3), Op("sync", "b", handle=3))
MOVE = Op("rename", "a/new", "b/new")


def test_a_file_is_there_whole_when_it_and_its_folder_were_fsynced() -> None:
    assert contents(after(*NEW)) == {"a/old": b"old"}
    assert contents(after(*NEW, SYNC)) == {"a/old": b"old"}
    assert contents(after(*NEW, *FOLDER)) == {"a/old": b"old", "a/new": b""}
    assert contents(after(*NEW, SYNC, *FOLDER)) == {"a/old": b"old", "a/new": b"whole"}
    assert contents(after(*NEW, kind="names"))["a/new"] == b""
    assert contents(after(*NEW, kind="half"))["a/new"] == b"wh"


def test_a_rename_never_loses_a_file_and_may_leave_both_names() -> None:
    kept = (*NEW, SYNC, *FOLDER, MOVE)
    assert "b/new" not in after(*kept) and "a/new" in after(*kept)
    there = after(*kept, *OTHER)
    assert there["a/new"] == there["b/new"] is not None
    gone = after(*kept, *FOLDER)
    assert "a/new" not in gone and "b/new" in gone


def test_what_lies_in_a_folder_that_was_never_made_durable_is_gone() -> None:
    inside = (
        Op("mkdir", "b/c"),
        Op("open", "b/c/new", handle=1, at=os.O_CREAT),
        Op("sync", "b/c/new", handle=1),
        Op("open", "b/c", handle=2),
        Op("sync", "b/c", handle=2),
    )
    assert "b/c" not in after(*inside)
    assert "b/c/new" in after(*inside, *OTHER)


def test_a_name_that_was_removed_may_come_back() -> None:
    remove = Op("unlink", "a/old")
    assert "a/old" in after(remove) and "a/old" not in after(remove, *FOLDER)


def test_worlds_that_are_equal_are_counted_and_tried_once() -> None:
    count, there = worlds({"a": None, "b": None}, [*NEW, SYNC, *FOLDER])
    assert count == 30 and 3 < len(there) < 10
