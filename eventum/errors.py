"""The five ways a request can fail, each raised with one sentence that names the thing and the remedy.

Nothing here knows a protocol: exit codes, SMTP replies and HTTP statuses are made of these classes at the edges, once
each (`commands/edge.py`, later `transport/lmtp.py` and `web/`).
"""


class EventumError(Exception):
    """What every error of ours is; its text is fit to be shown to the person who asked.

    `message` with its `values` filled in is that text. They are kept apart so that a screen can say it in another
    language; a message without values is taken as it stands.
    """

    def __init__(self, message: str, **values: object) -> None:
        super().__init__(message.format(**values) if values else message)
        self.message = message
        self.values = values


class Refused(EventumError):
    """This sender, this content or this value: never, however often it is tried."""


class NotFound(EventumError):
    """There is no such issue, address, account, mail or folder."""


class Conflict(EventumError):
    """Somebody changed the same thing meanwhile; asking again at once may work."""


class Busy(EventumError):
    """A lock, the disk or the far end is not available now; asking later may work."""


class Damaged(EventumError):
    """A file of ours, or the set-up, cannot be used until a person has mended it."""
