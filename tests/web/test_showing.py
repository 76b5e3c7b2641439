"""A mail as it is shown: remote pictures by choice, mails in mails, its source, invitations, badges, limits."""

import base64
import re
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.house import House
from tests.web.browser import Browser, Site

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNg+M/AAAADAQEAyf6S7wAAAABJRU5ErkJggg=="
)
REMOTE = '<p>News</p><img src="http://shop.example/a.jpg"><img src="https://shop.example/p.gif" width=1 height=1>'
PDF = b"%%PDF-1.4\n1 0 obj\n<< /Type /Catalog %s >>\nendobj\ntrailer << /Root 1 0 R >>\n%%%%EOF"
INVITATION = """BEGIN:VCALENDAR
METHOD:REQUEST
BEGIN:VEVENT
UID:1@x
SUMMARY:The lens
LOCATION:Room 4
DTSTART:20261116T090000Z
DTEND:20261116T100000Z
ORGANIZER;CN=Ana Costa:mailto:ana@customer.example
ATTENDEE;CN=Dev;PARTSTAT=ACCEPTED:mailto:dev@example.org
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n")


@pytest.fixture
def dev(site: Site) -> Browser:
    return site.browser("dev@example.org")


def letter(subject: str = "News", html: str = "", sender: str = "ana@customer.example") -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = f"Ana <{sender}>"
    mail["To"] = "support@example.org"
    mail["Subject"] = subject
    mail["Message-ID"] = f"<{re.sub('[^a-z]', '', subject.lower())}@customer.example>"
    mail.set_content(f"The text of {subject}.")
    if html:
        mail.add_alternative(html, subtype="html")
    return mail


def put(house: House, mail: EmailMessage) -> str:
    """The key of a mail that came."""
    house.now += timedelta(minutes=1)
    (found,) = house.arrive(mail.as_bytes())
    return found.key


def frame(browser: Browser, key: str, inside: str = "") -> tuple[str, str]:
    """The markup of the frame and its policy."""
    page = browser.get(f"/mails/{key}/html{'/' if inside else ''}{inside}")
    return page.html, page.headers["Content-Security-Policy"]


def choose(browser: Browser, page: str, key: str, do: str) -> None:
    answer = browser.submit(page, f"/mails/{key}/pictures", do=do)
    assert answer.status == 303


def test_remote_pictures_are_off_until_somebody_wants_them_for_this_mail(house: House, dev: Browser) -> None:
    key, other = put(house, letter(html=REMOTE)), put(house, letter("Other", REMOTE))
    page = dev.get(f"/mails/{key}")
    assert "1 remote image not shown" in page.text and "1 tracking pixel kept out" in page.text
    assert "which browser" in page.text
    html, policy = frame(dev, key)
    assert "shop.example" not in html and "https:" not in policy
    choose(dev, f"/mails/{key}", key, "once")
    html, policy = frame(dev, key)
    assert '<img referrerpolicy="no-referrer" src="https://shop.example/a.jpg">' in html and "p.gif" not in html
    assert "img-src data: https:;" in policy and "script" not in policy and policy.startswith("sandbox allow-popups")
    assert "https:" not in frame(dev, other)[1]
    choose(dev, f"/mails/{key}", key, "never")
    assert "https:" not in frame(dev, key)[1]


def test_always_is_for_this_sender_and_this_reader(house: House, site: Site, dev: Browser) -> None:
    key = put(house, letter(html=REMOTE))
    choose(dev, f"/mails/{key}", key, "always")
    later, stranger = put(house, letter("Later", REMOTE)), put(house, letter("Loud", REMOTE, "eve@x.example"))
    assert "https:" in frame(dev, later)[1] and "https:" not in frame(dev, stranger)[1]
    house.user("sue", "developer")
    assert "https:" not in frame(site.browser("sue@example.org"), later)[1]
    assert "ana@customer.example" in dev.get("/preferences").text
    assert dev.submit("/preferences", "/preferences/pictures").status == 303
    assert "https:" not in frame(dev, later)[1]


def test_a_sender_who_is_not_clear_is_never_chosen_for_ever(house: House, dev: Browser) -> None:
    mail = letter(html=REMOTE)
    mail._headers.append(("From", "eve@x.example"))  # type: ignore[attr-defined]  # a second From
    key = put(house, mail)
    page = dev.get(f"/mails/{key}")
    assert "Show for this mail" in page.text and "Always for" not in page.text
    choose(dev, f"/mails/{key}", key, "always")
    assert "https:" not in frame(dev, key)[1]


def test_a_mail_in_a_mail_opens_with_its_own_files_and_frame(house: House, dev: Browser) -> None:
    innermost = letter("Innermost", "<p>deep <img src=cid:p></p>")
    innermost.get_payload()[1].add_related(PNG, "image", "png", cid="<p>", filename="p.png")
    inner = letter("Inner", REMOTE)
    inner.add_attachment(b"a,b\n", "text", "csv", filename="list.csv")
    inner.add_attachment(innermost)
    outer = letter("Outer")
    outer.add_attachment(inner)
    key = put(house, outer)
    page = dev.get(f"/mails/{key}")
    assert f"/mails/{key}/mail/2" in page.links
    page = dev.get(f"/mails/{key}/mail/2")
    assert page.status == 200 and "Nobody checked" in page.text and "Inner" in page.text
    assert (
        dev.get(f"/mails/{key}/parts/2/2").headers["Content-Disposition"].startswith('attachment; filename="list.csv"')
    )
    html, _ = frame(dev, key, "2")
    assert "News" in html and "shop.example" not in html
    choose(dev, f"/mails/{key}/mail/2", key, "once")
    assert "https:" in frame(dev, key, "2")[1] and "https:" not in frame(dev, key, "2/3")[1]
    assert "data:image/png" in frame(dev, key, "2/3")[0]
    assert "Innermost" in dev.get(f"/mails/{key}/mail/2/3").text
    assert "Subject: Innermost" in dev.get(f"/mails/{key}/source/2/3").text
    for path in ("1", "2/1", "2/3/1", "9", "2/9", "2//3", "x", "2/../3", "2/3/3/3/3/3/3/3/3/3"):
        assert dev.get(f"/mails/{key}/mail/{path}").status in (404, 308)
        assert dev.get(f"/mails/{key}/source/{path}").status in (404, 308)


def test_a_mail_in_a_mail_is_a_piece_for_a_page_that_asks_for_one(house: House, dev: Browser) -> None:
    outer = letter("Outer")
    outer.add_attachment(letter("Inner", REMOTE))
    key = put(house, outer)
    answer = dev.client.get(f"/mails/{key}/mail/2", headers={"HX-Request": "true"})
    assert b"<article" in answer.data and b"<html" not in answer.data and b"<iframe" in answer.data


def test_the_source_is_shown_in_pages_with_what_nobody_sees_written_out(house: House, dev: Browser) -> None:
    mail = letter("Long")
    mail.set_content("A line of a long mail.\n" * 9_000 + "\u202egpj.exe\n", cte="8bit")
    key = put(house, mail)
    first, last = dev.get(f"/mails/{key}/source"), dev.get(f"/mails/{key}/source?page=99")
    assert "page 1 of 4" in first.text and "Message-ID:" in first.text and "X-Eventum" not in first.text
    assert "page 4 of 4" in last.text and "<U+202E>gpj.exe" in last.text


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (PDF % b"", "application/pdf"),
        (PDF % b"/OpenAction << /S /JavaScript /JS (app.alert\\('x'\\)) >>", ""),
        (PDF % b"/OpenAction << /S /J#61vaScript >>", ""),
        (PNG, "image/png"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", ""),
        (b"<html><script>alert(1)</script>", ""),
        (b"<?xml version='1.0'?><x/>", ""),
    ],
    ids=["pdf", "pdf with a script", "pdf with a veiled script", "png", "svg", "html", "xml"],
)
def test_what_can_be_looked_at_is_told_by_its_bytes(house: House, dev: Browser, data: bytes, shown: str) -> None:
    mail = letter()
    mail.add_attachment(data, "application", "pdf", filename="a.pdf")
    key = put(house, mail)
    answer = dev.get(f"/mails/{key}/parts/2?show=1")
    assert answer.headers["Content-Type"] == (shown or "application/octet-stream")
    assert answer.headers["Content-Disposition"].startswith("inline" if shown else "attachment")
    assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert dev.get(f"/mails/{key}/parts/2").headers["Content-Disposition"].startswith("attachment")


def test_an_invitation_is_summarised(house: House, dev: Browser) -> None:
    mail = letter("Come")
    mail.add_alternative(INVITATION, subtype="calendar", params={"method": "REQUEST"})
    page = dev.get(f"/mails/{put(house, mail)}")
    for words in ("Invitation", "The lens", "Room 4", "Ana Costa", "will come"):
        assert words in page.text


def test_a_signed_mail_says_so_and_that_nobody_checked(house: House, dev: Browser) -> None:
    raw = (
        b"From: ana@customer.example\r\nTo: support@example.org\r\nSubject: Signed\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary=b\r\n\r\n'
        b"--b\r\nContent-Type: text/plain\r\n\r\nHello.\r\n--b\r\nContent-Type: application/pkcs7-signature; "
        b"name=smime.p7s\r\nContent-Transfer-Encoding: base64\r\n\r\nMAA=\r\n--b--\r\n"
    )
    (found,) = house.arrive(raw)
    assert "Signed (S/MIME), not checked" in dev.get(f"/mails/{found.key}").text


def test_a_limit_that_was_reached_is_said_with_its_number(house: House, dev: Browser) -> None:
    raw = b"From: ana@customer.example\r\nTo: support@example.org\r\nSubject: Parts\r\nMIME-Version: 1.0\r\n"
    raw += b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 1200 + b"--b--\r\n"
    (found,) = house.arrive(raw)
    assert "Only the first 1,000 parts were read" in dev.get(f"/mails/{found.key}").text


def test_the_conversation_has_the_frame_where_a_mail_has_html(house: House, dev: Browser) -> None:
    key = put(house, letter(html=REMOTE))
    page = dev.get("/issues/1")
    (found,) = (attributes for tag, attributes in page.elements if tag == "iframe")
    assert found["src"] == f"/mails/{key}/html" and found["loading"] == "lazy"
    assert found["sandbox"] == "allow-popups allow-popups-to-escape-sandbox"


def test_the_conversation_says_what_the_page_of_the_mail_says(house: House, dev: Browser) -> None:
    mail = letter("Come")
    mail.add_attachment(INVITATION.encode(), maintype="text", subtype="calendar", filename="invite.ics")
    mail.add_attachment(b"\x00", maintype="application", subtype="octet-stream", filename="odd.bin")
    mail.add_attachment(PNG, maintype="image", subtype="png", filename="lamp.png")
    for number in range(14):
        mail.add_attachment(b"x", maintype="application", subtype="zip", filename=f"{number}.zip")
    key = put(house, mail)
    for page in (dev.get(f"/mails/{key}"), dev.get("/issues/1")):
        assert "The lens" in page.text and "Room 4" in page.text
        assert "5 more files" in page.text and "13.zip" in page.text
        assert f"/mails/{key}/parts/4?show=1" in page.html


def test_limits_and_badges_stand_in_the_conversation_and_an_empty_mail_says_so(house: House, dev: Browser) -> None:
    head = b"From: ana@customer.example\r\nTo: support@example.org\r\nSubject: Parts\r\nMIME-Version: 1.0\r\n"
    house.arrive(
        head + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 1200 + b"--b--\r\n",
        (Path(__file__).parent.parent / "corpus" / "smime-encrypted.eml").read_bytes(),
        head + b"\r\n",
    )
    assert "Only the first 1,000 parts were read" in dev.get("/issues/1").text
    page = dev.get("/issues/2").text
    assert "Encrypted (S/MIME)" in page and "It can only be read with the key of its recipient" in page
    assert "This mail has no text." not in page
    assert "This mail has no text." in dev.get("/issues/3").text
