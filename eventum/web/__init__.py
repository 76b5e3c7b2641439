"""The web interface: a view reads the request, calls one verb or question of the tracker, and renders.

Flows in: requests. Flows out: pages. Nothing here decides anything about mail or issues. A screen is one module with
one blueprint, one folder under `templates/`, and one row in `screens.BLUEPRINTS`. What all of them share: `door`
(nothing is loaded before the first request), `application` (what Flask is told), `trackers` (one for each request),
`access` (who may), `forms`, `page`, `l10n` (language and time), `errors`.
"""
