"""The walls of the house: who may import whom, who may touch the disk, how long a module is, which words are used."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted([ROOT / "app.py", *(ROOT / "eventum").rglob("*.py")])
NAMES = [path.relative_to(ROOT).as_posix() for path in MODULES]

# What each room may import of the others; its own modules and `errors` always. See eventum/__init__.py.
MAY_IMPORT = {
    "mail": set(),
    "issues": {"mail"},
    "store": {"issues", "mail"},
    "transport": {"mail"},
    "tracker": {"store", "issues", "mail", "config"},
    "runners": {"tracker", "transport", "store", "issues", "mail"},
    "demo": {"runners", "tracker", "store", "issues", "mail", "config"},
    "commands": {"demo", "runners", "tracker"},
    "web": {"runners", "tracker"},
    "config": set(),
    "errors": set(),
    "wording": set(),
    "__main__": {"runners", "tracker", "config"},
    "app": {"commands", "web", "tracker", "config"},
    "": set(),
}
# A pure room gets the time and every fact as an argument.
IMPURE = {"os", "pathlib", "socket", "time", "random", "uuid", "logging", "flask", "io", "subprocess", "threading"}
FLASK = {"flask", "flask_login", "flask_wtf", "wtforms", "werkzeug", "click"}
# Calls that only one module may make.
ONLY_IN = {
    "os.replace": "eventum/store/files.py",
    "os.link": "eventum/store/files.py",
    "os.fsync": "eventum/store/files.py",
    "FileLock": "eventum/store/locks.py",
}
# The fences: each says in a comment beside it why everything is caught there.
FENCES = {"eventum/mail/message.py", "eventum/runners/runner.py", "eventum/__main__.py", "eventum/transport/lmtp.py"}
MAX_LINES = 250
# Longer modules, each with its reason.
LONGER: dict[str, str] = {
    "eventum/store/files.py": "the only module that touches the disk",
    "eventum/tracker/tracker.py": "one property a part of the store, and nothing else",
}
VAGUE = {"utils", "util", "helpers", "helper", "manager", "service", "services", "common", "misc"}
# A path that is true on one machine only.
SOMEBODYS = re.compile(r"(?<![\w.-])/(?:home|root|Users|work)/\w")
TEXTS = (".py", ".md", ".txt", ".toml", ".sh", ".html", "Makefile", "run")
UNFINISHED = re.compile(
    r"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedError|pytest\.(skip|xfail)|mark\.(skip|skipif|xfail)\b"
)


def room_of(name: str) -> str:
    parts = Path(name).with_suffix("").parts
    if parts[0] == "app":
        return "app"
    return "" if parts == ("eventum", "__init__") else parts[1]


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imported(tree: ast.Module) -> set[str]:
    """The full names of all modules a module imports, wherever in it, also those only for types."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written out in full"
            module = node.module or ""
            # `from eventum import commands` names a room, `from eventum.errors import Busy` does not.
            found.update({f"{module}.{alias.name}" for alias in node.names} if module == "eventum" else {module})
    return found


@pytest.mark.parametrize("name", NAMES)
def test_imports_go_down_only(name: str) -> None:
    room = room_of(name)
    rooms = {module.split(".")[1] for module in imported(tree_of(ROOT / name)) if module.startswith("eventum.")}
    above = rooms - MAY_IMPORT[room] - {room, "errors", "wording"}
    assert not above, f"{name} may not import {sorted(above)}"


@pytest.mark.parametrize("name", [name for name in NAMES if room_of(name) in ("mail", "issues")])
def test_a_pure_module_imports_nothing_of_the_world(name: str) -> None:
    assert not {module.split(".")[0] for module in imported(tree_of(ROOT / name))} & IMPURE


@pytest.mark.parametrize("name", [name for name in NAMES if room_of(name) not in ("web", "commands", "app")])
def test_flask_ends_in_the_screens_and_commands(name: str) -> None:
    assert not {module.split(".")[0] for module in imported(tree_of(ROOT / name))} & FLASK


@pytest.mark.parametrize("name", NAMES)
def test_the_calls_that_change_a_disk_are_made_in_one_place(name: str) -> None:
    tree = tree_of(ROOT / name)
    said = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute | ast.Name)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            said |= {alias.name if alias.name == "FileLock" else f"{node.module}.{alias.name}" for alias in node.names}
    assert not {call for call, place in ONLY_IN.items() if call in said and place != name}


def caught(handler: ast.ExceptHandler) -> set[str]:
    match handler.type:
        case None:
            return {"everything"}
        case ast.Tuple(elts=elements):
            return {ast.unparse(element) for element in elements}
    return {ast.unparse(handler.type)}


@pytest.mark.parametrize("name", [name for name in NAMES if name not in FENCES])
def test_everything_is_caught_only_at_the_fences(name: str) -> None:
    for node in ast.walk(tree_of(ROOT / name)):
        if isinstance(node, ast.ExceptHandler) and caught(node) & {"everything", "Exception", "BaseException"}:
            # Clearing up and going on falling is no catching.
            assert isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None, f"{name}:{node.lineno}"
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
            assert not {ast.unparse(kind) for kind in node.args} & {"Exception", "BaseException"}


@pytest.mark.parametrize("name", NAMES)
def test_a_module_is_short_enough_to_be_read(name: str) -> None:
    lines = len((ROOT / name).read_text(encoding="utf-8").splitlines())
    assert lines <= MAX_LINES or name in LONGER, f"{name} has {lines} lines"


def test_every_reason_for_a_long_module_is_still_needed() -> None:
    for name, reason in LONGER.items():
        assert reason and len((ROOT / name).read_text(encoding="utf-8").splitlines()) > MAX_LINES


@pytest.mark.parametrize("name", NAMES)
def test_a_module_says_what_it_is(name: str) -> None:
    assert ast.get_docstring(tree_of(ROOT / name)), f"{name} has no docstring"


@pytest.mark.parametrize("name", NAMES)
def test_names_say_what_a_thing_is(name: str) -> None:
    assert not set(Path(name).with_suffix("").parts) & VAGUE


@pytest.mark.parametrize("name", NAMES)
def test_a_function_takes_at_most_four_positional_arguments(name: str) -> None:
    if room_of(name) == "commands":
        return  # A command's options are passed to it by name.
    for node in ast.walk(tree_of(ROOT / name)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            places = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
            places = places[1:] if places[:1] in (["self"], ["cls"]) else places
            assert len(places) <= 4, f"{name}:{node.lineno} {node.name}"


@pytest.mark.parametrize(
    "path", sorted(path for folder in ("eventum", "tests", "bench") for path in (ROOT / folder).rglob("*.py")), ids=str
)
def test_nothing_is_left_for_later(path: Path) -> None:
    if path != Path(__file__):
        assert not UNFINISHED.search(path.read_text(encoding="utf-8"))


def test_nothing_names_a_place_of_one_machine() -> None:
    folders = ("eventum", "tests", "bench", "docs", "templates", "static", ".ci")
    found = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.name.endswith(TEXTS)]
    for path in [*found, *(path for path in ROOT.iterdir() if path.is_file() and path.name.endswith(TEXTS))]:
        assert not SOMEBODYS.search(path.read_text(encoding="utf-8", errors="replace")), path


def test_starting_a_command_does_not_pay_for_what_it_does_not_use() -> None:
    script = "import sys, app; app.create_app(); print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    heavy = {"imaplib", "imapclient", "cryptography", "sqlite3", "nh3", "charset_normalizer", "eventum.store.index"}
    heavy |= {"wtforms", "flask_wtf", "flask_login", "eventum.web.application"}
    assert not loaded & heavy
