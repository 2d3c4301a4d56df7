# SPDX-License-Identifier: LGPL-2.1-or-later
"""The words, names, charsets and odd strings that mailgen.py makes mail of.

Text is drawn in slices from pools that are made once, because a hundred thousand messages shall
take seconds.  What it is not: anybody's real mail; names and addresses are invented, hosts end in
.example (RFC 2606).
"""

import base64
import binascii
import random

WORDS = {
    "en": "the a of and to in budget meeting report please attached draft we will review before "
          "Friday thanks agreed numbers quarter schedule plan update figures send team call today "
          "question answer invoice order delivery ticket issue patch build server release note",
    "de": "der die das und mit für über Grüße bitte Anhang Übersicht nächste Woche Besprechung "
          "Rechnung Änderung größer können möchten wäre schließlich Maßnahme ist nicht auch noch",
    "fr": "le la les des une pour réunion prochaine semaine pièce jointe été être à où déjà "
          "français après-midi cordialement merci bientôt œuvre garçon naïve façon très",
    "ru": "и в не на что это как отчёт встреча завтра письмо вложение спасибо пожалуйста работа "
          "счёт проект неделя вопрос ответ привет хорошо будет можно дело время",
    "el": "και το να για από αναφορά συνάντηση αύριο ευχαριστώ παρακαλώ συνημμένο έργο εβδομάδα "
          "ερώτηση απάντηση καλημέρα λογαριασμός",
    "ja": "会議 資料 添付 お世話になっております よろしくお願いいたします 明日 来週 報告 "
          "確認 ありがとうございます 件名 予定 東京 大阪 請求書 カタカナ ひらがな",
    "zh": "会议 报告 附件 请 查收 谢谢 明天 下周 项目 计划 预算 问题 回复 北京 上海 发票",
    "ko": "회의 보고서 첨부 감사합니다 내일 다음주 확인 부탁드립니다 일정 서울 프로젝트",
    "ar": "اجتماع تقرير مرفق شكرا غدا الأسبوع القادم مشروع خطة ميزانية سؤال جواب مرحبا",
    "he": "פגישה דוח מצורף תודה מחר שבוע הבא פרויקט תוכנית תקציב שאלה תשובה שלום",
}

# (language, charset, transfer encoding), as often as they are listed
TEXTS = (
    [("en", "us-ascii", "7bit")] * 6 + [("en", "utf-8", "7bit")] * 4
    + [("en", "utf-8", "quoted-printable")] * 3 + [("en", "windows-1252", "quoted-printable")]
    + [("de", "utf-8", "quoted-printable"), ("de", "iso-8859-1", "quoted-printable"),
       ("de", "iso-8859-1", "8bit"), ("de", "utf-8", "8bit"), ("fr", "iso-8859-15", "8bit"),
       ("fr", "utf-8", "quoted-printable"), ("fr", "windows-1252", "quoted-printable"),
       ("ru", "koi8-r", "8bit"), ("ru", "windows-1251", "base64"), ("ru", "utf-8", "base64"),
       ("el", "iso-8859-7", "quoted-printable"), ("ja", "iso-2022-jp", "7bit"),
       ("ja", "shift_jis", "base64"), ("ja", "utf-8", "base64"), ("zh", "gb18030", "base64"),
       ("zh", "big5", "base64"), ("zh", "utf-8", "8bit"), ("ko", "euc-kr", "base64"),
       ("ar", "utf-8", "base64"), ("he", "windows-1255", "quoted-printable")])

# Python's name where it is not the one that mail uses; and what fits the charset of big5
_CODECS = {"windows-1255": "cp1255", "windows-1251": "cp1251", "windows-1252": "cp1252"}
_BIG5 = "會議 報告 附件 請 查收 謝謝 明天 下週 專案 計畫 預算 問題 回覆 台北 發票"

PEOPLE = (
    ("Alice Doe", "alice.doe"), ("Bob Müller", "bob"), ("Łukasz Żółć", "lukasz"),
    ("François Œuvrard", "francois"), ("Иван Петров", "ivan"), ("山田太郎", "yamada"),
    ("王小明", "wang"), ("김철수", "kim"), ("محمد علي", "mohammed"), ("דוד כהן", "david"),
    ("Γιώργος Παπάς", "giorgos"), ("O'Brien, Pat (Sales)", "pat.obrien"),
    ('Eve "The Mail" Smith', "eve"), ("", "no-reply"), ("Zoë 🌻 Garden", "zoe"),
    ("Dr. J. R. van der Berg-Hansen", "jr.vdberg+lists"), ("notifications@app.example", "robot"),
    ("Back\\slash", "backslash"), ("=?not an encoded word?=", "tricky"), ("Wu", "w"),
)
HOSTS = ("mail.example", "corp.example", "lists.example", "uni.example", "xn--bcher-kva.example")

# Subjects that break file names, terminals and parsers.
ODD_SUBJECTS = (
    "", " ", "🎉🚀 Launch day! 👩‍👩‍👧‍👦", "a/b\\c:d*e?f\"g<h>i|j", "..", ".", "../../etc/passwd",
    "-rf --no-preserve-root", "‮gnp.exe‬ reversed", "zero\u200bwidth\u2060joiner\ufeff",
    "bell\x07 escape\x1b[31mred\x1b[0m", "line\nbreak in an encoded word", "tab\tin\tit",
    "nul\x00byte", "e\u0301 decomposed, é composed", "Re: Re: AW: Fwd: [list] Re: deep",
    "%s%n%d %2F..%2F", "$(reboot) `id` ; rm -rf ~", "'quoted' \"double\" `back`",
    "=?utf-8?q?fake?=",
    "שלום עולם mixed with English", "x" * 300, "長い件名" * 60, "CON", "~", "{123}", "* OK [ALERT] hi",
    "(nested (parens) \"and\" \\ )", "\u0000\u0001\u0002", "a  b   double  spaces", "NIL",
    "ﬁ ligature ½ ①",
)

FILE_NAMES = (
    "report.pdf", "Q4 budget.xlsx", "photo.jpg", "Übersicht März.docx", "資料.pdf", "отчёт.odt",
    "archive.tar.gz", "a;b\"c\\d.txt", "../../escape.sh", "no-extension", "émoji 🎁.png",
    "a very long file name that goes on and on until it no longer fits into one line of a header "
    "and must be continued.pdf", "con.txt", "signature.asc", "invite.ics", "data.csv",
)

TYPES = {
    "pdf": "application/pdf", "xlsx": "application/vnd.openxmlformats-officedocument"
    ".spreadsheetml.sheet", "jpg": "image/jpeg", "png": "image/png", "txt": "text/plain",
    "docx": "application/msword", "gz": "application/gzip", "asc": "application/pgp-signature",
    "ics": "text/calendar", "csv": "text/csv", "odt": "application/vnd.oasis.opendocument.text",
}

_POOL_LINES = 500


def codec(charset):
    return _CODECS.get(charset, charset)


def sentence(draw, language, words):
    """Some words; the draw decides which."""
    pool = WORDS[language].split()
    return " ".join(draw.choice(pool) for _ in range(words))


class Pools:
    """Text by (language, charset, transfer encoding), and lines of base64 of nothing at all."""

    def __init__(self, seed):
        self._seed = seed
        self._lines = {}
        octets = random.Random(f"{seed}/binary").randbytes(57 * 20000)
        self.binary = wrapped_base64(octets)     # 78 octets a line

    def text(self, kind):
        """Lines of this kind as octets, each ended by CRLF, and where each begins."""
        if kind not in self._lines:
            joined = self._encode(*kind)
            starts, at = [], 0
            for line in joined.splitlines(keepends=True):
                starts.append(at)
                at += len(line)
            self._lines[kind] = (joined, starts)
        return self._lines[kind]

    def _encode(self, language, charset, encoding):
        draw = random.Random(f"{self._seed}/{language}/{charset}/{encoding}")
        words = (_BIG5 if charset == "big5" else WORDS[language]).split()
        lines = []
        for _ in range(_POOL_LINES):
            if draw.random() < 0.12:
                lines.append("")
                continue
            line, limit = "", draw.randrange(30, 72)
            while len(line) < limit:
                line += (" " if line else "") + draw.choice(words)
            if draw.random() < 0.15:
                line = "> " + line
            lines.append(line)
        encoded = [line.encode(codec(charset), "replace") for line in lines]
        if encoding == "quoted-printable":
            encoded = [binascii.b2a_qp(line).replace(b"=\n", b"=\r\n") for line in encoded]
        return b"\r\n".join(encoded) + b"\r\n"      # base64 is for whoever takes a slice


def wrapped_base64(octets):
    encoded = base64.b64encode(octets)
    return b"\r\n".join(encoded[at:at + 76] for at in range(0, len(encoded), 76)) + b"\r\n"
