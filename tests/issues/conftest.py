"""A small world for the tests of the rules: one project, its people, one issue, built anew for each test."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from eventum.issues.changes import Opening, opened
from eventum.issues.events import Event, Filing, What
from eventum.issues.issue import Issue
from eventum.issues.people import People, Project, Role, User
from eventum.issues.routing import OwnAddresses
from eventum.issues.settings import AddressRouting, General
from eventum.mail.address import Address

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class World:
    """Builders with defaults; whatever a test does not name does not matter to it."""

    now = NOW
    project = Project(id="support", title="Support", sender_email="support@example.org", aliases=("help@example.org",))
    general = General(email_routing=AddressRouting(enabled=True, prefix="issue-", host="example.org"))

    def user(self, name: str, role: Role | None = Role.standard, **fields: Any) -> User:
        """A user called name@example.org with this role in the project."""
        values: dict[str, Any] = {"roles": {} if role is None else {"support": role}, **fields}
        return User(id=f"u-{name}", email=f"{name}@example.org", name=name.title(), created=NOW, **values)

    def people(self, *users: User) -> People:
        """These users and the project."""
        return People(users, [self.project])

    def issue(self, **fields: Any) -> Issue:
        """Issue 42, reported by a customer, opened by mail."""
        opening = Opening(
            number=42,
            project="support",
            summary="The printer is on fire",
            status="new",
            reporter="customer@else.example",
            root_message_id="<root@else.example>",
            by_mail=True,
            who="customer@else.example",
        )
        return replace(opened(opening, NOW), **fields)

    def filing(self, kind: str = "email", **fields: Any) -> Filing:
        """A message from the customer to support@."""
        values: dict[str, Any] = {
            "key": "k" * 64,
            "kind": kind,
            "message_id": "<m1@else.example>",
            "from_": Address("Customer", "customer@else.example"),
            "to": (Address("", "support@example.org"),),
            "subject": "Re: The printer is on fire",
            "received": NOW,
            **fields,
        }
        return Filing(**values)

    def event(self, what: What, who: str = "", **fields: Any) -> Event:
        """Event 7 of the issue."""
        return Event(number=7, when=NOW, who=who, what=what, **fields)

    @property
    def own(self) -> OwnAddresses:
        """Our addresses: support@, help@ and issue-N@example.org."""
        return OwnAddresses(["support@example.org", "help@example.org"], self.general)


@pytest.fixture
def world() -> World:
    """The builders."""
    return World()
