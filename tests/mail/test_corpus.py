"""Each mail of tests/corpus says what is expected of it, and both readers and every promise of `parse` agree on all."""

import runpy
from pathlib import Path

import msgspec
import pytest

from eventum.mail.message import Message, parse, part_bytes
from eventum.mail.parts import fast_tree, prepared

CORPUS = Path(__file__).resolve().parents[1] / "corpus"
MAILS = sorted(path.stem for path in CORPUS.glob("*.eml"))
JAPANESE = "障害報告: プリンタが動きません。\n至急お願いします。"
RUN = runpy.run_path(str(Path(__file__).with_name("corpus_run.py")))

EXPECTED: dict[str, dict[str, object]] = {
    "gmail-reply": {
        "in_reply_to": ("<eventum.42.3.0.k4@tracker.example>",),
        "html": True,
        "lines": ("Yes, it works now – thank you!", "> Is there paper in it?"),
    },
    "outlook-reply": {
        "sender": "jens.meier@firma.example",
        "message_id": "<AM0PR04MB1234567890ABCDEF1234567890@AM0PR04MB1234.eurprd04.prod.outlook.example>",
        "lines": ("Grüße – er druckt wieder.", "Von: Support <issue-42@tracker.example>"),
    },
    "apple-mail-reply": {
        "lines": ("Before the picture.", "After the picture."),
        "attachments": (("2", "Screenshot 1.png", "image/png", 28, True),),
    },
    "thunderbird-reply": {
        "references": (
            "<root@customer.example>",
            "<eventum.9.1.0.aa@tracker.example>",
            "<eventum.9.2.0.bb@tracker.example>",
        ),
        "lines": ("> Which mouse?", "The grey one…", "-- "),
    },
    "japanese-iso-2022-jp": {"subject": "障害報告", "name": "山田太郎", "text": JAPANESE},
    "japanese-shift-jis": {"subject": "障害報告", "name": "山田太郎", "text": JAPANESE},
    "japanese-euc-jp": {"subject": "障害報告", "name": "山田太郎", "text": JAPANESE},
    "japanese-utf-8": {"subject": "障害報告", "name": "山田太郎", "text": JAPANESE},
    "japanese-iso-2022-jp-ms": {"text": "①㈱ ﾃｽﾄ 障害"},
    "japanese-unlabelled": {"subject": "障害のお知らせ", "text": "プリンタが動きません。"},
    "raw-8-bit-headers": {"subject": "Größe geändert", "name": "Jürgen Müller"},
    "raw-latin-1-headers": {"subject": "Größe geändert", "name": "Jürgen Müller", "text": "Grün"},
    "split-encoded-word": {"subject": "プリンタ故障。"},
    "quoted-encoded-word": {"name": "山田 太郎", "sender": "yamada@kaisha.example"},
    "encoded-word-comma": {"name": "Doe, Jörg: Sales", "sender": "joerg@customer.example"},
    "encoded-word-crlf": {"subject": "Hello Bcc: victim@tracker.example"},
    "rfc-2231-name": {"attachments": (("2", "障害報告.pdf", "application/pdf", 9, False),)},
    "two-from-lines": {"sender": "", "defects": ("two-from",)},
    "address-in-display-name": {"sender": "", "name": "admin@tracker.example"},
    "address-in-encoded-name": {"sender": "", "name": "admin@tracker.example"},
    "several-from-addresses": {"sender": ""},
    "encoded-word-as-address": {"sender": ""},
    "no-message-id": {
        "message_id": "<eventum-made.6e5da6c9a50cf2bb1677e44e673f2ab5@content.invalid>",
        "message_id_made": True,
        "defects": ("no-message-id",),
    },
    "no-date": {"when": None, "received_when": "2026-11-16T08:15:01+00:00", "defects": ("no-date",)},
    "bad-date": {"when": None, "defects": ("bad-date",)},
    "odd-date": {"when": "2026-11-16T00:15:00+00:00"},
    "mbox-line": {"sender": "alice@customer.example", "defects": ("mbox-line",)},
    "bare-cr": {"subject": "The printer is silent", "text": "first\nsecond"},
    "bare-cr-in-multipart": {"text": "one\n\ntwo"},
    "lf-only": {"text": "one", "attachments": (("2", "fix.patch", "text/x-diff", 5, False),)},
    "nul-bytes": {"subject": "a b", "name": "Ali ce", "text": "onetwo"},
    "unterminated-multipart": {
        "text": "one",
        "attachments": (("2", "a.png", "image/png", 28, False),),
        "defects": ("unterminated",),
    },
    "multipart-without-parts": {"text": "The text stands where no part is.", "defects": ("no-parts",)},
    "multipart-without-boundary": {"lines": ("The text stands here.",), "defects": ("no-parts",)},
    "same-boundary-inside": {"text": "inner"},
    "headers-without-blank-line-in-part": {"text": "No blank line stood before this."},
    "bad-base64": {"text": "Hello world!"},
    "unknown-charset": {"text": "naïve", "defects": ("unknown-charset",)},
    "dangerous-charset": {"text": "\\u0041 \\x42", "defects": ("unknown-charset",)},
    "wrong-charset": {"text": "Grüße – 日本"},
    "gb2312": {"text": "打印机坏了，喆"},
    "nested-25-deep": {"text": "At the bottom."},
    "nested-2000-deep": {"lines": ("At the bottom.",), "defects": ("kept-whole",)},
    "many-parts": {"defects": ("too-many-parts",)},
    "megabyte-header": {"subject": "The printer is silent", "text": "body"},
    "message-rfc822": {
        "text": "Please look.",
        "attachments": (("2", "Secret plan.eml", "message/rfc822", 191, True),),
    },
    "tnef": {"attachments": (("2", "winmail.dat", "application/ms-tnef", 12, False),)},
    "dsn": {"automatic": "bounce", "return_path": "", "lines": ("I could not deliver your message to",)},
    "vacation": {"automatic": "auto-reply", "text": "I am away until Monday."},
    "mailing-list": {"automatic": "list"},
    "html-only": {
        "html": True,
        "text": "Hello you & me,\nsecond line\n\n- one\n- two\n\na  b\n\nthe page <https://customer.example/x>\n\n"
        "> Is there paper?\n> Look.",
    },
    "html-inline-image": {
        "text": "Look: [the error]",
        "attachments": (("2", "image001.png", "image/png", 28, True),),
        "cid": "pic1@customer.example",
    },
    "broken-html": {"lines": ("One", "four")},
    "empty": {"text": "", "sender": "", "message_id_made": True},
    "only-headers": {"text": "", "subject": "The printer is silent"},
    "only-text": {"text": "This is only a text.\n\nNo field stands above it.", "sender": ""},
    "no-blank-line": {"text": "This is the text\nand this its second line", "defects": ("no-blank-line",)},
    "junk-line-in-headers": {"subject": "x", "text": "body", "defects": ("junk-in-headers",)},
    "uuencode": {"attachments": (("1", "note.txt", "application/octet-stream", 12, False),)},
    "path-in-file-name": {
        "attachments": (
            ("2", "passwd", "application/octet-stream", 1, False),
            ("3", "report.doc", "application/octet-stream", 1, False),
            ("4", "part-4.bin", "application/octet-stream", 1, False),
        )
    },
    "raw-file-name": {"attachments": (("2", "障害 報告.pdf", "application/pdf", 1, False),)},
    "forward-as-new": {"forwarded": True, "references": ("<eventum.42.3.0.k4@tracker.example>",)},
    "folded-ids": {
        "message_id": "<bare.id@customer.example>",
        "in_reply_to": ("<eventum.42.3.0.k4@tracker.example>",),
        "references": ("<a@x.example>", "<b@x.example>"),
    },
    "groups-and-comments": {
        "sender": "alice@customer.example",
        "recipients": ("bob@x.example", "carol@x.example", "dave@x.example"),
        "cc": (),
        "delivered_to": ("support@tracker.example", "issue-42@tracker.example"),
        "return_path": "alice@customer.example",
    },
    "bidi-subject": {"subject": "invoicegpj.exe"},
    "inner-text-attachment": {
        "text": "The text.",
        "attachments": (
            ("2", "trace.log", "text/plain", 6, True),
            ("3", "part-3.txt", "text/plain", 6, False),
        ),
    },
    "signed": {
        "text": "Signed text.",
        "attachments": (("2", "OpenPGP_signature", "application/pgp-signature", 60, False),),
    },
}


def read(name: str) -> bytes:
    return (CORPUS / f"{name}.eml").read_bytes()


def seen(message: Message, field: str) -> object:
    """One thing that is expected of a mail, as the table above writes it."""
    match field:
        case "name":
            return message.from_[0].name
        case "recipients":
            return tuple(entry.address for entry in message.to)
        case "attachments":
            return tuple((each.part, each.name, each.type, each.size, each.inline) for each in message.attachments)
        case "cid":
            return message.attachments[0].cid
        case "when":
            return message.date and message.date.isoformat()
        case "received_when":
            return message.received and message.received.isoformat()
    return getattr(message, field)


def test_every_mail_of_the_corpus_has_its_expectation_and_its_line_in_the_readme() -> None:
    assert sorted(EXPECTED) == MAILS
    listed = (CORPUS / "README.md").read_text()
    assert [name for name in MAILS if f"`{name}.eml`" not in listed] == []


@pytest.mark.parametrize("name", MAILS)
def test_a_mail_says_what_is_expected(name: str) -> None:
    message = parse(read(name))
    expected = dict(EXPECTED[name])
    for line in expected.pop("lines", ()):  # type: ignore[attr-defined]
        assert line in message.text
    assert {field: seen(message, field) for field in expected} == expected


@pytest.mark.parametrize("name", MAILS)
def test_both_readers_make_the_same_of_a_mail(name: str) -> None:
    assert not RUN["differ"](read(name))


@pytest.mark.parametrize("name", MAILS)
def test_a_mail_comes_back_from_json_and_from_msgpack(name: str) -> None:
    message = parse(read(name))
    assert msgspec.json.decode(msgspec.json.encode(message), type=Message) == message
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(message), type=Message) == message


@pytest.mark.parametrize("name", MAILS)
def test_each_attachment_can_be_fetched_and_has_the_size_that_was_said(name: str) -> None:
    raw = read(name)
    for attachment in parse(raw).attachments:
        assert len(part_bytes(raw, attachment.part)) == attachment.size


def test_line_ends_do_not_change_what_a_mail_is() -> None:
    names = [name for name in MAILS if not name.startswith(("bare-cr", "nested-2000", "many", "megabyte"))]
    for name in names:
        crlf = read(name).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        lf = crlf.replace(b"\r\n", b"\n")
        one, other = parse(crlf), parse(lf)
        assert (one.digest, one.text, one.message_id) == (other.digest, other.text, other.message_id), name


def test_ordinary_mails_take_the_fast_reader() -> None:
    for name in ("gmail-reply", "outlook-reply", "apple-mail-reply", "thunderbird-reply", "signed", "dsn", "tnef"):
        assert fast_tree(*prepared(read(name))) is not None, name


def test_the_run_over_a_folder_finds_nothing_bad() -> None:
    lines: list[str] = []
    assert RUN["run"](CORPUS, lines.append) == 0
    assert lines[-3].startswith(f"{len(MAILS)} mails, 0 bad")
