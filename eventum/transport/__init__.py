"""The wire: mailboxes that mail is fetched from, and the server that mail is sent through.

In flow credentials, positions and bytes; out flow bytes, unique ids and one sentence a failure. Nothing here knows
an issue, a project or the store, and nothing here keeps anything: what was fetched is remembered by who asked.
Values stand in `mailbox` and `smtp`; `imap`, `pop3`, `maildir` and `smtp_session` are imported only when a
connection is opened, so that a cron run with nothing to do stays cheap.
"""
