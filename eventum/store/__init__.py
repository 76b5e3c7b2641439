"""Everything under `data/` and the cache: the only package that opens, renames, fsyncs or locks.

Flows in: values of `issues/` and raw mail. Flows out: the same, durable. It decides nothing about mail, talks to no
server and knows no Flask. The format it keeps is written down in `data/README.md`.

Read it in this order: `layout` (where things lie), `files` (the only calls that change a disk), `locks` and `maker`
(who may), `journal` (what changed), `spool` and `outbox` (mail on its way), `issues` and `pool` (mail at rest),
`index` (what is derived from all that).
"""
