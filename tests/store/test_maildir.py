import mailbox
import os
import time
from itertools import combinations
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventum.store.layout import maildir
from eventum.store.maildir import FLAGS, Entry, Queue, entry_of, find, keys, name_of, settle

KEY = "0123456789abcdef"


@pytest.fixture
def queue(tmp_path: Path) -> Queue:
    make(tmp_path)
    return Queue(tmp_path)


def make(root: Path) -> None:
    for folder in maildir(root):
        folder.mkdir(parents=True)


def put(folder: Path, name: str, arrival: int = 1) -> Path:
    path = folder / name
    path.write_bytes(name.encode())
    os.utime(path, ns=(arrival, arrival))
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


entries = st.builds(
    Entry,
    path=st.just(""),
    key=st.text("0123456789abcdef", min_size=1, max_size=64),
    attempts=st.integers(0, 1000),
    not_before=st.integers(0, 2**40),
    maker=st.from_regex(r"[0-9a-z]{1,16}-[0-9]{1,7}-[0-9a-f]{8}", fullmatch=True) | st.just(""),
)


@given(entries, st.sampled_from(["", ":2,", ":2,S", ":2,FRS"]))
def test_a_name_says_what_the_entry_says_whatever_flags_a_mail_reader_adds(entry: Entry, flags: str) -> None:
    path = f"/store/spool/in/cur/{name_of(entry)}{flags}"
    assert entry_of(path) == msgspec.structs.replace(entry, path=path)


@given(st.text().filter(lambda name: "/" not in name))
def test_no_name_is_too_odd_to_be_an_entry(name: str) -> None:
    assert entry_of(f"/new/{name}").path == f"/new/{name}"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("k", ("k", 0, 0, "")),
        ("k,A=2,N=1764000000,R=m-1-0", ("k", 2, 1764000000, "m-1-0")),
        ("k,R=m-1-0,N=5,A=1:2,RS", ("k", 1, 5, "m-1-0")),
        ("k,A=x,N=,R=", ("k", 0, 0, "")),
        ("k,A=-1,N=1.5", ("k", 0, 0, "")),
        ("k,A=²,N=٣", ("k", 0, 0, "")),
        ("k,S=1234,W=1250:2,", ("k", 0, 0, "")),
        ("1764000000.M1P2.host:2,S", ("1764000000.M1P2.host", 0, 0, "")),
        ("", ("", 0, 0, "")),
    ],
)
def test_marks_that_cannot_be_read_count_as_absent(name: str, said: tuple[str, int, int, str]) -> None:
    entry = entry_of(f"/cur/{name}")
    assert (entry.key, entry.attempts, entry.not_before, entry.maker) == said


def test_mail_waits_in_the_order_in_which_it_came(queue: Queue) -> None:
    for name, arrival in (("c", 3), ("b", 1), ("a", 2), ("z,A=1", 2)):
        put(queue.new, name, arrival)
    assert [entry.key for entry in queue.all_waiting()] == ["b", "a", "z", "c"]
    put(queue.cur, "y,R=m:2,", 2)
    put(queue.cur, "x,R=m:2,", 1)
    assert [entry.key for entry in queue.claimed()] == ["x", "y"]


@pytest.mark.parametrize(("now", "due"), [(99.0, ["a"]), (100.0, ["a", "b"]), (200.5, ["a", "b", "c"])])
def test_what_was_put_off_is_due_at_its_second(queue: Queue, now: float, due: list[str]) -> None:
    for name in ("a", "b,N=100", "c,A=1,N=200"):
        put(queue.new, name)
    assert [entry.key for entry in queue.waiting(now)] == due


def test_the_clock_says_what_is_due_when_no_time_is_given(queue: Queue) -> None:
    put(queue.new, f"a,N={int(time.time()) + 3600}")
    put(queue.new, "b,N=1")
    assert [entry.key for entry in queue.waiting()] == ["b"]


def test_a_time_that_no_pause_of_ours_reaches_was_written_by_a_clock_that_was_ahead(queue: Queue) -> None:
    put(queue.new, f"a,N={int(time.time()) + 400 * 24 * 3600}")
    assert [entry.key for entry in queue.waiting()] == ["a"]


def test_hidden_names_folders_and_symbolic_links_are_no_mail(queue: Queue) -> None:
    put(queue.new, ".nfs0001")
    (queue.new / "folder").mkdir()
    (queue.new / "link").symlink_to(put(queue.tmp, "elsewhere"))
    assert queue.all_waiting() == []


def test_an_entry_has_one_claimer(queue: Queue) -> None:
    put(queue.new, f"{KEY},A=1,N=5", 7)
    (entry,) = queue.all_waiting()
    claimed = queue.claim(entry, "first")
    assert claimed is not None
    assert queue.claim(entry, "second") is None
    assert queue.claimed() == [claimed]
    assert names(queue.cur) == [f"{KEY},A=1,R=first:2,"]
    assert (claimed.attempts, claimed.not_before, claimed.maker, claimed.arrival_ns) == (1, 0, "first", 7)


def test_a_name_that_came_a_second_time_waits_until_the_first_is_done(queue: Queue) -> None:
    put(queue.new, KEY)
    (entry,) = queue.all_waiting()
    first = queue.claim(entry, "run")
    assert first is not None
    put(queue.new, KEY)
    assert queue.claim(entry, "run") is None
    assert (names(queue.new), len(names(queue.cur))) == ([KEY], 1)
    os.unlink(first.path)
    assert queue.claim(entry, "run") is not None


@pytest.mark.parametrize(
    ("attempts", "not_before", "name"),
    [(None, 0, "k,A=1"), (2, 0, "k,A=2"), (0, 0, "k"), (None, 100, "k,A=1,N=100"), (3, 100, "k,A=3,N=100")],
)
def test_what_is_given_back_waits_with_what_is_known_of_it(
    queue: Queue, attempts: int | None, not_before: int, name: str
) -> None:
    put(queue.new, "k,A=1,N=50", 7)
    claimed = queue.claim(queue.all_waiting()[0], "run")
    assert claimed is not None
    given = queue.give_back(claimed, attempts, not_before)
    assert names(queue.new) == [name]
    assert queue.all_waiting() == [given]
    assert given.arrival_ns == 7


def test_an_entry_is_found_by_its_key_claimed_or_not(queue: Queue) -> None:
    put(queue.new, "a,A=1")
    put(queue.cur, "b,R=m:2,S")
    assert [(entry := queue.find(key)) and entry.key for key in ("a", "b", "c")] == ["a", "b", None]


def test_a_queue_without_folders_is_empty(tmp_path: Path) -> None:
    queue = Queue(tmp_path / "nowhere")
    assert (queue.all_waiting(), queue.claimed(), queue.find("a")) == ([], [], None)


ALL_FLAGS = ["".join(some) for count in range(len(FLAGS) + 1) for some in combinations(FLAGS, count)]


@pytest.mark.parametrize("flags", ALL_FLAGS)
def test_a_settled_mail_is_found_whatever_a_mail_reader_did_with_it(tmp_path: Path, flags: str) -> None:
    make(tmp_path)
    path = put(maildir(tmp_path)[2], f"{KEY}:2,{flags}")
    put(maildir(tmp_path)[2], f"{KEY}0:2,S")
    assert find(tmp_path, KEY) == path


def test_a_mail_that_lies_in_new_is_found_too_and_one_that_is_not_there_is_not(tmp_path: Path) -> None:
    make(tmp_path)
    assert find(tmp_path, KEY) is None
    path = put(maildir(tmp_path)[1], KEY)
    assert find(tmp_path, KEY) == path
    assert find(tmp_path / "nowhere", KEY) is None


@pytest.mark.parametrize("flags", ["", "S", "FRS", "T"])
def test_what_is_settled_lies_in_its_last_place_as_seen(tmp_path: Path, queue: Queue, flags: str) -> None:
    make(tmp_path / "done")
    put(queue.new, KEY)
    claimed = queue.claim(queue.all_waiting()[0], "run")
    assert claimed is not None
    # A mail reader shows the folder meanwhile, and marks what it shows.
    Path(claimed.path).rename(claimed.path + flags)
    assert settle(claimed, tmp_path / "done") == str(find(tmp_path / "done", KEY))
    assert (names(queue.cur), names(maildir(tmp_path / "done")[2])) == ([], [f"{KEY}:2,S"])


def test_settling_moves_no_other_mail(tmp_path: Path, queue: Queue) -> None:
    make(tmp_path / "done")
    others = [put(queue.cur, f"{KEY},R=run1:2,"), put(queue.cur, f"{KEY}0,R=run:2,")]
    settle(entry_of(f"{queue.cur}/{KEY},R=run:2,"), tmp_path / "done")
    assert all(other.exists() for other in others)
    assert names(maildir(tmp_path / "done")[2]) == []


def test_settling_again_changes_nothing(tmp_path: Path, queue: Queue) -> None:
    make(tmp_path / "done")
    entry = entry_of(str(put(queue.cur, f"{KEY},R=run:2,")))
    for _ in range(2):
        settle(entry, tmp_path / "done")
    assert names(maildir(tmp_path / "done")[2]) == [f"{KEY}:2,S"]


def test_all_keys_of_a_maildir_are_told(tmp_path: Path) -> None:
    make(tmp_path)
    tmp, new, cur = maildir(tmp_path)
    put(tmp, "t")
    put(new, "a,A=1")
    put(new, ".nfs0001")
    put(cur, "b:2,S")
    put(cur, "c,R=m:2,")
    assert sorted(keys(tmp_path)) == ["a", "b", "c"]
    assert list(keys(tmp_path / "nowhere")) == []


def test_other_programs_read_what_we_keep(tmp_path: Path, queue: Queue) -> None:
    put(queue.new, "a,A=1,N=5")
    put(queue.cur, "b,R=m-1-0:2,S")
    theirs = mailbox.Maildir(tmp_path, create=False)
    assert sorted(theirs.keys()) == ["a,A=1,N=5", "b,R=m-1-0"]
    assert theirs.get_message("b,R=m-1-0").get_flags() == "S"


@pytest.mark.parametrize("key", ["", ".", "..", "../../secret", "/etc/passwd", "a/b", "a\n", "a\0b"])
def test_what_is_no_key_finds_nothing(tmp_path: Path, key: str) -> None:
    for folder in ("tmp", "new", "cur"):
        (tmp_path / folder).mkdir()
    (tmp_path / "secret").write_text("x")
    assert find(tmp_path / "box", key) is None
    assert find(tmp_path, key) is None
