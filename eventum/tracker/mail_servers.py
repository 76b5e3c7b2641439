"""How a mail server on this machine hands mail to an account of type Maildir: what to write where, filled in.

Flows in: a tracker. Flows out: for each server the steps, with the paths, the user and the addresses of this
installation. Only what works today is said: the server writes into a Maildir as our user, and the account reads it.

Sources: Postfix local(8) (delivery rights, Maildir by a slash at the end), aliases(5), postalias(1); Exim's
specification, chapters 15, 22 and 26; Sendmail's smrsh(8), procmailrc(5); qmail's dot-qmail(5), qmail-users(5).
"""

import grp
import os
import re
import shlex

import msgspec

from eventum.issues.accounts import Account
from eventum.tracker import lines
from eventum.tracker.tracker import Tracker
from eventum.wording import N_


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """An address whose mail goes into a Maildir; an example while no account has one."""

    address: str
    folder: str
    is_example: bool = False

    @property
    def local(self) -> str:
        """What stands before the @."""
        return self.address.rpartition("@")[0]

    @property
    def domain(self) -> str:
        """What stands behind it."""
        return self.address.rpartition("@")[2]

    @property
    def name(self) -> str:
        """A word for it in files of other programs."""
        return "eventum_" + (re.sub(r"[^a-z0-9]+", "_", self.local.lower()).strip("_") or "mail")


class Step(msgspec.Struct, frozen=True):
    """What to do, a marked sentence with `{file}` for a place; and the lines for it."""

    words: str
    text: str
    file: str = ""


class Way(msgspec.Struct, frozen=True):
    """All there is to do for one mail server; `words` is what to know first."""

    name: str
    words: str
    steps: tuple[Step, ...]


def boxes(tracker: Tracker) -> tuple[Box, ...]:
    """The Maildirs that accounts read, with their addresses."""
    found = [
        Box(address=address, folder=account.folder)
        for account in tracker.settings.usable_accounts()
        if account.type == "maildir"
        for address in _plain(account)
    ]
    example = Box(address="support@example.org", folder=f"/var/mail/{lines.user()}/support", is_example=True)
    return tuple(found) or (example,)


def ways(tracker: Tracker) -> tuple[Way, ...]:
    """Each mail server we know, in the order of how many have it."""
    found = boxes(tracker)
    return (_postfix(found), _exim(found), _sendmail(found), _qmail(found))


def folders(found: tuple[Box, ...]) -> Step:
    """The Maildirs, ours and nobody else's."""
    each = dict.fromkeys(box.folder for box in found)
    made = "\n".join(
        f"install -d -m 700 -o {shlex.quote(lines.user())} -g {shlex.quote(_group())} "
        + " ".join(shlex.quote(path) for path in (folder, *(f"{folder}/{part}" for part in ("new", "cur", "tmp"))))
        for folder in each
    )
    return Step(N_("As root, make the Maildir. Where it lies, our user must be able to go."), made)


def _postfix(found: tuple[Box, ...]) -> Way:
    user, group = shlex.quote(lines.user()), shlex.quote(_group())
    aliases = "/etc/postfix/eventum/aliases"
    entries = "\n".join(f'{_alias(box.local)}: "{_escaped(box.folder)}/"' for box in found)
    commands = [
        f"chown {user}:{group} {aliases}",
        f"postalias hash:{aliases}",
        f'postconf -e "alias_maps = $(postconf -h alias_maps), hash:{aliases}"',
        "postfix reload",
    ]
    return Way(
        "Postfix",
        N_(
            "Postfix writes as the owner of the file of aliases, so that file is ours. The slash at the end says "
            "Maildir."
        ),
        (
            folders(found),
            Step(
                N_("As root, make a place for our aliases."),
                f"install -d -m 755 -o {user} -g {group} /etc/postfix/eventum",
            ),
            Step(N_("Write into {file}:"), entries, aliases),
            Step(N_("As root, make them known. The domain must be one of mydestination."), "\n".join(commands)),
        ),
    )


def _exim(found: tuple[Box, ...]) -> Way:
    routers = "\n\n".join(
        f"{box.name}:\n  driver = accept\n  domains = {_listed(box.domain)}\n  local_parts = {_listed(box.local)}\n"
        f"  transport = {box.name}_maildir"
        for box in found
    )
    transports = "\n\n".join(
        f"{box.name}_maildir:\n  driver = appendfile\n  maildir_format\n  directory = {_expanded(box.folder)}\n"
        f"  create_directory = false\n  delivery_date_add\n  envelope_to_add\n  return_path_add\n"
        f"  user = {lines.user()}\n  group = {_group()}\n  mode = 0600"
        for box in found
    )
    return Way(
        "Exim",
        N_("On Debian with split configuration each part is a file of its own in the folder that is named."),
        (
            folders(found),
            Step(N_("Before the router system_aliases, in {file}:"), routers, "/etc/exim4/conf.d/router/350_eventum"),
            Step(N_("Among the transports, in {file}:"), transports, "/etc/exim4/conf.d/transport/30_eventum"),
            Step(
                N_("As root, look whether it is understood, and begin with it."),
                "\n".join(
                    [
                        "update-exim4.conf",
                        *(f"exim4 -bt {shlex.quote(box.address)}" for box in found),
                        "systemctl reload exim4",
                    ]
                ),
            ),
        ),
    )


def _sendmail(found: tuple[Box, ...]) -> Way:
    user = lines.user()
    rules = "\n\n".join(f":0\n* ^TO_{_pattern(box.address)}\n{_procmail(box.folder)}/" for box in found)
    return Way(
        "Sendmail",
        N_("Sendmail itself writes no Maildirs; procmail does it, as our user."),
        (
            folders(found),
            Step(
                N_("Add to {file}, then run newaliases:"),
                "\n".join(f"{_alias(box.local)}: {user}" for box in found),
                "/etc/mail/aliases",
            ),
            Step(N_("In our user's home, write into {file}:"), rules, "~/.procmailrc"),
            Step(
                N_("If procmail is not the local mailer (FEATURE(local_procmail)), write into {file}, mode 644:"),
                '"|exec procmail"',
                "~/.forward",
            ),
            Step(
                N_("Where smrsh guards what may be run, as root (on Debian the folder is /etc/mail/smrsh):"),
                "ln -s /usr/bin/procmail /etc/smrsh/procmail",
            ),
        ),
    )


def _qmail(found: tuple[Box, ...]) -> Way:
    home = _home()
    assigned = "\n".join(
        f"={box.local.lower()}:{lines.user()}:{os.geteuid()}:{os.getegid()}:{home}:-:{box.name}:" for box in found
    )
    files = [
        Step(N_("Write into {file}, mode 600, owned by our user:"), f"{box.folder}/", f"{home}/.qmail-{box.name}")
        for box in found
    ]
    return Way(
        "qmail",
        N_("qmail writes as the user that users/assign names. The slash at the end says Maildir."),
        (
            folders(found),
            Step(N_("Add to {file}, above the line that is a dot alone:"), assigned, "/var/qmail/users/assign"),
            *files,
            Step(N_("As root, make it known."), "/var/qmail/bin/qmail-newu"),
        ),
    )


def _plain(account: Account) -> tuple[str, ...]:
    """The addresses that can be written into other programs' files without a second thought."""
    return tuple(one for one in account.addresses if re.fullmatch(r"[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+", one))


def _group() -> str:
    try:
        return grp.getgrgid(os.getegid()).gr_name
    except KeyError:  # A container may run as a number.
        return str(os.getegid())


def _home() -> str:
    return os.path.expanduser("~")


def _alias(local: str) -> str:
    return local if re.fullmatch(r"[A-Za-z0-9._+-]+", local) else f'"{_escaped(local)}"'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _listed(text: str) -> str:
    """An item of a list of Exim's, where a colon ends it."""
    return text.replace(":", "::")


def _expanded(text: str) -> str:
    """A string that Exim expands: its dollar and backslash stand for themselves."""
    return text.replace("\\", "\\\\").replace("$", "\\$")


def _pattern(address: str) -> str:
    """The address as procmail's expression, up to where it ends."""
    return re.sub(r"([.+])", r"\\\1", address) + "([^-a-zA-Z0-9.]|$)"


def _procmail(path: str) -> str:
    return re.sub(r"([\\$ \t\"'`])", r"\\\1", path)
