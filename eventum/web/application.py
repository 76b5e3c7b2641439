"""What Flask is told before the first request: keys, headers, forms, languages, screens.

Flows in: the application. Flows out: the same, furnished. Each part says for itself what it adds; here is their order,
and what belongs to no screen: the signing keys of sessions, and the headers of every answer.
"""

from flask import Flask, Request, Response, request
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask_wtf import CSRFProtect
from itsdangerous import SignatureExpired, TimestampSigner, URLSafeTimedSerializer
from werkzeug.routing import IntegerConverter

from eventum.errors import EventumError
from eventum.web import access, errors, l10n, page, screens, trackers
from eventum.web.trackers import tracker

# Nothing comes from elsewhere, and no script or style stands in a page. Tabler's arrows and ticks are data: pictures.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
MAX_REQUEST = 30 << 20  # Bytes of one request, its attachments included.
MAX_FIELDS = 5_000  # Fields of one form: bulk actions tick many rows.
MAX_FIELD = 4 << 20  # Bytes of the fields that are no files.
YEAR = 365 * 24 * 3600


class Number(IntegerConverter):
    """A number in an address: as long as one of an issue can be, for it becomes the name of a file."""

    regex = r"\d{1,9}"


class Signer(TimestampSigner):
    """Signs cookies with the time; one of a time that is to come was signed before the clock was set back.

    How old a session may be at all is looked at in `access`, by a time that it carries itself.
    """

    def unsign(self, signed_value, max_age=None, return_timestamp=False):  # type: ignore[no-untyped-def]  # as inherited
        """As inherited, without the refusal of what is not yet."""
        value, signed = super().unsign(signed_value, None, return_timestamp=True)
        if max_age is not None and self.get_timestamp() - signed.timestamp() > max_age:
            raise SignatureExpired("The session is too old.", payload=value, date_signed=signed)
        return (value, signed) if return_timestamp else value


class Sessions(SecureCookieSessionInterface):
    """Signed cookies; their keys are the installation's, read when the first session is."""

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """As inherited, with our signer."""
        serializer = super().get_signing_serializer(app)
        if serializer is not None:
            serializer.signer = Signer
        return serializer

    def open_session(self, app: Flask, request: Request):  # type: ignore[no-untyped-def]  # Flask's own types are private
        """The session of a request."""
        if app.secret_key is None:
            try:
                newest, *older = tracker().secrets.session_keys
            except (EventumError, OSError):
                return None  # Without a store there are no sessions; whoever asks for the store is told why.
            app.config["SECRET_KEY_FALLBACKS"] = older
            app.secret_key = newest
        return super().open_session(app, request)

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:
        """Whether the answer carries the cookie: not for a piece of a page that changed nothing in it.

        Such an answer may come late, and would put an older session over a newer one: a line that waits to be told,
        or the session itself after a new password.
        """
        return session.modified or (not request.headers.get("HX-Request") and super().should_set_cookie(app, session))

    def get_cookie_secure(self, app: Flask) -> bool:
        """Whether the cookie goes over TLS only: as soon as this installation says that it is reached so."""
        return request.is_secure or page.base_url().startswith("https:")


def _headers(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", POLICY)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
    if request.endpoint == "static":
        # Their addresses change with their content, see `page.asset`.
        headers["Cache-Control"] = f"public, max-age={YEAR}, immutable" if request.args.get("v") else "no-cache"
    else:
        headers.setdefault("Cache-Control", "no-store")
    return response


def furnish(app: Flask) -> None:
    """Give the application its screens and all they share."""
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_REQUEST,
        MAX_FORM_MEMORY_SIZE=MAX_FIELD,
        MAX_FORM_PARTS=MAX_FIELDS,
        WTF_CSRF_TIME_LIMIT=None,  # As long as the session.
        WTF_CSRF_SSL_STRICT=False,  # `errors` looks at where a form comes from, with and without TLS.
    )
    app.session_interface = Sessions()
    app.url_map.converters["int"] = Number
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    trackers.furnish(app)
    errors.furnish(app)
    l10n.furnish(app)
    access.furnish(app)
    CSRFProtect(app)
    page.furnish(app)
    app.after_request(_headers)
    for blueprint in screens.BLUEPRINTS:
        app.register_blueprint(blueprint)
