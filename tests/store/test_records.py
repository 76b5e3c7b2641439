import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventum.errors import Damaged, NotFound
from eventum.store import records
from eventum.store.records import Stored


class Note(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    text: str = ""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    schema: int = 1
    id: str
    when: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    inner: Note = Note(number=0)
    notes: tuple[Note, ...] = ()
    names: dict[str, int] = {}


notes = st.builds(Note, number=st.integers(-(2**53), 2**53), text=st.text(st.characters(codec="utf-8")))
made = st.builds(
    Record,
    id=st.text(st.characters(codec="utf-8")),
    when=st.datetimes(timezones=st.just(UTC)),
    inner=notes,
    notes=st.lists(notes).map(tuple),
    names=st.dictionaries(st.text(st.characters(codec="utf-8")), st.integers(-(2**53), 2**53)),
)


@given(made)
def test_what_is_written_is_read_again(record: Record) -> None:
    data = records.encode(record)
    again = records.decode(data, Record, "record.json")
    assert again == record
    assert records.encode(again, Stored(again, data)) == data


def test_a_record_is_formatted_to_be_read_and_compared() -> None:
    data = records.encode(Record(id="一", notes=(Note(number=1),)))
    assert '\n "id": "一",\n' in data.decode()
    assert data.endswith(b"}\n")


def stored(text: str) -> Stored[Record]:
    return Stored(records.decode(text.encode(), Record, "record.json"), text.encode())


def test_fields_we_do_not_know_are_kept_at_every_depth() -> None:
    before = stored(
        '{"id": "a", "later": [1, 2], "inner": {"number": 1, "colour": "red"}, "when": "2026-01-01T00:00:00Z"}'
    )
    changed = msgspec.structs.replace(before.value, id="b", inner=Note(number=2))
    again = msgspec.json.decode(records.encode(changed, before))
    assert (again["id"], again["later"]) == ("b", [1, 2])
    assert again["inner"] == {"number": 2, "text": "", "colour": "red"}


def test_fields_we_do_not_know_stay_with_their_entry_of_a_list() -> None:
    before = stored('{"id": "a", "notes": [{"number": 1, "seen": true}, {"number": 2}, {"number": 3, "seen": false}]}')
    changed = msgspec.structs.replace(before.value, notes=(*before.value.notes[1:], Note(number=4)))
    again = msgspec.json.decode(records.encode(changed, before))
    assert again["notes"] == [
        {"number": 2, "text": ""},
        {"number": 3, "text": "", "seen": False},
        {"number": 4, "text": ""},
    ]


def test_an_entry_of_a_dictionary_that_was_removed_stays_removed() -> None:
    before = stored('{"id": "a", "names": {"x": 1, "y": 2}, "later": 1}')
    again = msgspec.json.decode(records.encode(msgspec.structs.replace(before.value, names={"y": 3}), before))
    assert (again["names"], again["later"]) == ({"y": 3}, 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "it is empty"),
        (b'{"id": "a"', "it ends too early"),
        (b'{\n"id": "a",\n oops}', "line 3"),
        (b'{"id": "\xff\xfe"}', "is not valid JSON"),
        (b'{"id": 7}', "$.id"),
        (b"[]", "does not hold what it should"),
        (b'{"schema": 2, "id": "a"}', "newer version (schema 2, this one knows 1)"),
        (b'{"schema": 2, "id": 7}', "newer version (schema 2, this one knows 1)"),
        (b"[" * 100_000, "is not valid JSON"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_its_remedy(tmp_path: Path, text: bytes, said: str) -> None:
    path = tmp_path / "record.json"
    path.write_bytes(text)
    with pytest.raises(Damaged) as raised:
        records.load(path, Record)
    sentence = str(raised.value)
    assert sentence.startswith(str(path)) and said in sentence
    assert "backup" in sentence or "update this program" in sentence


def test_a_file_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        records.load(tmp_path / "record.json", Record)


RACE = """
import sys, threading
import msgspec
from eventum.store import records
sys.setswitchinterval(1e-6)
for _ in range(60):
    leaf = msgspec.defstruct("Leaf", [(f"f{n}", int, n) for n in range(30)])
    mid = msgspec.defstruct("Mid", [(f"l{n}", leaf, msgspec.field(default_factory=leaf)) for n in range(20)])
    kind = msgspec.defstruct("Kind", [(f"m{n}", mid, msgspec.field(default_factory=mid)) for n in range(10)])
    gate = threading.Barrier(4)
    def look(kind=kind, gate=gate):
        gate.wait()
        records.decode(b'{"m3": {"l4": {"f7": 9}}}', kind, "x")
    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


def test_threads_that_read_the_first_record_of_a_kind_at_once_do_not_crash() -> None:
    # In a process of its own: what it is about is that the process lives.
    root = Path(__file__).parent.parent.parent
    ran = subprocess.run([sys.executable, "-c", RACE], cwd=root, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
