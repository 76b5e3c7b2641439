"""A copy that shows its folders at different moments is brought together by its first run, and only by that."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from eventum.mail.envelope import Envelope
from eventum.runners.incoming import Incoming
from eventum.store import place
from eventum.store.pool import Pooled
from eventum.tracker import copied
from eventum.tracker.tracker import Tracker
from eventum.tracker.verifying import verify
from tests.house import NOW, House, mail


@pytest.fixture
def house(house: House) -> Iterator[House]:
    """An issue with an answer, and a mail of no issue, all noted."""
    house.arrive(mail(Message_ID="<1@a.example>"))
    house.arrive(mail("Re: it", In_Reply_To="<1@a.example>", Message_ID="<2@a.example>"))
    house.arrive(mail("Away", Message_ID="<3@a.example>", Auto_Submitted="auto-replied"))
    yield house


def one(house: House, pattern: str) -> Path:
    (path,) = list(house.tracker.layout.root.glob(pattern))[:1]
    return path


def moved(house: House) -> Tracker:
    """The same store as another program sees it that finds it elsewhere."""
    house.tracker.layout.place.unlink()
    return house.tracker


def opened(house: House) -> int:
    """What a first run does."""
    with house.tracker.locks.record("incoming"):
        return copied.bring_together(moved(house))


def test_a_store_that_was_not_copied_is_noted_and_left_alone(house: House) -> None:
    assert place.is_noted(house.tracker.layout)
    with house.tracker.locks.record("incoming"):
        assert copied.bring_together(house.tracker) == 0
    before = {path: path.stat().st_ctime_ns for path in house.tracker.layout.root.rglob("*/mail/cur/*")}
    assert opened(house) == 0 and place.is_noted(house.tracker.layout)
    assert {path: path.stat().st_ctime_ns for path in before} == before


def test_a_copied_store_is_another_place(house: House, tmp_path: Path) -> None:
    shutil.copytree(house.tracker.layout.root, tmp_path / "copy", symlinks=True)
    layout = type(house.tracker.layout)(tmp_path / "copy")
    assert not place.is_noted(layout)


def _without_its_file(house: House) -> None:
    (house.tracker.layout.issue(1) / "mail/cur" / f"{_answer(house)}:2,S").unlink()


def _answer(house: House) -> str:
    return house.issue(1).events[-1].what.message.key  # type: ignore[union-attr]


def _also_waiting(house: House) -> None:
    path = house.tracker.layout.kept / "cur" / f"{_answer(house)}:2,S"
    (house.tracker.layout.incoming / "new" / _answer(house)).write_bytes(path.read_bytes())


def _also_in_the_pool(house: House) -> None:
    issue = house.issue(1)
    filing = issue.events[-1].what.message  # type: ignore[union-attr]
    pooled = Pooled(account=house.account.id, project=issue.project, when=NOW, mail=filing)
    from eventum.store.flush import Flush

    with Flush() as flush:
        source = house.tracker.layout.kept / "cur" / f"{filing.key}:2,S"
        house.tracker.pool.put(flush, pooled, "unassociated", str(source))


def _no_record_in_the_pool(house: House) -> None:
    one(house, "pool/*/*.json").unlink()


def _not_in_the_pool(house: House) -> None:
    one(house, "pool/*/*.json").unlink()
    one(house, "pool/*/*/cur/*").unlink()


def _moved_in_the_pool(house: House) -> None:
    path = one(house, "pool/*/*/cur/*")
    target = path.parent.parent.parent / "removed" / "cur" / path.name
    target.parent.mkdir(parents=True)
    for name in ("new", "tmp"):
        (target.parent.parent / name).mkdir()
    shutil.copy2(path, target)


def _issue_is_missing(house: House) -> None:
    shutil.rmtree(house.tracker.layout.issue(1))
    for path in (house.tracker.layout.outgoing / "new").iterdir():
        path.unlink()


def _sent_and_waiting(house: House) -> None:
    path = one(house, "spool/out/new/*")
    shutil.copy2(path, house.tracker.layout.sent / "cur" / f"{path.name}:2,S")


@pytest.mark.parametrize(
    "tear",
    [
        _without_its_file,
        _also_waiting,
        _also_in_the_pool,
        _no_record_in_the_pool,
        _not_in_the_pool,
        _moved_in_the_pool,
        _issue_is_missing,
        _sent_and_waiting,
    ],
)
def test_each_mail_is_in_one_place_again(house: House, tear: Callable[[House], None]) -> None:
    mails = {path.name.partition(":")[0] for path in (house.tracker.layout.kept / "cur").iterdir()}
    tear(house)
    assert opened(house) > 0 or tear is _also_waiting
    Incoming(house.tracker).work()
    house.tracker.index.rebuild()
    assert verify(house.tracker).findings == ()
    root = house.tracker.layout.root
    lying = [
        path.name.partition(":")[0] for path in (*root.glob("issues/*/*/mail/cur/*"), *root.glob("pool/*/*/cur/*"))
    ]
    assert sorted(lying) == sorted(mails)
    keys = [
        path.name.partition(":")[0].partition(",")[0] for path in root.glob("spool/*/*/*") if "kept" not in str(path)
    ]
    assert len(keys) == len(set(keys))


def test_what_tells_of_an_event_that_the_copy_does_not_have_is_not_sent(house: House) -> None:
    record = house.tracker.layout.issue(1) / "issue.json"
    before = record.read_bytes()
    house.arrive(mail("Re: more", In_Reply_To="<1@a.example>", Message_ID="<5@a.example>"))
    told = len(house.queued())
    record.write_bytes(before)
    opened(house)
    assert len(house.queued()) < told
    Incoming(house.tracker).work()
    assert house.issue(1).emails == 3 and len(house.queued()) == told


def test_of_an_issue_whose_record_is_damaged_no_mail_is_decided_anew(house: House) -> None:
    record = house.tracker.layout.issue(1) / "issue.json"
    whole = record.read_bytes()
    record.write_bytes(b"")
    opened(house)
    assert house.tracker.spool.backlog() == 0
    record.write_bytes(whole)
    assert verify(house.tracker).findings == ()


def test_mail_of_the_pool_keeps_its_second_name_and_what_was_deleted_for_good_does_not(house: House) -> None:
    kept = house.tracker.layout.kept / "cur"
    house.tracker.spool.accept([(Envelope(destination=house.account.id, received=NOW), b"Subject: bad\r\n\r\n")])
    (bad,) = house.tracker.spool.claim(house.tracker.spool.waiting())
    house.tracker.spool.bury(bad, "it broke the reader", 3)
    assert (kept / f"{bad.key}:2,S").exists()
    house.tracker.spool.forget(bad.key)
    assert not (kept / f"{bad.key}:2,S").exists()
