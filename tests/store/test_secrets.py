import stat
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventum.errors import Damaged
from eventum.store.secrets import KeyFile, Secrets, make_key_file

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PLACE = "account:0123:password"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("instance") / "deeper" / "secret.json"
    make_key_file(path, NOW)
    return path


@pytest.fixture
def other(tmp_path: Path) -> Path:
    path = tmp_path / "secret.json"
    make_key_file(path, NOW)
    return path


def test_a_key_file_is_for_its_owner_only(file: Path) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_what_is_sealed_can_be_opened_again(file: Path) -> None:
    keys = Secrets(file)

    @given(st.text(st.characters(codec="utf-8")))
    def check(text: str) -> None:
        sealed = keys.seal(text, PLACE)
        assert sealed == "" if not text else sealed.startswith(f"{keys.key_id}:")
        assert keys.unseal(sealed, PLACE) == text

    check()


def test_a_sealed_text_opens_only_where_it_was_sealed_for(file: Path) -> None:
    sealed = Secrets(file).seal("secret", PLACE)
    with pytest.raises(Damaged, match="belongs to another record"):
        Secrets(file).unseal(sealed, "account:4567:password")


@pytest.mark.parametrize(
    "change", [lambda text: text[:-4], lambda text: text[:30] + "AAAA" + text[34:], lambda text: text + "?"]
)
def test_a_sealed_text_that_was_changed_does_not_open(file: Path, change: "object") -> None:
    assert callable(change)
    with pytest.raises(Damaged):
        Secrets(file).unseal(change(Secrets(file).seal("a long enough secret", PLACE)), PLACE)


def test_another_key_names_both(file: Path, other: Path) -> None:
    sealed = Secrets(file).seal("secret", PLACE)
    with pytest.raises(Damaged) as raised:
        Secrets(other).unseal(sealed, PLACE)
    assert Secrets(file).key_id in str(raised.value) and Secrets(other).key_id in str(raised.value)
    with pytest.raises(Damaged) as raised:
        Secrets(other, expected=Secrets(file).key_id).key_id  # noqa: B018 - looked at for what it raises.
    assert Secrets(file).key_id in str(raised.value) and Secrets(other).key_id in str(raised.value)


def test_an_old_key_opens_and_the_new_one_seals(file: Path, other: Path, tmp_path: Path) -> None:
    old, new = (msgspec.json.decode(path.read_bytes(), type=KeyFile) for path in (file, other))
    rotated = tmp_path / "rotated.json"
    rotated.write_bytes(msgspec.json.encode(KeyFile(keys=(*new.keys, *old.keys))))
    rotated.chmod(0o600)
    keys = Secrets(rotated, expected=Secrets(file).key_id)
    assert keys.unseal(Secrets(file).seal("secret", PLACE), PLACE) == "secret"
    assert keys.seal("secret", PLACE).startswith(Secrets(other).key_id)
    assert keys.ids_key == Secrets(file).ids_key
    assert keys.session_keys == (*Secrets(other).session_keys, *Secrets(file).session_keys)


def test_each_purpose_has_a_key_of_its_own(file: Path) -> None:
    keys = Secrets(file)
    assert keys.ids_key != keys.session_keys[0]
    assert len(keys.ids_key) == 32


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_file_that_others_can_read_is_refused_with_the_line_that_mends_it(other: Path, mode: int) -> None:
    other.chmod(mode)
    with pytest.raises(Damaged, match=f"chmod 600 {other}"):
        Secrets(other).key_id  # noqa: B018 - looked at for what it raises.


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "not valid JSON"), ('{"keys": []}', "holds no key"), ('{"schema": 9, "keys": []}', "newer version")],
)
def test_a_key_file_that_cannot_be_used_is_named(other: Path, text: str, said: str) -> None:
    other.write_text(text)
    with pytest.raises(Damaged, match=said):
        Secrets(other).key_id  # noqa: B018 - looked at for what it raises.


def test_a_mangled_key_is_noticed(other: Path) -> None:
    key = msgspec.json.decode(other.read_bytes(), type=KeyFile).keys[0].key
    other.write_text(other.read_text().replace(key, "A" + key[1:] if key[0] != "A" else "B" + key[1:]))
    with pytest.raises(Damaged, match="was changed"):
        Secrets(other).key_id  # noqa: B018 - looked at for what it raises.


def test_a_missing_key_file_is_never_made_anew(tmp_path: Path) -> None:
    with pytest.raises(Damaged, match="made with key 0123"):
        Secrets(tmp_path / "secret.json", expected="0123").key_id  # noqa: B018 - looked at for what it raises.
    assert list(tmp_path.iterdir()) == []
