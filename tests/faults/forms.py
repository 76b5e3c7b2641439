"""The forms that people send in trials, as pages offer them, and the application that answers in this process."""

import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

WHO = "all@example.org"
FILES = ((b"\x89PNG and more", "picture.png", "image/png"), (b"one,two\r\n", "table.csv", "text/csv"))


class Step(NamedTuple):
    """A form on a page, by a pattern of where it goes, and what is filled in; with `files` some are chosen."""

    page: str
    action: str
    fields: Mapping[str, str] = {}
    files: bool = False


HOW = {"how": "mail", "reporter": "bo@customer.example"}
ASSOCIATE = Step("/emails", "/emails/associate", {"q": "2"})
REMOVE = Step("/emails", "/emails/remove")
CLOSE = Step("/issues/1", "/issues/1/close", {"reason": "Done."})
OWN = Step("/blocked", "/issues/1/blocked/.*/new-issue")
ACCEPT = Step("/blocked", "/issues/1/blocked/.*/accept")
UNDO = Step("/emails", "/emails/undo")
POSTS: dict[str, tuple[Step, ...]] = {
    "reply": (Step("/issues/1", "/issues/1/write.*", {"text": "It is mended."}, files=True),),
    "note": (Step("/issues/1", "/issues/1/write.*", {"text": "Only for us.", "form": "note"}, files=True),),
    "draft": (Step("/issues/1", "/issues/1/write.*", {"text": "Not yet.", "do": "draft"}, files=True),),
    "new-issue": (
        Step("/issues/new", "/issues/new", {"summary": "By mail", "text": "Dear Bo", "do": "open", **HOW}, files=True),
    ),
    "edit": (Step("/issues/1", "/issues/1/edit", {"new": "Another summary"}),),
    "close": (CLOSE,),
    "reopen": (CLOSE, Step("/issues/1", "/issues/1/reopen")),
    "subscribe": (Step("/issues/2", "/issues/2/list", {"address": "more@example.org", "do": "add"}),),
    "replier": (Step("/issues/2", "/issues/2/repliers", {"address": "more@example.org", "do": "add"}),),
    "associate": (ASSOCIATE,),
    "own-issue": (Step("/emails", "/emails/new-issue"),),
    "remove": (REMOVE,),
    "restore": (REMOVE, Step("/emails?list=removed", "/emails/restore")),
    "accept": (ACCEPT,),
    "allow": (Step("/blocked", "/issues/1/blocked/.*/allow"),),
    "blocked-own-issue": (OWN,),
    "ignore": (Step("/blocked", "/issues/1/blocked/.*/ignore"),),
    "take-out": (Step("/issues/1", "/issues/1/mails/.*/take-out"),),
    "undo-associate": (ASSOCIATE, UNDO),
    "undo-accept": (ACCEPT, UNDO),
    "undo-own-issue": (OWN, UNDO),
    "move-back": (REMOVE, Step("/emails", "/emails/move-back")),
}
COMMANDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "assign": (("issues", "assign", "1", WHO),),
    "note-command": (("issues", "note", "1", "--text", "Only for us.", "--as", "dev@example.org"),),
    "reply-command": (("issues", "reply", "1", "--text", "It is mended.", "--as", "dev@example.org"),),
    "close-command": (("issues", "close", "1", "--reason", "Done."),),
}


class Open:
    """The application on a trial's folder, in this process, with one client."""

    def __init__(self, root: Path, cookie: str = "") -> None:
        from app import create_app
        from eventum.config import Config
        from eventum.web import access, trackers

        config = Config(data=root / "data", secret_file=root / "secret.json", cache=root / "cache")
        self.app = create_app(config)
        self.app.wsgi_app.open()  # type: ignore[attr-defined]  # the door
        self.client = self.app.test_client()
        if not cookie:
            with self.app.test_request_context("/"):
                from flask import session

                access.enter(trackers.tracker().people.user(WHO))
                signing = self.app.session_interface.get_signing_serializer(self.app)  # type: ignore[attr-defined]
                cookie = signing.dumps(dict(session))
        self.client.set_cookie("eventum", cookie)

    def form(self, step: Step) -> dict[str, Any]:
        """What a post of that form says, as JSON holds it."""
        from tests.web.browser import Page

        page = Page(self.client.get(step.page))
        forms = [form for form in page.forms if form.method == "post" and re.fullmatch(step.action, form.action)]
        if not forms:
            raise RuntimeError(f"{step.page} has no form to {step.action}: {[form.action for form in page.forms]}")
        cookie = self.client.get_cookie("eventum")
        assert cookie is not None
        values = forms[0].values | {name: [value] for name, value in step.fields.items()}
        return {"path": forms[0].action, "values": values, "files": step.files, "cookie": cookie.value}

    def post(self, form: Mapping[str, Any]) -> int:
        """Send it; the status of the answer."""
        data: dict[str, Any] = dict(form["values"])
        if form["files"]:
            data["files"] = [(io.BytesIO(content), name, kind) for content, name, kind in FILES]
        answer = self.client.post(form["path"], data=data, content_type="multipart/form-data")
        answer.close()
        return answer.status_code

    def close(self) -> None:
        """Let go of the store."""
        from eventum.web import trackers

        self.app.extensions[trackers.KEY].close()
        self.app.extensions["eventum"].close()
