"""E-mail accounts and the General Setup at rest; their passwords sealed.

Flows in: `Account` and `General` values. Flows out: the same; a password only through `account_password` and
`smtp_password`, for whoever is about to log in. Nothing here connects to anything.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime

import msgspec

from eventum.errors import Conflict, NotFound, Refused
from eventum.issues.accounts import Account
from eventum.issues.settings import General
from eventum.store import files, records
from eventum.store.folder import RecordFolder, by_id
from eventum.store.layout import Layout
from eventum.store.locks import Locks
from eventum.store.maker import Maker
from eventum.store.secrets import Secrets
from eventum.wording import N_

LOCK = "settings"
SMTP_PLACE = "general:general:smtp.password"
METRICS_PLACE = "general:general:metrics.token"


class Began(msgspec.Struct, frozen=True, kw_only=True):
    """When the mailbox of an account was fetched first: then `start` was applied, and is not again."""

    schema: int = 1
    mailbox: str
    when: datetime


class SettingsStore:
    """What an administrator set, of one store."""

    def __init__(self, layout: Layout, locks: Locks, keys: Secrets) -> None:
        self._layout = layout
        self._locks = locks
        self._keys = keys
        self._accounts = RecordFolder(layout.accounts, Account)

    def accounts(self) -> tuple[Account, ...]:
        """All accounts, in the order of ids. Raises `Damaged` for a file that cannot be used."""
        return tuple(self._accounts.all().values())

    def usable_accounts(self) -> tuple[Account, ...]:
        """All accounts but those that `damaged_accounts` names: one broken file must not stop the others."""
        return tuple(self._accounts.usable().values())

    def damaged_accounts(self) -> Mapping[str, str]:
        """What is wrong with the files of accounts that cannot be used, by id; a sentence each."""
        return self._accounts.damaged()

    def account(self, name: str) -> Account:
        """The account with this id or beginning of an id. Raises `NotFound`, `Damaged`."""
        if found := by_id(self._accounts, name):
            return found
        raise NotFound(
            N_("There is no e-mail account {name!r}; `flask accounts list` and Manage Email Accounts show all."),
            name=name,
        )

    def account_of(self, username: str, host: str, folder: str = "") -> Account:
        """The account Eventum's own cron line names: user name, host and perhaps mailbox. Raises `NotFound`."""
        for account in self._accounts.usable().values():
            same_host = account.host.lower() == host.lower()
            if same_host and account.username == username and folder in ("", account.folder):
                return account
        mailbox = f" and mailbox {folder!r}" if folder else ""
        raise NotFound(
            f"There is no e-mail account of {username!r} on {host!r}{mailbox}; `flask accounts list` shows all."
        )

    def save_account(self, account: Account, password: str | None = None) -> Account:
        """Write an account, new when its id is ""; what was written, with id and next revision.

        `password` is the new one in clear, None leaves it. Raises `Refused` when another account reads the same
        mailbox or takes the same address, `Conflict` when the account was changed meanwhile.
        """
        account = account if account.id else msgspec.structs.replace(account, id=secrets.token_hex(8))
        if password is not None:
            account = msgspec.structs.replace(account, password=self._keys.seal(password, _place(account)))
        with self._locks.record(LOCK):
            for other in self._accounts.all().values():
                if other.id != account.id:
                    _check_apart(account, other)
            return self._accounts.put(account)

    def delete_account(self, account: Account) -> None:
        """Take an account away; its mail and its state stay."""
        with self._locks.record(LOCK):
            self._accounts.remove(account.id)
            files.remove(self._layout.began_of(account.id))

    def began(self, account: str) -> Began | None:
        """When an account was fetched first; None when it never was. Raises `Damaged`."""
        try:
            return records.load(self._layout.began_of(account), Began).value
        except NotFound:
            return None

    def note_began(self, account: str, began: Began, maker: Maker) -> None:
        """Note when an account was fetched first; durable. It is no change of the account that a person would see."""
        maker.replace(self._layout.began_of(account), records.encode(began))

    def account_password(self, account: Account) -> str:
        """The password to log in with, "" when there is none. Raises `Damaged` when the key does not open it."""
        return self._keys.unseal(account.password, _place(account))

    def general(self) -> General:
        """The General Setup; the defaults while nothing was set. Raises `Damaged` when its file cannot be used."""
        try:
            return records.load(self._layout.general, General).value
        except NotFound:
            return General()

    def save_general(
        self, general: General, smtp_password: str | None = None, metrics_token: str | None = None
    ) -> General:
        """Write the General Setup; what was written. The secrets are the new ones in clear, None leaves them.

        Raises `Conflict` when it was changed meanwhile.
        """
        if smtp_password is not None:
            smtp = msgspec.structs.replace(general.smtp, password=self._keys.seal(smtp_password, SMTP_PLACE))
            general = msgspec.structs.replace(general, smtp=smtp)
        if metrics_token is not None:
            metrics = msgspec.structs.replace(general.metrics, token=self._keys.seal(metrics_token, METRICS_PLACE))
            general = msgspec.structs.replace(general, metrics=metrics)
        with self._locks.record(LOCK):
            try:
                before = records.load(self._layout.general, General)
            except NotFound:
                before = None
            if general.revision != (before.value.revision if before else 0):
                raise Conflict(
                    N_("The General Setup was changed by somebody else meanwhile; look at it and try again.")
                )
            general = msgspec.structs.replace(general, revision=general.revision + 1)
            files.atomic_write(self._layout.general, records.encode(general, before))
        return general

    def smtp_password(self, general: General) -> str:
        """The password for the SMTP server, "" when there is none. Raises `Damaged` when the key does not open it."""
        return self._keys.unseal(general.smtp.password, SMTP_PLACE)

    def metrics_token(self, general: General) -> str:
        """What `/metrics` is read with, "" when there is none. Raises `Damaged` when the key does not open it."""
        return self._keys.unseal(general.metrics.token, METRICS_PLACE)


def _place(account: Account) -> str:
    return f"account:{account.id}:password"


def _mailbox(account: Account) -> Mapping[str, object]:
    return {"host": account.host.lower(), "username": account.username, "folder": account.folder}


def _check_apart(account: Account, other: Account) -> None:
    """Two accounts on one mailbox would each take the other's mail; two takers of an address would both file it."""
    if account.type == other.type == "delivered":
        if both := set(account.addresses) & set(other.addresses):
            raise Refused(
                N_("{address} is taken by account {id}; an address is delivered to one account."),
                address=min(both),
                id=other.id,
                field="addresses",
            )
    elif account.type != "delivered" and other.type != "delivered" and _mailbox(account) == _mailbox(other):
        raise Refused(
            N_("Account {id} reads this mailbox already; change that one."),
            id=other.id,
            field="folder" if account.type == "maildir" else "username",
        )
