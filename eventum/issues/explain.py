"""Why something was decided, in the reader's language: one sentence for each row of a trace.

In flow: rows of the policy tables. Out flow: sentences for commands and screens. Rows of a rule that no longer
exists, in an old record, still make a readable line.
"""

from types import MappingProxyType

from eventum.issues.trace import PASS, Row
from eventum.wording import N_, Say

# For each rule: what it says when it answered, and when it passed. {saw} and {answer} are the row's; {issue} is the
# number in an answer like "email:42".
_SENTENCES = MappingProxyType(
    {
        "association": {
            "own_notice": (N_("It is a notice of ours that came back."), N_("It is no notice of ours.")),
            "list_copy": (
                N_("Issue {issue} has this mail already; this copy came another way, by a mailing list."),
                N_("It is no other copy of a mail that came by a list."),
            ),
            "address": (N_("It is addressed to issue {issue} ({saw})."), N_("It is addressed to no issue.")),
            "subject_tag": (
                N_("The subject names issue {issue}."),
                N_("The subject names no issue that counts ({saw})."),
            ),
            "headers": (
                N_("It answers a mail of issue {issue} ({saw})."),
                N_("It answers no mail of an issue ({saw})."),
            ),
            "machine": (N_("It was written by a program ({saw}), which opens no issue."), N_("A person wrote it.")),
            "own_sender": (
                N_("It comes from an address of ours, which opens no issue."),
                N_("The sender is not one of us."),
            ),
            "auto_creation": (
                N_("This account opens no issues by itself."),
                N_("This account opens issues by itself."),
            ),
            "parent_in_pool": (
                N_("It answers {saw}, which had no issue yet."),
                N_("It answers no mail that waits for an issue."),
            ),
            "new": (N_("It belongs to nothing we have, so it opens an issue."), ""),
        },
        "admission": {
            "bounce": (N_("It reports a failed delivery."), N_("It is no bounce.")),
            "automatic": (N_("It was written by a program ({saw})."), N_("A person wrote it.")),
            "sender_not_clear": (N_("It is not clear who sent it."), N_("The sender is {saw}.")),
            "own_address": (N_("{saw} is an address of ours."), N_("The sender is not one of us.")),
            "inactive": (N_("{saw} is a deactivated user."), N_("The sender is not deactivated.")),
            "note_by_staff": (
                N_("Notes are for staff; the sender's role is: {saw}."),
                N_("It is not meant as a note."),
            ),
            "reporter": (N_("{saw} reported the issue."), N_("{saw} did not report the issue.")),
            "assignee": (N_("The issue is assigned to the sender."), N_("The issue is not assigned to the sender.")),
            "authorised_replier": (N_("{saw} is an authorised replier."), N_("{saw} is not an authorised replier.")),
            "staff_may_mail": (
                N_("All staff of this project may mail its issues."),
                N_("Staff of this project needs more than that."),
            ),
            "stranger": (N_("{saw} has no part in this issue."), ""),
        },
        "subscriptions": {
            "silent": (N_("This message puts nobody on the list."), N_("This message may put people on the list.")),
            "own_address": (N_("{saw} is an address of ours."), N_("{saw} is not one of us.")),
            "not_to_be_told": (N_("{saw} may not be told of this issue."), N_("{saw} may be told of this issue.")),
            "note_to_others": (N_("Notes are not for {saw}."), N_("That is no obstacle for {saw}.")),
            "already_listed": (N_("{saw} is on the list already."), N_("{saw} is not on the list yet.")),
            "sender_of_reply": (
                N_("{saw} wrote, and is told of: {answer}."),
                N_("{saw} is not just the sender of an answer."),
            ),
            "takes_part": (N_("{saw} takes part, and is told of: {answer}."), ""),
        },
        "acknowledgement": {
            "no_address": (N_("It is not clear whom to thank."), N_("{saw} could be thanked.")),
            "quiet": (N_("It is an old mail, filed without telling anybody."), N_("It is not an old mail.")),
            "own_address": (N_("{saw} is an address of ours."), N_("{saw} is not one of us.")),
            "may_not_answer": (N_("This mail must not be answered automatically."), N_("This mail may be answered.")),
            "inactive": (N_("{saw} is a deactivated user."), N_("{saw} is not deactivated.")),
            "own_action": (N_("The reporter opened the issue himself."), N_("The reporter did not open it by hand.")),
            "limit": (N_("Enough acknowledgements today ({saw})."), N_("Not too many acknowledgements today ({saw}).")),
            "hour": (
                N_("Enough acknowledgements within an hour, to whomever ({saw})."),
                N_("Not too many acknowledgements this hour ({saw})."),
            ),
            "thanks": (N_("{saw} is thanked."), ""),
        },
        "fuse": {
            "opens_too_many": (
                N_("Too many mails of its sender or domain within an hour would open an issue each ({saw})."),
                N_("Not too many mails open issues."),
            ),
            "storm": (
                N_("Far too many such mails came within an hour ({saw})."),
                N_("It is no storm of mails."),
            ),
            "by_address": (
                N_("Too many mails of its sender to this issue within an hour ({saw})."),
                N_("Not too many mails of its sender to this issue ({saw})."),
            ),
            "by_domain": (
                N_("Too many mails of its sender's domain within an hour ({saw})."),
                N_("Not too many mails of its sender's domain ({saw})."),
            ),
            "by_issue": (
                N_("Too many mails to this issue within an hour ({saw})."),
                N_("Not too many mails to this issue ({saw})."),
            ),
        },
        "recipients": {
            "quiet": (N_("Nobody is told of this."), N_("It is to be told.")),
            "told_by_opening": (
                N_("The notice of the new issue tells it."),
                N_("It is more than the opening of the issue."),
            ),
            "own_address": (N_("{saw} is an address of ours."), N_("{saw} is not one of us.")),
            "inactive": (N_("{saw} is a deactivated user."), N_("{saw} is not deactivated.")),
            "no_access": (N_("{saw} may not see the issue."), N_("{saw} may be told of the issue.")),
            "acknowledged": (N_("{saw} is thanked for the new issue."), N_("{saw} is not to be thanked.")),
            "wrote_the_mail": (N_("{saw} wrote it."), N_("{saw} did not send it by mail.")),
            "left_out": (N_("Its author chose not to send it to {saw}."), N_("Its author left nobody out.")),
            "own_action": (
                N_("It was their own doing."),
                N_("Somebody else did it, or they want to be told of their own actions."),
            ),
            "assigned_new": (
                N_("The new issue is assigned to them."),
                N_("No new issue of theirs that they want to be told of."),
            ),
            "all_new": (N_("They asked for all new issues."), N_("They are not told of all new issues.")),
            "newly_assigned": (N_("It was assigned to them."), N_("No assignment that they want to be told of.")),
            "blocked_by_machine": (
                N_("Blocked mail of programs is not told."),
                N_("It is no blocked mail of a program."),
            ),
            "blocked": (N_("Blocked mail is for staff on the list or standing in ({saw})."), N_("It was not blocked.")),
            "has_the_mail": (N_("{saw} got it directly."), N_("{saw} did not get it directly.")),
            "note": (N_("Notes are for staff on the list ({saw})."), N_("It is no note.")),
            "email": (N_("They are told of e-mails ({saw})."), N_("They did not ask for e-mails, or it is none.")),
            "closed": (
                N_("They are told when the issue is closed."),
                N_("They did not ask for closings, or it is none."),
            ),
            "not_asked_for": (N_("{saw} did not ask for this."), ""),
        },
        # What a person or a verb decided without a table: such rows always answer.
        "person": {
            "staff": (N_("{saw} works for the project and wrote it in the tracker."), ""),
            "note": (N_("{saw} wrote it in the tracker, for staff."), ""),
            "draft": (N_("{saw} began to write it in the tracker."), ""),
            "as_email": (N_("{saw} put it there."), ""),
            "as_reference": (N_("{saw} put it there, and nobody was told."), ""),
            "as_note": (N_("{saw} put it there, for staff."), ""),
            "accepted": (N_("{saw} accepted it."), ""),
            "own_issue": (N_("{saw} took it out of the issue in which it was blocked."), ""),
            "new_issue": (N_("{saw} opened the issue for it."), ""),
            "parent_in_pool": (N_("{saw} opened the issue for a mail that answers it."), ""),
        },
        "receive": {
            "same_bytes": (N_("The very same mail was kept before ({saw})."), ""),
            "same_content": (N_("A mail of the same content was kept before ({saw})."), ""),
            "issue_unusable": (N_("The issue cannot be used: {saw}"), ""),
            "parent_in_pool": (N_("The mail that opened the issue answers it; it came by account {saw}."), ""),
        },
    }
)
_RESULTS = MappingProxyType(
    {
        "ignored": N_("put aside"),
        "unassociated": N_("kept for a person to decide"),
        "new_issue": N_("a new issue"),
        "accepted": N_("accepted"),
        "nobody": N_("no mail"),
        "acknowledged": N_("an acknowledgement"),
        "held": N_("its notices wait"),
        "silent": N_("nobody is told"),
    }
)


def sentence(row: Row, say: Say = str) -> str:
    """The row as a sentence, in English or as `say` gives it; what followed stands at its end, if the rule answered."""
    seen = finding(row, say)
    return seen if row.answer == PASS else f"{seen} -> {result(row.answer, say)}"


def finding(row: Row, say: Say = str) -> str:
    """What the rule found, as a sentence, without what followed."""
    answered, passed = _SENTENCES.get(row.table, {}).get(row.rule, (_UNKNOWN, _UNKNOWN))
    text = say(passed if row.answer == PASS else answered)
    detail = row.answer.partition(":")[2]
    return text.format(saw=row.saw or say(N_("nothing")), answer=_actions(row.answer, say), issue=detail, rule=row.rule)


def sentences(rows: tuple[Row, ...], say: Say = str) -> tuple[str, ...]:
    """One sentence for each row."""
    return tuple(sentence(row, say) for row in rows)


def result(answer: str, say: Say = str) -> str:
    """What followed from a rule that answered, in a few words."""
    kind, _, detail = answer.partition(":")
    if kind in _AS and detail:
        return say(_AS[kind]).format(number=detail)
    if kind == "blocked" and detail:
        return say(N_("blocked: {reason}")).format(reason=detail.replace("_", " "))
    return say(_RESULTS[answer]) if answer in _RESULTS else _actions(answer, say).replace("_", " ")


def _actions(answer: str, say: Say) -> str:
    """An answer that says what somebody is told of, in words; any other as it is."""
    words = answer.split(" ")
    return ", ".join(say(ACTIONS[one]) for one in words) if ACTIONS.keys() >= set(words) else answer


ACTIONS = MappingProxyType(
    {"updated": N_("updates"), "closed": N_("closing"), "emails": N_("e-mails"), "files": N_("files")}
)
"""What somebody on a notification list is told of."""
_UNKNOWN = N_("{rule} saw {saw}.")
_AS = MappingProxyType(
    {
        "email": N_("issue {number}, as email"),
        "note": N_("issue {number}, as note"),
        "draft": N_("issue {number}, as draft"),
        "taken_out": N_("taken out of issue {number}"),
    }
)
