"""Signatures: what stands below a mail, and what only looks like it."""

import pytest

from eventum.mail.quotes.programs import is_program
from eventum.mail.quotes.quoting import pieces

PROGRAMS = """Sent from my iPhone
Sent from my Verizon Wireless BlackBerry
Sent from my Samsung Galaxy smartphone.
Sent from my cell, please excuse any typos.
Sent from Outlook for Android<https://aka.ms/AAb9ysg>
Sent from [Mail](https://go.microsoft.com/fwlink/?LinkId=550986) for Windows 10
Sent from Yahoo Mail on Android
Sent with Proton Mail secure email.
Get Outlook for iOS<https://aka.ms/o0ukef>
(sent from a phone)
Von meinem iPhone gesendet
Gesendet von Mail für Windows 10
Gesendet mit der GMX Mail App
Diese Nachricht wurde von meinem Android-Gerät mit K-9 Mail gesendet.
Holen Sie sich Outlook für iOS
Envoyé de mon iPhone
Envoyé à partir de Outlook pour iOS
Télécharger Outlook pour iOS
Provenance : Courrier pour Windows 10
Enviado desde mi iPhone
Enviado desde Correo para Windows
Obtener Outlook para iOS
iPhoneから送信
Yahoo!メール - iPhoneから送信
Windows 版のメールから送信
Outlook for iOS を入手
发自我的iPhone
從我的 iPhone 傳送
从 Windows 版邮件发送
获取 Outlook for iOS
| 发自网易邮箱大师 |
Inviato da iPhone
Enviado do meu iPhone
Verzonden vanaf mijn Galaxy
Skickat från min iPhone
Wysłane z iPhone'a
Отправлено с iPhone
나의 iPhone에서 보냄""".split("\n")

NEWS = """Sent from my desk, is much easier than my mobile phone.
I sent it from my phone but nothing came
Sent from the printer
The report was sent from my phone.
Mail sent from Outlook does not arrive, please help
Die Rechnung wurde von meinem Handy aus gesendet
本日倉庫から送信しました
昨日メールで送信しました。
先ほどメールから送信しました
从手机端发送的邮件没有收到
iPhone""".split("\n")

BLOCKS = [
    "-- \nJulia\nBrandt Druck",
    "--\nJulia",
    "__________________________________________\nriders mailing list\nhttp://lists.example/riders",
    "------------------------\nJens Meier\nTel: +49 30 1234567\njens@firma.example",
    "━━━━━━━━━━━━━━\n株式会社コキャク 鈴木\nTEL:03-0000-0000\n━━━━━━━━━━━━━━",
    "＊＊＊＊＊＊＊＊\n鈴木一郎\nE-mail: suzuki@kokyaku.example\n＊＊＊＊＊＊＊＊",
    "_/_/_/_/_/_/_/_/_/_/\n鈴木 <suzuki@kokyaku.example>\n_/_/_/_/_/_/_/_/_/_/",
    "◇─────────◇\n 鈴木\n 〒100-0001 東京都\n◇─────────◇",
    "Sent from a magnificent torch of pixels",
]

NO_BLOCKS = [
    "The end of the list:\n-----\nGET http://x.example/a 500\nGET http://x.example/b 200",
    "Total\n____\n300",
    "=====\nPlease answer until Monday.",
    "a -- b\n--\n" + "and it goes on\n" * 20,
    "-----\nTom Brinck\n(201) 829-5238\ntom@x.example\n\n" + "And I go on with what I wanted to say, " * 3,
    "*****",
]


@pytest.mark.parametrize("line", PROGRAMS)
def test_what_a_program_puts_below_a_mail_is_its_signature(line: str) -> None:
    assert is_program(line)
    assert [(piece.kind, piece.folded) for piece in pieces(f"Yes.\n\n{line}\n")] == [
        ("text", False),
        ("signature", True),
    ]


@pytest.mark.parametrize("line", NEWS)
def test_what_people_write_of_sending_is_text(line: str) -> None:
    assert not is_program(line)
    assert [piece.kind for piece in pieces(f"Hello,\n\n{line}\nwhat now?\n")] == ["text"]


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_with_addresses_below_a_rule_is_a_signature(block: str) -> None:
    text, signature = pieces(f"Yes.\n\n{block}\n")
    assert (text.kind, signature.kind, signature.folded) == ("text", "signature", True)
    assert signature.text.strip() == block.strip()


@pytest.mark.parametrize("block", NO_BLOCKS)
def test_a_rule_alone_is_no_signature(block: str) -> None:
    assert [piece.kind for piece in pieces(f"Yes.\n\n{block}\n")] == ["text"]


def test_the_line_of_a_telephone_in_the_middle_hides_nothing_below_it() -> None:
    found = pieces("Yes.\n\nSent from my iPhone\n\nOne.\nTwo.\nThree.\n")
    assert [(piece.kind, piece.folded) for piece in found] == [("text", False), ("signature", True), ("text", False)]


def test_a_mail_that_is_nothing_but_a_signature_is_shown() -> None:
    assert [piece.folded for piece in pieces("-- \nJulia\n")] == [False]
