"""The short form of the rows of damage and of copies; and what is said about a store that cannot be opened at all."""

from collections.abc import Iterator

import msgspec
import pytest
from click.testing import Result

from app import create_app
from eventum.config import Config
from tests.faults import damage
from tests.faults.short import rows
from tests.house import NOW, House

WAYS = ("empty", "half", "zeros", "not-utf-8", "deep", "types", "another", "newer", "folder")


def test_what_has_nothing_to_do_with_the_damage_goes_on_and_a_copy_is_whole() -> None:
    assert {"damage", "damage-maildir", "damage-index", "backup"} <= set(rows(*damage.ROWS, "backup"))


# Without these nothing works, and every command says so.


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = House(tmp_path_factory.mktemp("damage"))
    yield house
    house.tracker.close()


def flask(config: Config, *arguments: str) -> Result:
    """The command as a person calls it; a traceback is an error of the test."""
    return create_app(config).test_cli_runner().invoke(args=list(arguments), catch_exceptions=False)


@pytest.mark.parametrize("name", ["data/state/store.json", "secret.json"])
@pytest.mark.parametrize("way", WAYS)
def test_without_its_set_up_every_command_says_so_in_one_line(house: House, name: str, way: str) -> None:
    path = house.root / name
    data = path.read_bytes()
    damage.WAYS[way](path, data)
    try:
        for command in (
            ("verify",),
            ("download-emails",),
            ("process-queue",),
            ("issues", "list"),
            ("backup", "/tmp/x"),
        ):
            result = flask(house.config, *command)
            assert (result.exit_code, result.stderr.count("\n")) == (78, 1), result.output
            assert str(path) in result.stderr
        assert flask(house.config, "status").exit_code == 3
    finally:
        if path.is_dir():
            path.rmdir()
        path.write_bytes(data)
        path.chmod(0o600)


def test_another_secret_is_named_with_both_keys_and_changes_nothing(house: House) -> None:
    from eventum.store.secrets import make_key_file

    data, secret = house.config.data, house.config.secret_file
    known, whole = msgspec.json.decode((data / "state/store.json").read_bytes())["key"], secret.read_bytes()
    secret.unlink()
    make_key_file(secret, NOW)
    other = msgspec.json.decode(secret.read_bytes())["keys"][0]["id"]
    before = {path: path.stat().st_mtime_ns for path in data.rglob("*") if path.is_file()}
    for command in ("download-emails", "process-queue", "verify"):
        result = flask(house.config, command)
        assert (result.exit_code, result.stderr.count("\n")) == (78, 1)
        assert known in result.stderr and other in result.stderr and str(secret) in result.stderr
    assert {path: path.stat().st_mtime_ns for path in data.rglob("*") if path.is_file()} == before
    secret.write_bytes(whole)
