#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Realistic mail from a seed: the same seed and index give the same octets, always.

    for mail in Generator(seed=1).messages(1000):      # mail.octets, mail.flags, mail.date, .index
        ...
    server.fill("alice", "INBOX", Generator(1).messages(100000, largest=200000))

    mailgen.py --count N --seed S --maildir DIR        # writes DIR/cur
    mailgen.py --index 17 --seed S                     # prints one message

Sizes are log-normal: median about 4 KB, mean about 23 KB, a tail of megabytes that `largest` cuts.
Threads refer to earlier messages, texts come in many charsets and transfer encodings, headers are
encoded by RFC 2047 and RFC 2231 (also in the wrong ways that are common), attachments and forwarded
messages nest, subjects are sometimes hostile.  Lines end in CRLF; there is no bare CR, LF or NUL.

What it is not: broken mail.  Malformed messages belong in the tests that need them.
"""

import argparse
import dataclasses
import math
import os
import pathlib
import random
import sys
import time

if __package__ in (None, ""):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from tests.support import mailgen_header as header  # noqa: E402
from tests.support import mailgen_text as text  # noqa: E402

MEDIAN = 4096
SIGMA = math.sqrt(2 * math.log(23000 / MEDIAN))     # makes the mean 23,000
LARGEST = 30_000_000
FIRST_DATE = 1_609_459_200                          # 2021-01-01, of message 0
SPACING = 600                                       # seconds from one message to the next, about
BODY_LIMIT = 40_000                                 # texts are not longer; attachments are

_FLAGS = (("\\Seen", 0.7), ("\\Answered", 0.12), ("\\Flagged", 0.06), ("\\Draft", 0.01),
          ("\\Deleted", 0.01), ("$Forwarded", 0.04), ("$Junk", 0.02), ("work", 0.05))


@dataclasses.dataclass(frozen=True)
class Mail:
    """One message; iterates as (octets, flags, date), which is what fill() takes."""
    index: int
    octets: bytes
    flags: str                   # separated by spaces
    date: int                    # seconds since the epoch, for INTERNALDATE

    def __iter__(self):
        return iter((self.octets, self.flags, self.date))


class Generator:
    """An endless mailbox; message(i) is independent of which others were made."""

    def __init__(self, seed=1):
        self.seed = seed
        self.pools = text.Pools(seed)

    def messages(self, count, first=0, largest=LARGEST):
        """Messages first to first + count - 1, none (much) larger than `largest` octets."""
        for index in range(first, first + count):
            yield self.message(index, largest)

    def message(self, index, largest=LARGEST):
        draw = self._draw(index, 0)
        date = FIRST_DATE + index * SPACING + draw.randrange(SPACING)
        size = min(draw.lognormvariate(math.log(MEDIAN), SIGMA), largest)
        lines = self._header(draw, index, date, small=size < 2000)
        body = self._body(draw, max(int(size) - len(lines), 40), depth=0)
        flags = " ".join(flag for flag, chance in _FLAGS if draw.random() < chance)
        return Mail(index, lines + b"MIME-Version: 1.0\r\n" + body, flags,
                    date + draw.randrange(30))

    def _draw(self, index, purpose):
        return random.Random(((self.seed * 4) + purpose) << 40 | index)

    # Threads: everything about an earlier message that a later one needs is found again from its
    # index, so nothing is kept.

    def _thread(self, index):
        """(message ids of the ancestors, root first; subject; language) of a message."""
        draw = self._draw(index, 1)
        parent = index - 1 - int(draw.expovariate(1 / 30)) if draw.random() < 0.45 else -1
        if parent >= 0:
            ancestors, subject, kind = self._thread(parent)
            if not subject.startswith("Re: ") or draw.random() < 0.05:
                subject = draw.choice(("Re: ",) * 8 + ("AW: ", "Fwd: ")) + subject
            return ancestors + [self._message_id(parent)], subject, kind
        kind = draw.choice(text.TEXTS)
        if draw.random() < 0.06:
            return [], draw.choice(text.ODD_SUBJECTS), kind
        return [], text.sentence(draw, kind[0], draw.randrange(1, 10)).capitalize(), kind

    def _message_id(self, index):
        host = text.HOSTS[index % len(text.HOSTS)]
        return f"<{index:x}.{self.seed}.{index * 2654435761 % (1 << 32):08x}@{host}>"

    def _header(self, draw, index, date, small):
        ancestors, subject, self._kind = self._thread(index)
        lines = []
        if not small:
            lines += header.trace(draw, self._message_id(index), date)
        lines += header.people(draw, "From", 1)
        lines += header.people(draw, "To", draw.choice((1, 1, 1, 2, 3, 12)))
        if draw.random() < 0.2:
            lines += header.people(draw, "Cc", draw.choice((1, 2, 5)))
        if draw.random() < 0.1:
            lines += header.people(draw, "Reply-To", 1)
        if draw.random() < 0.99:
            lines.append(header.subject(draw, subject))
        if draw.random() < 0.995:
            lines.append(b"Date: " + header.date(draw, date).encode())
        if draw.random() < 0.995:
            lines.append(b"Message-ID: " + self._message_id(index).encode())
        if ancestors:
            lines.append(b"In-Reply-To: " + ancestors[-1].encode())
            lines.append(b"References: " + "\r\n ".join(ancestors[-20:]).encode())
        if not small and draw.random() < 0.3:
            lines += header.bulk(draw)
        return b"\r\n".join(lines) + b"\r\n"

    # Bodies.  Each returns an entity: header lines about the content, an empty line, the content.

    def _body(self, draw, size, depth):
        shape = draw.random()
        if size > BODY_LIMIT or (size > 4000 and shape < 0.25):
            return self._mixed(draw, size, depth)
        if shape < 0.5 or size < 500:
            return self._text(draw, size, "html" if draw.random() < 0.15 else "plain")
        if shape < 0.8:
            return self._alternative(draw, size)
        if shape < 0.87:
            return self._related(draw, size)
        if shape < 0.93 and depth < 4:
            return self._forward(draw, size, depth)
        if shape < 0.96:
            return self._signed(draw, size)
        return self._report(draw, size) if shape < 0.98 else self._calendar(draw, size)

    def _text(self, draw, size, subtype, kind=None):
        language, charset, encoding = kind = kind or self._kind
        pool, starts = self.pools.text(kind)
        wanted = size * 3 // 4 if encoding == "base64" else size
        start = draw.choice(starts)
        content = pool[start:start + wanted]
        while len(content) < wanted:
            content += pool[:wanted - len(content)]
        end = content.rfind(b"\r\n")
        content = content[:end + 2] if end >= 0 else b"ok\r\n"
        if subtype == "html":
            content = (b"<!DOCTYPE html><html><head><style>p { margin: 0 }</style></head><body>"
                       b"\r\n<p>" + content + b"</p>\r\n</body></html>\r\n")
            if encoding == "quoted-printable":     # the tags have no = to encode
                content = content.replace(b"<p>", b"<p class=3D\"MsoNormal\">")
        if encoding == "base64":
            content = text.wrapped_base64(content)
        parameters = f"; charset={header.charset(draw, charset)}"
        if subtype == "plain" and draw.random() < 0.2:
            parameters += "; format=flowed"
        if charset == "us-ascii" and draw.random() < 0.3:
            return b"\r\n" + content if draw.random() < 0.5 and subtype == "plain" else \
                f"Content-Type: text/{subtype}\r\n\r\n".encode() + content
        return (f"Content-Type: text/{subtype}{parameters}\r\n"
                f"Content-Transfer-Encoding: {header.cased(draw, encoding)}\r\n\r\n"
                ).encode() + content

    def _multipart(self, draw, subtype, parts, parameters=""):
        boundary = header.boundary(draw)
        between = b"\r\n--" + boundary + b"\r\n"
        preamble = b"This is a multi-part message in MIME format." if draw.random() < 0.3 else b""
        return (b"Content-Type: multipart/" + subtype.encode() + parameters.encode()
                + b';\r\n\tboundary="' + boundary + b'"\r\n\r\n' + preamble + between
                + between.join(parts) + b"\r\n--" + boundary + b"--\r\n")

    def _alternative(self, draw, size):
        return self._multipart(draw, "alternative", [self._text(draw, size // 3, "plain"),
                                                     self._text(draw, size * 2 // 3, "html")])

    def _related(self, draw, size):
        page = self._alternative(draw, size // 2) if draw.random() < 0.5 else \
            self._text(draw, size // 2, "html")
        image = self._attachment(draw, size // 2, "logo.png", inline=True)
        return self._multipart(draw, "related", [page, image], '; type="text/html"')

    def _mixed(self, draw, size, depth):
        first = min(size // 4, draw.randrange(200, BODY_LIMIT))
        parts = [self._body(draw, first, depth + 1) if depth < 3
                 else self._text(draw, first, "plain")]
        rest = size - first
        for left in range(draw.choice((1, 1, 1, 2, 3, 7)), 0, -1):
            share = rest if left == 1 else int(rest * draw.random())
            rest -= share
            parts.append(self._attachment(draw, share, draw.choice(text.FILE_NAMES)))
        return self._multipart(draw, "mixed", parts)

    def _attachment(self, draw, size, name, inline=False):
        line = 78
        lines = max(size // line, 1)
        start = draw.randrange(len(self.pools.binary) // line) * line
        content = self.pools.binary[start:start + lines * line]
        while len(content) < lines * line:
            content += self.pools.binary[:lines * line - len(content)]
        kind = text.TYPES.get(name.rpartition(".")[2], "application/octet-stream")
        return (f"Content-Type: {kind}" + header.parameter(draw, "name", name)
                + "\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: "
                + ("inline" if inline else "attachment")
                + header.parameter(draw, "filename", name)
                + (f"\r\nContent-ID: <{draw.getrandbits(64):x}@related>" if inline else "")
                + "\r\n\r\n").encode("utf-8") + content

    def _forward(self, draw, size, depth):
        inner = [*header.people(draw, "From", 1), *header.people(draw, "To", 1),
                 header.subject(draw, text.sentence(draw, self._kind[0], 4)),
                 b"Date: " + header.date(draw, FIRST_DATE).encode(), b"MIME-Version: 1.0"]
        message = b"\r\n".join(inner) + b"\r\n" + self._body(draw, size * 2 // 3, depth + 1)
        parts = [self._text(draw, size // 3, "plain"),
                 b"Content-Type: message/rfc822\r\nContent-Disposition: inline\r\n\r\n" + message]
        return self._multipart(draw, "digest" if draw.random() < 0.1 else "mixed", parts)

    def _signed(self, draw, size):
        signature = (b"Content-Type: application/pgp-signature; name=\"signature.asc\"\r\n\r\n"
                     b"-----BEGIN PGP SIGNATURE-----\r\n\r\n" + self.pools.binary[:78 * 4]
                     + b"-----END PGP SIGNATURE-----\r\n")
        return self._multipart(draw, "signed", [self._text(draw, size, "plain"), signature],
                               '; micalg="pgp-sha256"; protocol="application/pgp-signature"')

    def _report(self, draw, size):
        status = (b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n"
                  b"\r\nFinal-Recipient: rfc822; gone@corp.example\r\nAction: failed\r\n"
                  b"Status: 5.1.1\r\n")
        returned = (b"Content-Type: text/rfc822-headers\r\n\r\n"
                    + header.subject(draw, "hello") + b"\r\n")
        return self._multipart(draw, "report", [self._text(draw, size, "plain"), status, returned],
                               "; report-type=delivery-status")

    def _calendar(self, draw, size):
        event = (b"Content-Type: text/calendar; charset=utf-8; method=REQUEST\r\n\r\n"
                 b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nSUMMARY:Meeting\r\n"
                 b"END:VEVENT\r\nEND:VCALENDAR\r\n")
        return self._multipart(draw, "alternative", [self._text(draw, size, "plain"), event])


def write_maildir(directory, mails):
    """Write messages as a Maildir that Dovecot reads as it is; returns how many."""
    letters = {"\\Draft": "D", "\\Flagged": "F", "\\Answered": "R", "\\Seen": "S", "\\Deleted": "T"}
    for name in ("cur", "new", "tmp"):
        (pathlib.Path(directory) / name).mkdir(parents=True, exist_ok=True)
    current, count = os.path.join(directory, "cur"), 0
    for mail in mails:
        flags = "".join(sorted(letters[flag] for flag in mail.flags.split() if flag in letters))
        name = f"{mail.date}.M{mail.index:08d}.test,S={len(mail.octets)}:2,{flags}"
        path = os.path.join(current, name)
        with open(path, "wb") as file:
            file.write(mail.octets)
        os.utime(path, (mail.date, mail.date))
        count += 1
    return count


def main():
    parser = argparse.ArgumentParser(description="Generate realistic mail.")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--first", type=int, default=0, help="index of the first message")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--largest", type=int, default=LARGEST, help="octets")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--maildir", help="write a Maildir")
    where.add_argument("--index", type=int, help="print this message")
    where.add_argument("--sizes", action="store_true", help="print statistics only")
    options = parser.parse_args()
    generator = Generator(options.seed)
    if options.index is not None:
        sys.stdout.buffer.write(generator.message(options.index, options.largest).octets)
        return 0
    mails = generator.messages(options.count, options.first, options.largest)
    began = time.monotonic()
    if options.maildir:
        print(f"{write_maildir(options.maildir, mails)} messages in {options.maildir}")
        return 0
    sizes = sorted(len(mail.octets) for mail in mails)
    print(f"{len(sizes)} messages, {sum(sizes)} octets, median {sizes[len(sizes) // 2]}, "
          f"mean {sum(sizes) // len(sizes)}, largest {sizes[-1]}, "
          f"{time.monotonic() - began:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
