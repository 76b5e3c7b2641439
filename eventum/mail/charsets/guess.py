"""What charset unlabelled bytes are in: bytes beyond ASCII in, the name of a codec out, or None where nothing fits.

Each candidate reads the bytes, and what it makes of them is compared with what its languages are made of: the kana of
Japanese, the frequent characters of Chinese and syllables of Korean, the small letters of the others. A wrong reading
is full of rare signs, of capitals inside words, or cannot be read at all. Short text counts too: a subject is all
that some mails have.
"""

import re
from collections.abc import Callable
from typing import Final

_LOOKED_AT: Final = 65_536  # bytes, in which a line beyond ASCII should be found
_ENOUGH: Final = 800  # bytes of such lines

_KANJI: Final = frozenset(
    "日一国会人年大十二本中長出三同時政事自行社見月分議後前民生連五発間対上部東者党地合市業内相方四定今回新場金員九入選立開手米力学問高代明実円関"
    "決子動京全目表戦経通外最言氏現理調体化田当八六約主題下首意法不来作性的要用制治度務強気小七成期公持野協取都和統以機平総加山思家話世受区領多県続進正安設保改数記院女"
    "初北午指権心界支第産結百派点教報済書府活原先共得解名交資予川向際査勝面委告軍文反元重近千考判認画海参売利組知案道信策集在件団別物側任引使求所次水半品昨論計死官増係"
    "感特情投示変打男基私各始島直両朝革価式確村提運終挙果西勢減台広容必応演電歳住争談能無再位置企真流格有疑口過局少放税検藤町常校料沢裁状工建語球営空職証土与急止送援供可"
    "役構木割聞身費付施切由説転食比難防補車優夫研収断井何南石足違消境神番規術護展態導鮮備宅害配副算視条幹独警宮究育席輸訪楽起万着乗店述残想線率病農州武声質念待試族象銀域助"
    "様願致申込修復故障確認送信添付資料御了承連絡先担当者至急宜請求書見積領収納品発注文契約印刷障害髙﨑株限"
)  # fmt: skip
_HANZI: Final = frozenset(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样"
    "理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内"
    "信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许"
    "您请谢邮件您好设备打印测试故障订单发票客户问题帮助世界"
)  # fmt: skip
_TRADITIONAL: Final = frozenset(
    "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡用道行所然家種事成方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣"
    "理心她本前開但因只從想實日軍者意無力它與長把機十民第公此已工使情明性知全三又關點正業外將兩高間由問很最重並物手應戰向頭文體政美相見被利什二等產或新己制身果加西斯月話合回特代內"
    "信表化老給世位次度門任常先海通教兒原東聲提立及比員解水名真論處走義各入幾口認條平系氣題活爾更別打女變四神總何電數安少報才結反受目太量再感建務做接必場件計管期市直德資命山金指克許"
    "您請謝郵設備印故障訂單票客戶幫助繁體界"
)  # fmt: skip
_HANGUL: Final = frozenset(
    "이다는의에가을를로고하지사은한기도어리서자시그나대정인들만전일해아부수있제라장주보스오과상공게원구조여문안면동것신성할세우선여경용생소비발관적방유무치미트학국입회개요연습니까녕십감"
    "메프린터문제계약송금확류했었없합된될하세요반갑"
)  # fmt: skip
_SIGNS: Final = frozenset("\u3000、。，！？：；（）「」『』《》“”‘’…ー〜～・－")


class _Language:
    """How much the letters of one alphabet are worth: by their frequency, and capitals only in front or in a row.

    `latin`: its letters stand between those of ASCII, seldom side by side; any other's never touch one of ASCII.
    """

    def __init__(self, letters: str, rare: str = "", *, latin: bool = False, bonus: float = 0.0) -> None:
        self.worth = dict.fromkeys(rare, 0.4) | {
            letter: 1.0 - 0.6 * place / len(letters) for place, letter in enumerate(letters)
        }
        self.latin, self.bonus = latin, bonus

    def score(self, text: str) -> float:
        """At most 1: how much the signs beyond ASCII are those of the language."""
        total = count = 0.0
        before = " "
        for char, after in zip(text, text[1:] + " ", strict=True):
            if not char.isascii():
                count += 1
                worth = self._worth(char, before)
                beside_ascii = _is_letter(before) or _is_letter(after)
                if self.latin:
                    worth *= 0.6 if before.isalpha() and not before.isascii() and char.isalpha() else 1.0
                elif beside_ascii and char.isalpha():
                    worth = -1.0
                total += worth
            before = char
        if not count or (count < 2 and not self.latin):  # one sign says nothing
            return 0.0
        return total / count + self.bonus if self.latin else total / (count + 0.5)

    def _worth(self, char: str, before: str) -> float:
        known = self.worth.get(char)
        if known is not None:
            return known
        small = self.worth.get(char.lower(), 0.0) if char.lower() != char else 0.0
        if not small:
            return -0.5 if char.isalpha() or before.isalpha() else 0.0
        # A capital inside a word of small letters is what the wrong charset makes of it.
        return -0.5 if before.islower() else 0.9 * small


def _is_letter(char: str) -> bool:
    return char.isascii() and char.isalpha()


def _cjk(frequent: frozenset[str], charset: str, last: int) -> Callable[[str], float]:
    """The score of a script whose standard `charset` has its common characters in the rows up to that of `last`."""

    def score(text: str) -> float:
        total = count = 0.0
        for char in text:
            if not char.isascii():
                count += 1
                total += 1.0 if char in frequent or char in _SIGNS else _by_row(char, charset, last)
        return total / count if count else 0.0

    return score


def _by_row(char: str, charset: str, last: int) -> float:
    if not ("\u4e00" <= char <= "\u9fff" or "\uac00" <= char <= "\ud7a3"):
        return 0.0
    data = char.encode(charset, "ignore")
    return 0.55 if len(data) == 2 and data[0] <= last else 0.2


def _japanese(text: str) -> float:
    total = count = halves = 0.0
    for char in text:
        if char.isascii():
            continue
        count += 1
        if "\u3041" <= char <= "\u30fe":
            total += 1.05
        elif char in _KANJI or char in _SIGNS:
            total += 0.95
        elif "\uff61" <= char <= "\uff9f":
            halves += 1
        elif "\uff01" <= char <= "\uff5e" or "\u2460" <= char <= "\u33ff":
            total += 0.6
        else:
            total += _by_row(char, "euc_jp", 0xCF)
    if not count:
        return 0.0
    # Half-width kana are Japanese when they make words; a few of them are letters of others that are read wrongly.
    worth = 0.1 if halves * 2 > count else 0.5
    if halves == count and _HALF_WIDTH.search(text):
        worth = 0.8 if _VOICED.search(text) else 0.52
    return (total + worth * halves) / count


_HALF_WIDTH: Final = re.compile("[\uff66-\uff9f]{3}")
_VOICED: Final = re.compile("[\uff76-\uff84\uff8a-\uff8e][\uff9e\uff9f]|[\uff71-\uff9d]\uff70")
_CYRILLIC: Final = _Language("оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё", "іїєґўђјљњћџ")
_GREEK: Final = _Language("αοιετσνηυρκπςμλωδγχθφβξζψάέήίόύώ", "ϊϋΐΰ")
_HEBREW: Final = _Language("יוהלאתרשבמדנחעםפקגךצטכזןסףץ", "־׳״")
_ARABIC: Final = _Language("اليمنرتوبعدفسهكقحجشصطخذغزثضظةىأإآءئؤ", "،؛؟ًٌٍَُِّْپچگژـ")
_THAI: Final = _Language("านรอกเงวมยลดทตสะปบคหแจพชขใไโผถธซฉณญศษภฐฎฏฝฟฮฬฤฆ่้าิีัุู็ำื์ๆึ๊๋", "ฯฑฌฒฺๅ๐๑๒๓๔๕๖๗๘๙฿")
_WESTERN: Final = _Language("éäüöàßèçáóíñêôâåøæúãîùëïœ", "õûìòÿþðý¿¡«»“”„’‘–—…€£§°·©®", latin=True, bonus=0.1)
_CENTRAL: Final = _Language("áéíąęłóśżřčěšžýůőöüúäćńţşăâîťďňđ", "ľĺŕźôß„”“–—…", latin=True)
_TURKISH: Final = _Language("ıüşğçöİâîû", "“”’‘–—…", latin=True)
_CODECS: Final[tuple[tuple[str, Callable[[str], float]], ...]] = (
    ("cp932", _japanese),
    ("euc_jp", _japanese),
    ("cp949", _cjk(_HANGUL, "euc_kr", 0xC8)),
    ("gb18030", _cjk(_HANZI, "gb2312", 0xD7)),
    ("big5hkscs", _cjk(_TRADITIONAL, "big5", 0xC6)),
    ("cp1252", _WESTERN.score),
    ("cp1250", _CENTRAL.score),
    ("iso8859-2", _CENTRAL.score),
    ("cp1254", _TURKISH.score),
    ("cp1251", _CYRILLIC.score),
    ("koi8-r", _CYRILLIC.score),
    ("koi8-u", _CYRILLIC.score),
    ("iso8859-5", _CYRILLIC.score),
    ("cp866", _CYRILLIC.score),
    ("cp1253", _GREEK.score),
    ("iso8859-7", _GREEK.score),
    ("cp1255", _HEBREW.score),
    ("cp1256", _ARABIC.score),
    ("iso8859-6", _ARABIC.score),
    ("cp874", _THAI.score),
)
JAPANESE: Final = frozenset({"cp932", "euc_jp"})
_WIDE: Final = frozenset({"cp932", "euc_jp", "cp949", "gb18030", "big5hkscs"})


def likeliest(data: bytes, only: frozenset[str] | None = None, sure: float = 0.5) -> str | None:
    """The codec that makes the likeliest text of `data`, of `only` those when they are given; None for none.

    `sure`, from 0 to 1, is how much of its signs beyond ASCII have to be what its language is written with.
    """
    sample = _sample(data)
    best, best_score = None, sure
    for name, score in _CODECS:
        if only is None or name in only:
            # The newer standard of EUC-JP knows the circled digits, which the older takes for no characters.
            text = sample.decode("euc_jis_2004" if name == "euc_jp" else name, "replace")
            found = score(text) - 2 * text.count("\ufffd") / len(text) if text else 0.0
            if found > best_score:
                best, best_score = name, found
    return best


def east_asian(data: bytes) -> str | None:
    """The charset of Japanese, Korean or Chinese that calls itself something else; None when it may be what it says.

    Their bytes beyond ASCII stand side by side, those of Latin letters alone between others.
    """
    if _PAIRS.search(data, 0, _LOOKED_AT) is None:
        return None
    sample = _sample(data)
    high = len(sample) - len(sample.translate(None, _HIGH))
    runs = sum(1 for _ in _RUN.finditer(sample))
    return likeliest(sample, _WIDE, 0.8) if high >= 4 and high >= 3 * runs else None


def _sample(data: bytes) -> bytes:
    """The first lines that have something beyond ASCII."""
    if len(data) <= _ENOUGH:
        return data
    lines: list[bytes] = []
    room = _ENOUGH
    for line in data[:_LOOKED_AT].splitlines():
        if room > 0 and not line.isascii():
            lines.append(line[:room])
            room -= len(line)
    return b"\n".join(lines) or data[:_ENOUGH]


_HIGH: Final = bytes(range(128, 256))
_PAIRS: Final = re.compile(rb"(?:[\x81-\xfe][\x40-\xfe]){2}")
_RUN: Final = re.compile(rb"[\x80-\xff][\x40-\xff]*")
