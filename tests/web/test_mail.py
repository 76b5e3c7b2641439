"""The mail view: nothing in it runs, loads or lies about its name, and who may not see a mail finds none."""

import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from eventum.issues.accounts import AutoCreation
from eventum.tracker import membership
from eventum.tracker.membership import ProjectForm
from tests.house import House, mail
from tests.web.browser import Browser, Site

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
EVIL = (
    '<h1 onclick="x()">Hello</h1><script>alert(1)</script><img src="https://track.example/p.gif">'
    '<a href="javascript:alert(1)">one</a><a href="https://shop.example/">two</a>'
    '<form action="/x"><input name="p"></form>'
    '<img src="cid:pic@x"><iframe src="/issues"></iframe><style>@import url(https://t.example)</style>'
    '<div style="background:url(https://t.example/b);color:red">styled</div><base href="https://t.example/">'
)


def rich(html: str, *files: tuple[str, str, str]) -> bytes:
    """A mail with HTML, the picture that it names, and files (type, Content-Disposition, base64)."""
    parts = [f"Content-Type: text/html; charset=utf-8\r\n\r\n{html}\r\n"]
    parts.append(
        "Content-Type: image/png\r\nContent-ID: <pic@x>\r\nContent-Disposition: inline; filename=pic.png\r\n"
        f"Content-Transfer-Encoding: base64\r\n\r\n{PNG}\r\n"
    )
    for kind, disposition, data in files:
        parts.append(
            f"Content-Type: {kind}\r\nContent-Disposition: {disposition}\r\n"
            f"Content-Transfer-Encoding: base64\r\n\r\n{data}\r\n"
        )
    body = "".join(f"--b\r\n{part}" for part in parts) + "--b--"
    return mail("Rich", body, MIME_Version="1.0", Content_Type="multipart/related; boundary=b", Message_ID="<rich@x>")


@pytest.fixture
def dev(site: Site) -> Browser:
    return site.browser("dev@example.org")


def put(house: House, raw: bytes) -> str:
    """The key of a mail that opened an issue."""
    (found,) = house.arrive(raw)
    return found.key


class Tags(HTMLParser):
    """All elements of a document with their attributes."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note."""
        self.found.append((tag, {name: value or "" for name, value in attrs}))


def test_a_mail_shows_its_people_headers_text_and_why_it_is_here(house: House, dev: Browser) -> None:
    key = put(house, mail(Cc="bo@x.example"))
    page = dev.get(f"/mails/{key}")
    for words in ("The printer is on fire", "Please come.", "ana@customer.example", "bo@x.example", "opens an issue"):
        assert words in page.text
    assert "Message-ID:" in page.text and "X-Eventum" not in page.text and "/issues/1" in page.links


def test_the_frame_holds_nothing_that_runs_or_loads(house: House, dev: Browser) -> None:
    key = put(house, rich(EVIL))
    outer = dev.get(f"/mails/{key}")
    frame = next(attributes for tag, attributes in outer.elements if tag == "iframe")
    assert frame["src"] == f"/mails/{key}/html" and "allow-scripts" not in frame["sandbox"]
    assert "allow-same-origin" not in frame["sandbox"] and "1 remote image not shown" in outer.text
    inner = dev.get(f"/mails/{key}/html")
    policy = inner.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox") and "default-src 'none'" in policy and "script" not in policy
    tags = Tags(inner.html).found
    assert not {tag for tag, _ in tags} & {"script", "form", "input", "iframe", "base", "object", "svg", "link"}
    for _, attributes in tags:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "srcset", "background", "action"):
            value = attributes.get(name, "")
            assert value == "" or value.startswith(("data:image/png;base64,", "https://shop.example/"))
        assert "url(" not in attributes.get("style", "")
    assert "Hello" in inner.text and f"data:image/png;base64,{PNG}" in inner.html and "color:red" in inner.html
    assert "track.example" not in inner.html and "t.example" not in inner.html.replace("shop.example", "")


def test_html_too_deep_to_be_cleaned_is_shown_as_text(house: House, dev: Browser) -> None:
    key = put(house, rich("<div>" * 3000 + "at the bottom"))
    page = dev.get(f"/mails/{key}")
    assert "too deeply nested to be shown" in page.text and "at the bottom" in page.text
    assert not [tag for tag, _ in page.elements if tag == "iframe"]
    assert "at the bottom" not in dev.get(f"/mails/{key}/html").text


def test_the_raw_mail_is_what_came_byte_for_byte(house: House, dev: Browser) -> None:
    raw = mail('Bad "name"\u202egpj/../../etc')
    answer = dev.get(f"/mails/{put(house, raw)}/raw")
    assert answer.data == raw and answer.headers["Content-Type"] == "message/rfc822"
    assert_harmless(answer.headers)
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="Bad name gpj .. .. etc.eml"')


def assert_harmless(headers: object) -> None:
    said = dict(headers)  # type: ignore[call-overload]
    assert said["X-Content-Type-Options"] == "nosniff"
    assert said["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    name = said["Content-Disposition"]
    assert re.fullmatch(
        r'(attachment|inline); filename="[A-Za-z0-9 ._()+,=@-]+"; filename\*=UTF-8\'\'[\x21-\x7e]+', name
    )
    assert "/" not in name.partition("UTF-8''")[2] and ".." not in name.partition('"')[2].partition('"')[0][:2]


@pytest.mark.parametrize(
    ("kind", "disposition"),
    [
        ("text/html", "attachment; filename=a.html"),
        ("text/html\x0bX: y", "attachment; filename=a"),
        ("image/svg+xml", "inline; filename=a.svg"),
        ("application/javascript", 'inline; filename="../../etc/passwd"'),
        ("text/html; charset=utf-7", "inline; filename*=utf-8''%0d%0aSet-Cookie:%20a=b"),
        ("image/png", 'inline; filename="gpj.\u202eexe"'),
        ("image/png", "attachment; filename=" + "x" * 5000 + ".png"),
        ("x/" + "y" * 9000, "attachment; filename=CON"),
        ("application/octet-stream", 'attachment; filename="..\\\\..\\\\boot.ini"'),
        ("application/pdf", "attachment"),
        ("application/xhtml+xml", "attachment; filename=*;?|<>.html"),
    ],
)
def test_an_attachment_is_a_file_to_save_whatever_it_calls_itself(
    house: House, dev: Browser, kind: str, disposition: str
) -> None:
    key = put(house, rich("<p>x", (kind, disposition, "PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==")))
    page = dev.get(f"/mails/{key}")
    assert page.status == 200
    links = [link for link in page.links if "/parts/" in link and "show" not in link]
    assert links
    for link in links:
        answer = dev.get(link)
        assert_harmless(answer.headers)
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        assert answer.headers["Content-Type"] in ("application/octet-stream", "image/png")
        if b"script" in answer.data:
            # Asked to show it, it is still saved: by its bytes it is no picture.
            assert dev.get(f"{link}?show=1").headers["Content-Disposition"].startswith("attachment;")
            assert answer.headers["Content-Type"] == "application/octet-stream"


def test_a_picture_can_be_looked_at(house: House, dev: Browser) -> None:
    key = put(house, rich("<p>x", ("application/octet-stream", "attachment; filename=a.png", PNG)))
    answer = dev.get(f"/mails/{key}/parts/3?show=1")
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Content-Disposition"].startswith("inline; ")
    assert_harmless(answer.headers)


@pytest.mark.parametrize(
    "ident", ["x", "..%2f..", "%00", "....//", "%2e%2e", "0" * 64, "a" * 300, "/etc/passwd", "..", "1;2", "%ff%fe"]
)
def test_an_id_that_is_none_is_not_found(house: House, dev: Browser, ident: str) -> None:
    key = put(house, rich("<p>x"))
    for path in (f"/mails/{ident}", f"/mails/{ident}/html", f"/mails/{ident}/raw", f"/mails/{ident}/parts/1"):
        assert dev.get(path).status in (404, 308)
    for part in (ident, "1.2.3.4", "9", "-1", "1.", "²"):
        assert dev.get(f"/mails/{key}/parts/{part}").status in (404, 308)


def test_who_may_see_which_mail(house: House, site: Site) -> None:
    membership.save_project(house.tracker, None, ProjectForm(title="Sales"))
    for name, project, role in (
        ("sam", "Sales", "manager"),
        ("vic", "Help desk", "viewer"),
        ("sue", "Help desk", "standard"),
    ):
        house.user(name, "")
        form = membership.UserForm(members=((project, role),))
        membership.save_user(house.tracker, f"{name}@example.org", form)
    opened = put(house, mail(Message_ID="<root@customer.example>"))
    house.now += timedelta(minutes=1)
    blocked = put(house, mail("Re", From="s@posta.example", In_Reply_To="<root@customer.example>"))
    house.set_account(auto_create=AutoCreation(enabled=False))
    pooled = put(house, mail("Loose", From="eve@x.example"))
    sees = {
        "admin": {opened, blocked, pooled},
        "dev": {opened, blocked, pooled},
        "sue": {opened, blocked, pooled},
        "vic": {opened},
        "sam": set(),
    }
    bodies = set()
    for name, keys in sees.items():
        browser = site.browser(f"{name}@example.org")
        for key in (opened, blocked, pooled):
            for path in (f"/mails/{key}", f"/mails/{key}/raw"):
                page = browser.get(path)
                assert page.status == (200 if key in keys else 404), (name, path)
                if key not in keys and name == "sam":
                    bodies.add(page.text)
            assert browser.get(f"/mails/{key}/parts/77").status == browser.get(f"/mails/{key}/html").status == 404
    bodies.add(site.browser("sam@example.org").get(f"/mails/{'0' * 64}").text)
    assert len(bodies) == 1
    assert site.browser().get(f"/mails/{opened}").status == 302


def test_why_it_is_here_is_for_staff(house: House, site: Site) -> None:
    key = put(house, mail())
    house.user("vic", "viewer")
    assert "Auto-Creation" in site.browser("dev@example.org").get(f"/mails/{key}").text
    assert "Auto-Creation" not in site.browser("vic@example.org").get(f"/mails/{key}").text


def test_a_blocked_mail_can_be_decided_where_it_is_read(house: House, dev: Browser) -> None:
    put(house, mail(Message_ID="<root@customer.example>"))
    key = put(house, mail("Re", From="s@posta.example", In_Reply_To="<root@customer.example>"))
    assert dev.submit(f"/mails/{key}", f"/issues/1/blocked/{key}/ignore").path == f"/mails/{key}"
    page = dev.get(f"/mails/{key}")
    assert "Blocked, ignored: it waits for nobody." in page.text
    assert f"/issues/1/blocked/{key}/ignore" not in [form.action for form in page.forms]
    assert dev.submit(page, f"/issues/1/blocked/{key}/accept").status == 303
