"""What programs that stand before a person answer: that he is away, or that the sender shall prove himself.

In flow headers and a message, out flow "vacation", "challenge" or "". Only asked of mail that a program wrote.
"""

import re
from typing import Final

from eventum.mail.headers import Headers
from eventum.mail.message import Message
from eventum.mail.reports.dsn import is_called_like_one

_LOOKED_AT: Final = 3_000  # characters of the text

# Programs that let in only who answers them (TMDA, Spam Arrest, Boxbe).
_CHALLENGERS: Final = ("x-tmda-confirm", "x-spamarrest-info", "x-spamarrest-noauth", "x-boxbe-auto-reply")
_CHALLENGES: Final = (
    *(r"please confirm (?:your (?:message|e-?mail)|that you)", r"confirm (?:your )?(?:e-?mail|message) delivery"),
    *(r"(?:sender|message|e-?mail) (?:verification|confirmation) (?:required|request|needed)",),
    *(r"(?:verify|confirm|authenticate) (?:that )?you(?:rself| are (?:a )?(?:human|real|person|the sender))",),
    *(r"awaiting (?:your )?(?:authorization|confirmation|verification)", r"requires? (?:sender )?verification"),
    *(r"click (?:on )?(?:the )?(?:link|button) (?:below )?(?:to|and) (?:confirm|verify|release|deliver)",),
    *(r"confirmez votre", r"demande d.authentification", r"bestätigen sie (?:ihre|bitte)", r"por favor,? confirme"),
    *(r"送信者(?:認証|確認)",),
)
_ABSENCES: Final = (
    *(r"out of (?:the )?office", r"out-of-office", r"\bo\.?o\.?o\b", r"\bvacation\b", r"\bholiday(?:s|\b)"),
    *(r"\bannual leave", r"\b(?:on|parental|maternity|sick) leave\b", r"\baway (?:from|until|till)", r"\bmy return"),
    *(r"\b(?:i am|i'm|i will be|am currently|currently) (?:away|absent|out)", r"\bwhen i (?:return|get back|am back)"),
    *(r"\bauto(?:matic|mated)?[ -]?reply", r"\bautoreply", r"\bautoresponse"),
    *(r"\babwesen", r"\burlaub", r"nicht im (?:büro|hause?)", r"automatische antwort"),
    *(r"\babsen(?:ce|t|te)\b", r"\bcongés?\b", r"réponse automatique", r"en vacances"),
    *(r"fuera de (?:la )?oficina", r"de vacaciones", r"respuesta automática", r"\bausente\b"),
    *(r"fuori (?:sede|ufficio)", r"\bin ferie\b", r"risposta automatica"),
    *(r"\bafwezig", r"\bvakantie", r"automatisch antwoord", r"resposta automática", r"fora do escritório"),
    *(r"не в офисе", r"в отпуске", r"автоответ"),
    *(r"不在", r"休暇", r"休業", r"外出して", r"出張", r"自動応答", r"自動返信"),
    *(r"自动回复", r"自動回覆", r"休假", r"外出"),
)
_CHALLENGE: Final = re.compile("|".join(_CHALLENGES), re.IGNORECASE)
_ABSENCE: Final = re.compile("|".join(_ABSENCES), re.IGNORECASE)


def answer(headers: Headers, message: Message) -> str:
    """The kind of answer: "challenge", "vacation", or "" for what is neither, or tells of the mail itself."""
    if message.automatic == "bounce":
        # Programs of old take the null sender for it, as mail systems do; then the subject tells.
        is_absence = not is_called_like_one(message.subject) and _ABSENCE.search(message.subject)
        return "vacation" if is_absence else ""
    if message.automatic not in ("auto-reply", "auto-generated", "bulk"):
        return ""
    if any(name in headers for name in _CHALLENGERS):
        return "challenge"
    head = f"{message.subject}\n{message.text[:_LOOKED_AT]}"
    if _CHALLENGE.search(head):
        return "challenge"
    if "x-vacationmessage" in headers or "vacation" in (headers.first("auto-submitted") or "").lower():
        return "vacation"
    if message.automatic != "bulk" and _ABSENCE.search(head):
        return "vacation"
    return ""
