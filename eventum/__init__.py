"""Eventum: a team's mailbox becomes issues, and the right people are told by mail.

Mail is fetched (IMAP, POP3, a Maildir) or delivered (pipe, LMTP), kept, read, and filed: into the issue it belongs to,
as a new issue, or into the pool of mail that belongs to none. What changed is announced by mail. Messages are
Maildirs, everything else is JSON, indexes can be deleted. `data/README.md` is the format on disk.

**Reading order.** `errors`, `config`; then the rooms from the bottom up:

    mail/        e-mail as values: bytes to objects and back                   pure: no files, clock, network
    issues/      the tracker's rules: records and policy tables                pure, `now` is an argument
    store/       everything under data/ and the cache                         the only room that opens, renames, locks
    transport/   the wire: IMAP, POP3, SMTP                                    knows no issues
    tracker/     the verbs and the questions: facts, lock, decide, save, announce
    runners/     the loops: fetching, incoming, outgoing, probing
    demo/        a shop with mailboxes, customers and mails, to look at
    web/         the screens: read a request, call a verb or a question, render
    commands/    `flask ...`: read options, call a verb or a runner, print     Flask is known in these two and app.py

**Imports go down only**, and `tests/test_house.py` says so:

    web       -> runners, tracker
    commands  -> demo, runners, tracker
    demo      -> runners, tracker, store, issues, mail, config
    runners   -> tracker, transport, store, issues, mail
    tracker   -> store, issues, mail, config
    transport -> mail
    store     -> issues, mail
    issues    -> mail
    mail      -> nothing                               (and everybody may import errors, wording)

**Words**, one meaning each:

    message        a mail as parsed (RFC 5322); *raw*: its bytes; *reading*: what it says, derived and cached
    envelope       sender and recipients as SMTP said them, which is not From and To
    MTA MDA MUA    what relays mail, what delivers it, what a person reads it with
    spool, queue   the folder, its use; *entry*: one mail in it; *key*: the entry's name
    deliver        put into a Maildir; *send*: over SMTP; *file*: into an issue
    claim          take an entry to work on it; *finish* or *defer* it, *bury* it (a person looks at it),
                   *recover* it (after a crash)
    lease, lock    the right to be somebody for a run; the right to change a record for a moment
    route          where an address or a subject tag points; *routing address*: issue-42@...
    association    the decision which issue a mail belongs to
    admission      the decision whether its sender may write there; *blocked note*: what a mail becomes that may not
    disposition    what became of a mail; *trace*: why, row by row
    pool           mail that belongs to no issue, by outcome
    notice         what we tell one person; *notification list*: who is told, of which *actions* (updated, closed,
                   emails, files)
    replier        somebody authorised to write to an issue beside its reporter and assignees
    DSN, bounce    the report that a mail could not be delivered; the event on our side
"""
