import pytest

from eventum.issues.accounts import AutoCreation
from tests.commands.called import asked, called, refused
from tests.house import House, mail

FIELDS = ["id", "account", "project", "state", "from", "to", "subject", "date", "message_id", "attachments", "trace"]


@pytest.fixture
def key(house: House) -> str:
    """The key of a stranger's mail in the pool, beside issue 1 of Ana."""
    house.arrive(mail())
    house.set_account(auto_create=AutoCreation(enabled=False))
    return house.arrive(mail("Loose", "What about me?", From="Eve <eve@x.example>"))[0].key


def test_the_list_as_json(house: House, key: str) -> None:
    (row,) = asked(house, "emails", "list", "--state", "unassociated")
    assert list(row) == FIELDS
    assert (row["id"], row["from"], row["to"], row["project"]) == (
        key,
        "eve@x.example",
        ["help@example.org"],
        "Help desk",
    )
    assert row["trace"][-1] == {
        "table": "association",
        "rule": "auto_creation",
        "saw": "off",
        "answer": "unassociated",
    }
    assert asked(house, "emails", "list", "--state", "removed") == []


def test_the_list_for_people(house: House, key: str) -> None:
    lines = called(house, "emails", "list").stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [["ID", "STATE"], [key[:12], "unassociated"]]


def test_what_was_done_last_is_taken_back_once(house: House, key: str) -> None:
    called(house, "emails", "associate", key[:10], "1")
    result = called(house, "emails", "undo", "1")
    assert (result.exit_code, result.stdout) == (0, "Issue 1 is as it was before.\n")
    assert asked(house, "emails", "show", key)["state"] == "unassociated"
    assert refused(house, "emails", "undo", "1") == (1, "Error: This cannot be taken back.\n")


def test_a_mail_for_people_and_as_json(house: House, key: str) -> None:
    shown = called(house, "emails", "show", key[:8]).stdout
    assert "This account opens no issues by itself. -> kept for a person to decide" in shown
    assert "    What about me?\n" in shown
    row = asked(house, "emails", "show", key)
    assert list(row)[: len(FIELDS)] == FIELDS and (row["text"], row["issue"]) == ("What about me?", None)


@pytest.mark.parametrize(
    ("way", "told"),
    [
        ("email", "dev@example.org, ana@customer.example are told."),
        ("reference", "Nobody is told."),
        ("note", "dev@example.org is told."),
    ],
)
def test_a_mail_is_put_into_an_issue(house: House, key: str, way: str, told: str) -> None:
    result = called(house, "emails", "associate", key[:10], "1", "--as", way)
    assert (result.exit_code, result.stdout) == (0, f"The mail {key[:12]} is in issue 1. {told}\n")
    message = asked(house, "issues", "show", "1")["messages"][-1]
    assert (message["id"], message["kind"]) == (key, "note" if way == "note" else "email")
    assert asked(house, "emails", "list") == []
    assert asked(house, "emails", "show", key)["issue"] == 1


def test_a_mail_opens_an_issue(house: House, key: str) -> None:
    row = asked(house, "emails", "new-issue", key, "--by", "dev@example.org")
    assert (row["issue"], row["state"]) == (2, "filed")
    issue = asked(house, "issues", "show", "2")
    assert (issue["reporter"], issue["history"][0]["who"]) == ("eve@x.example", "dev@example.org")


def test_a_mail_is_removed_and_restored(house: House, key: str) -> None:
    assert called(house, "emails", "remove", key).stdout == f"The mail {key[:12]} is removed.\n"
    assert "already" in called(house, "emails", "remove", key).stdout
    assert asked(house, "emails", "list", "--state", "removed")[0]["id"] == key
    assert asked(house, "emails", "restore", key)["state"] == "unassociated"
    assert called(house, "emails", "restore", key).stdout == f"The mail {key[:12]} waits already.\n"


def test_a_damaged_record_is_named_and_the_others_are_listed(house: House, key: str) -> None:
    other = house.arrive(mail("Another"))[0].key
    path = house.config.data / "pool" / house.account.id / f"{key}.json"
    path.write_text("{")
    result = called(house, "emails", "list", "--json")
    assert result.exit_code == 1 and other in result.stdout and key not in result.stdout
    assert result.stderr.count("\n") == 1 and str(path) in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("show", "0123456789"), 1, "There is no mail 0123456789"),
        (("show", "abc"), 1, "8 or more"),
        (("associate", "KEY", "9"), 1, "There is no issue 9."),
        (("associate", "KEY"), 2, "ISSUE"),
        (("associate", "KEY", "1", "--as", "draft"), 2, "'draft' is not one of"),
        (("associate", "KEY", "1", "--by", "nobody@example.org"), 1, "no user 'nobody@example.org'"),
        (("new-issue", "KEY", "--project", "Nowhere"), 1, "no project 'Nowhere'"),
        (("remove", "0123456789"), 1, "There is no mail 0123456789"),
        (("list", "--state", "lost"), 2, "'lost' is not one of"),
    ],
)
def test_wrong_input_is_one_line(house: House, key: str, arguments: tuple[str, ...], code: int, said: str) -> None:
    given = [key if argument == "KEY" else argument for argument in arguments]
    failed, line = refused(house, "emails", *given)
    assert (failed, said in line) == (code, True), line
    assert asked(house, "emails", "list")[0]["state"] == "unassociated"


def test_a_mail_that_is_in_an_issue_is_not_moved_again(house: House, key: str) -> None:
    called(house, "emails", "associate", key, "1")
    for arguments in (("associate", key, "1"), ("new-issue", key), ("remove", key), ("restore", key)):
        assert refused(house, "emails", *arguments) == (1, f"Error: The mail {key[:12]} is in issue 1 already.\n")
