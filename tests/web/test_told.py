"""Lines that are told once."""

from flask import Blueprint, Response, redirect
from werkzeug.wrappers import Response as Redirect

from eventum.web.access import allows
from eventum.web.page import page, told
from tests.web.browser import Site


def test_a_line_is_told_once_with_its_way_back(site: Site) -> None:
    bp = Blueprint("telling", __name__)

    @bp.post("/tell")
    @allows("user")
    def tell() -> Redirect:
        told("Removed <b>.", undo="/take-back", key="k7")
        return redirect("/seen", 303)

    @bp.get("/seen")
    @allows("user")
    def seen() -> Response:
        return page("error.html", title="Seen")

    @bp.get("/piece")
    @allows("user")
    def piece() -> Response:
        return page("macros.html")

    site.app.register_blueprint(bp)
    browser = site.browser("dev@example.org")
    assert browser.client.post("/tell", data={"csrf_token": browser.get("/seen").form("/logout").values["csrf_token"]})
    browser.get("/piece")
    first = browser.get("/seen")
    assert "Removed <b>." in first.text
    assert first.form("/take-back").values["key"] == ["k7"]
    assert "Removed" not in browser.get("/seen").text
