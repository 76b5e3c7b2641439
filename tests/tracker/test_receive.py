import msgspec
import pytest

from eventum.issues.accounts import AutoCreation
from eventum.issues.events import Filed
from eventum.issues.issue import messages
from eventum.issues.settings import AddressRouting, Switch
from eventum.mail import threading
from eventum.store.locks import Locks
from eventum.store.pool import record_of
from eventum.tracker import membership
from eventum.tracker.membership import ProjectForm
from tests.house import House, mail


def outcomes(dispositions: list) -> list[tuple[str, int]]:
    return [(one.outcome, one.issue) for one in dispositions]


def test_a_new_mail_opens_an_issue_as_the_account_says(house: House) -> None:
    (opened,) = house.arrive(mail())
    issue = house.issue(opened.issue)
    assert opened.outcome == "new_issue"
    assert (issue.number, issue.summary, issue.priority) == (1, "The printer is on fire", "High")
    assert (issue.reporter, issue.assignees, issue.status) == ("ana@customer.example", (house.dev.id,), "new")
    assert issue.description == "Please come."
    assert [message.kind for message in messages(issue.events)] == ["email"]
    assert house.told() == [("acknowledgement", "ana@customer.example"), ("new_issue_assigned", "dev@example.org")]


def test_every_row_of_the_decision_is_kept_with_the_mail(house: House) -> None:
    (opened,) = house.arrive(mail())
    kept = messages(house.issue(1).events)[0].trace
    assert kept[: len(opened.trace)] == opened.trace
    assert [(row.table, row.answer) for row in opened.trace][-1][0] == "acknowledgement"
    assert {row.table for row in kept} == {"association", "acknowledgement", "subscriptions"}


def test_the_received_bytes_are_kept_unchanged(house: House) -> None:
    raw = mail(X_Odd="\tblank  kept ", text="bare\rreturns\nand\r\nlines").replace(b"Subject:", b"subJect:  ")
    (opened,) = house.arrive(raw)
    path = house.tracker.issues.mail_path(opened.issue, opened.key)
    assert path.read_bytes().endswith(raw)


def test_an_answer_to_the_original_mail_lands_in_its_issue(house: House) -> None:
    house.arrive(mail(Message_ID="<root@customer.example>"))
    answer = house.arrive(mail("Re: The printer", Message_ID="<2@x>", In_Reply_To="<root@customer.example>"))
    assert outcomes(answer) == [("filed", 1)]


@pytest.mark.parametrize("notice", ["acknowledgement", "new_issue_assigned"])
def test_an_answer_to_any_notice_lands_in_its_issue(house: House, notice: str) -> None:
    house.arrive(mail())
    recipient = "ana@customer.example" if notice == "acknowledgement" else "dev@example.org"
    told = house.sent_to(recipient, notice).message_id
    answer = house.arrive(mail("AW: whatever", From=recipient, In_Reply_To=told, Message_ID="<2@x>"))
    assert outcomes(answer) == [("filed", 1)]


def test_our_ids_are_known_without_an_index_and_in_lower_case(house: House) -> None:
    house.arrive(mail())
    told = house.sent_to("ana@customer.example", "acknowledgement").message_id
    house.tracker.index.close()
    for path in house.tracker.cache.glob("index*"):
        path.unlink()
    answer = house.arrive(mail("Re: it", References=f"<lost@elsewhere> {told.upper()}", Message_ID="<2@x>"))
    assert outcomes(answer) == [("filed", 1)]


def test_a_forged_id_of_ours_grants_nothing(house: House) -> None:
    house.arrive(mail())
    forged = threading.our_id(threading.OurId(1, 1), b"another key", "example.org")
    assert outcomes(house.arrive(mail("Re: it", In_Reply_To=forged, Message_ID="<2@x>"))) == [("new_issue", 2)]


def test_question_and_answer_of_one_batch_end_in_one_issue(house: House) -> None:
    question = mail(Message_ID="<q@customer.example>")
    answer = mail("Re: The printer", "It still burns.", Message_ID="<a@x>", In_Reply_To="<q@customer.example>")
    assert outcomes(house.arrive(question, answer)) == [("new_issue", 1), ("filed", 1)]
    assert [message.subject for message in messages(house.issue(1).events)][-1] == "Re: The printer"


def test_a_stranger_in_an_issue_becomes_a_blocked_note_that_only_staff_hears_of(house: House) -> None:
    house.arrive(mail(Message_ID="<root@x>"))
    before = len(house.queued())
    blocked = house.arrive(mail("Re: x", From="eve@evil.example", In_Reply_To="<root@x>", Message_ID="<e@x>"))
    issue = house.issue(1)
    note = messages(issue.events)[-1]
    assert outcomes(blocked) == [("blocked", 1)]
    assert (note.kind, note.blocked, note.from_.address) == ("note", "not_entitled", "eve@evil.example")
    assert house.told()[before:] == [("blocked", "dev@example.org")]
    assert "eve@evil.example" not in [entry.address for entry in issue.subscriptions]


def test_a_sender_that_is_not_clear_has_no_rights_and_becomes_no_reporter(house: House) -> None:
    house.arrive(mail(Message_ID="<root@x>"))
    twice = mail("Re: x", From="ana@customer.example, eve@evil.example", In_Reply_To="<root@x>", Message_ID="<e@x>")
    new = mail("Other", From='"ana@customer.example" <eve@evil.example>', Message_ID="<n@x>")
    assert outcomes(house.arrive(twice)) == [("blocked", 1)]
    house.arrive(new)
    assert house.issue(2).reporter == ""


def test_mail_that_nothing_claims_waits_in_the_pool(house: House) -> None:
    house.set_account(auto_create=AutoCreation())
    (waiting,) = house.arrive(mail())
    assert (waiting.outcome, waiting.issue) == ("unassociated", 0)
    assert house.tracker.pool.outcome(house.account.id, waiting.key) == "unassociated"
    assert house.tracker.pool.load(house.account.id, waiting.key).trace == waiting.trace
    assert house.queued() == []


@pytest.mark.parametrize("machine", [{"Auto_Submitted": "auto-replied"}, {"Return_Path": "<>"}, {"Precedence": "junk"}])
def test_no_machine_opens_an_issue(house: House, machine: dict[str, str]) -> None:
    assert outcomes(house.arrive(mail(**machine))) == [("unassociated", 0)]
    assert house.queued() == []


def test_a_parent_that_waits_in_the_pool_comes_into_the_new_issue(house: House) -> None:
    house.set_account(auto_create=AutoCreation())
    (parent,) = house.arrive(mail("First", Message_ID="<p@x>"))
    house.set_account(auto_create=AutoCreation(enabled=True))
    answer = house.arrive(mail("Re: First", "And?", Message_ID="<a@x>", In_Reply_To="<p@x>"))
    assert outcomes(answer) == [("new_issue", 1)]
    assert [message.message_id for message in messages(house.issue(1).events)] == ["<p@x>", "<a@x>"]
    assert house.tracker.pool.outcome(house.account.id, parent.key) is None
    assert house.tracker.issues.mail_path(1, parent.key).exists()


def test_a_parent_of_the_same_batch_is_pulled_as_well(house: House) -> None:
    machine = mail("Report", Auto_Submitted="auto-generated", Message_ID="<p@x>")
    answer = mail("Re: Report", "What is it?", Message_ID="<a@x>", In_Reply_To="<p@x>")
    assert outcomes(house.arrive(machine, answer)) == [("unassociated", 0), ("new_issue", 1)]
    assert len(messages(house.issue(1).events)) == 2


@pytest.mark.parametrize(
    "enabled, subject, expected",
    [
        (True, "[#1] again", ("filed", 1)),
        (True, "Re: [#1] New Issue: again", ("filed", 1)),
        (False, "[#1] again", ("new_issue", 2)),
        (True, "[#99] again", ("new_issue", 2)),
        (True, "[#0] again", ("new_issue", 2)),
    ],
)
def test_the_tag_works_when_it_is_switched_on(
    house: House, enabled: bool, subject: str, expected: tuple[str, int]
) -> None:
    general = msgspec.structs.replace(house.tracker.settings.general(), subject_routing=Switch(enabled))
    house.tracker.settings.save_general(general)
    house.arrive(mail())
    assert outcomes(house.arrive(mail(subject, "More", Message_ID="<2@x>"))) == [expected]


def test_an_unknown_number_does_not_stop_the_headers(house: House) -> None:
    general = msgspec.structs.replace(house.tracker.settings.general(), subject_routing=Switch(True))
    house.tracker.settings.save_general(general)
    house.arrive(mail(Message_ID="<root@x>"))
    assert outcomes(house.arrive(mail("Re: [#99] x", In_Reply_To="<root@x>", Message_ID="<2@x>"))) == [("filed", 1)]


@pytest.mark.parametrize(
    "address, expected",
    [
        ("issue-1@example.org", ("filed", 1)),
        ("ISSUE-1@Example.Org", ("filed", 1)),
        ("tissue-1@example.org", ("new_issue", 2)),
        ("issue-1@example.org.evil.example", ("new_issue", 2)),
        ("issue-7@example.org", ("new_issue", 2)),
    ],
)
def test_mail_to_an_issues_address_goes_there(house: House, address: str, expected: tuple[str, int]) -> None:
    routing = AddressRouting(enabled=True, prefix="issue-", host="example.org")
    general = msgspec.structs.replace(house.tracker.settings.general(), email_routing=routing)
    house.tracker.settings.save_general(general)
    house.set_account(routing=True)
    house.arrive(mail())
    assert outcomes(house.arrive(mail("More", "And more", To=address, Message_ID="<2@x>"))) == [expected]


def test_the_same_bytes_again_change_nothing(house: House) -> None:
    house.arrive(mail())
    before = house.issue(1)
    assert outcomes(house.arrive(mail())) == [("duplicate", 1)]
    assert house.issue(1) == before
    assert house.tracker.spool.backlog() == 0


def test_a_record_that_was_left_without_its_mail_goes_when_the_mail_comes_again(house: House) -> None:
    house.set_account(auto_create=AutoCreation(enabled=False))
    (kept,) = house.arrive(mail())
    account = house.account.id
    house.set_account(auto_create=AutoCreation(enabled=True))
    # A run took the mail up again, and died between the removal of the mail and that of its record.
    house.tracker.maker.journal([(record_of(account, kept.key), 0)])
    house.tracker.pool.path(account, kept.key).unlink()
    assert outcomes(house.arrive(mail())) == [("new_issue", 1)]
    assert not house.tracker.pool.has_record(account, kept.key)
    assert house.tracker.index.pooled(kept.key) is None


def test_the_same_content_with_other_trace_lines_is_a_duplicate(house: House) -> None:
    house.arrive(mail())
    again = b"Received: from elsewhere by here; Sun, 22 Nov 2026 11:00:09 +0000\r\n" + mail()
    (second,) = house.arrive(again)
    assert (second.outcome, second.issue) == ("duplicate", 0)
    assert house.tracker.pool.outcome(house.account.id, second.key) == "duplicate"


def test_the_same_id_with_other_content_is_kept_and_marked(house: House) -> None:
    (first,) = house.arrive(mail(Message_ID="<one@x>"))
    house.arrive(mail("Something else", "entirely", Message_ID="<one@x>"))
    assert messages(house.issue(2).events)[0].duplicate_of == first.key


def test_one_mail_to_two_accounts_is_a_mail_in_each(house: House) -> None:
    other = house.add_account(addresses=("sales@example.org",))
    raw = mail(Message_ID="<both@x>")
    house.arrive(raw)
    assert outcomes(house.arrive(raw, account=other)) == [("new_issue", 2)]
    answer = mail("Re: x", "More", Message_ID="<a@x>", In_Reply_To="<both@x>")
    assert outcomes(house.arrive(answer)) == [("filed", 1)]
    assert outcomes(house.arrive(answer, account=other)) == [("filed", 2)]


def test_two_ways_into_the_same_issue_file_a_mail_once(house: House) -> None:
    other = house.add_account(addresses=("sales@example.org",))
    house.arrive(mail())
    told = house.sent_to("ana@customer.example", "acknowledgement").message_id
    answer = mail("Re: x", "More", Message_ID="<a@x>", In_Reply_To=told)
    assert outcomes(house.arrive(answer)) == [("filed", 1)]
    assert [one.outcome for one in house.arrive(answer, account=other)] == ["duplicate"]
    assert house.issue(1).emails == 2


def test_a_customers_answer_reopens_a_closed_issue(house: House) -> None:
    from eventum.issues import changes
    from eventum.tracker.work import change

    house.arrive(mail(Message_ID="<root@x>"))
    close = lambda all_, work: setattr(work, "issue", changes.closed(work.issue, "closed", all_.now))  # noqa: E731  a verb in one line
    assert change(house.tracker, 1, close).closed
    house.arrive(mail("Re: x", "Not solved", Message_ID="<a@x>", In_Reply_To="<root@x>"))
    assert (house.issue(1).closed, house.issue(1).status) == (None, "open")


def test_five_acknowledgements_a_sender_and_day(house: House) -> None:
    house.arrive(*(mail(f"Mail {n}", Message_ID=f"<{n}@x>") for n in range(4)))
    house.arrive(*(mail(f"More {n}", Message_ID=f"<m{n}@x>") for n in range(4)))
    assert [notice for notice, _ in house.told()].count("acknowledgement") == 5
    house.now = house.now.replace(day=23)
    house.arrive(mail("Next day", Message_ID="<next@x>"))
    assert [notice for notice, _ in house.told()].count("acknowledgement") == 6


def test_mail_dated_before_the_limit_is_filed_and_nobody_hears_of_it(house: House) -> None:
    house.set_account(quiet_before="2026-11-01")
    old = mail(Date="Sat, 31 Oct 2026 11:00:00 +0000", Message_ID="<old@x>")
    # The clock of the sender is years wrong; our own server's line says when it came.
    wrong = b"Received: by mx; Sun, 22 Nov 2026 11:00:00 +0000\r\n" + mail("New", Date="Thu, 1 Jan 1970 00:00:00 +0000")
    assert outcomes(house.arrive(old)) == [("new_issue", 1)]
    assert house.queued() == []
    house.arrive(wrong)
    assert [entry.posting.issue for entry in house.queued()] == [2, 2]


def test_staff_answers_by_mail_and_the_customer_gets_it_with_the_attachment(house: House) -> None:
    house.arrive(mail())
    told = house.sent_to("dev@example.org", "new_issue_assigned")
    body = (
        '--b\r\nContent-Type: text/plain\r\n\r\nTry this.\r\n--b\r\nContent-Type: application/pdf; name="a.pdf"\r\n'
        "Content-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n--b--"
    )
    answer = mail(
        f"Re: {told.subject}",
        body,
        From="Dev <dev@example.org>",
        In_Reply_To=told.message_id,
        Message_ID="<staff@x>",
        MIME_Version="1.0",
        Content_Type="multipart/mixed; boundary=b",
    )
    assert outcomes(house.arrive(answer)) == [("filed", 1)]
    sent = house.sent_to("ana@customer.example", "email")
    assert sent.text.strip() == "Try this."
    assert [one.name for one in sent.attachments] == ["a.pdf"]
    assert sent.from_[0].address == "help@example.org"


def test_a_mail_of_an_account_that_was_deleted_is_kept(house: House) -> None:
    house.tracker.settings.delete_account(house.account)
    (kept,) = house.arrive(mail())
    assert kept.outcome == "unassociated"
    assert house.tracker.pool.path(house.account.id, kept.key).exists()


def test_a_dry_run_decides_the_same_and_changes_nothing(house: House) -> None:
    from eventum.mail.envelope import Envelope
    from eventum.mail.message import parse
    from eventum.tracker.ground import Arrival
    from eventum.tracker.receive import receive

    raw = mail()
    envelope = Envelope(destination=house.account.id, received=house.now)
    arrival = Arrival(key="k", path="", envelope=envelope, message=parse(raw))
    house.tracker.index.catch_up()
    (rehearsed,) = receive(house.tracker, [arrival], dry_run=True)
    assert rehearsed.outcome == "new_issue"
    assert list(house.tracker.issues.numbers()) == []
    (done,) = house.arrive(raw)
    assert done.trace == rehearsed.trace


def test_a_change_by_somebody_else_in_the_middle_starts_the_batch_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from eventum.issues import changes
    from eventum.tracker.work import change

    house.arrive(mail(Message_ID="<root@x>"))
    held: list[int] = []
    original = Locks.issues

    def meddle(self: Locks, numbers, timeout=20.0):  # type: ignore[no-untyped-def]
        if not held:
            held.append(1)
            change(
                house.tracker,
                1,
                lambda all_, work: setattr(work, "issue", changes.changed(work.issue, "priority", "Low", all_.now)),
            )
        return original(self, numbers, timeout)

    monkeypatch.setattr(Locks, "issues", meddle)
    assert outcomes(house.arrive(mail("Re: x", "More", Message_ID="<a@x>", In_Reply_To="<root@x>"))) == [("filed", 1)]
    issue = house.issue(1)
    assert (issue.priority, issue.emails) == ("Low", 2)
    assert [event.number for event in issue.events] == list(range(1, issue.next_event))


def test_an_issue_of_many_mails_keeps_a_short_record(house: House) -> None:
    house.arrive(mail(Message_ID="<root@x>"))
    for start in range(0, 150, 50):
        mails = [
            mail("Re: x", f"More {n}", Message_ID=f"<a{n}@x>", In_Reply_To="<root@x>") for n in range(start, start + 50)
        ]
        house.arrive(*mails)
    issue = house.issue(1)
    everything = house.tracker.issues.events(issue)
    assert issue.emails == 151
    assert len(issue.events) < 150
    assert [event.number for event in everything] == list(range(1, issue.next_event))
    assert sum(isinstance(event.what, Filed) for event in everything) == 151
    assert outcomes(house.arrive(mail("Re: x", "More 3", Message_ID="<a3@x>", In_Reply_To="<root@x>"))) == [
        ("duplicate", 1)
    ]


def test_an_answer_does_not_bring_another_projects_mail_into_its_issue(house: House) -> None:
    secret = membership.save_project(house.tracker, None, ProjectForm(title="Secret"))
    box = house.add_account(auto_create=AutoCreation(), addresses=("secret@example.org",))
    box = house.tracker.settings.save_account(msgspec.structs.replace(box, project=secret.id))
    (waiting,) = house.arrive(mail("Plans", Message_ID="<secret@x>"), account=box)
    (opened,) = house.arrive(mail("Re: Plans", From="mal@evil.example", In_Reply_To="<secret@x>", Message_ID="<m@x>"))
    assert opened.outcome == "new_issue"
    assert len(messages(house.issue(opened.issue).events)) == 1
    assert house.tracker.pool.outcome(box.id, waiting.key) == "unassociated"


def test_an_archived_project_takes_no_new_issues(house: House) -> None:
    membership.save_project(house.tracker, "Help desk", ProjectForm(archived=True))
    assert outcomes(house.arrive(mail())) == [("unassociated", 0)]
    assert house.queued() == []


def test_a_mail_to_a_crowd_puts_only_its_sender_on_the_list(house: House) -> None:
    crowd = ", ".join(f"someone{n}@else.example" for n in range(60))
    house.arrive(mail(Cc=crowd))
    listed = [entry.address for entry in house.issue(1).subscriptions]
    assert sorted(listed) == ["ana@customer.example", "dev@example.org"]
