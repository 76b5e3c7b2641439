from pathlib import Path

import pytest

from eventum.errors import NotFound, Refused
from eventum.store.issues import MOST
from eventum.tracker import membership
from eventum.tracker.change import close
from eventum.tracker.correspond import Letter, note
from eventum.tracker.membership import ProjectForm
from eventum.tracker.opening import NewIssue, open_issue
from eventum.tracker.questions import Wanted, issue, issues
from tests.house import House, mail

NOTHING_WANTED = Wanted()


def record(house: House, number: int) -> Path:
    return house.config.data / "issues" / "0" / str(number) / "issue.json"


def three(house: House) -> House:
    """Issues 1 of Ana, 2 of Bo, closed, and 3 in another project, in the order of their changes 1, 3, 2."""
    membership.save_project(house.tracker, None, ProjectForm(title="Sales"))
    for number, sender in enumerate(("ana@customer.example", "bo@x.example")):
        house.arrive(mail(f"Printer {number}", From=sender))
    house.now = house.now.replace(minute=1)
    open_issue(house.tracker, None, NewIssue(project="Sales", summary="100% sure"))
    house.now = house.now.replace(minute=2)
    close(house.tracker, 2, None)
    return house


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (Wanted(), [2, 3, 1]),
        (Wanted(limit=1), [2]),
        (Wanted(project="help desk"), [2, 1]),
        (Wanted(status="closed"), [2]),
        (Wanted(project="Sales", status="closed"), []),
        (Wanted(search="printer"), [2, 1]),
        (Wanted(search="printer bo@"), [2]),
        (Wanted(search="#3"), [3]),
        (Wanted(search="100%"), [3]),
        (Wanted(search="%"), [3]),
    ],
)
def test_a_list_shows_what_is_wanted_the_newest_change_first(house: House, wanted: Wanted, numbers: list[int]) -> None:
    assert [row["id"] for row in issues(three(house).tracker, wanted).rows] == numbers


def test_a_line_of_a_list(house: House) -> None:
    house.arrive(mail())
    (row,) = issues(house.tracker, NOTHING_WANTED).rows
    assert row == {
        "id": 1,
        "project": "Help desk",
        "summary": "The printer is on fire",
        "status": "new",
        "priority": "High",
        "category": "",
        "reporter": "ana@customer.example",
        "assignees": ["dev@example.org"],
        "created": house.now,
        "updated": house.now,
        "closed": None,
        "emails": 1,
        "notes": 0,
    }


def test_an_unknown_project_or_status_is_told(house: House) -> None:
    with pytest.raises(NotFound, match="no project 'Nowhere'"):
        issues(house.tracker, Wanted(project="Nowhere"))
    with pytest.raises(Refused, match="No project has the status 'opne'; there are new, open, waiting, closed"):
        issues(house.tracker, Wanted(status="opne"))


@pytest.mark.parametrize("known", [True, False])
def test_a_damaged_record_is_named_and_the_others_are_listed(house: House, known: bool) -> None:
    three(house)
    if known:
        issues(house.tracker, NOTHING_WANTED)
    record(house, 1).write_text('{"number": ')
    if not known:
        house.tracker.index.rebuild()
    found = issues(house.tracker, NOTHING_WANTED)
    assert [row["id"] for row in found.rows] == [2, 3]
    assert len(found.damaged) == 1 and str(record(house, 1)) in found.damaged[0]


def test_an_issue_is_shown_whole(house: House) -> None:
    (opened,) = house.arrive(mail(Message_ID="<root@x>", Cc="Cy <cy@x.example>"))
    (eve,) = house.arrive(mail("Me too", "Hi.", From="Eve <eve@x.example>", In_Reply_To="<root@x>", Message_ID="<2@x>"))
    note(house.tracker, 1, "dev@example.org", Letter(text="For us."))
    row = issue(house.tracker, 1)
    assert row["description"] == "Please come." and row["authorized_repliers"] == []
    assert row["notification_list"][0] == {
        "address": "dev@example.org",
        "user": "dev@example.org",
        "actions": ["updated", "closed", "emails", "files"],
    }
    assert row["notification_list"][1]["user"] is None
    first, second, third = row["messages"]
    assert first["from"] == {"name": "Ana", "address": "ana@customer.example", "verified": "unverified"}
    assert (first["id"], first["kind"], first["message_id"], first["blocked"]) == (
        opened.key,
        "email",
        "<root@x>",
        None,
    )
    assert (first["to"], first["cc"], first["text"]) == (["help@example.org"], ["cy@x.example"], "Please come.")
    assert first["date"] == house.now.replace(hour=11) and first["attachments"] == [] and first["duplicate_of"] is None
    assert set(first["trace"][0]) == {"table", "rule", "saw", "answer"}
    assert (second["id"], second["kind"], second["blocked"], second["text"]) == (eve.key, "note", "not_entitled", "Hi.")
    assert (third["kind"], third["from"]["verified"], third["text"].strip()) == ("note", "user", "For us.")
    assert [line["what"] for line in row["history"]][0] == "opened"
    assert {line["who"] for line in row["history"]} >= {"ana@customer.example", "dev@example.org", None}


def test_events_that_were_moved_away_are_shown(house: House) -> None:
    house.arrive(mail())
    for number in range(MOST):
        note(house.tracker, 1, "dev@example.org", Letter(text=f"note {number}"))
    assert house.issue(1).first_event > 1
    row = issue(house.tracker, 1)
    assert len(row["history"]) == house.issue(1).next_event - 1
    assert [message["text"].strip() for message in row["messages"]][:3] == ["Please come.", "note 0", "note 1"]


def test_a_mail_whose_file_is_gone_does_not_hide_the_others(house: House) -> None:
    (opened,) = house.arrive(mail())
    note(house.tracker, 1, "dev@example.org", Letter(text="For us."))
    house.tracker.issues.mail_path(1, opened.key).unlink()
    texts = [message["text"] for message in issue(house.tracker, 1)["messages"]]
    assert opened.key[:12] in texts[0] and "`flask verify`" in texts[0] and texts[1].strip() == "For us."


def test_attachments_are_named_with_type_and_size(house: House) -> None:
    body = "--b\r\nContent-Type: text/plain\r\n\r\nHi\r\n--b\r\nContent-Type: image/png; name=a.png\r\n"
    body += "Content-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b--"
    house.arrive(mail(text=body, Content_Type="multipart/mixed; boundary=b", MIME_Version="1.0"))
    (message,) = issue(house.tracker, 1)["messages"]
    assert message["attachments"] == [{"name": "a.png", "type": "image/png", "size": 3}]


def test_an_issue_that_is_not_there_is_named(house: House) -> None:
    with pytest.raises(NotFound, match="no issue 4"):
        issue(house.tracker, 4)
