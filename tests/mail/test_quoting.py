"""What is written, quoted, sent on and signed in a mail's text."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventum.mail.quotes.quoting import MAX_PIECES, Piece, is_answer, pieces, written

ANSWER = "Thank you, that works."
MARKED = "> It leaks.\n>\n> Julia\n"
PLAIN = "It leaks.\nJulia"

# What clients put before a quote: the line (or lines) alone says enough that all below it is another's mail.
SURE = [
    "On Tue, 12 May 2026 at 16:20, Julia Brandt <julia@customer.example> wrote:",
    "On Tue, 12 May 2026 at 16:20, Julia Brandt with a long name\n<julia.brandt@customer.example> wrote:",
    "On Tue, 12 May 2026 at 16:20, Julia Brandt\n<julia@customer.example>\nwrote:",
    "On May 12, 2026, at 4:20 PM, Julia Brandt <julia@customer.example> wrote:",
    "On 5/12/2026 4:20 PM, Julia Brandt wrote:",
    "On Tue, 12 May 2026 16:20:11 +0900\nJulia Brandt <julia@customer.example> wrote:",
    "On Tuesday, May 12, 2026 at 04:20:11 PM GMT+2, Julia Brandt <julia@customer.example> wrote:",
    "Am 12.05.2026 um 16:20 schrieb Julia Brandt:",
    "Am Di., 12. Mai 2026 um 16:20 Uhr schrieb Julia Brandt <\njulia@customer.example>:",
    "Am 12.05.2026 16:20 schrieb Julia Brandt <julia@customer.example\n>:",
    "Julia Brandt <julia@customer.example> schrieb am Di., 12.\nMai 2026, 16:20:",
    "Le mar. 12 mai 2026 à 16:20, Julia Brandt <julia@customer.example> a écrit :",
    "Le 12/05/2026 à 16:20, Julia Brandt a écrit :",
    "En mardi 12 mai 2026 à 16:20:11 UTC+2, Julia Brandt <julia@customer.example> a écrit :",
    "El mar, 12 may 2026 a las 16:20, Julia Brandt (<julia@customer.example>) escribió:",
    "El 12/05/2026 a las 16:20, Julia Brandt escribió:",
    "2026年5月12日(火) 16:20 Julia Brandt <julia@customer.example>:",
    "2026/05/12 16:20、Julia Brandt <julia@customer.example>のメール:",
    "Julia Brandt <julia@customer.example> さんは Tue, 12 May 2026 16:20:11 +0900 に書きました:",
    "Julia Brandt <julia@customer.example> 于2026年5月12日周二 16:20写道：",
    "在 2026年5月12日，下午4:20，Julia Brandt <julia@customer.example> 写道：",
    '在 2026-05-12 16:20:11，"Julia Brandt" <julia@customer.example> 写道：',
    'At 2026-05-12 16:20:11, "Julia Brandt" <julia@customer.example> wrote:',
    "Julia Brandt <julia@customer.example> 於 2026年5月12日 週二 下午4:20寫道：",
    "2026-05-12 16:20 GMT+02:00 Julia Brandt <julia@customer.example>:",
    "Op di 12 mei 2026 om 16:20 schreef Julia Brandt <julia@customer.example>:",
    "Il giorno mar 12 mag 2026 alle ore 16:20 Julia Brandt <julia@customer.example> ha scritto:",
    "Em ter., 12 de mai. de 2026 às 16:20, Julia Brandt <julia@customer.example> escreveu:",
    "вт, 12 мая 2026 г. в 16:20, Julia Brandt <julia@customer.example>:",
    "2026년 5월 12일 (화) 오후 4:20, Julia Brandt <julia@customer.example>님이 작성:",
    "---- On Tue, 12 May 2026 16:20:11 +0200 Julia Brandt <julia@customer.example> wrote ----",
    "On 12-May-2026, at 4:20 PM, Julia Brandt sent:",
    "--- On Tue, 5/12/26, Julia Brandt <julia@customer.example> wrote:",
    "12 мая 2026 г., в 16:20, Julia Brandt <julia@customer.example> написал(а):",
    "Dnia 12 maj 2026 o godz. 16:20 Julia Brandt <julia@customer.example> napisał(a):",
    "-----Original Message-----\nFrom: Julia\nSent: Tuesday",
    "-----Ursprüngliche Nachricht-----\nVon: Julia",
    "-------- Original-Nachricht --------",
    "-------- Message d'origine --------\nDe : Julia",
    "-----Mensaje original-----",
    "-----元のメッセージ-----",
    "------------------ 原始邮件 ------------------",
    "------------------ Original ------------------",
    "---- Replied Message ----\n| From | Julia<julia@customer.example> |\n| Date | 05/12/2026 16:20 |",
    "*-------- Original Message --------*",
    "Inactive hide details for Julia Brandt ---12.05.2026 16:20:11---It leaks.",
    "Julia Brandt/Firma/DE@Firma\n12.05.2026 16:20\n\nAn\nHelp/Firma/DE@Firma\nKopie\n\nThema\nRe: Leck",
    "From: Julia <julia@customer.example>\nSent: Tuesday, 12 May 2026 16:20\nTo: Help\nSubject: Leak",
    "*From:* Julia <julia@customer.example>\n*Sent:* Tuesday, 12 May 2026 16:20\n*To:* Help\n*Subject:* Leak",
    "________________________________\nVon: Julia\nGesendet: Dienstag\nAn: Hilfe\nBetreff: Leck",
    "Von:\tJulia Brandt <julia@customer.example>\nAn:\thelp@x.example\nDatum:\t12.05.2026 16:20\nBetreff:\tLeck",
    "Gesendet: Dienstag, 12. Mai 2026 um 16:20 Uhr\nVon: Julia\nAn: help@x.example\nBetreff: Leck",
    "De : Julia\nEnvoyé : mardi\nÀ : Aide\nObjet : fuite",
    "De: Julia\nEnviado el: martes\nPara: Ayuda\nAsunto: fuga",
    "差出人: ユリア\n送信日時: 2026年5月12日\n宛先: 窓口\n件名: 漏れ",
    "发件人： Julia\n发送时间： 2026-05-12 16:20\n收件人： help\n主题： Leak",
    "##- Please type your reply above this line -##",
]
# Enough only when marked lines follow, as people write such lines themselves.
UNSURE = [
    "2026/5/12 Julia Brandt <julia@customer.example>",
    "Julia Brandt <julia@customer.example> wrote:",
    "ユリアさんは書きました:",
    "Zitat von Julia Brandt <julia@customer.example>:",
    "El jueves, 21 de noviembre de 2013, Julia escribió:",
]


def kinds(text: str, answers: bool = True) -> list[str]:
    return [piece.kind for piece in pieces(text, answers)]


def folds(found: tuple[Piece, ...]) -> list[tuple[str, bool]]:
    return [(piece.kind, piece.folded) for piece in found]


@pytest.mark.parametrize("head", [*SURE, *UNSURE])
def test_the_line_before_a_quote_belongs_to_it(head: str) -> None:
    first, second = pieces(f"{ANSWER}\n\n{head}\n\n{MARKED}")
    assert (first.kind, first.text.strip(), first.folded) == ("text", ANSWER, False)
    assert (second.kind, second.folded) == ("quote", True)
    assert second.text.startswith(head) and "> Julia" in second.text


@pytest.mark.parametrize("head", SURE)
def test_without_marks_all_below_the_header_is_the_quote(head: str) -> None:
    first, second = pieces(f"{ANSWER}\n\n{head}\n\n{PLAIN}")
    assert (first.kind, second.kind, second.folded) == ("text", "quote", True)
    assert second.text.startswith(head) and second.text.endswith("Julia")


@pytest.mark.parametrize("head", UNSURE)
def test_a_line_that_people_write_themselves_needs_marks_below_it(head: str) -> None:
    assert kinds(f"{ANSWER}\n\n{head}\n\n{PLAIN}") == ["text"]


@pytest.mark.parametrize(
    "text",
    [
        "From: what I can see it leaks.\nTo me it looks bad.",
        "From: the start it failed.\nSent: 3 packets\nTo: the router, and none came back.",
        "Sent: 3 packets\nReceived: 0 packets",
        "On Monday we wrote: nothing.\nSo what?",
        "On 12 May 2026 I wrote:\nplease send it back.",
        "The file is on the server --\nplease look.",
        "I wrote:\nnothing.",
        "2 > 1, and 3 > 2",
        "Am Montag kommt sie: hoffentlich.",
        "2026-05-12 16:20 GMT+01:00 server restarted\n2026-05-12 16:21 GMT+01:00 up",
        "Name: Julia\nFrom: Berlin\nTo: Rome\nPhone: 1",
        "Please compare:\n-----\nold value\n-----\nnew value",
        "Intro\n--\n" + "A paragraph that goes on.\n" * 40,
        "",
        "\n\n",
    ],
)
def test_plain_words_are_no_quote(text: str) -> None:
    assert kinds(text) == ["text"]


def test_what_somebody_shows_with_marks_stays_open() -> None:
    for text in (
        "I typed:\n\n> cd /tmp\n> ls\n> rm x\n> ls\n\n",
        "> Can it arrive by noon?\nYes.",
        "The log says:\n> 10:01 started\n> 10:02 failed\n",
        "It failed.\n\n> exit 1\n",
    ):
        assert not any(piece.folded for piece in pieces(text))


def test_a_signature_is_folded_and_a_quote_below_it_is_a_quote() -> None:
    found = pieces(f"{ANSWER}\n\n-- \nJulia Brandt\nBrandt Druck\n\nAm 12.05.2026 um 16:20 schrieb Ana Ruiz:\n> Hello")
    assert folds(found) == [("text", False), ("signature", True), ("quote", True)]
    assert found[1].lines == 3


def test_inline_answers_stay_readable_with_what_they_answer() -> None:
    found = pieces("> Can it arrive by noon?\nYes.\n> And the bill?\nNext week.\n> Bye\n")
    assert folds(found) == [("quote", False), ("text", False), ("quote", False), ("text", False), ("quote", True)]


def test_of_a_long_quote_the_end_is_shown_where_several_are_answered() -> None:
    long = "".join(f"> line {number}\n" for number in range(20))
    found = pieces(f"{long}Yes.\n{long}No.")
    assert folds(found) == 2 * [("quote", True), ("quote", False), ("text", False)]
    assert found[1].text == "> line 17\n> line 18\n> line 19"
    assert folds(pieces(f"{long}Yes.")) == [("quote", True), ("text", False)]


@pytest.mark.parametrize(
    "head",
    [
        "---------- Forwarded message ---------\nFrom: Julia <julia@customer.example>\nDate: Tue\nSubject: Leak",
        "Begin forwarded message:\n\nFrom: Julia <julia@customer.example>\nSubject: Leak\nDate: Tue\nTo: h@x.example",
        "----- Weitergeleitete Nachricht -----\nBetreff: \tLeak\nDatum: \tTue\nVon: \tJulia <julia@customer.example>",
        "---------- Message transféré ---------\nDe : Julia <julia@customer.example>\nDate : Tue\nObjet : Leak",
        "---------- Mensaje reenviado ---------\nDe: Julia <julia@customer.example>\nFecha: Tue\nAsunto: Leak",
        "---------- 転送メッセージ ---------\n差出人: Julia <julia@customer.example>\n日付: Tue\n件名: Leak",
        "-------- 转发邮件信息 --------\n发件人：Julia <julia@customer.example>\n发送日期：Tue\n主题：Leak",
        "________________________________\nFrom: Julia <julia@customer.example>\nSent: Tue\nTo: Help\nSubject: Leak",
    ],
)
def test_what_is_sent_on_is_open_and_says_from_whom(head: str) -> None:
    first, second = pieces(f"Please look.\n\n{head}\n\n{PLAIN}\n", answers=False)
    assert folds((first, second)) == [("text", False), ("forward", False)]
    assert second.forwarded is not None
    assert (second.forwarded.from_, second.forwarded.subject) == ("Julia <julia@customer.example>", "Leak")
    assert second.forwarded.date == "Tue"
    assert second.body.strip() == PLAIN and second.text == f"{second.head}\n{second.body}"


def test_what_apple_mail_sends_on_in_a_quote_is_open_too() -> None:
    first, second = pieces(
        "Look.\n\n> Begin forwarded message:\n> \n> From: Julia\n> Subject: Leak\n> Date: x\n> \n> It leaks."
    )
    assert folds((first, second)) == [("text", False), ("forward", False)]
    assert second.forwarded is not None and second.forwarded.subject == "Leak"
    assert second.body == "> \n> It leaks."


def test_in_what_is_sent_on_its_own_quotes_and_signature_are_folded() -> None:
    head = "---------- Forwarded message ---------\nFrom: Julia\nSubject: x\nDate: y"
    text = f"Look.\n\n{head}\n\n{ANSWER}\n-- \nJulia\n\n{SURE[0]}\n{MARKED}"
    assert folds(pieces(text, answers=False)) == [
        ("text", False),
        ("forward", False),
        ("signature", True),
        ("quote", True),
    ]


def test_a_mail_that_answers_nothing_is_nobodys_quote() -> None:
    form = "A new message from your form:\n\nFrom: Julia\nDate: 12 May 2026\nSubject: Leak\n\nIt leaks.\n> badly"
    assert not any(piece.folded for piece in pieces(form, answers=False))


@pytest.mark.parametrize(
    ("subject", "has_ids", "answers"),
    [
        ("Leak", False, False),
        ("Leak", True, True),
        ("Re: Leak", False, True),
        ("AW: Leak", False, True),
        ("[#42] Re: Leak", False, True),
        ("回复: Leak", False, True),
        ("RE[2]: Leak", False, True),
        ("Fwd: Leak", True, False),
        ("WG: Leak", True, False),
        ("TR: fuite", True, False),
        ("转发：漏", True, False),
    ],
)
def test_whether_a_mail_answers_another(subject: str, has_ids: bool, answers: bool) -> None:
    assert is_answer(subject, has_ids) is answers


def test_what_the_writer_wrote_himself() -> None:
    assert written(f"{ANSWER}\n\nSent from my iPhone\n\n{SURE[0]}\n{MARKED}") == ANSWER
    assert written("> a\nYes.\n\n> b\nNo.\n\n-- \nJulia") == "Yes.\n\nNo."
    assert written("> only a quote") == ""


def test_a_mail_that_only_sends_something_on_is_shown() -> None:
    assert folds(pieces("-------- Forwarded Message --------\nFrom: Julia\n\nIt leaks.")) == [("forward", False)]


LINES = [
    "", ">", "> a", "a", "-- ", "--", "___", "-----", SURE[0], "wrote:", "From: x", "Date: 2026-01-01", "Subject: y",
    "＞", "Begin forwarded message:", "Sent from my iPhone", "> Begin forwarded message:", "> From: x",
    "tel: 123", " ", "\r",
]  # fmt: skip


@given(
    st.one_of(
        st.text(st.sampled_from("> -\nOn wrote:From\r_a＞"), max_size=200),
        st.lists(st.sampled_from(LINES)).map("\n".join),
    ),
    st.booleans(),
)
def test_nothing_is_lost(text: str, answers: bool) -> None:
    found = pieces(text, answers)
    assert "\n".join(piece.text for piece in found) == text
    assert all(one.text in (one.head, f"{one.head}\n{one.body}") for one in found if one.forwarded)
    assert not text.strip() or any(not piece.folded for piece in found)


def test_there_are_never_more_pieces_than_a_page_can_show() -> None:
    found = pieces("> a\nb\n" * 5_000)
    assert len(found) <= 2 * MAX_PIECES and not found[-1].folded


HOSTILE = [
    ">", "> " * 40 + "\n", "On " + "x " * 100 + "\n", "On a a a ", "On x\n\n", "From: x\nTo: y\n\n", "\n",
    "_" * 50 + "\n", "-" * 80 + "\n", "a wrote:\n", "> a\n\nOn 12 May 2026 J wrote:\n", "-- \n", "x" * 40_000,
    "2026年5月12日 ",
    "> a\nb\n", "- " * 150 + "\n", "x" * 390 + ":\n", "On 12.05.2026 16:20 " + "x" * 370 + ":\n", "De: a\n",
    "Sent from my iPhone\n\nx\n", "iphone " * 50 + "\n", "Subject: " + "x" * 200 + "\n", "a\n12.05.2026 16:20\n",
    "---------- forwarded message ---------\n", "tel " * 70 + "\n-----\n", "> From: a\n> Subject: b\n\n",
]  # fmt: skip


@pytest.mark.parametrize("line", HOSTILE)
def test_hostile_text_takes_little(line: str) -> None:
    text = (line * (40_000 // len(line) + 1))[:40_000]
    began = time.process_time()
    pieces(text)
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize("line", ["From: x\nTo: y\n\n", "a wrote:\n", "-" * 80 + "\n", "> a\nb\n", "x" * 2_000_000])
def test_the_time_for_hostile_text_grows_no_faster_than_its_size(line: str) -> None:
    def seconds(size: int) -> float:
        text = (line * (size // len(line) + 1))[:size]
        began = time.process_time()
        pieces(text)
        return time.process_time() - began

    assert seconds(2_000_000) < 60 * seconds(100_000) + 0.2


def test_lines_like_fields_are_looked_at_once() -> None:
    began = time.process_time()
    pieces("a: x\n" * 100_000)
    assert time.process_time() - began < 1.2


def test_the_divider_of_qq_is_known_with_its_entities() -> None:
    divider = "------------------&nbsp;原始邮件&nbsp;------------------"
    found = pieces(f'谢谢！\n\n{divider}\n发件人: "a" <a@b.example>;\n主题: 订单\n\n已发货')
    assert [piece.kind for piece in found] == ["text", "quote"] and found[1].text.startswith(divider)


def test_points_that_are_divided_by_hyphens_are_no_signature() -> None:
    text = "Two things:\n\n--\nThe printer is silent.\n--\nThe scanner is loud.\nPlease come.\n--\nAna\n"
    found = pieces(text)
    assert [piece.kind for piece in found] == ["text", "signature"]
    assert "scanner" in found[0].text and "Ana" in found[1].text
