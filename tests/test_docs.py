"""The documentation fails when it is untrue: commands, options, settings, variables, exit codes against the program."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
import pytest

from app import create_app
from eventum.commands import edge
from eventum.config import Config
from eventum.issues.accounts import TYPES
from eventum.issues.events import Event
from eventum.issues.letters import LETTERS, subject
from eventum.issues.notices import NOTICES
from eventum.issues.people import Preferences, Role
from eventum.issues.settings import KEYS, General, show
from eventum.tracker import lines

ROOT = Path(__file__).parent.parent
COMMANDS = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
NOTICES_PAGE = (ROOT / "docs" / "notices.md").read_text(encoding="utf-8")
SETTINGS = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")


def ours() -> Iterator[tuple[str, click.Command]]:
    """Every command that is no group, by the words it is called with."""

    def walk(words: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
        if isinstance(command, click.Group):
            for name, part in command.commands.items():
                yield from walk(f"{words} {name}", part)
        else:
            yield words, command

    app = create_app(Config(data=ROOT / "data", secret_file=ROOT / "instance" / "secret.json"))
    for name, command in app.cli.commands.items():
        yield from walk(f"flask {name}", command)


CALLED = dict(ours())


def section(title: str) -> str:
    """What stands under a heading of the page of commands, up to the next one."""
    _, _, rest = COMMANDS.partition(f"\n### {title}\n")
    return re.split(r"\n##", rest)[0]


def table(page: str, title: str) -> list[list[str]]:
    """The cells of the table under a heading, without backticks."""
    _, _, rest = page.partition(f"\n## {title}\n")
    lines = [line for line in re.split(r"\n## ", rest)[0].splitlines() if line.startswith("|")]
    return [[cell.strip().replace("`", "") for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_page_of_commands_has_a_heading_for_each_and_no_other() -> None:
    assert sorted(re.findall(r"^### (flask .*)$", COMMANDS, re.MULTILINE)) == sorted(CALLED)


@pytest.mark.parametrize("words", sorted(CALLED))
def test_each_option_is_described_and_none_that_is_not_there(words: str) -> None:
    parameters = [parameter for parameter in CALLED[words].params if isinstance(parameter, click.Option)]
    there = {name for option in parameters for name in (*option.opts, *option.secondary_opts)}
    assert set(re.findall(r"--[a-z][a-z-]+", section(words))) == there


@pytest.mark.parametrize("words", sorted(CALLED))
def test_each_help_has_a_sentence_and_an_example(words: str) -> None:
    command = CALLED[words]
    shown = command.get_help(click.Context(command, info_name=words.removeprefix("flask ")))
    assert re.search(r"^ +Examples?:\n +\S", shown, re.MULTILINE), shown
    assert f"{words}" in shown.partition("Example")[2]
    assert all(option.help for option in command.params if isinstance(option, click.Option))


@pytest.mark.parametrize("words", sorted(words for words in CALLED if words.split()[-1] in ("list", "show")))
def test_what_lists_or_shows_takes_json(words: str) -> None:
    assert "--json" in [name for parameter in CALLED[words].params for name in parameter.opts]


def test_the_exit_codes_are_those_of_the_program() -> None:
    codes = [edge.DONE, edge.FAILED, edge.USAGE, edge.BUSY, edge.SET_UP]
    assert [row[0] for row in table(COMMANDS, "Exit codes")] == [str(code) for code in codes]


def test_the_settings_are_those_of_the_program_with_their_defaults() -> None:
    rows = {row[0]: row[1] for row in table(SETTINGS, "General Setup")}
    assert list(rows) == list(KEYS)
    assert rows == {key: show(General(), key) or "none" for key in KEYS}


def test_the_variables_are_those_of_the_program() -> None:
    read = set(re.findall(r"EVENTUM_[A-Z_]+", (ROOT / "eventum" / "config.py").read_text(encoding="utf-8")))
    assert {row[0] for row in table(SETTINGS, "Environment")} == read == set(lines.VARIABLES)


def test_the_roles_preferences_and_account_types_are_those_of_the_program() -> None:
    assert [row[0] for row in table(COMMANDS, "Roles")] == [role.name for role in Role]
    defaults = msgspec.structs.asdict(Preferences())
    assert {row[0]: row[1] for row in table(COMMANDS, "Preferences")} == {
        name: "on" if value else "off" for name, value in defaults.items()
    }
    assert {row[0]: row[2] for row in table(COMMANDS, "Account types")} == {
        name: str(kind.port or "") for name, kind in TYPES.items()
    }


def test_the_notices_and_events_are_those_of_the_program() -> None:
    rows = {row[0]: row[1] for row in table(NOTICES_PAGE, "Notices")}
    assert list(rows) == list(NOTICES)
    for name, notice in NOTICES.items():
        assert notice.title.strip() in rows[name]
    kinds = msgspec.inspect.type_info(Event)
    assert isinstance(kinds, msgspec.inspect.StructType)
    what = next(field.type for field in kinds.fields if field.name == "what")
    assert isinstance(what, msgspec.inspect.UnionType)
    tags = {kind.tag for kind in what.types if isinstance(kind, msgspec.inspect.StructType)}
    assert {row[0] for row in table(NOTICES_PAGE, "Events")} == tags


def test_the_letters_are_those_of_the_program() -> None:
    rows = {row[0]: row[1] for row in table(NOTICES_PAGE, "Letters")}
    assert rows == {name: subject(name, "Eventum") for name in LETTERS}
    assert all((ROOT / "templates" / "notifications" / letter.template).exists() for letter in LETTERS.values())


@pytest.mark.parametrize(
    "page", ["README.md", "CHANGELOG.md", "docs/commands.md", "docs/running.md", "docs/settings.md", "docs/notices.md"]
)
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    headings = {
        re.sub(r"[^a-z0-9 -]", "", line.lower()).replace(" ", "-") for line in re.findall(r"^#+ (.*)$", text, re.M)
    }
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if target.startswith("#"):
            assert target[1:] in headings
        elif not target.startswith("https://"):
            assert ((ROOT / page).parent / target).exists(), target
