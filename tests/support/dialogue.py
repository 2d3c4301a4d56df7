# SPDX-License-Identifier: LGPL-2.1-or-later
"""Golden dialogues: the text format of tests/dialogues/*.txt, parsed and matched.

A dialogue is what an IMAP server says and what it expects to hear, one step a line:

    # A comment.  Empty lines do not count.
    about: what this dialogue is for                   (first; options follow, then steps)
    tls: none | implicit | starttls                    how the connection begins; starttls: there is
                                                       such a step below; default none
    certificate: good                                  a row of certs.py
    tls-versions: TLSv1 TLSv1.1                        lowest and highest; default TLSv1.2 TLSv1.3
    alpn: imap                                         what the server speaks; default none
    handshake: fails                                   the client must refuse implicit TLS
    patience: 10                                       seconds until a silent client is a failure

    S: * OK [CAPABILITY IMAP4rev1] ready               a line to send; CRLF is added
    S-raw: * 1 EXI                                     octets to send, with escapes, no CRLF
    C: {tag} LOGIN alice {*}                           a line that must come, without its CRLF
    C-raw: hello\\r\\n                                   octets that must come, with escapes
    C-octets: 310                                      so many octets must come, whatever they are
    C-octets: literal                                  as many as the last {literal} announced
    C-eof: 5                                           the client must close, sending nothing more,
                                                       within so many seconds (default: patience)
    maybe: {tag} ID {*}                                if this line comes next, the indented steps
      S: {tag} OK done                                 below are played, and if not, not
    always: {tag} NOOP                                 from here on, whenever this line comes and is
      S: {tag} OK done                                 not what a C: expects; replaces an equal one
    pause: 0.5                                         seconds to do nothing
    segments: 1                                        send so many octets at a time; 0: all at once
    starttls:                                          the TLS handshake; forgets every always; with
                                                       `starttls: fails` the client must refuse it
    close:                                             FIN, after TLS's close_notify;
    close: abrupt                                      FIN without close_notify
    reset:                                             RST
    connection:                                        what follows is for the next connection

After the last step the client may still send lines that an always knows, and has to leave.

What is sent before the server has to wait goes out in one write, so that octets injected after a
response arrive with it.  Escapes are \\r \\n \\t \\0 \\\\ and \\xHH.

In a line to send, {name} is a value captured before or given by the test, {b64:text} the base64
of text, {literal:text} the text as a literal ({n}, CRLF, octets), {repeat:N:text} text N times;
text has escapes, so braces in it are written \\x7b and \\x7d.

In a line to match, {name} captures characters that can stand in a tag, or must equal what was
captured; at the beginning of a line it always captures anew.  {*} is anything, {?} is anything but
a space, {string:text} is text as an atom or a quoted string, {b64:text} is base64 of text, in which
{name} and {*} work too, {literal} is a literal's announcement ({310} or {310+}), {/regex/} is a
regular expression.  Any other braces stand for themselves: {310} is {310}.

What it is not: a program.  scripted.py plays it, and the engine's own tests replay it byte by byte.
"""

import base64
import binascii
import dataclasses
import pathlib
import re

OPTIONS = {"about": "", "tls": "none", "certificate": "good", "tls-versions": "TLSv1.2 TLSv1.3",
           "alpn": "", "handshake": "", "patience": "10"}
STEPS = {"S", "S-raw", "C", "C-raw", "C-octets", "C-eof", "maybe", "always", "pause", "segments",
         "starttls", "close", "reset"}
BLOCKS = {"maybe", "always"}

_LINE = re.compile(r"( *)([A-Za-z-]+):(?: (.*))?$")
_NAME = re.compile(r"[a-z][a-z0-9_]*$")
_TAG = r"[A-Za-z0-9._\-]+"
_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{2}|[rnt0\\])")
_ESCAPED = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}


class DialogueError(Exception):
    """The file is wrong; the message begins with file and line."""


@dataclasses.dataclass
class Step:
    kind: str
    text: str
    line: int
    block: list                  # of Step, for maybe and always


@dataclasses.dataclass
class Dialogue:
    path: str
    options: dict
    connections: list            # of lists of Step


def load(path):
    path = pathlib.Path(path)
    return parse(path.read_text(encoding="utf-8"), str(path))


def parse(text, path="dialogue"):
    options, connections, block = dict(OPTIONS), [[]], None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        matched = _LINE.match(line)
        if not matched:
            raise DialogueError(f"{path}:{number}: not a step: {line!r}")
        indent, kind, value = matched[1], matched[2], matched[3] or ""
        if kind in OPTIONS and not indent and connections == [[]]:
            options[kind] = value
        elif kind == "connection" and not indent:
            connections.append([])
            block = None
        elif kind not in STEPS:
            raise DialogueError(f"{path}:{number}: there is no step {kind!r}")
        elif indent:
            if block is None or kind in BLOCKS:
                raise DialogueError(f"{path}:{number}: an indented step belongs under maybe or "
                                    "always, and these do not nest")
            block.append(Step(kind, value, number, []))
        else:
            step = Step(kind, value, number, [])
            connections[-1].append(step)
            block = step.block if kind in BLOCKS else None
    return Dialogue(path, options, connections)


def octets(text):
    """Text with escapes as octets; what is not ASCII goes out as UTF-8."""
    out, at = b"", 0
    for matched in _ESCAPE.finditer(text):
        out += text[at:matched.start()].encode("utf-8")
        code = matched[1]
        out += bytes([int(code[1:], 16)]) if code[0] == "x" else _ESCAPED[code].encode()
        at = matched.end()
    return out + text[at:].encode("utf-8")


def _pieces(text):
    """Split into ("text", ...) and ("brace", ...); braces may nest one in another."""
    at = 0
    while at < len(text):
        start = text.find("{", at)
        if start < 0:
            yield "text", text[at:]
            return
        depth, end = 0, start
        for end in range(start, len(text)):
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            if depth == 0:
                break
        if depth != 0:
            yield "text", text[at:]
            return
        if start > at:
            yield "text", text[at:start]
        yield "brace", text[start + 1:end]
        at = end + 1


def expand(text, values, escapes=False):
    """The octets of a line to send."""
    plain = octets if escapes else (lambda part: part.encode("utf-8"))
    out = b""
    for kind, part in _pieces(text):
        word, _, argument = part.partition(":")
        if kind == "text":
            out += plain(part)
        elif word == "b64" and argument:
            out += base64.b64encode(expand(argument, values, True))
        elif word == "literal" and argument:
            content = octets(argument)
            out += b"{%d}\r\n" % len(content) + content
        elif word == "repeat" and argument:
            count, _, content = argument.partition(":")
            out += octets(content) * int(count)
        elif part in values:
            out += _bytes(values[part])
        else:
            out += plain("{" + part + "}")
    return out


def _bytes(value):
    return value if isinstance(value, bytes) else str(value).encode("utf-8")


def match(pattern, line, values):
    """Whether a client's line (octets without CRLF) is what the pattern says.  Captures go into
    values only when it is."""
    found = dict(values)
    if not _match(pattern, line, found, True):
        return False
    values.update(found)
    return True


def _match(pattern, line, values, whole_line):
    expression, checks, captured = b"", [], {}
    for index, (kind, part) in enumerate(_pieces(pattern)):
        word, _, argument = part.partition(":")
        if kind == "text":
            expression += re.escape(part.encode("utf-8") if whole_line else octets(part))
        elif part == "*":
            expression += b".*" if whole_line else b"(?s:.*)"
        elif part == "?":
            expression += rb"[^ ]+"
        elif part == "literal":
            expression += rb"\{(?P<literal>\d+)[+-]?\}"
            captured["literal"] = "literal"
        elif word == "string" and argument:
            quoted = argument.replace("\\", "\\\\").replace('"', '\\"')
            expression += (b"(?:" + re.escape(argument.encode("utf-8")) + b'|"'
                           + re.escape(quoted.encode("utf-8")) + b'")')
        elif word == "b64":
            group = f"check{len(checks)}"
            checks.append((group, argument))
            expression += b"(?P<%s>[A-Za-z0-9+/=]*)" % group.encode()
        elif len(part) > 1 and part[0] == part[-1] == "/":
            expression += b"(?:" + part[1:-1].encode("utf-8") + b")"
        elif _NAME.match(part):
            anew = whole_line and index == 0
            if part in captured:
                expression += b"(?P=%s)" % captured[part].encode()
            elif part in values and not anew:
                expression += re.escape(_bytes(values[part]))
            else:
                captured[part] = f"value_{part}"
                expression += b"(?P<value_%s>%s)" % (part.encode(), _TAG.encode())
        else:
            expression += re.escape(b"{" + part.encode("utf-8") + b"}")
    matched = re.fullmatch(expression, line)
    if not matched:
        return False
    for name, group in captured.items():
        values[name] = matched[group].decode("ascii")
    for group, argument in checks:
        try:
            decoded = base64.b64decode(matched[group], validate=True)
        except binascii.Error:
            return False
        if not _match(argument, decoded, values, False):
            return False
    return True
