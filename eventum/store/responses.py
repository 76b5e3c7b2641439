"""Canned responses at rest: one file each under `settings/responses/`.

Flows in: `Response` values. Flows out: the same. The one rule kept here is that of a key: a title is there once.
"""

import secrets

import msgspec

from eventum.errors import NotFound, Refused
from eventum.issues.responses import Response
from eventum.store.folder import RecordFolder, by_id
from eventum.store.layout import Layout
from eventum.store.locks import Locks
from eventum.store.settings import LOCK
from eventum.wording import N_


class ResponseStore:
    """The canned responses of one store."""

    def __init__(self, layout: Layout, locks: Locks) -> None:
        self._locks = locks
        self._responses = RecordFolder(layout.responses, Response)

    def usable(self) -> tuple[Response, ...]:
        """All that are not deleted and whose file can be used, by title."""
        found = (response for response in self._responses.usable().values() if not response.deleted)
        return tuple(sorted(found, key=lambda response: response.title.casefold()))

    def response(self, name: str) -> Response:
        """The one with this id, deleted or not. Raises `NotFound`, `Damaged`."""
        if found := by_id(self._responses, name):
            return found
        raise NotFound(N_("There is no canned response {name!r}."), name=name)

    def save(self, response: Response) -> Response:
        """Write a response, new when its id is ""; what was written, with id and next revision.

        Raises `Refused` when another has its title, `Conflict` when it was changed meanwhile.
        """
        response = response if response.id else msgspec.structs.replace(response, id=secrets.token_hex(8))
        with self._locks.record(LOCK):
            for other in self._responses.all().values():
                rivals = other.id != response.id and not (other.deleted or response.deleted)
                if rivals and other.title.casefold() == response.title.casefold():
                    message = N_("There is a canned response {title!r} already; give this one another title.")
                    raise Refused(message, title=other.title, field="title")
            return self._responses.put(response)
