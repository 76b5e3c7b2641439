"""E-mail as values: bytes in, frozen objects out, and back again.

Read first `message`, what a mail says; below it stand `headers`, `words` and `charset` (its fields), `address` and
`dates` (what they hold), `parts`, `tolerant` and `content` (its MIME tree), `reading` and `html` (its text).  What we
write stands in `compose` and `forward`; what we write and must know again in `automatic`, `threading` and `envelope`.

Pure: nothing here opens a file, asks a clock, talks to a network or knows issues.
"""
