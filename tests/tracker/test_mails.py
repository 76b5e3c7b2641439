import pytest

from eventum.errors import NotFound, Refused
from eventum.issues.accounts import AutoCreation
from eventum.tracker.associate import remove
from eventum.tracker.mails import key_of, listed, one_of, shown, why
from tests.house import House, mail

WHAT = "thing {}; look there"


@pytest.mark.parametrize(
    ("ident", "found"),
    [
        ("aaaaaaaa1", "aaaaaaaa1"),
        ("aaaaaaaa", "aaaaaaaa"),
        ("aaaaaaaa2", "aaaaaaaa2f"),
        (" BBBBBBBB ", "bbbbbbbbb"),
        ("c", "c"),
    ],
)
def test_an_id_or_its_beginning_names_one_thing(ident: str, found: str) -> None:
    assert one_of(ident, ["aaaaaaaa", "aaaaaaaa1", "aaaaaaaa2f", "bbbbbbbbb", "c"], WHAT) == found


@pytest.mark.parametrize(
    ("ident", "error", "said"),
    [
        ("aaaaaaaa", Refused, "aaaaaaaa is the beginning of 2 ids .aaaaaaaa1, aaaaaaaa2.; give more of it"),
        ("aaaaaaa", NotFound, "There is no thing aaaaaaa; look there .an id is named by 8 or more"),
        ("cccccccc", NotFound, "There is no thing cccccccc; look there.$"),
        ("", NotFound, "There is no thing"),
    ],
)
def test_what_names_nothing_or_several_is_told(ident: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        one_of(ident, ["aaaaaaaa1", "aaaaaaaa2"], WHAT)


def pooled(house: House, *mails: bytes) -> list[str]:
    house.set_account(auto_create=AutoCreation(enabled=False))
    return [one.key for one in house.arrive(*mails)]


def test_the_mail_of_no_issue_is_listed_with_its_state(house: House) -> None:
    first, second = pooled(house, mail("One"), mail("Two", Subject="Zwei ü"))
    remove(house.tracker, None, first)
    (row,) = listed(house.tracker, ["unassociated"]).rows
    assert row == {
        "id": second,
        "account": house.account.id,
        "project": "Help desk",
        "state": "unassociated",
        "from": "ana@customer.example",
        "to": ["help@example.org"],
        "subject": "Zwei ü",
        "date": house.now.replace(hour=11),
        "message_id": row["message_id"],
        "attachments": [],
        "trace": row["trace"],
    }
    assert why(row)[-1] == "This account opens no issues by itself. -> kept for a person to decide"
    assert [row["state"] for row in listed(house.tracker).rows] in (
        ["removed", "unassociated"],
        ["unassociated", "removed"],
    )


def test_a_damaged_record_is_named_and_the_others_are_listed(house: House) -> None:
    first, second = pooled(house, mail("One"), mail("Two"))
    path = house.config.data / "pool" / house.account.id / f"{first}.json"
    path.write_text("{")
    found = listed(house.tracker)
    assert [row["id"] for row in found.rows] == [second]
    assert len(found.damaged) == 1 and str(path) in found.damaged[0]


def test_a_strangers_file_in_the_pool_is_not_listed(house: House) -> None:
    (key,) = pooled(house, mail("One"))
    path = house.tracker.pool.path(house.account.id, key)
    path.with_name("strange:2,S").write_bytes(b"From: x\r\n\r\n")
    assert [row["id"] for row in listed(house.tracker).rows] == [key]


def test_a_mail_is_shown_wherever_it_is(house: House) -> None:
    (filed,) = house.arrive(mail("In an issue", "The text."))
    (loose,) = pooled(house, mail("In none", "Other text."))
    row = shown(house.tracker, filed.key[:8])
    assert (row["id"], row["issue"], row["state"], row["project"]) == (filed.key, 1, "filed", "Help desk")
    assert (row["text"], row["from_name"], row["verified"]) == ("The text.", "Ana", "unverified")
    row = shown(house.tracker, loose)
    assert (row["issue"], row["state"], row["text"]) == (None, "unassociated", "Other text.")


def test_a_blocked_mail_says_why(house: House) -> None:
    house.arrive(mail(Message_ID="<root@x>"))
    (eve,) = house.arrive(mail("Me too", From="eve@x.example", In_Reply_To="<root@x>"))
    row = shown(house.tracker, eve.key)
    assert (row["state"], row["blocked"]) == ("blocked", "not_entitled")
    assert "eve@x.example has no part in this issue. -> blocked: not entitled" in why(row, only_answers=True)
    assert len(why(row, only_answers=True)) < len(why(row))


def test_the_id_of_no_mail_is_told(house: House) -> None:
    with pytest.raises(NotFound, match="There is no mail 01234567; `flask emails list`"):
        key_of(house.tracker, "01234567")
