import pytest

from eventum.errors import Refused
from eventum.tracker.mailboxes import AccountForm, save_account
from tests.house import House


@pytest.mark.parametrize("inside", ["", "issues/0/1/mail", "../data", ".."])
def test_a_maildir_in_the_store_is_no_mailbox(house: House, inside: str) -> None:
    folder = str(house.config.data / inside)
    with pytest.raises(Refused, match="part of the store"):
        save_account(house.tracker, None, AccountForm(project="Help desk", type="maildir", folder=folder))
