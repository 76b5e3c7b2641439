"""Mail in ISO-2022-JP: what we write is read back by our reader and by the standard library's."""

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from eventum.mail.address import Address
from eventum.mail.charsets import jis
from eventum.mail.compose import Draft, charset_for, compose
from eventum.mail.enclosure import Enclosure
from eventum.mail.forward import forward
from eventum.mail.message import parse

DRAFT = Draft(
    from_=Address("障害対応窓口", "issue-42@tracker.example"),
    to=(Address("山田 太郎", "taro@kaisha.example"),),
    cc=(Address("品質保証部・プリンタ担当・第二工場・電算室・夜間", "qa@kaisha.example"),),
    subject="Re: [#42] プリンタが動きません。至急ご連絡ください（第二工場、電算室、夜間窓口、内線1234番まで）",
    text="山田様\n\nご連絡ありがとうございます。Printer は\n修理中です。\n",
    message_id="<42@tracker.example>",
    date=datetime(2026, 11, 22, 15, 0, tzinfo=UTC),
    charset="iso-2022-jp",
)
_WORD = re.compile(r"=\?([^?]+)\?B\?([^?]*)\?=")
japanese = st.text("障害が発生しましたプリンタ工場。、（）ABC abc=?123\n", max_size=300)


def library(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=policy.default)  # type: ignore[return-value]


def decoded(field: str) -> str:
    """A field as the library's decoder reads it."""
    parts = decode_header(re.sub(r"\r\n", "", field))
    return "".join(part if isinstance(part, str) else part.decode(charset or "ascii") for part, charset in parts)


def test_a_mail_that_fits_is_iso_2022_jp_in_seven_bits() -> None:
    raw = compose(DRAFT)
    assert raw.isascii() and b"utf-8" not in raw.lower()
    mail = library(raw)
    assert (mail.get_content_charset(), mail["Content-Transfer-Encoding"]) == ("iso-2022-jp", "7bit")
    assert mail.get_content().replace("\r\n", "\n") == DRAFT.text
    assert mail["Subject"] == DRAFT.subject
    plain = message_from_bytes(raw)  # whose address fields are as they were sent
    assert decoded(plain["Cc"]) == f"{DRAFT.cc[0].name} <qa@kaisha.example>"
    ours = parse(raw)
    assert (ours.subject, ours.text.rstrip(), ours.from_) == (DRAFT.subject, DRAFT.text.rstrip(), (DRAFT.from_,))
    assert (*ours.to, *ours.cc) == (*DRAFT.to, *DRAFT.cc) and ours.defects == ()


@given(japanese, japanese, japanese)
def test_both_readers_read_back_what_was_written(subject: str, name: str, text: str) -> None:
    draft = replace(DRAFT, subject=subject, to=(Address(name, "taro@kaisha.example"),), text=text, cc=())
    assert charset_for(draft) == "iso-2022-jp"
    raw = compose(draft)
    wanted = " ".join(subject.split())
    mail = message_from_bytes(raw)
    assert decoded(mail["Subject"] or "") == wanted
    assert parse(raw).subject == wanted
    payload = mail.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert payload.decode("iso-2022-jp").replace("\r\n", "\n").rstrip("\n") == text.rstrip("\n")
    assert parse(raw).text.strip() == text.strip()
    head = raw[: raw.index(b"\r\n\r\n")].decode("ascii")
    assert all(len(line) <= 76 for line in head.split("\r\n") if "=?" in line)


@given(japanese)
def test_every_encoded_word_is_short_and_whole_in_itself(subject: str) -> None:
    head = compose(replace(DRAFT, subject=subject)).decode("ascii").partition("\r\n\r\n")[0]
    for word in _WORD.finditer(head):
        assert len(word[0]) <= 75
        ((data, charset),) = decode_header(word[0])
        assert isinstance(data, bytes) and charset == "iso-2022-jp"
        assert data.decode("iso2022_jp", "strict") and data.rpartition(b"\x1b")[2][:2] in (b"(B", data[:2])


@pytest.mark.parametrize(
    "odd", ["ﾌﾟﾘﾝﾀ", "①", "㈱", "髙橋", "é", "한국", "🔥", "¥100", "x" * 1000, "あ" * 500], ids=lambda odd: odd[:8]
)
@pytest.mark.parametrize("place", ["subject", "text", "name", "file"])
def test_a_mail_of_which_one_character_does_not_fit_is_utf_8_as_a_whole(odd: str, place: str) -> None:
    if place != "text" and len(odd) > 400:
        odd = "ﾌ"  # headers are folded and names cut: they have no line that is too long
    changed = {
        "subject": {"subject": f"障害 {odd}"},
        "text": {"text": f"障害\n{odd}\n"},
        "name": {"to": (Address(f"山田 {odd}", "taro@kaisha.example"),)},
        "file": {"files": (Enclosure(f"写真 {odd}.jpg", "image/jpeg", b"\xff"),)},
    }[place]
    raw = compose(replace(DRAFT, **changed))
    assert b"iso-2022-jp" not in raw.lower() and b"=?utf-8?" in raw
    assert odd.strip()[:20] in (parse(raw).subject + parse(raw).text + str(parse(raw).to) + str(parse(raw).attachments))


def test_signs_that_have_a_twin_in_jis_x_0208_fit() -> None:
    # What Windows types for a wave dash is read back as that by us, and as the wave dash by others.
    raw = compose(replace(DRAFT, text="10:00～11:00 ￠￡￢－∥—\n"))
    assert parse(raw).text.rstrip() == "10:00～11:00 ￠￡￢－∥―"
    assert library(raw).get_content().rstrip() == "10:00〜11:00 ¢£¬−‖―"


def test_names_of_files_are_said_for_old_readers_and_new_ones() -> None:
    name = "第二工場のプリンタの写真と見積書（最新版）.pdf"
    raw = compose(replace(DRAFT, files=(Enclosure(name, "application/pdf", b"%PDF"),)))
    assert [one.name for one in parse(raw).attachments] == [name]
    (part,) = library(raw).iter_attachments()
    assert decoded(part.get_param("name")) == name
    assert b"filename*0*=iso-2022-jp''" in raw


def test_a_mail_sent_on_has_headers_in_iso_2022_jp_and_its_body_untouched() -> None:
    body = "Grüße ①\r\n".encode()
    raw = forward(b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + body, replace(DRAFT, text=""))
    assert raw.endswith(body) and b"=?ISO-2022-JP?B?" in raw
    assert parse(raw).subject == DRAFT.subject


def test_without_the_wish_japanese_mail_is_utf_8() -> None:
    raw = compose(replace(DRAFT, charset="utf-8"))
    assert b"iso-2022-jp" not in raw.lower() and parse(raw).subject == DRAFT.subject


def test_no_escape_of_a_writer_gets_into_the_text() -> None:
    assert jis.encoded("\x1b$B") is None and jis.encoded("障\x1b(Bx") is None
    assert parse(compose(replace(DRAFT, text="\x1b$B>c32\x1b(B"))).text.strip() == "$B>c32(B"
