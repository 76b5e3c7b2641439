"""The verbs and the questions: collect facts, lock, load, decide, save, announce.

Flows in: mails, and what people ask for by screen or command. Flows out: records changed, notices queued, answers as
plain values. Nothing here speaks to a server or knows Flask.

`tracker` holds the parts of one store. The administrator's verbs are `founding` (the first day), `membership` (users
and projects), `mailboxes` (e-mail accounts) and `general` (General Setup). What people do with issues and mail is
`change`, `correspond`, `opening`, `associate`, `queues` and `dead`; what they ask is `questions` and `mails`.
"""
