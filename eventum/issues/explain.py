"""Why something was decided, in English: one sentence for each row of a trace.

In flow: rows of the policy tables. Out flow: sentences for commands and screens. Rows of a rule that no longer
exists, in an old record, still make a readable line.
"""

from types import MappingProxyType

from eventum.issues.trace import PASS, Row

# For each rule: what it says when it answered, and when it passed. {saw} and {answer} are the row's; {issue} is the
# number in an answer like "email:42".
_SENTENCES = MappingProxyType(
    {
        "association": {
            "own_notice": ("It is a notice of ours that came back.", "It is no notice of ours."),
            "address": ("It is addressed to issue {issue} ({saw}).", "It is addressed to no issue."),
            "subject_tag": ("The subject names issue {issue}.", "The subject names no issue that counts ({saw})."),
            "headers": ("It answers a mail of issue {issue} ({saw}).", "It answers no mail of an issue ({saw})."),
            "machine": ("It was written by a program ({saw}), which opens no issue.", "A person wrote it."),
            "own_sender": ("It comes from an address of ours, which opens no issue.", "The sender is not one of us."),
            "auto_creation": ("This account opens no issues by itself.", "This account opens issues by itself."),
            "parent_in_pool": (
                "It answers {saw}, which had no issue yet.",
                "It answers no mail that waits for an issue.",
            ),
            "new": ("It belongs to nothing we have, so it opens an issue.", ""),
        },
        "admission": {
            "bounce": ("It reports a failed delivery.", "It is no bounce."),
            "automatic": ("It was written by a program ({saw}).", "A person wrote it."),
            "sender_not_clear": ("It is not clear who sent it.", "The sender is {saw}."),
            "own_address": ("{saw} is an address of ours.", "The sender is not one of us."),
            "inactive": ("{saw} is a deactivated user.", "The sender is not deactivated."),
            "note_by_staff": ("Notes are for staff; the sender's role is: {saw}.", "It is not meant as a note."),
            "reporter": ("{saw} reported the issue.", "{saw} did not report the issue."),
            "assignee": ("The issue is assigned to the sender.", "The issue is not assigned to the sender."),
            "authorised_replier": ("{saw} is an authorised replier.", "{saw} is not an authorised replier."),
            "staff_may_mail": (
                "All staff of this project may mail its issues.",
                "Staff of this project needs more than that.",
            ),
            "stranger": ("{saw} has no part in this issue.", ""),
        },
        "subscriptions": {
            "silent": ("This message puts nobody on the list.", "This message may put people on the list."),
            "own_address": ("{saw} is an address of ours.", "{saw} is not one of us."),
            "not_to_be_told": ("{saw} may not be told of this issue.", "{saw} may be told of this issue."),
            "note_to_others": ("Notes are not for {saw}.", "That is no obstacle for {saw}."),
            "already_listed": ("{saw} is on the list already.", "{saw} is not on the list yet."),
            "sender_of_reply": ("{saw} wrote, and is told of: {answer}.", "{saw} is not just the sender of an answer."),
            "takes_part": ("{saw} takes part, and is told of: {answer}.", ""),
        },
        "acknowledgement": {
            "no_address": ("It is not clear whom to thank.", "{saw} could be thanked."),
            "quiet": ("It is an old mail, filed without telling anybody.", "It is not an old mail."),
            "own_address": ("{saw} is an address of ours.", "{saw} is not one of us."),
            "may_not_answer": ("This mail must not be answered automatically.", "This mail may be answered."),
            "inactive": ("{saw} is a deactivated user.", "{saw} is not deactivated."),
            "own_action": ("The reporter opened the issue himself.", "The reporter did not open it by hand."),
            "limit": ("Enough acknowledgements today ({saw}).", "Not too many acknowledgements today ({saw})."),
            "thanks": ("{saw} is thanked.", ""),
        },
        "recipients": {
            "quiet": ("Nobody is told of this.", "It is to be told."),
            "told_by_opening": ("The notice of the new issue tells it.", "It is more than the opening of the issue."),
            "own_address": ("{saw} is an address of ours.", "{saw} is not one of us."),
            "inactive": ("{saw} is a deactivated user.", "{saw} is not deactivated."),
            "no_access": ("{saw} may not see the issue.", "{saw} may be told of the issue."),
            "acknowledged": ("{saw} is thanked for the new issue.", "{saw} is not to be thanked."),
            "wrote_the_mail": ("{saw} wrote it.", "{saw} did not send it by mail."),
            "own_action": ("He did it himself.", "Somebody else did it, or he wants to be told of his own actions."),
            "assigned_new": ("The new issue is assigned to him.", "No new issue of his that he wants to be told of."),
            "all_new": ("He asked for all new issues.", "He is not told of all new issues."),
            "newly_assigned": ("It was assigned to him.", "No assignment that he wants to be told of."),
            "blocked_by_machine": ("Blocked mail of programs is not told.", "It is no blocked mail of a program."),
            "blocked": ("Blocked mail is for staff on the list or standing in ({saw}).", "It was not blocked."),
            "has_the_mail": ("{saw} got it directly.", "{saw} did not get it directly."),
            "note": ("Notes are for staff on the list ({saw}).", "It is no note."),
            "email": ("He is told of e-mails ({saw}).", "He did not ask for e-mails, or it is none."),
            "closed": ("He is told when the issue is closed.", "He did not ask for closings, or it is none."),
            "not_asked_for": ("{saw} did not ask for this.", ""),
        },
        # What a person or a verb decided without a table: such rows always answer.
        "person": {
            "staff": ("{saw} works for the project and wrote it in the tracker.", ""),
            "note": ("{saw} wrote it in the tracker, for staff.", ""),
            "as_email": ("{saw} put it there.", ""),
            "as_reference": ("{saw} put it there, and nobody was told.", ""),
            "as_note": ("{saw} put it there, for staff.", ""),
            "new_issue": ("{saw} opened the issue for it.", ""),
            "parent_in_pool": ("{saw} opened the issue for a mail that answers it.", ""),
        },
        "receive": {
            "same_bytes": ("The very same mail was kept before ({saw}).", ""),
            "same_content": ("A mail of the same content was kept before ({saw}).", ""),
            "issue_unusable": ("The issue cannot be used: {saw}", ""),
            "parent_in_pool": ("The mail that opened the issue answers it; it came by account {saw}.", ""),
        },
    }
)
_RESULTS = MappingProxyType(
    {
        "ignored": "put aside",
        "unassociated": "kept for a person to decide",
        "new_issue": "a new issue",
        "accepted": "accepted",
        "nobody": "no mail",
        "acknowledged": "an acknowledgement",
    }
)


def sentence(row: Row) -> str:
    """The row as an English sentence; what followed from it stands at its end when the rule answered."""
    answered, passed = _SENTENCES.get(row.table, {}).get(row.rule, ("{rule} saw {saw}.", "{rule} saw {saw}."))
    text = passed if row.answer == PASS else answered
    kind, _, detail = row.answer.partition(":")
    seen = text.format(saw=row.saw or "nothing", answer=row.answer, issue=detail, rule=row.rule)
    return seen if row.answer == PASS else f"{seen} -> {_result(row.answer, kind, detail)}"


def sentences(rows: tuple[Row, ...]) -> tuple[str, ...]:
    """One sentence for each row."""
    return tuple(sentence(row) for row in rows)


def _result(answer: str, kind: str, detail: str) -> str:
    if kind in ("email", "note", "draft") and detail:
        return f"issue {detail}, as {kind}"
    if kind == "blocked" and detail:
        return f"blocked: {detail.replace('_', ' ')}"
    return _RESULTS.get(answer, answer.replace("_", " "))
