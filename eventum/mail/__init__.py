"""E-mail as values: bytes in, frozen objects out, and back again.

Reading order: `message` (what a mail says), `headers` and `words` (its header block), `address`, `dates`, `charset`,
`parts` (its MIME tree), `html`.  Pure: nothing here opens a file, asks a clock, talks to a network or knows issues.
"""
