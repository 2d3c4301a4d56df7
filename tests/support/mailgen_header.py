# SPDX-License-Identifier: LGPL-2.1-or-later
"""Header fields as mail programs really write them, for mailgen.py.

Each takes the draw (a random.Random) that decides which of the usual spellings is taken.  Fields
are octets without the final CRLF, already folded; parameters are text that begins with a semicolon.
"""

import base64
import functools
import time
import urllib.parse

from tests.support import mailgen_text as text

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ATOM = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~ ")
_Q_SAFE = set(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!*+-/")
_TOKENS = "abcdefghijklmnopqrstuvwxyz0123456789"


def plain(value):
    """Whether text may stand in a header as it is."""
    return value.isascii() and value.isprintable() and not value.startswith("=?")


def _word(piece, charset, form):
    octets = piece.encode(text.codec(charset), "replace")
    if form == "B":
        return f"=?{charset}?B?{base64.b64encode(octets).decode()}?="
    quoted = "".join(chr(o) if o in _Q_SAFE else "_" if o == 32 else f"={o:02X}" for o in octets)
    return f"=?{charset}?Q?{quoted}?="


@functools.lru_cache(maxsize=4096)
def encoded_words(value, charset="utf-8", form="B"):
    """text as RFC 2047 encoded words of at most 75 characters, folded between them; no character
    is split over two of them."""
    words, piece = [], ""
    for character in value:
        if piece and len(_word(piece + character, charset, form)) > 72:
            words.append(_word(piece, charset, form))
            piece = ""
        piece += character
    words.append(_word(piece, charset, form))
    return "\r\n ".join(words)


def _charset_for(draw, value):
    for charset in ("iso-8859-1", "koi8-r", "iso-2022-jp", "gb2312", "windows-1255"):
        if draw.random() < 0.3:
            try:
                value.encode(text.codec(charset))
                return charset
            except UnicodeEncodeError:
                pass
    return "utf-8" if draw.random() < 0.7 else "UTF-8"


def _fold(line, width=76):
    """Break at spaces where a line gets long; a run without spaces stays whole."""
    out, at = [], 0
    while len(line) - at > width:
        cut = line.rfind(" ", at + 1, at + width)
        if cut <= at or not line[at:cut].strip():
            break
        out.append(line[at:cut])
        at = cut
    out.append(line[at:])
    return "\r\n".join(out)


def subject(draw, value):
    if plain(value):
        return ("Subject: " + _fold(value)).encode()
    printable = value.isprintable() and not value.startswith("=?")
    if printable and draw.random() < 0.01:
        return ("Subject: " + value).encode("utf-8")      # raw, as RFC 6532 allows
    return ("Subject: " + encoded_words(value, _charset_for(draw, value),
                                        draw.choice("BQ"))).encode("utf-8")


def _person(draw):
    name, local = draw.choice(text.PEOPLE)
    address = f"{local}@{draw.choice(text.HOSTS)}"
    if not name:
        return address if draw.random() < 0.5 else f"<{address}>"
    if not name.isascii():
        return f"{encoded_words(name, _charset_for(draw, name), draw.choice('BQ'))} <{address}>"
    if set(name) <= _ATOM and not name.startswith("=?"):
        if draw.random() < 0.1:
            return f"{address} ({name})"
        return f"{name} <{address}>" if draw.random() < 0.7 else f'"{name}" <{address}>'
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <{address}>'


def people(draw, field, count):
    """A list of one field with that many addresses; now and then a group."""
    if field == "To" and draw.random() < 0.03:
        return [b"To: undisclosed-recipients:;"]
    listed = ",\r\n ".join(_person(draw) for _ in range(count))
    if count > 1 and draw.random() < 0.05:
        listed = f"The team: {listed};"
    return [f"{field}: {listed}".encode("utf-8")]


def date(draw, when):
    offset = draw.choice((0, 0, 60, 120, -300, -480, 330, 540))
    at = time.gmtime(when + offset * 60)
    sign = "-" if offset < 0 else "+"
    zone = f"{sign}{abs(offset) // 60:02d}{abs(offset) % 60:02d}"
    written = (f"{at.tm_mday} {_MONTHS[at.tm_mon - 1]} {at.tm_year} "
               f"{at.tm_hour:02d}:{at.tm_min:02d}:{at.tm_sec:02d} {zone}")
    spelling = draw.random()
    if spelling < 0.05:
        return written
    if spelling < 0.1:
        return f"{_DAYS[at.tm_wday]}, {written} (local time)"
    return f"{_DAYS[at.tm_wday]}, {written}"


def _noise(draw, length):
    return "".join(draw.choices(_TOKENS, k=length))


def trace(draw, message_id, when):
    """What servers on the way add."""
    lines = [f"Return-Path: <bounce-{_noise(draw, 8)}@lists.example>".encode()]
    for hop in range(draw.choice((1, 2, 3))):
        lines.append((f"Received: from mx{hop}.example (mx{hop}.example [192.0.2.{hop + 1}])\r\n"
                      f"\tby mail.example with ESMTPS id {_noise(draw, 12)};\r\n"
                      f"\t{date(draw, when + hop)}").encode())
    if draw.random() < 0.6:
        signature = _noise(draw, 64)
        lines.append(("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=corp.example;\r\n"
                      "\ts=2026; h=from:to:subject:date:message-id;\r\n"
                      f"\tbh={_noise(draw, 43)}=;\r\n\tb={signature}\r\n\t {signature}"
                      ).encode())
    if draw.random() < 0.4:
        lines.append(f"X-Spam-Status: No, score=-{draw.randrange(5)}.{draw.randrange(10)}".encode())
    return lines


def bulk(draw):
    """What mailing lists and newsletters add."""
    return [b"List-Id: The list <list.lists.example>",
            b"List-Unsubscribe: <mailto:leave@lists.example>,\r\n <https://lists.example/leave/"
            + _noise(draw, 30).encode() + b">", b"Precedence: bulk",
            b"X-Mailer: Example Mailer 1.0"]


def boundary(draw):
    return draw.choice(("----=_Part_{}", "=_{}", "{}", "Apple-Mail={}", "b1'()+_,-./:=?{}",
                        "_000_{}corp.example_")).format(_noise(draw, 20)).encode()


def charset(draw, name):
    return draw.choice((name, name, name.upper(), f'"{name}"'))


def cased(draw, value):
    return value if draw.random() < 0.9 else value.upper()


def parameter(draw, name, value):
    """; name=value in one of the ways of RFC 2231, or RFC 2047 in quotes, which is wrong but
    common."""
    if plain(value) and len(value) < 60:
        quoted = value.replace("\\", "\\\\").replace('"', '\\"')
        return f';\r\n\t{name}="{quoted}"'
    way = draw.random()
    if way < 0.25 and value.isprintable():
        words = encoded_words(value).replace("\r\n ", " ")
        return f';\r\n\t{name}="{words}"'
    octets = urllib.parse.quote(value, safe="!#$&+-.^_`|~")
    if way < 0.6 and len(octets) < 60:
        return f";\r\n\t{name}*=utf-8''{octets}"
    pieces, at = [], 0
    while at < len(octets):
        end = min(at + 40, len(octets))
        while end < len(octets) and "%" in octets[end - 2:end]:
            end -= 1              # never within a %XX
        pieces.append(octets[at:end])
        at = end
    return "".join(f";\r\n\t{name}*{number}*=" + ("utf-8''" if number == 0 else "") + piece
                   for number, piece in enumerate(pieces))
