"""The preferences decide who is told: people x roles x preferences x events."""

from itertools import product
from typing import Any

import pytest

from eventum.issues.events import (
    Assigned,
    Changed,
    Closed,
    DeliveryFailed,
    Filed,
    Opened,
    Reopened,
    StatusChanged,
    Subscribed,
    Unassigned,
)
from eventum.issues.issue import ACTIONS, Subscription
from eventum.issues.people import STAFF, Preferences, Role
from eventum.issues.recipients import considered, recipients
from eventum.mail.address import Address

ROLES = (None, *Role)
PREFERENCES = tuple(Preferences(*choice) for choice in product((False, True), repeat=3))
LISTED: tuple[tuple[str, ...] | None, ...] = (None, (), ("emails",), ("closed",), ("updated", "files"), ACTIONS)
EVENTS = (
    "opened by mail",
    "opened by hand",
    "assigned",
    "email",
    "answer",
    "note",
    "note by mail",
    "blocked",
    "blocked machine",
    "draft",
    "closed",
)


def what(world: Any, event: str) -> Any:
    """The event by its name in the tables; u-bob is the person the tables are about."""
    from_us = {"outgoing": True, "from_": Address("Somebody", "somebody@example.org"), "to": ()}
    return {
        "opened by mail": lambda: Opened(by_mail=True, acknowledge="customer@else.example"),
        "opened by hand": lambda: Opened(),
        "assigned": lambda: Assigned(("u-bob",)),
        "email": lambda: Filed(world.filing()),
        "answer": lambda: Filed(world.filing(**from_us)),
        "note": lambda: Filed(world.filing("note", **from_us)),
        "note by mail": lambda: Filed(world.filing("note", from_=Address("", "somebody@example.org"))),
        "blocked": lambda: Filed(
            world.filing("note", blocked="not_entitled", from_=Address("", "stranger@evil.example"))
        ),
        "blocked machine": lambda: Filed(world.filing("note", blocked="automatic", automatic="auto-reply")),
        "draft": lambda: Filed(world.filing("draft", **from_us)),
        "closed": lambda: Closed("Done."),
    }[event]()


def told(world: Any, event: Any, issue: Any, *users: Any) -> dict[str, str]:
    """Who gets which notice, by address."""
    found = recipients(event, issue, world.people(*users), world.own)
    assert len({one.address for one in found}) == len(found), "somebody is told twice"
    return {one.address: one.notice for one in found}


def expected(
    event: str, role: Role | None, preferences: Preferences, listed: tuple[str, ...] | None, **bob: bool
) -> str:
    """What one person is told, written down as the rules are said in the manual, event by event."""
    staff = role is not None and role >= STAFF
    by_mail = event in ("opened by mail", "email", "note by mail", "blocked", "blocked machine")
    if not bob["active"] or (role is None) or (bob["author"] and (by_mail or not preferences.own_actions)):
        return ""
    if event.startswith("opened"):
        if bob["assigned"] and preferences.assigned:
            return "new_issue_assigned"
        return "new_issue" if staff and preferences.all_new else ""
    if event == "assigned":
        return "assignment" if preferences.assigned else ""
    if event in ("email", "answer"):
        return "email" if listed and "emails" in listed else ""
    if event in ("note", "note by mail"):
        return "note" if staff and listed is not None else ""
    if event == "blocked":
        # Bob is the only one there is: not on the list he stands in, as assigned or as one who asked for all.
        return "blocked" if staff and (listed is not None or bob["assigned"] or preferences.all_new) else ""
    if event == "closed":
        return "closed" if listed and "closed" in listed else ""
    return ""


@pytest.mark.parametrize("event", EVENTS)
def test_the_whole_table_of_roles_preferences_lists_and_events(world: Any, event: str) -> None:
    happened = what(world, event)
    for role, preferences, listed in product(ROLES, PREFERENCES, LISTED):
        for active, author, assigned in product((True, False), repeat=3):
            bob = world.user("bob", role, active=active, preferences={"support": preferences})
            issue = world.issue(
                assignees=("u-bob",) if assigned else (),
                subscriptions=() if listed is None else (Subscription(bob.email, bob.id, listed),),
            )
            person = {"active": active, "author": author, "assigned": assigned}
            wanted = expected(event, role, preferences, listed, **person)
            got = told(world, world.event(happened, who="u-bob" if author else ""), issue, bob).get(bob.email, "")
            assert got == wanted, (event, role, preferences, listed, person)


@pytest.mark.parametrize(
    ("event", "preferences", "assigned", "notice"),
    [
        ("opened by mail", Preferences(), False, ""),
        ("opened by mail", Preferences(all_new=True), False, "new_issue"),
        ("opened by mail", Preferences(), True, "new_issue_assigned"),
        ("opened by mail", Preferences(all_new=True), True, "new_issue_assigned"),
        ("opened by mail", Preferences(all_new=True, assigned=False), True, "new_issue"),
        ("opened by mail", Preferences(assigned=False), True, ""),
        ("opened by hand", Preferences(all_new=True), False, "new_issue"),
        ("assigned", Preferences(), True, "assignment"),
        ("assigned", Preferences(assigned=False), True, ""),
        ("assigned", Preferences(all_new=True, assigned=False), True, ""),
    ],
)
def test_a_member_is_told_of_new_issues_and_assignments_as_he_asked(
    world: Any, event: str, preferences: Preferences, assigned: bool, notice: str
) -> None:
    bob = world.user("bob", preferences={"support": preferences})
    issue = world.issue(assignees=(bob.id,) if assigned else ())
    assert told(world, world.event(what(world, event)), issue, bob).get(bob.email, "") == notice


def test_who_never_chose_hears_of_assignments_only(world: Any) -> None:
    bob = world.user("bob")
    assert told(world, world.event(Opened()), world.issue(), bob) == {}
    assert told(world, world.event(Opened()), world.issue(assignees=(bob.id,)), bob) == {
        bob.email: "new_issue_assigned"
    }


def test_preferences_of_another_project_do_not_count(world: Any) -> None:
    bob = world.user("bob", preferences={"elsewhere": Preferences(all_new=True)})
    assert told(world, world.event(Opened()), world.issue(), bob) == {}


@pytest.mark.parametrize("event", ["email", "answer", "closed"])
def test_a_bare_address_on_the_list_gets_what_it_is_listed_for(world: Any, event: str) -> None:
    issue = world.issue(subscriptions=(Subscription("friend@else.example", "", ("emails", "closed")),))
    notice = "closed" if event == "closed" else "email"
    assert told(world, world.event(what(world, event)), issue) == {"friend@else.example": notice}


@pytest.mark.parametrize("event", ["note", "note by mail", "blocked", "blocked machine", "draft", "assigned"])
def test_a_bare_address_never_hears_of_what_is_internal(world: Any, event: str) -> None:
    issue = world.issue(subscriptions=(Subscription("friend@else.example"),))
    assert told(world, world.event(what(world, event)), issue) == {}


@pytest.mark.parametrize(
    "happened",
    [
        Reopened(),
        StatusChanged("new", "open"),
        Changed("priority", "", "High"),
        Subscribed("bob@example.org", ACTIONS),
        Unassigned(("u-bob",)),
        DeliveryFailed("bob@example.org", "<x@y>", "550 no"),
    ],
)
def test_other_events_are_not_mailed(world: Any, happened: Any) -> None:
    bob = world.user("bob", preferences={"support": Preferences(True, True, True)})
    issue = world.issue(assignees=(bob.id,), subscriptions=(Subscription(bob.email, bob.id),))
    assert told(world, world.event(happened), issue, bob) == {}


@pytest.mark.parametrize("event", EVENTS)
def test_nobody_is_told_of_a_quiet_event(world: Any, event: str) -> None:
    bob = world.user("bob", preferences={"support": Preferences(True, True, True)})
    issue = world.issue(assignees=(bob.id,), subscriptions=(Subscription(bob.email, bob.id),))
    assert told(world, world.event(what(world, event), quiet=True), issue, bob) == {}


@pytest.mark.parametrize("event", EVENTS)
def test_a_user_listed_assigned_and_named_under_three_addresses_is_told_once(world: Any, event: str) -> None:
    bob = world.user("bob", aliases=("bob@home.example", "b@work.example"), preferences={"support": Preferences(True)})
    issue = world.issue(
        assignees=(bob.id,),
        subscriptions=(
            Subscription("bob@home.example"),
            Subscription(bob.email, bob.id),
            Subscription("b@work.example", "", ("emails",)),
        ),
    )
    got = told(world, world.event(what(world, event)), issue, bob)
    got.pop("customer@else.example", None)
    assert set(got) <= {bob.email}


@pytest.mark.parametrize("event", EVENTS)
def test_our_own_addresses_are_told_nothing(world: Any, event: str) -> None:
    mailbox = world.user("support", preferences={"support": Preferences(True, True, True)})
    issue = world.issue(
        assignees=(mailbox.id,),
        subscriptions=tuple(
            Subscription(one)
            for one in ("support@example.org", "HELP@example.org", "issue-42@example.org", "issue-7@example.org")
        ),
    )
    got = told(world, world.event(what(world, event)), issue, mailbox)
    assert not any(address.lower() in world.own for address in got)


def test_the_sender_is_thanked_and_not_told_of_the_new_issue(world: Any) -> None:
    bob = world.user("bob", preferences={"support": Preferences(True, True, True)})
    issue = world.issue(reporter=bob.email, assignees=(bob.id,))
    thanked = world.event(Opened(by_mail=True, acknowledge=bob.email), who=bob.id)
    assert told(world, thanked, issue, bob) == {bob.email: "acknowledgement"}
    not_thanked = world.event(Opened(by_mail=True), who=bob.id)
    assert told(world, not_thanked, issue, bob) == {}


def test_who_wrote_from_his_alias_is_thanked_there(world: Any) -> None:
    bob = world.user("bob", aliases=("bob@home.example",), preferences={"support": Preferences(all_new=True)})
    issue = world.issue(reporter="bob@home.example")
    event = world.event(Opened(by_mail=True, acknowledge="bob@home.example"), who=bob.id)
    assert told(world, event, issue, bob) == {"bob@home.example": "acknowledgement"}


def test_a_stranger_is_thanked(world: Any) -> None:
    event = world.event(Opened(by_mail=True, acknowledge="customer@else.example"), who="customer@else.example")
    assert told(world, event, world.issue()) == {"customer@else.example": "acknowledgement"}


def test_a_customer_with_an_account_for_another_project_is_answered_like_any_stranger(world: Any) -> None:
    eve = world.user("eve", None, roles={"elsewhere": Role.standard})
    issue = world.issue(reporter=eve.email, subscriptions=(Subscription(eve.email, eve.id),))
    opened = world.event(Opened(by_mail=True, acknowledge=eve.email), who=eve.id)
    assert told(world, opened, issue, eve) == {eve.email: "acknowledgement"}
    assert told(world, world.event(what(world, "answer")), issue, eve) == {eve.email: "email"}
    assert told(world, world.event(what(world, "note")), issue, eve) == {}


@pytest.mark.parametrize("event", EVENTS)
def test_a_former_member_is_told_nothing(world: Any, event: str) -> None:
    bob = world.user("bob", None, preferences={"support": Preferences(True, True, True)})
    issue = world.issue(assignees=(bob.id,), subscriptions=(Subscription(bob.email, bob.id),))
    assert bob.email not in told(world, world.event(what(world, event)), issue, bob)


def test_an_entry_of_a_user_who_is_gone_does_not_become_a_stranger(world: Any) -> None:
    issue = world.issue(subscriptions=(Subscription("gone@example.org", "u-gone"),))
    assert told(world, world.event(what(world, "email")), issue) == {}


def test_a_bare_entry_of_somebody_who_has_an_account_now_counts_as_his(world: Any) -> None:
    bob = world.user("bob", active=False)
    issue = world.issue(subscriptions=(Subscription(bob.email, ""),))
    assert told(world, world.event(what(world, "email")), issue, bob) == {}


def test_an_administrator_of_the_installation_is_told_without_being_a_member(world: Any) -> None:
    root = world.user("root", None, administrator=True, preferences={"support": Preferences(all_new=True)})
    issue = world.issue(assignees=(root.id,))
    assert told(world, world.event(Opened()), issue, root) == {root.email: "new_issue_assigned"}
    assert told(world, world.event(Opened()), world.issue(), root) == {}, "all new issues: members only"


def test_a_new_email_goes_to_the_list_but_not_to_who_wrote_it_or_has_it(world: Any) -> None:
    bob = world.user("bob", aliases=("bob@home.example",))
    ann = world.user("ann")
    issue = world.issue(
        subscriptions=(
            Subscription("customer@else.example"),
            Subscription("cc@else.example"),
            Subscription("other@else.example"),
            Subscription(bob.email, bob.id),
            Subscription(ann.email, ann.id),
        )
    )
    message = world.filing(cc=(Address("", "cc@else.example"), Address("Bob", "bob@home.example")))
    got = told(world, world.event(Filed(message), who="customer@else.example"), issue, bob, ann)
    assert got == {"other@else.example": "email", ann.email: "email"}


def test_who_mails_gets_no_copy_of_it_even_with_own_actions(world: Any) -> None:
    bob = world.user("bob", preferences={"support": Preferences(own_actions=True)})
    issue = world.issue(subscriptions=(Subscription(bob.email, bob.id),))
    message = world.filing(from_=Address("Bob", bob.email))
    assert told(world, world.event(Filed(message), who=bob.id), issue, bob) == {}


def test_a_from_that_is_not_clear_keeps_nobody_from_being_told(world: Any) -> None:
    bob = world.user("bob")
    issue = world.issue(subscriptions=(Subscription(bob.email, bob.id),))
    forged = world.filing("note", blocked="sender_not_clear", verified="none", from_=Address("", bob.email))
    assert told(world, world.event(Filed(forged)), issue, bob) == {bob.email: "blocked"}


def test_an_answer_we_send_reaches_whom_it_is_addressed_to(world: Any) -> None:
    ann, bob = world.user("ann"), world.user("bob")
    issue = world.issue(subscriptions=(Subscription(ann.email, ann.id), Subscription("customer@else.example")))
    answer = world.filing(
        outgoing=True,
        from_=Address("Ann", ann.email),
        to=(Address("", "customer@else.example"), Address("", "support@example.org")),
        cc=(Address("", "new@else.example"), Address("Bob", bob.email)),
    )
    got = told(world, world.event(Filed(answer), who=ann.id), issue, ann, bob)
    assert got == {"customer@else.example": "email", "new@else.example": "email", bob.email: "email"}


def test_own_actions_bring_a_copy_of_what_was_done_by_hand(world: Any) -> None:
    ann = world.user("ann", preferences={"support": Preferences(own_actions=True)})
    bob = world.user("bob")
    issue = world.issue(subscriptions=(Subscription(ann.email, ann.id), Subscription(bob.email, bob.id)))
    for event, notice in (("answer", "email"), ("note", "note"), ("closed", "closed")):
        assert told(world, world.event(what(world, event), who=ann.id), issue, ann, bob) == {
            ann.email: notice,
            bob.email: notice,
        }
        assert told(world, world.event(what(world, event), who=bob.id), issue, ann, bob) == {ann.email: notice}


def test_what_opened_an_issue_is_told_by_the_notice_of_the_new_issue(world: Any) -> None:
    bob = world.user("bob", preferences={"support": Preferences(all_new=True)})
    issue = world.issue(assignees=(bob.id,), subscriptions=(Subscription(bob.email, bob.id),))
    assert told(world, world.event(Filed(world.filing(), opening=True)), issue, bob) == {}
    assert told(world, world.event(Assigned((bob.id,), opening=True)), issue, bob) == {}


def test_only_the_newly_assigned_are_told_of_an_assignment(world: Any) -> None:
    ann, bob = world.user("ann"), world.user("bob")
    issue = world.issue(
        assignees=(ann.id, bob.id), subscriptions=(Subscription(ann.email, ann.id), Subscription(bob.email, bob.id))
    )
    assert told(world, world.event(Assigned((bob.id,)), who=ann.id), issue, ann, bob) == {bob.email: "assignment"}
    assert told(world, world.event(Assigned((bob.id,)), who=bob.id), issue, ann, bob) == {}, "he did it himself"


@pytest.mark.parametrize(
    ("listed", "assigned", "wanting", "reached"),
    [
        ("ann", "bob", "cid", {"ann"}),
        ("", "bob", "cid", {"bob"}),
        ("", "", "cid", {"cid"}),
        ("", "", "", set()),
        ("viewer", "bob", "cid", {"bob"}),
        ("ann", "ann", "ann", {"ann"}),
    ],
)
def test_a_blocked_mail_finds_somebody(world: Any, listed: str, assigned: str, wanting: str, reached: set[str]) -> None:
    users = {
        name: world.user(
            name,
            Role.viewer if name == "viewer" else Role.standard,
            preferences={"support": Preferences(all_new=name == wanting)},
        )
        for name in ("ann", "bob", "cid", "viewer")
    }
    issue = world.issue(
        assignees=(users[assigned].id,) if assigned else (),
        subscriptions=(Subscription(users[listed].email, users[listed].id),) if listed else (),
    )
    got = told(world, world.event(what(world, "blocked")), issue, *users.values())
    assert got == {users[name].email: "blocked" for name in reached}


def test_the_stranger_who_was_blocked_hears_nothing(world: Any) -> None:
    ann = world.user("ann")
    issue = world.issue(
        subscriptions=(Subscription("stranger@evil.example"), Subscription(ann.email, ann.id)),
    )
    assert told(world, world.event(what(world, "blocked")), issue, ann) == {ann.email: "blocked"}


@pytest.mark.parametrize("kind", ["auto-reply", "auto-generated", "bounce", "bulk", "ours"])
def test_blocked_mail_of_machines_is_told_to_nobody(world: Any, kind: str) -> None:
    ann = world.user("ann", preferences={"support": Preferences(all_new=True)})
    issue = world.issue(assignees=(ann.id,), subscriptions=(Subscription(ann.email, ann.id),))
    reason = "bounce" if kind == "bounce" else "automatic"
    blocked = Filed(world.filing("note", blocked=reason, automatic=kind))
    assert told(world, world.event(blocked), issue, ann) == {}


def test_in_an_archived_project_only_managers_are_told(world: Any) -> None:
    ann, boss = world.user("ann"), world.user("boss", Role.manager)
    world.project = world.project.__class__(id="support", title="Support", archived=True)
    issue = world.issue(subscriptions=(Subscription(ann.email, ann.id), Subscription(boss.email, boss.id)))
    assert told(world, world.event(what(world, "email")), issue, ann, boss) == {boss.email: "email"}


def test_the_deciding_row_says_why_and_every_rule_asked_is_kept(world: Any) -> None:
    bob = world.user("bob", Role.viewer)
    issue = world.issue(subscriptions=(Subscription(bob.email, bob.id),))
    (told_him,) = recipients(world.event(what(world, "email")), issue, world.people(bob), world.own)
    assert (told_him.user, told_him.name, told_him.why.rule, told_him.why.answer) == ("u-bob", "Bob", "email", "email")
    (not_told,) = considered(world.event(what(world, "note")), issue, world.people(bob), world.own)
    assert (not_told.notice, not_told.rows[-1].rule, not_told.rows[-1].answer) == ("", "note", "nobody")
    assert all(row.answer == "pass" for row in not_told.rows[:-1]) and len(not_told.rows) > 5


def test_the_same_question_has_the_same_answer_in_the_same_order(world: Any) -> None:
    users = [world.user(name, preferences={"support": Preferences(all_new=True)}) for name in "abcdefgh"]
    issue = world.issue(assignees=("u-c", "u-a"))
    event = world.event(what(world, "opened by mail"))
    first = recipients(event, issue, world.people(*users), world.own)
    assert first == recipients(event, issue, world.people(*users), world.own) and len(first) == 9


@pytest.mark.parametrize(
    ("fields", "rule"),
    [({"active": False}, "inactive"), ({"roles": {}}, "no_access"), ({"roles": {"support": Role.viewer}}, "email")],
)
def test_who_is_not_told_learns_the_exact_reason(world: Any, fields: dict[str, Any], rule: str) -> None:
    bob = world.user("bob", **fields)
    issue = world.issue(subscriptions=(Subscription(bob.email, bob.id, ("closed", "emails")),))
    (one,) = considered(world.event(what(world, "email")), issue, world.people(bob), world.own)
    assert one.rows[-1].rule == rule
