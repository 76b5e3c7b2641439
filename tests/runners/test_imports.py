import msgspec
import pytest

from eventum.errors import Busy, Conflict, NotFound
from eventum.issues.accounts import Account
from eventum.issues.events import Filed, Opened
from eventum.mail.envelope import Envelope
from eventum.runners import imports
from eventum.runners.importing import Importing, Plan
from eventum.store.imports import Import, source_of
from eventum.store.spool import key_of
from eventum.tracker import change, correspond
from eventum.tracker.correspond import Letter
from eventum.tracker.imports import LEASE, row, sentence, tally
from eventum.transport.archive import Archive
from tests.house import House, mail

OLD = "Mon, 02 Mar 2020 10:00:00 +0000"


def archived(house: House, *mails: bytes, name: str = "old.mbox") -> str:
    """An mbox with these mails."""
    path = house.root / name
    path.write_bytes(b"".join(b"From ana@example.org Mon Jan  5 10:00:00 2026\n" + raw + b"\n" for raw in mails))
    return str(path)


def plan(house: House, path: str, **more: bool) -> Plan:
    return Plan(path=path, by=house.dev.id, **more)


def brought(house: House, *mails: bytes, account: Account | None = None, **more: bool) -> imports.Imported:
    return imports.bring(house.tracker, account or house.account, plan(house, archived(house, *mails), **more))


def undone(house: House, one: Import) -> Import:
    return imports.undo(house.tracker, house.dev, one.id).one


def talk(count: int = 3) -> list[bytes]:
    """Questions, each with an answer by its author."""
    return [
        raw
        for n in range(count)
        for raw in (
            mail(f"Question {n}", Message_ID=f"<q{n}@x>", Date=f"Mon, 02 Mar 2020 10:{n:02}:00 +0000"),
            mail(
                f"Re: {n}", Message_ID=f"<a{n}@x>", In_Reply_To=f"<q{n}@x>", Date=f"Tue, 03 Mar 2020 10:{n:02}:00 +0000"
            ),
        )
    ]


def queued(house: House) -> list[str]:
    return [entry.posting.type for entry in house.queued()]


def test_mails_are_decided_like_others_in_the_order_of_their_dates_and_nobody_is_told(house: House) -> None:
    found = brought(house, *reversed(talk()))
    assert found.one.outcomes == {"new_issue": 3, "filed": 3} == tally(house.tracker, found.one)
    assert (found.one.mails, found.one.skipped, found.problems) == (6, 0, ())
    assert queued(house) == []
    issue = house.issue(1)
    assert issue.emails == 2 and all(event.quiet for event in issue.events if isinstance(event.what, Opened | Filed))


def test_they_are_told_when_somebody_wants_it(house: House) -> None:
    assert brought(house, *talk(1), notify=True).one.notify
    assert "acknowledgement" in queued(house)


def test_what_is_here_already_is_passed_over_and_leaves_no_second_import(house: House) -> None:
    house.arrive(*talk(1))
    first = brought(house, *talk(2)).one
    assert (first.imported, first.skipped) == (2, 2)
    again = brought(house, *talk(2)).one
    assert (again.imported, again.skipped) == (0, 4)
    assert [one.id for one in house.tracker.imports.all()] == [first.id]
    assert sentence(house.tracker, again) == "Nothing new: all 4 mails are here already."


def test_an_import_that_broke_off_is_gone_on_with_and_counts_as_one(house: House) -> None:
    path = archived(house, *talk(150))
    archive = Archive(path)
    importing = Importing(house.tracker, archive, house.account, plan(house, path))
    with pytest.raises(KeyboardInterrupt):
        # The first batch is decided, then somebody presses Ctrl-C.
        importing._tell = _interrupt  # type: ignore[method-assign]  # the one place that hears of each mail
        importing.run()
    archive.close()
    (half,) = house.tracker.imports.all()
    assert half.ended is None and row(house.tracker, half)["state"] == "broken off"
    house.tracker.recover()
    whole = imports.bring(house.tracker, house.account, plan(house, path)).one
    assert whole.id == half.id
    assert whole.outcomes == {"new_issue": 150, "filed": 150} and whole.skipped == 0


def _interrupt(disposition: object) -> None:
    raise KeyboardInterrupt


def test_one_import_runs_at_a_time(house: House) -> None:
    lease = house.tracker.locks.lease(LEASE)
    assert lease is not None
    with lease, pytest.raises(Busy, match="Another import"):
        brought(house, *talk(1))


def test_an_import_is_not_gone_on_with_in_another_way(house: House) -> None:
    one = brought(house, *talk(1)).one
    house.tracker.imports.save(msgspec.structs.replace(one, ended=None))
    with pytest.raises(Conflict, match="--notify"):
        brought(house, *talk(1), notify=True)


def test_undone_its_issues_are_closed_and_empty_and_its_mails_are_removed(house: House) -> None:
    house.arrive(mail("Here before", Message_ID="<b@x>"))
    before = house.issue(1)
    found = undone(
        house, brought(house, *talk(2), mail("Re: b", Message_ID="<c@x>", In_Reply_To="<b@x>", Date=OLD)).one
    )
    assert (found.issues_back, found.mails_back, found.left) == (2, 5, ())
    assert [house.issue(number).was_taken_back for number in (1, 2, 3)] == [False, True, True]
    after = house.issue(1)
    assert (after.emails, after.status, after.subscriptions) == (before.emails, before.status, before.subscriptions)
    house.tracker.index.catch_up()
    assert {place for key in house.tracker.imports.keys(found.id) if (place := house.tracker.index.pooled(key))} == {
        (house.account.id, "removed")
    }
    assert undone(house, found) == found


def test_what_somebody_changed_since_is_left_and_named(house: House) -> None:
    one = brought(house, *talk(2)).one
    correspond.note(house.tracker, 1, house.dev.email, Letter(text="We know him."))
    change.close(house.tracker, 2, house.dev.email)
    found = undone(house, one)
    assert (found.issues_back, found.mails_back) == (0, 0)
    assert sorted(found.left) == ["issue 1: Question 0", "issue 2: Question 1"]
    assert house.issue(1).emails == 2


def test_only_what_it_brought_itself_is_undone(house: House) -> None:
    house.arrive(*talk(1))
    one = brought(house, *talk(1), mail("Alone", Message_ID="<z@x>", Date=OLD)).one
    # As if the list named a mail that was here before, since the run died before it found that out.
    here = house.tracker.index.find("")
    house.tracker.imports.add_keys(one.id, [key for key, _ in here])
    assert undone(house, one).mails_back == 1
    assert house.issue(1).emails == 2 and house.issue(2).was_taken_back


def test_what_was_undone_can_be_imported_again(house: House) -> None:
    undone(house, brought(house, *talk(2)).one)
    again = brought(house, *talk(2)).one
    assert again.outcomes == {"new_issue": 2, "filed": 2} and again.skipped == 0
    assert undone(house, again).issues_back == 2


def test_mail_that_somebody_removed_stays_removed(house: House) -> None:
    from eventum.tracker import associate

    quiet = house.add_account(
        addresses=("other@example.org",), auto_create=msgspec.structs.replace(house.account.auto_create, enabled=False)
    )
    found = brought(house, *talk(1), account=quiet).one
    key = house.tracker.imports.keys(found.id)[0]
    associate.remove(house.tracker, None, key)
    assert brought(house, *talk(1), account=quiet).one.skipped == 2


def test_an_old_mail_reopens_no_issue(house: House) -> None:
    house.arrive(mail("Here before", Message_ID="<b@x>"))
    change.close(house.tracker, 1, house.dev.email)
    brought(house, mail("Re: b", Message_ID="<c@x>", In_Reply_To="<b@x>", Date=OLD))
    assert house.issue(1).closed is not None and house.issue(1).emails == 2


def test_the_trace_headers_say_by_which_import_a_mail_came(house: House) -> None:
    one = Import(id="0123456789abcdef", account="a", path="/x", by="b", began=house.now)
    assert source_of(one.source("x.mbox@7")) == one.id
    assert source_of("imap://a@b/INBOX;uid=7") == source_of("import:") == ""


def test_an_import_is_named_by_the_beginning_of_its_id(house: House) -> None:
    one = brought(house, *talk(1)).one
    assert house.tracker.imports.load(one.id[:4]).id == one.id
    for name in ("", one.id[:3], "zzzz", "../../x"):
        with pytest.raises(NotFound):
            house.tracker.imports.load(name)


def test_a_rehearsal_says_what_would_become_of_the_mails_and_changes_nothing(house: House) -> None:
    found = imports.rehearse(house.tracker, house.account, archived(house, *talk(2)))
    assert (found.mails, found.since, found.until) == (4, "2020-03-02", "2020-03-03")
    assert [one.outcome for one in found.first] == ["new_issue", "new_issue", "filed", "filed"]
    assert house.tracker.imports.all() == [] and list(house.tracker.issues.numbers()) == []


def test_mail_that_waits_for_another_attempt_keeps_the_undoing_open(house: House) -> None:
    one = brought(house, *talk(1)).one
    late = mail("Late", Message_ID="<late@x>", Date=OLD)
    key = key_of(house.account.id, late)
    house.tracker.imports.add_keys(one.id, [key])
    envelope = Envelope(destination=house.account.id, received=house.now, source=one.source("x"), quiet=True)
    house.tracker.spool.accept([(envelope, late)])
    (entry,) = house.tracker.spool.claim(house.tracker.spool.waiting())
    house.tracker.spool.wait(entry)
    found = imports.undo(house.tracker, house.dev, one.id)
    assert found.one.undone is None and "1 mails of it wait" in found.problems[-1]
    for path in (house.tracker.layout.incoming / "new").iterdir():
        path.rename(path.with_name(key))
    assert imports.undo(house.tracker, house.dev, one.id).one.mails_back == 3
