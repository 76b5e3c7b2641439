"""The demo: a shop with two mailboxes, its customers, and a handful of mails that go the whole way through.

Flows in: a folder. Flows out: a store in it that the real download and queue code worked on, and values that say what
became of each mail. Nothing leaves this machine, and nothing here prints: `commands/demo` does.

`place` is the folder, `listener` the small SMTP server that stands for the outside world, `scenery` the projects,
people and accounts, `letters` the mails, `play` runs them and compares with what should come out.
"""
