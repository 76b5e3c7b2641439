"""A tracker after some weeks of work: what browser tests, the permissions table, languages and pictures stand on.

Two projects, their people, mail of all kinds, notes, drafts, a queue with failures. Nothing of the product is
replaced: everything is made by its own verbs and runners, on a clock that stands still where the scene ends.
"""

import re
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

import msgspec

from eventum.config import Config
from eventum.issues.accounts import Account
from eventum.issues.issue import Issue, messages
from eventum.issues.people import Project, User
from eventum.issues.settings import Smtp
from eventum.mail.enclosure import Enclosure
from eventum.mail.envelope import Envelope
from eventum.mail.message import parse
from eventum.runners.fetching import Download
from eventum.runners.incoming import Incoming
from eventum.runners.outgoing import Outgoing
from eventum.runners.runner import running
from eventum.store.imports import Import
from eventum.tracker import (
    associate,
    bulk,
    change,
    correspond,
    first_visit,
    founding,
    invitations,
    mailboxes,
    membership,
    opening,
    passwords,
    views,
)
from eventum.tracker import responses as canned
from eventum.tracker.mailboxes import AccountForm
from eventum.tracker.membership import ProjectForm, UserForm
from eventum.tracker.opening import NewIssue
from eventum.tracker.reading import raw_bytes
from eventum.tracker.responses import ResponseForm
from eventum.tracker.tracker import Tracker
from tests.servers import smtp_sink

NOW = datetime(2026, 11, 20, 9, 42, tzinfo=UTC)  # A Friday.
PASSWORD = "correct horse battery"
HELP, ORDERS, BILLING, DESK = (f"{name}@lighthouse.example" for name in ("help", "orders", "billing", "desk"))
ADA, DANA, SAM, YUKI, OLU, VERA, RITA, OTTO, IRIS, GONE = (
    f"{name}@lighthouse.example"
    for name in ("ada", "dana", "sam", "yuki", "olu", "vera", "rita", "otto", "iris", "gone")
)
ANA, MISAKI, BEN, NOVAK, STRANGER, KATZ = (
    "ana@costa.example",
    "misaki@sato.example",
    "ben@howe.example",
    "novak@posta.example",
    "sales@bulk.example",
    "katz@howe.example",
)
IMPORT = "1a2b3c4d5e6f7081"
FILTER = "♥"  # A saved filter of everybody.
VERAS_NEXT = "vera@blum.example"
Step = tuple[timedelta, Callable[[], object]]
LENS = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)
# Letters that look strange but say the same, so that a text of ours stands out among data.
GREEK = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "αβχδεφγηιϕκλμνοπθρστυϖωξψζΑΒΧΔΕΦΓΗΙΘΚΛΜΝΟΠΘΡΣΤΥΩΩΞΨΖ",
)


def plainly(text: str) -> str:
    """The words as they stand."""
    return text


def in_greek(text: str) -> str:
    """The words without a Latin letter, so that whatever has some is the program's own."""
    return text.translate(GREEK)


class Scene:
    """The store of the scene; `words` is what data is written in."""

    def __init__(self, root: Path, words: Callable[[str], str] = plainly) -> None:
        self.root = root
        self.words = words
        self.now = NOW
        self.config = Config(data=root / "data", secret_file=root / "secret.json", cache=root / "cache")
        self.tracker = Tracker(self.config, clock=lambda: self.now)

    def build(self) -> "Scene":
        """Make all of it."""
        founding.found(self.tracker, UserForm(email=ADA, name=self.words("Ada Lindqvist"), password=_hash()))
        self.tracker.open()
        self._people()
        self._accounts()
        with smtp_sink.running() as sink:
            general = self.tracker.settings.general()
            smtp = Smtp(host="localhost", port=sink.port, from_=HELP)
            caption = self.words("Lighthouse")
            self.tracker.settings.save_general(
                msgspec.structs.replace(
                    general, smtp=smtp, tool_caption=caption, base_url="http://tracker.lighthouse.example"
                )
            )
            sink.at_rcpt[NOVAK] = "550 5.1.1 <novak@posta.example>: Recipient address rejected: User unknown"
            sink.at_rcpt[MISAKI] = "450 4.7.1 Greylisted, come back in five minutes"
            self._tell()
            self.now = NOW
        return self

    def copied(self, root: Path) -> "Scene":
        """The same scene at another place, to be changed."""
        shutil.copytree(self.root, root, symlinks=True, dirs_exist_ok=True)
        return Scene(root, self.words)

    def close(self) -> None:
        """Let go of the store."""
        self.tracker.close()

    # What tests ask it

    def user(self, email: str) -> User:
        """Somebody."""
        return self.tracker.people.user(email)

    def project(self, title: str) -> Project:
        """A project by the title it has in English."""
        return self.tracker.people.project(self.words(title))

    def issue(self, summary: str) -> Issue:
        """The issue that was opened under this summary."""
        summary = self.words(summary)
        for number in sorted(self.tracker.issues.numbers()):
            issue = self.tracker.issues.load(number)
            if issue.summary == summary:
                return issue
        raise AssertionError(f"no issue {summary!r}")

    def account(self, address: str) -> Account:
        """The account of one of our addresses."""
        return next(one for one in self.tracker.settings.usable_accounts() if address in one.addresses)

    def token(self, kind: str, recipient: str) -> str:
        """What stands in a link that was sent to somebody: kind is "invitation" or "confirm"."""
        for entry in self.tracker.outbox.entries():
            text = parse(raw_bytes(entry.path)).text
            if entry.posting.recipient == recipient and (found := re.search(rf"/{kind}/([^\s>]+)", text)):
                return found[1]
        raise AssertionError(f"no {kind} for {recipient}")

    # How it came about

    def _people(self) -> None:
        said = self.words
        categories = tuple(map(said, ("Question", "Repair", "Return")))
        priorities = tuple(map(said, ("High", "Medium", "Low")))
        for title, email, more in (("Help desk", HELP, {"categories": categories}), ("Orders", ORDERS, {})):
            form = ProjectForm(title=said(title), sender_email=email, sender_name=said(title), priorities=priorities)
            membership.save_project(self.tracker, None, msgspec.structs.replace(form, **more))
        both = ("Help desk", "Orders")
        for email, name, roles in (
            (DANA, "Dana Reyes", {"Help desk": "developer"}),
            (SAM, "Sam Okafor", {"Help desk": "standard"}),
            (YUKI, "Yuki Tanaka", {"Help desk": "manager", "Orders": "standard"}),
            (OLU, "Olu Adeyemi", {"Orders": "developer"}),
            (VERA, "Vera Blum", dict.fromkeys(both, "viewer")),
            (RITA, "Rita Holm", {"Help desk": "reporter"}),
            (OTTO, "Otto Berg", {"Orders": "reporter"}),
            (GONE, "Nils Gone", {"Help desk": "standard"}),
        ):
            members = tuple((said(title), role) for title, role in roles.items())
            form = UserForm(email=email, name=said(name), password=_hash(), members=members, timezone="Europe/Berlin")
            membership.save_user(self.tracker, None, form)
        membership.save_user(self.tracker, GONE, UserForm(active=False))
        membership.save_user(
            self.tracker,
            DANA,
            UserForm(signature=said("Dana Reyes\nLighthouse Optics"), aliases=("dana@reyes.example",)),
        )
        for title, text in (
            (
                "Ask for the serial number",
                "Hello,\n\ncould you send us the serial number? It stands under the lens mount.",
            ),
            ("On its way", "Hello,\n\nyour parcel left us today and should be with you within three days."),
        ):
            canned.save_response(self.tracker, None, ResponseForm(title=said(title), text=said(text)))

    def _accounts(self) -> None:
        for address, title, auto in ((HELP, "Help desk", True), (ORDERS, "Orders", False)):
            folder = self.root / "boxes" / address.partition("@")[0]
            for part in ("tmp", "new", "cur"):
                (folder / part).mkdir(parents=True)
            assign = (DANA,) if auto else ()
            form = AccountForm(type="maildir", folder=str(folder), auto_create=auto, assign=assign)
            self._account(form, title, address)
        remote = AccountForm(host="127.0.0.1", username=BILLING, password="not a secret", port=1)
        self._account(msgspec.structs.replace(remote, type="imap/ssl"), "Orders", BILLING)
        old = msgspec.structs.replace(remote, type="pop3/ssl", host="pop.lighthouse.example", port=995, paused=True)
        self._account(old, "Help desk", f"old.{HELP}")
        self._account(AccountForm(type="delivered"), "Help desk", DESK)
        # Mail was imported once, and all of it left since.
        self.tracker.imports.save(
            Import(
                id=IMPORT,
                account=self.account(DESK).id,
                path="/var/mail/archive.mbox",
                by=self.user(ADA).id,
                began=NOW + ago(days=14, hours=2),
                ended=NOW + ago(days=14, hours=1),
                mails=5,
                skipped=2,
                outcomes={"unassociated": 2},
                unreadable=("archive.mbox:417: no header ends",),
            )
        )

    def _account(self, form: AccountForm, title: str, address: str) -> None:
        form = msgspec.structs.replace(
            form, project=self.words(title), addresses=(address,), quiet_before="never", start="all"
        )
        mailboxes.save_account(self.tracker, None, form)

    def _tell(self) -> None:
        """Live through the story; at the end of every day what is due is sent."""
        today = NOW + min(when for when, _ in self._story())
        for when, step in sorted(self._story(), key=lambda one: one[0]):
            if (NOW + when).date() != today.date():
                self.now = today.replace(hour=17, minute=30)
                self.send()
            today = self.now = NOW + when
            step()

    def _story(self) -> list[Step]:
        """Two weeks: what happened, and how long before the end."""
        said, tracker = self.words, self.tracker
        letter = correspond.Letter
        shutter, firmware, invoice = "The shutter does not open", "ファームウェアの更新について", "Invoice 2026-118"
        file = Enclosure(f"{said('label')}.pdf", "application/pdf", b"%PDF-1.4\n" + b"0" * 48_000)
        sorry = letter(text=said("Thank you. We looked into it: send it in."), signed=True)
        march = letter(text=said("Same fault as in the March batch; see the list."))
        begun = letter(text=said("Hello Ana,\n\nit came in this morning, and"))

        def number(summary: str) -> int:
            return self.issue(summary).number

        def answers(name: str, text: str, **who: str) -> Callable[[], object]:
            return lambda: self._answer(number(shutter), name, text, **who)

        def replies(who: str, summary: str, what: correspond.Letter) -> Callable[[], object]:
            return lambda: correspond.reply(tracker, number(summary), who, what)

        return [
            (ago(days=13), lambda: self.arrive(self._letter(ANA, "Ana Costa", shutter, SHUTTER, "shutter"))),
            *((ago(days=days), self._routine(count)) for count, (days, _) in enumerate(ROUTINE)),
            (ago(days=12), replies(DANA, shutter, letter(text=said("Hello Ana,\n\nwhich camera is it?"), signed=True))),
            *((ago(days=11 - count), answers(f"more{count}", QUOTING)) for count in range(3)),
            *((ago(days=11 - count, hours=-4), replies(DANA, shutter, sorry)) for count in range(3)),
            *(
                (
                    ago(days=6 - count),
                    lambda subject=subject: change.close(tracker, number(subject), DANA, said("Done.")),
                )
                for count, (_, subject) in enumerate(ROUTINE[:4])
            ),
            (ago(days=5, hours=3), self._tripods),
            (ago(days=4, hours=2), lambda: self._opens(RITA, "Help desk", "My own lens")),
            (ago(days=4, hours=1), lambda: self._opens(OTTO, "Orders", "When do tripods come?")),
            (ago(days=3), lambda: correspond.note(tracker, number(shutter), YUKI, march)),
            (ago(days=2, hours=5), self._sorted_out),
            (
                ago(days=2, hours=3),
                lambda: self.arrive(self._letter(MISAKI, "佐藤美咲", firmware, FIRMWARE, "firmware", "iso-2022-jp")),
            ),
            (ago(days=2, hours=2), replies(YUKI, shutter, letter(text=said("The label is attached."), files=(file,)))),
            (ago(days=1, hours=5), lambda: self.arrive(self._scratch())),
            (ago(days=1, hours=4), replies(DANA, firmware, letter(text="12月の予定です。", status="open"))),
            (ago(days=1, hours=3), lambda: change.assign(tracker, number(firmware), YUKI, (YUKI,))),
            (ago(days=1, hours=2), lambda: self.arrive(self._letter(NOVAK, "Jan Novak", invoice, TWO_LENSES, "inv"))),
            (
                ago(hours=25),
                replies(YUKI, invoice, letter(text=said("You are right; here is the new one."), status="waiting")),
            ),
            (ago(hours=24), lambda: change.unassign(tracker, number(invoice), YUKI, (DANA,))),
            # A stranger answers in Ana's thread.
            (
                ago(hours=23),
                answers("stranger", "I know how to mend it. Buy from us.", sender=STRANGER, who="Bulk Sales"),
            ),
            *((ago(hours=20 - count), self._waiting(count)) for count in range(len(WAITING))),
            (ago(hours=9), self._flyer),
            (
                ago(hours=8),
                lambda: self.arrive(
                    self._letter(MISAKI, "佐藤美咲", "注文の確認", ORDER, "order-ja", "shift_jis"), to=ORDERS
                ),
            ),
            (
                ago(hours=8),
                lambda: self.arrive(
                    self._letter(BEN, "Ben Howe", "Left at your desk", "I left a lens there.", "desk"), to=DESK
                ),
            ),
            (
                ago(hours=7),
                lambda: self.arrive(
                    self._letter(KATZ, "Otto Katz", "Wrong parcel", "I got somebody else's.", "parcel"), to=ORDERS
                ),
            ),
            (ago(hours=1), lambda: correspond.keep_draft(tracker, number(shutter), DANA, begun)),
            (ago(minutes=50), self._people_come),
            (ago(minutes=7), self.send),
            (ago(minutes=4), self._last),
            (ago(minutes=3), self.download),
        ]

    def _routine(self, count: int) -> Callable[[], object]:
        """One of many short questions."""
        sender, name = f"customer{count}@mail.example", CUSTOMERS[count % len(CUSTOMERS)]
        return lambda: self.arrive(self._letter(sender, name, ROUTINE[count][1], ROUTINE_TEXT, f"r{count}"))

    def _waiting(self, count: int) -> Callable[[], object]:
        """A mail of no issue."""
        sender, name = ((ANA, "Ana Costa"), (BEN, "Ben Howe"))[count % 2]
        return lambda: self.arrive(self._letter(sender, name, *WAITING[count], f"w{count}"), to=ORDERS)

    def _scratch(self) -> EmailMessage:
        """A mail with HTML, a picture in it, and one that would tell its sender who looks."""
        said = self.words
        mail = self._letter(BEN, "Ben Howe", "A scratch, or dust?", "Is it a scratch, or can it be cleaned?", "scratch")
        mail.add_alternative(
            f"<html><body><p>{said('Is it')} <b>{said('a scratch')}</b>, {said('or can it be cleaned?')}</p>"
            f'<p><img src="cid:lens@howe.example" alt="{said("the lens")}">'
            '<img src="https://shop.howe.example/logo.png" width="80" alt="">'
            '<img src="https://tracking.bulk.example/pixel.gif" width="1" height="1" alt=""></p></body></html>',
            subtype="html",
        )
        html = mail.get_payload()[1]
        html.add_related(LENS, "image", "png", cid="<lens@howe.example>", filename=f"{said('lens')}.png")
        shop = self._letter("shop@bulk.example", "The shop", "Your order", "It left us today.", "order")
        shop.add_alternative(
            f'<p>{said("It left us today.")}</p><img src="https://shop.bulk.example/lens.jpg" width="90" alt="">',
            subtype="html",
        )
        mail.add_attachment(shop)
        return mail

    def _flyer(self) -> None:
        """Something nobody wants, which is put away."""
        mail = self._letter(STRANGER, "Bulk Sales", "Lenses at half the price", "Only this week.", "bulk")
        mail.add_alternative(f"<p>{self.words('Only this week.')}</p>", subtype="html")
        self.arrive(mail, to=ORDERS)
        subject = self.words("Lenses at half the price")
        associate.remove(self.tracker, YUKI, next(key for key, about in self.pool() if about == subject))

    def _tripods(self) -> None:
        said = self.words
        what = NewIssue(
            project=said("Orders"),
            summary=said("Tripods are sold out"),
            description=said("Until January."),
            priority=said("High"),
            assign=(OLU,),
        )
        opening.open_issue(self.tracker, OLU, what)

    def _opens(self, who: str, title: str, summary: str) -> None:
        said = self.words
        what = NewIssue(project=said(title), summary=said(summary), description=said("Please tell me."))
        opening.open_issue(self.tracker, who, what)

    def _sorted_out(self) -> None:
        """Statuses, priorities, and who works on what."""
        said, tracker = self.words, self.tracker
        shutter, cold, adapter, estimate, wet = (
            self.issue(subject).number
            for subject in ("The shutter does not open", *(subject for _, subject in ROUTINE[5:]))
        )
        bulk.set_status(tracker, self.user(DANA), (shutter, cold), "open")
        bulk.set_status(tracker, self.user(DANA), (wet, adapter), "waiting")
        bulk.assign(tracker, self.user(YUKI), (wet, estimate), self.user(ADA).id)
        for number, priority in ((shutter, "High"), (cold, "Medium"), (wet, "Low")):
            change.edit(tracker, number, YUKI, change.Edit(change.check_field("priority"), "", said(priority)))

    def _people_come(self) -> None:
        """Somebody is invited, somebody wants another address, and everybody keeps a filter."""
        said, tracker = self.words, self.tracker
        invited = UserForm(email=IRIS, name=said("Iris Roy"), members=((said("Help desk"), "standard"),))
        invitations.add(tracker, invited, self.user(ADA))
        invitations.ask_for_address(tracker, self.user(VERA), VERAS_NEXT)
        for user in tracker.people.users():
            views.save(tracker, user, FILTER, views.Wanted(status="open"))

    def _last(self) -> None:
        """What came last: a mail that nobody could read, and one of which nobody is told yet."""
        spool = self.tracker.spool
        raw = self._letter(STRANGER, "Bulk Sales", "Broken on the way", "...", "broken").as_bytes()
        envelope = Envelope(destination=self.account(HELP).id, received=self.now, sender=STRANGER)
        spool.accept([(envelope, raw)])
        for entry in spool.claim(spool.waiting()):
            spool.bury(entry, "the run that read it died, three times", 3)
        self.arrive(self._letter(BEN, "Ben Howe", "A filter that sticks", ROUTINE_TEXT, "filter"))

    # How mail comes and goes

    def arrive(self, *mails: EmailMessage, to: str = HELP) -> None:
        """Mails come in and are decided."""
        envelope = Envelope(destination=self.account(to).id, received=self.now)
        self.tracker.spool.accept([(envelope, mail.as_bytes()) for mail in mails])
        Incoming(self.tracker, lambda disposition: None).work()

    def send(self) -> None:
        """Send what is due, as `flask process-queue` does."""
        with running(self.tracker, "process-queue"):
            Outgoing(self.tracker).work()
        self._date_answers()

    def download(self) -> None:
        """Fetch the mailboxes, as `flask download-emails` does."""
        with running(self.tracker, "download-emails"):
            usable = [
                one for one in self.tracker.settings.usable_accounts() if not one.paused and one.type != "delivered"
            ]
            Download(self.tracker).run(usable)

    def pool(self) -> list[tuple[str, str]]:
        """(key, subject) of the mails of no issue."""
        return [
            (path.stem, self.tracker.pool.load(path.parent.name, path.stem).mail.subject)
            for path in sorted(self.config.data.glob("pool/*/*.json"))
        ]

    def _date_answers(self) -> None:
        """What far ends said, and when they are asked again, is noted by the machine's clock, which is later than the
        scene's.
        """
        now = f"{self.now:%Y-%m-%dT%H:%M:%SZ}"
        for log in (self.config.data / "spool" / "out" / "log").glob("*.jsonl"):
            lines = log.read_text(encoding="utf-8")
            log.write_text(re.sub(r'(?<="when":")[^"]*', lambda found: min(found[0], now), lines), encoding="utf-8")
        later = int(time.time() - self.now.timestamp())
        for path in (self.config.data / "spool" / "out" / "new").iterdir():
            at = re.search(r"(?<=N=)\d+", path.name)
            if at and int(at[0]) > time.time():
                path.rename(path.with_name(path.name.replace(at[0], str(int(at[0]) - later))))

    def _answer(self, number: int, name: str, text: str, *, sender: str = ANA, who: str = "Ana Costa") -> None:
        """Somebody answers the newest mail of an issue."""
        newest = list(messages(self.tracker.issues.load(number).events))[-1]
        mail = self._letter(sender, who, f"Re: {newest.subject}", text, name)
        mail["In-Reply-To"] = newest.message_id
        mail["References"] = newest.message_id
        self.arrive(mail)

    def _letter(
        self, sender: str, name: str, subject: str, text: str, ident: str, charset: str = "utf-8"
    ) -> EmailMessage:
        mail = EmailMessage()
        mail["From"] = f'"{self.words(name)}" <{sender}>'
        mail["To"] = HELP
        mail["Subject"] = "Re: " * subject.startswith("Re: ") + self.words(subject.removeprefix("Re: "))
        mail["Message-ID"] = f"<{ident}@{sender.rpartition('@')[2]}>"
        mail["Date"] = format_datetime(self.now)
        mail.set_content(self.words(text), charset=charset)
        return mail


def ago(**distance: float) -> timedelta:
    """So long before the end."""
    return -timedelta(**distance)


def _hash() -> str:
    """The hash of PASSWORD, made once: it takes a third of a second."""
    if not _HASHES:
        _HASHES.append(passwords.hashed(PASSWORD))
    return _HASHES[0]


_HASHES: list[str] = []
CUSTOMERS = ("Ivo Lang", "Chloe Petit", "Kofi Mensah", "Mia Sand", "Tariq Aziz")
SHUTTER = """Hello,

since yesterday the shutter of my LC-3 does not open any more. The counter says 4,210.
What can I do? The manual is at https://manuals.example/lc-3.

Kind regards
Ana Costa"""
ROUTINE_TEXT = "Hello,\n\nwhat do you suggest?\n\nKind regards"
FIRMWARE = "ライトハウス御中\n\nLC-3のファームウェア2.1はいつ公開されますか。\nよろしくお願いいたします。\n\n佐藤美咲"
ORDER = "先週の注文を確認してください。"
TWO_LENSES = "The invoice says two lenses; I bought one."
QUOTING = """It is an LC-3.

Ana

On Monday Dana Reyes wrote:
> Hello Ana,
>
> which camera is it?
>
> Dana Reyes"""
ROUTINE = (
    (12, "Lens cap lost"),
    (11, "Strap too short"),
    (10, "Second invoice please"),
    (9, "Which bag fits?"),
    (8, "Battery empties overnight"),
    (7, "Display stays dark after a night in the cold, and the battery is new"),
    (6, "Adapter for the old mount"),
    (4, "Repair estimate"),
    (3, "Can I use it in the rain?"),
)
WAITING = (
    ("Order 7731", "I ordered a strap and a cap. When will they come?"),
    ("Address change", "We moved. The new address is in the signature."),
    ("Re: your offer", "Yes please, ten of them."),
)


class Bare:
    """A store as `flask init` leaves it: nobody can log in, and `code` opens the set-up."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.now = NOW
        self.config = Config(data=root / "data", secret_file=root / "secret.json", cache=root / "cache")
        self.tracker = Tracker(self.config, clock=lambda: self.now)
        founding.found(self.tracker, None)
        self.code = first_visit.new_code(self.tracker)

    def close(self) -> None:
        """Let go of the store."""
        self.tracker.close()
