"""E-mail as values: bytes in, frozen objects out, and back again.

Read first `message`, what a mail says; below it stand `headers`, `parameters` and `words` (its fields), `address`,
`mailbox` and `dates` (what they hold), `parts`, `tolerant` and `content` (its MIME tree), `gathering`, `containers` and
`opening` (what lies in what), `reading` and `bodies` (its text). What we write stands in `compose`, `enclosure` and
`forward`; what we write and must know again in `automatic`, `threading` and `envelope`.

    charsets/   bytes to text and back, whatever the label says; Japanese
    formats/    what only few mails hold, loaded when such a mail comes: winmail.dat, calendars, S/MIME, uuencode
    html/       HTML to be read as text (`text`), and to be shown (`markup`)
    quotes/     the text in pieces: written, quoted, sent on, signature
    reports/    what programs say about mail: failed, delayed, read, absent

Pure: nothing here opens a file, asks a clock, talks to a network or knows issues.
"""
