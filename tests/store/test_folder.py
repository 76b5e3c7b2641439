import os
from pathlib import Path

import msgspec
import pytest

from eventum.errors import Conflict, Damaged, NotFound, Refused
from eventum.store.folder import RecordFolder, by_id


class Item(msgspec.Struct, frozen=True, kw_only=True):
    schema: int = 1
    revision: int = 0
    id: str
    text: str = ""


def test_what_one_process_writes_another_sees(tmp_path: Path) -> None:
    ours, theirs = RecordFolder(tmp_path, Item), RecordFolder(tmp_path, Item)
    assert dict(theirs.all()) == {}
    first = ours.put(Item(id="a"))
    assert dict(theirs.all()) == {"a": first}
    second = ours.put(msgspec.structs.replace(first, text="new"))
    assert dict(theirs.all()) == {"a": second}
    ours.remove("a")
    assert dict(theirs.all()) == {}


def test_an_unchanged_folder_is_answered_from_memory(tmp_path: Path) -> None:
    folder = RecordFolder(tmp_path, Item)
    folder.put(Item(id="a"))
    os.utime(tmp_path, ns=(0, 0))
    before = folder.all()
    assert folder.all() is before
    assert folder.all()["a"] is before["a"]


def test_each_write_raises_the_revision(tmp_path: Path) -> None:
    folder = RecordFolder(tmp_path, Item)
    item = folder.put(Item(id="a"))
    assert [item.revision, folder.put(item).revision] == [1, 2]


def test_a_change_of_an_old_revision_is_a_conflict(tmp_path: Path) -> None:
    folder = RecordFolder(tmp_path, Item)
    old = folder.put(Item(id="a"))
    folder.put(msgspec.structs.replace(old, text="theirs"))
    with pytest.raises(Conflict):
        folder.put(msgspec.structs.replace(old, text="ours"))
    assert folder.all()["a"].text == "theirs"


def test_a_new_record_does_not_replace_one_that_is_there(tmp_path: Path) -> None:
    folder = RecordFolder(tmp_path, Item)
    folder.put(Item(id="a"))
    with pytest.raises(Conflict):
        folder.put(Item(id="a"))


def test_other_files_of_the_folder_are_left_alone(tmp_path: Path) -> None:
    folder = RecordFolder(tmp_path, Item)
    folder.put(Item(id="a"))
    for name in (".b.json.123", "notes.txt", "c.json~"):
        (tmp_path / name).write_text("{")
    assert list(folder.all()) == ["a"]


@pytest.mark.parametrize("name", ["../a", "a/b", "", "A", ".", "a\n"])
def test_an_id_never_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotFound):
        RecordFolder(tmp_path, Item).put(Item(id=name))


def test_a_beginning_of_eight_characters_names_a_thing_when_it_is_the_only_one(tmp_path: Path) -> None:
    folder = RecordFolder(tmp_path, Item)
    for name in ("0123456789", "01234567aa", "abcdefgh00", "short"):
        folder.put(Item(id=name))
    for name, found in (("abcdefgh", "abcdefgh00"), ("short", "short"), ("0123456789", "0123456789")):
        item = by_id(folder, name)
        assert item is not None and item.id == found
    assert by_id(folder, "abcdefg") is None
    assert by_id(folder, "zzzzzzzz") is None
    with pytest.raises(Refused):
        by_id(folder, "01234567")


def test_a_damaged_file_stops_only_what_asks_for_it(tmp_path: Path) -> None:
    folder = RecordFolder(tmp_path, Item)
    good, broken = folder.put(Item(id="good-one")), folder.put(Item(id="broken-one"))
    (tmp_path / "broken-one.json").write_text("{")
    assert dict(folder.usable()) == {"good-one": good}
    assert list(folder.damaged()) == ["broken-one"]
    assert by_id(folder, "good-one") == good
    for ask in (folder.all, lambda: by_id(folder, "broken-o")):
        with pytest.raises(Damaged, match="broken-one.json"):
            ask()
    (tmp_path / "broken-one.json").unlink()
    folder.put(msgspec.structs.replace(broken, revision=0))
    assert (list(folder.all()), dict(folder.damaged())) == (["broken-one", "good-one"], {})
