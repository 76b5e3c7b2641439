import pytest

from tests.commands.called import asked, called, refused
from tests.house import House, mail

LIST_FIELDS = ["id", "project", "summary", "status", "priority", "category", "reporter", "assignees", "created"]
LIST_FIELDS += ["updated", "closed", "emails", "notes"]
MESSAGE_FIELDS = ["id", "kind", "message_id", "from", "to", "cc", "subject", "date", "text", "attachments", "blocked"]
MESSAGE_FIELDS += ["duplicate_of", "trace", "delivery"]


@pytest.fixture
def opened(house: House) -> House:
    """With issue 1 of Ana, assigned to dev."""
    house.arrive(mail(Message_ID="<root@x>"))
    return house


def test_the_list_as_json(opened: House) -> None:
    (row,) = asked(opened, "issues", "list")
    assert list(row) == LIST_FIELDS
    assert (row["id"], row["project"], row["assignees"], row["closed"]) == (1, "Help desk", ["dev@example.org"], None)
    assert row["created"] == "2026-11-22T12:00:00+00:00"


def test_the_list_for_people(opened: House) -> None:
    result = called(opened, "issues", "list", "--search", "printer", "--limit", "5")
    assert result.exit_code == 0
    assert [line.split()[:2] for line in result.stdout.splitlines()] == [["ID", "STATUS"], ["1", "new"]]
    assert called(opened, "issues", "list", "--status", "closed").stdout == "None.\n"


def test_an_issue_as_json(opened: House) -> None:
    asked(opened, "issues", "reply", "1", "--text", "Dear Ana", "--as", "dev@example.org")
    row = asked(opened, "issues", "show", "1")
    more = ["description", "notification_list", "authorized_repliers", "messages", "history"]
    assert list(row) == [*LIST_FIELDS, *more]
    assert [list(message) for message in row["messages"]] == [MESSAGE_FIELDS] * 2
    assert row["messages"][1]["delivery"] == [{"recipient": "ana@customer.example", "status": "pending"}]
    assert all(list(line) == ["when", "who", "what", "detail"] for line in row["history"])
    assert all(list(entry) == ["address", "user", "actions"] for entry in row["notification_list"])


def test_an_issue_for_people(opened: House) -> None:
    opened.arrive(mail("Me \x1b[31mtoo", "Hi\x07\nIssue 7 is closed.", From="eve@x.example", In_Reply_To="<root@x>"))
    shown = called(opened, "issues", "show", "1").stdout
    assert "It belongs to nothing we have, so it opens an issue. -> a new issue" in shown
    assert "eve@x.example has no part in this issue. -> blocked: not entitled" in shown
    assert "blocked     not entitled" in shown
    # What a mail says stands apart from what we say.
    assert "\n    Issue 7 is closed.\n" in shown
    assert not any(char in shown for char in "\x1b\x07")
    assert "The issue was opened by mail" in shown


def test_a_new_issue(house: House) -> None:
    arguments = ("--project", "help desk", "--summary", "The printer", "--description", "-", "--priority", "Low")
    row = asked(house, "issues", "new", *arguments, "--assign", "dev@example.org", stdin="All of\nit: ü\n")
    assert (row["id"], row["priority"], row["assignees"]) == (1, "Low", ["dev@example.org"])
    shown = asked(house, "issues", "show", "1")
    assert (shown["description"], shown["messages"], shown["emails"]) == ("All of\nit: ü", [], 0)
    said = called(house, "issues", "new", "--project", "Help desk", "--summary", "x", "--as", "dev@example.org")
    assert said.stdout == "Issue 2 is opened. Nobody is told.\n"


def test_a_note_and_a_reply(opened: House) -> None:
    note = asked(opened, "issues", "note", "1", "--text", "-", "--as", "dev@example.org", stdin="For us.\n")
    assert (note["kind"], note["text"].strip(), note["from"]["verified"]) == ("note", "For us.", "user")
    reply = called(opened, "issues", "reply", "1", "--text", "Dear Ana", "--as", "dev@example.org")
    assert reply.stdout.endswith("ana@customer.example is told.\n")
    reply = asked(opened, "issues", "reply", "1", "--text", "x", "--to", "bo@x.example", "--cc", "cy@x.example")
    assert (reply["to"], reply["cc"], reply["from"]["address"]) == (
        ["bo@x.example"],
        ["cy@x.example"],
        "admin@example.org",
    )


def test_text_that_is_not_utf_8_is_taken_as_far_as_it_can_be_read(opened: House) -> None:
    note = asked(opened, "issues", "note", "1", "--text", "-", stdin=b"caf\xe9\n")
    assert note["text"].strip() == "caf\ufffd"


def test_assigning_and_closing(opened: House) -> None:
    opened.user("sue")
    said = called(opened, "issues", "assign", "1", "sue@example.org")
    assert said.stdout == "Issue 1 is assigned to dev@example.org, sue@example.org. sue@example.org is told.\n"
    assert "already" in called(opened, "issues", "assign", "1", "sue@example.org").stdout
    assert asked(opened, "issues", "assign", "1", "dev@example.org", "--remove")["assignees"] == ["sue@example.org"]
    assert asked(opened, "issues", "close", "1", "--reason", "Put out.")["status"] == "closed"
    again = called(opened, "issues", "close", "1")
    assert (again.exit_code, again.stdout) == (0, "Issue 1 is closed already.\n")


def test_a_damaged_issue_is_named_and_the_others_are_listed(opened: House) -> None:
    opened.arrive(mail("Another"))
    path = opened.config.data / "issues" / "0" / "1" / "issue.json"
    path.write_text("{}")
    result = called(opened, "issues", "list", "--json")
    assert result.exit_code == 1 and '"id": 2' in result.stdout and '"id": 1,' not in result.stdout
    assert result.stderr.count("\n") == 1 and str(path) in result.stderr
    assert refused(opened, "issues", "show", "1")[0] == 78


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("show", "7"), 1, "There is no issue 7."),
        (("show", "0"), 2, "0 is not in the range"),
        (("show", "x"), 2, "not a valid integer"),
        (("close", "7"), 1, "There is no issue 7."),
        (("assign", "1"), 2, "EMAIL"),
        (("assign", "1", "nobody@example.org"), 1, "no user 'nobody@example.org'; `flask users list`"),
        (("note", "1"), 2, "--text"),
        (("note", "1", "--text", " "), 1, "The text is empty"),
        (("note", "1", "--text", "x", "--as", "nobody@example.org"), 1, "no user 'nobody@example.org'"),
        (("note", "1", "--text", "x", "--as", "gone@example.org"), 1, "gone@example.org is deactivated"),
        (("note", "1", "--text", "x", "--as", "rep@example.org"), 1, "does not work for 'Help desk'"),
        (("reply", "1", "--text", "x", "--as", "rep@example.org"), 1, "may not mail issue 1"),
        (("reply", "1", "--text", "x", "--to", "nonsense"), 1, "'nonsense' is not an e-mail address"),
        (("new", "--summary", "x"), 2, "--project"),
        (("new", "--project", "Nowhere", "--summary", "x"), 1, "no project 'Nowhere'; `flask projects list`"),
        (("new", "--project", "Help desk", "--summary", ""), 1, "The summary is one line"),
        (("list", "--status", "opne"), 1, "No project has the status 'opne'"),
        (("list", "--project", "Nowhere"), 1, "no project 'Nowhere'"),
    ],
)
def test_wrong_input_is_one_line(opened: House, arguments: tuple[str, ...], code: int, said: str) -> None:
    opened.user("rep", "reporter")
    opened.user("gone", active=False)
    failed, line = refused(opened, "issues", *arguments)
    assert (failed, said in line) == (code, True), line
