"""What telephones and programs put below a mail: "Sent from my iPhone", in the languages that they speak.

A line in, whether it is one out.  Such a line names a device or a program and holds nothing else: people write "sent
from" themselves, and "昨日メールで送信しました" is news.
"""

import re
from typing import Final

_LOOKED_AT: Final = 300  # characters of a line
_MOST: Final = 120

_DEVICES: Final = r"""(?:
      iphone | ipad | ipod | mac(?:book)? | android | black\s?berry | samsung | galaxy | huawei | xiaomi | redmi | oppo
    | vivo | pixel | nokia | lumia | htc | lg\b | sony | xperia | motorola | oneplus | nexus | honor | ti-85
    | windows | outlook | gmail | yahoo | thunderbird | spark | sparrow | boomerang | newton | superhuman | foxmail | qq
    | (?: proton | gmx | yahoo | web\.de | g | air | hot | spark\s? | k-9\s | fast | zoho | aqua | box )? -? mail
    | mobile | mobil\w* | phone | smart\s?phone | cell | handy | tablet | device | gerät\w* | telefon\w* | movil | móvil
    | teléfono | téléphone | portable | postbox | mailbox
    | スマートフォン | スマホ | 携帯 | メール | 手机 | 手機 | 邮箱 | 邮件 | 郵件 | 网易 | 網易 )"""
_NAMED: Final = rf".{{0,60}} {_DEVICES} .{{0,60}}"
_PROGRAM: Final = re.compile(
    rf"""
    [(<\[|*_\s]{{0,4}}
    (?: (?: sent | posted ) \s (?: from | via | with | using ) \s {_NAMED}                      # English
      | sent \s by \s {_DEVICES} | from \s my \s {_DEVICES} .{{0,20}} | someone \s from \s mobile
      | (?: get | obtenez | obtenir | télécharger | téléchargez | obtener | obtén | descarga | baixar | obter | scarica
          | ottieni | hol(?:en)?\ssie\ssich | download | laden\ssie | 获取 | 取得 | 下载 )
        \s? \[?outlook \s? (?: for | pour | para | per | für ) .{{0,40}}                         # in many languages
      | outlook \s für \s (?: ios | android ) \s beziehen | .{{0,12}} outlook .{{0,12}} を入手 (?: する )?
      | (?: gesendet | geschickt | verschickt ) \s (?: von | mit | über | aus | vom ) \s {_NAMED}  # German
      | (?: von | mit | vom ) \s .{{0,60}} {_DEVICES} .{{0,30}} (?: gesendet | geschickt | verschickt | gesandt ) .?
      | diese \s (?: nachricht | e-?mail | mail ) \s wurde \s .{{0,20}} {_DEVICES} .{{0,60}} gesendet .{{0,3}}
      | (?: envoyé | provenance | expédié ) \s?
        (?: : | depuis | de | d['’]un | à\spartir | avec | par | via ) {_NAMED}                   # French
      | enviad[oa] \s (?: desde | con | de | do | da | a\spartir | pelo | via ) \s {_NAMED}      # Spanish, Portuguese
      | inviato \s (?: da | dal | con | tramite ) {_NAMED}                                       # Italian
      | (?: verzonden | verstuurd ) \s (?: met | vanaf | van | via ) \s {_NAMED}                 # Dutch
      | (?: skickat | sendt | sänt ) \s (?: från | fra | med ) \s {_NAMED}                       # Scandinavian
      | lähetetty \s {_NAMED} | wysłan[eo] \s (?: z | za ) {_NAMED} | odesláno \s z {_NAMED}
      | отправлено \s (?: с | из ) .{{0,60}} (?: {_DEVICES} | телефона | почты ) .{{0,40}}
      | (?: .{{0,20}} [-–—] \s? )? (?: 私の | マイ | my\s )? {_DEVICES} .{{0,25}}
        (?: から | より ) \s? 送信 (?: しました | されました | しています )? [。.]?                # Japanese
      | (?: 发自 | 發自 | 发送自 | 傳送自 | 来自 | 來自 ) \s? {_NAMED}                             # Chinese
      | (?: 从 | 從 | 由 | 使用 | 通过 ) \s? .{{0,40}} {_DEVICES} .{{0,15}} (?: 发送 | 傳送 | 发出 | 寄出 ) .?
      | .{{0,20}} {_DEVICES} .{{0,10}} 에서 \s? 보냄 .?                                           # Korean
    ) [)>\]|*_\s.]{{0,5}}
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SENT_FROM: Final = re.compile(r"sent (?:from|with|via) (?:an?|my|the) (?:[\w'’-]+ ?){1,5}[.!]?", re.IGNORECASE)
_EXCUSE: Final = re.compile(r"[,.;]?\s*(?:please |pls )?(?:excuse|pardon|forgive|sorry)\b.{0,80}", re.IGNORECASE)
_TARGET: Final = re.compile(r"\s*(?:<[^<>]{1,300}>|\(https?://[^()\s]{1,300}\)|https?://\S{1,300})")


def is_program(line: str) -> bool:
    """Whether a telephone or a program put this line below the mail: "Sent from my iPhone"."""
    line = line[:_LOOKED_AT].strip()
    if len(line) < 6:
        return False
    if line.endswith(">>"):
        line = line.strip("<>")
    if "<" in line or "http" in line:
        line = _TARGET.sub("", line).strip()
    if "," in line or "." in line or ";" in line:
        line = _EXCUSE.sub("", line)
    return len(line) <= _MOST and "," not in line.rstrip(",") and _PROGRAM.fullmatch(line) is not None


def is_sent_from(line: str) -> bool:
    """As `is_program`, or a line of that form by somebody who changed it: "Sent from a torch of pixels"."""
    return is_program(line) or _SENT_FROM.fullmatch(line.strip()) is not None
