"""What is written, quoted and signed in a mail's text."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventum.mail.quoting import pieces

ANSWER = "Thank you, that works."


def kinds(text: str) -> list[str]:
    return [piece.kind for piece in pieces(text)]


@pytest.mark.parametrize(
    "head",
    [
        "On Tue, 12 May 2026 at 16:20, Julia Brandt <julia@customer.example> wrote:",
        "On Tue, 12 May 2026 at 16:20, Julia Brandt with a long name\n<julia.brandt@customer.example> wrote:",
        "Am 12.05.2026 um 16:20 schrieb Julia Brandt:",
        "Am Di., 12. Mai 2026 um 16:20 Uhr schrieb Julia Brandt <\njulia@customer.example>:",
        "Le mar. 12 mai 2026 à 16:20, Julia Brandt <julia@customer.example> a écrit :",
        "El mar, 12 may 2026 a las 16:20, Julia Brandt (<julia@customer.example>) escribió:",
        "2026年5月12日(火) 16:20 Julia Brandt <julia@customer.example>:",
        "2026-05-12 16:20 GMT+02:00 Julia Brandt <julia@customer.example>:",
        "Julia Brandt <julia@customer.example> wrote:",
        "ユリアさんは書きました:",
    ],
)
def test_the_line_before_a_quote_belongs_to_it(head: str) -> None:
    first, second = pieces(f"{ANSWER}\n\n{head}\n\n> It leaks.\n>\n> Julia\n")
    assert (first.kind, first.text.strip(), first.folded) == ("text", ANSWER, False)
    assert (second.kind, second.folded) == ("quote", True)
    assert second.text.startswith(head) and "> Julia" in second.text


@pytest.mark.parametrize(
    "head",
    [
        "-----Original Message-----\nFrom: Julia\nSent: Tuesday",
        "-----Ursprüngliche Nachricht-----\nVon: Julia",
        "-------- Original-Nachricht --------",
        "-----Message d'origine-----",
        "-----Mensaje original-----",
        "-----元のメッセージ-----",
        "---------- Forwarded message ---------",
        "Begin forwarded message:",
        "From: Julia <julia@customer.example>\nSent: Tuesday, 12 May 2026 16:20\nTo: Help\nSubject: Leak",
        "________________________________\nVon: Julia\nGesendet: Dienstag\nAn: Hilfe\nBetreff: Leck",
        "De : Julia\nEnvoyé : mardi\nÀ : Aide\nObjet : fuite",
        "De: Julia\nEnviado el: martes\nPara: Ayuda\nAsunto: fuga",
        "差出人: ユリア\n送信日時: 2026年5月12日\n宛先: 窓口\n件名: 漏れ",
        "On Tue, 12 May 2026 at 16:20, Julia Brandt <julia@customer.example> wrote:",
    ],
)
def test_without_marks_all_below_the_header_is_the_quote(head: str) -> None:
    first, second = pieces(f"{ANSWER}\n\n{head}\n\nIt leaks.\nJulia")
    assert (first.kind, second.kind, second.folded) == ("text", "quote", True)
    assert second.text.startswith(head) and second.text.endswith("Julia")


@pytest.mark.parametrize(
    "text",
    [
        "From: what I can see it leaks.\nTo me it looks bad.",
        "On Monday we wrote: nothing.\nSo what?",
        "The file is on the server --\nplease look.",
        "I wrote:\nnothing.",
        "2 > 1, and 3 > 2",
        "Am Montag kommt sie: hoffentlich.",
        "",
        "\n\n",
    ],
)
def test_plain_words_are_no_quote(text: str) -> None:
    assert kinds(text) == ["text"]


def test_a_signature_is_folded_and_a_quote_below_it_is_a_quote() -> None:
    found = pieces(f"{ANSWER}\n\n-- \nJulia Brandt\nBrandt Druck\n\nAm 12.05.2026 um 16:20 schrieb Ana Ruiz:\n> Hello")
    assert [(piece.kind, piece.folded) for piece in found] == [("text", False), ("signature", True), ("quote", True)]
    assert found[1].lines == 3


def test_a_short_quote_that_is_answered_below_stays_open() -> None:
    found = pieces("> Can it arrive by noon?\nYes.\n> And the bill?\nNext week.\n> Bye\n")
    assert [(piece.kind, piece.folded) for piece in found] == [
        ("quote", False),
        ("text", False),
        ("quote", False),
        ("text", False),
        ("quote", True),
    ]


def test_a_long_quote_is_folded_wherever_it_stands() -> None:
    assert pieces("> 1\n> 2\n> 3\n> 4\nYes.")[0].folded


def test_a_mail_that_only_sends_something_on_is_shown() -> None:
    assert [piece.folded for piece in pieces("-------- Forwarded Message --------\nFrom: Julia\n\nIt leaks.")] == [
        False
    ]


@given(st.text(st.sampled_from("> -\nOn wrote:From\r_a＞"), max_size=200))
def test_nothing_is_lost(text: str) -> None:
    assert "\n".join(piece.text for piece in pieces(text)) == text


@pytest.mark.parametrize(
    "line",
    [
        ">",
        "> " * 40 + "\n",
        "On " + "x " * 100 + "\n",
        "On x\n\n",
        "From: x\nTo: y\n\n",
        "\n",
        "_" * 50 + "\n",
        "-" * 80 + "\n",
        "a wrote:\n",
        "> a\n\nOn 12 May 2026 J wrote:\n",
        "-- \n",
        "x" * 1_000_000,
        "2026年5月12日 ",
    ],
)
def test_a_megabyte_takes_little(line: str) -> None:
    text = (line * (1_000_000 // len(line) + 1))[:1_000_000]
    began = time.process_time()
    pieces(text)
    assert time.process_time() - began < 2.0
