"""The commands: `flask init`, `flask users add` and so on. They read options, call a verb or a runner, and print.

Flows in: options and stdin. Flows out: text or one JSON document on stdout, messages on stderr, an exit code. Each
command is a blueprint in a module of its name. What a body needs is imported in the body, so that `--help` and the
start of any other command do not pay for it.

`edge` makes errors into exit codes, `printing` and `texts` print, `passwords` reads passwords.
"""

from eventum.commands import (
    accounts,
    backup,
    dead,
    demo,
    download_emails,
    emails,
    import_mail,
    init,
    issues,
    process_queue,
    projects,
    queue,
    settings,
    status,
    users,
    verify,
    watch_emails,
)

BLUEPRINTS = (
    *(init.bp, users.bp, projects.bp, accounts.bp, settings.bp),
    *(download_emails.bp, import_mail.bp, process_queue.bp, issues.bp, emails.bp, queue.bp, dead.bp, status.bp),
    *(verify.bp, backup.bp, demo.bp),
    watch_emails.bp,
)
