import shutil

import msgspec
import pytest

from eventum.errors import Busy
from eventum.issues.people import User
from eventum.store.index import Index
from eventum.tracker import reading as reading_module
from eventum.tracker import texts
from eventum.tracker.correspond import Letter, note
from eventum.tracker.membership import ProjectForm, save_project
from eventum.tracker.opening import NewIssue, open_issue
from eventum.tracker.search import PAGE, Hit, choices, piece, search
from eventum.tracker.texts import take_in
from tests.house import House, mail

JAPANESE = mail("障害のご報告", "ネットワークの障害が発生しました。基板を交換してください。", Message_ID="<jp@x>")


def hits(house: House, text: str, user: User | None = None) -> list[Hit]:
    return list(search(house.tracker, user or house.dev, text).hits)


def where(house: House, text: str, user: User | None = None) -> list[tuple[int, str]]:
    return [(hit.issue, hit.kind) for hit in hits(house, text, user)]


@pytest.fixture
def desk(house: House) -> House:
    """Issue 1 with a mail, a blocked mail and a note; mail of no issue; issue 2 in a project of the administrator's."""
    house.arrive(mail("Smoke", "The kettle boils over.", Message_ID="<1@x>"))
    house.arrive(mail("Me too", "A walrus sings.", From="Eve <eve@x.example>", In_Reply_To="<1@x>"))
    note(house.tracker, 1, "dev@example.org", Letter(text="Ask the plumber."))
    house.set_account(auto_create=msgspec.structs.replace(house.account.auto_create, enabled=False))
    house.arrive(mail("Stray", "A lonely penguin."))
    save_project(house.tracker, None, ProjectForm(title="Secret"))
    open_issue(house.tracker, None, NewIssue(project="Secret", summary="Hidden", description="The kettle is ours."))
    return house


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("kettle", [(1, "issue")]),
        ("smoke", [(1, "issue")]),
        ("ana@customer.example", [(1, "issue"), (0, "pool")]),
        ("walrus", [(1, "blocked")]),
        ("eve", [(1, "blocked")]),
        ("plumber", [(1, "note")]),
        ("penguin", [(0, "pool")]),
        ("kettle walrus", []),
        ("nothing", []),
        ('"', []),
    ],
)
def test_staff_finds_issues_mails_notes_blocked_mail_and_mail_of_no_issue(
    desk: House, text: str, found: list[tuple[int, str]]
) -> None:
    assert where(desk, text) == found


@pytest.mark.parametrize("role", ["viewer", "reporter"])
@pytest.mark.parametrize("text", ["walrus", "eve", "plumber", "penguin", "stray"])
def test_who_is_not_staff_finds_nothing_through_what_only_staff_may_read(desk: House, role: str, text: str) -> None:
    pat = desk.user("pat", role)
    assert where(desk, text, pat) == []
    assert choices(desk.tracker, pat, text) == []
    assert where(desk, "kettle", pat) == [(1, "issue")]


def test_nothing_is_found_in_a_project_one_may_not_see(desk: House) -> None:
    admin = desk.tracker.people.user("admin@example.org")
    assert sorted(where(desk, "kettle", admin)) == [(1, "issue"), (2, "issue")]
    assert where(desk, "kettle", desk.user("pat", "")) == []
    assert search(desk.tracker, desk.dev, "#2").number is None


def test_a_mail_that_is_found_says_who_wrote_it_and_shows_the_words(desk: House) -> None:
    (hit,) = hits(desk, "walrus")
    assert (hit.sender, hit.title, hit.project, hit.when) == ("Eve", "Smoke", "Help desk", desk.now)
    assert hit.piece == (("A ", False), ("walrus", True), (" sings.", False))
    (hit,) = hits(desk, "penguin")
    assert (hit.state, hit.title, hit.sender) == ("unassociated", "Stray", "Ana")


@pytest.mark.parametrize("text", ["障害", "基板", "ネットワーク", "報告", "害"])
def test_japanese_words_of_two_characters_are_found(house: House, text: str) -> None:
    house.arrive(JAPANESE)
    assert where(house, text) == [(1, "issue")]
    assert house.tracker.index.due_count() == 0


@pytest.mark.parametrize("text", ["1", "#1", " 1 "])
def test_a_number_offers_the_issue_first(house: House, text: str) -> None:
    house.arrive(mail("Order 1"), mail("One"))
    found = search(house.tracker, house.dev, text)
    assert found.number is not None and found.number.number == 1
    assert choices(house.tracker, house.dev, text)[0].number == 1


def test_issues_to_choose_from_are_few_and_open_ones_come_first(house: House) -> None:
    for number in range(12):
        open_issue(house.tracker, None, NewIssue(project="Help desk", summary=f"Printer {number}"))
    found = choices(house.tracker, house.dev, "print")
    assert [choice.number for choice in found] == list(range(12, 2, -1))
    assert choices(house.tracker, house.dev, "") == []


def test_what_is_found_has_pages(house: House) -> None:
    house.arrive(*(mail(f"Printer {number}") for number in range(PAGE + 3)))
    first, second = (search(house.tracker, house.dev, "printer", page) for page in (1, 2))
    assert (first.total, first.last, len(first.hits), len(second.hits)) == (PAGE + 3, 2, PAGE, 3)
    assert len({hit.issue for hit in (*first.hits, *second.hits)}) == PAGE + 3


def test_an_issue_is_found_by_what_it_says_now(house: House) -> None:
    open_issue(house.tracker, None, NewIssue(project="Help desk", summary="Before"))
    assert where(house, "before") == [(1, "issue")]
    from eventum.issues import changes
    from eventum.tracker.acting import act

    def verb(changed: object, work: object) -> None:
        work.issue = changes.changed(work.issue, "summary", "Afterwards", house.now)  # type: ignore[attr-defined]

    act(house.tracker, 1, verb)
    assert (where(house, "before"), where(house, "afterwards")) == ([], [(1, "issue")])


def test_the_first_mails_of_a_lost_cache_are_found_and_the_rest_is_told(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.arrive(*(mail(f"Printer {number}") for number in range(5)))
    house.tracker.close()
    shutil.rmtree(house.tracker.cache)
    monkeypatch.setattr(texts, "STEP", 2)
    monkeypatch.setattr("eventum.tracker.search.BEFORE_AN_ANSWER", 0.0)
    assert search(house.tracker, house.dev, "printer").missing == 10
    assert take_in(house.tracker, 60) == 0
    assert search(house.tracker, house.dev, "printer").total == 5


def test_a_mail_that_was_read_before_is_not_read_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.arrive(mail(), JAPANESE)
    house.tracker.close()

    def never(raw: bytes) -> None:
        raise AssertionError("a mail was read again")

    monkeypatch.setattr(reading_module.Reader, "ask", never)
    assert where(house, "障害") == [(2, "issue")]
    assert where(house, "ana") == [(1, "email"), (2, "email")]


def test_a_mail_whose_file_is_gone_is_passed_over(house: House) -> None:
    house.arrive(mail("Smoke", "A kettle."), mail("Fire", "A kettle."))
    house.tracker.close()
    shutil.rmtree(house.tracker.cache)
    for path in (house.config.data / "issues/0/1/mail/cur").iterdir():
        path.unlink()
    assert take_in(house.tracker, 60) == 0
    assert where(house, "kettle") == [(2, "issue"), (1, "issue")]
    shutil.rmtree(house.config.data / "issues/0/2")
    assert where(house, "kettle") == [(1, "issue")]


def test_mail_that_comes_in_waits_for_no_text(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("a text was taken while mail came in")

    with monkeypatch.context() as patch:
        patch.setattr(Index, "take", never)
        house.arrive(mail(), JAPANESE)
        house.tracker.index.catch_up()
    assert house.tracker.index.due_count() == 4


def test_an_index_made_anew_takes_all_texts_again(house: House) -> None:
    house.arrive(mail())
    assert where(house, "printer") == [(1, "issue")]
    house.tracker.index.rebuild()
    assert house.tracker.index.due_count() == 2
    assert where(house, "printer") == [(1, "issue")]


def test_words_that_are_spoilt_are_read_anew(house: House) -> None:
    house.arrive(mail())
    assert where(house, "printer") == [(1, "issue")]
    house.tracker.index._db.execute("UPDATE words_data SET block = x'ff00ff' WHERE id > 10")
    with pytest.raises(Busy, match="index.sqlite3"):
        search(house.tracker, house.dev, "printer")
    assert where(house, "printer") == [(1, "issue")]


@pytest.mark.parametrize(
    ("text", "wanted", "shown"),
    [
        ("", ("x",), ()),
        ("one\ntwo  three", ("two",), (("one ", False), ("two", True), (" three", False))),
        ("Printers print", ("print",), (("Print", True), ("ers ", False), ("print", True))),
        ("reprint", ("print",), (("reprint", False),)),
        ("ana@customer.example", ("ana customer",), (("ana@customer", True), (".example", False))),
        ("障害が発生", ("障害",), (("障害", True), ("が発生", False))),
        ("no such", (), (("no such", False),)),
    ],
)
def test_a_piece_of_text_marks_the_words(
    text: str, wanted: tuple[str, ...], shown: tuple[tuple[str, bool], ...]
) -> None:
    assert piece(text, wanted) == shown


def test_a_piece_of_a_long_text_begins_before_the_first_word() -> None:
    parts = piece("x " * 500 + "needle" + " y" * 500, ("needle",))
    assert parts[0] == ("…", False) and ("needle", True) in parts and parts[-1][0].endswith("…")
    assert len("".join(part for part, _ in parts)) < 260
