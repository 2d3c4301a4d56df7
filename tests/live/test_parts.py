# SPDX-License-Identifier: LGPL-2.1-or-later
"""Parts of messages, fetched alone and decoded, compared with what Python's email package says."""

import email
import email.message
import os
import random
import subprocess

import pytest

KILO = 1024


@pytest.fixture
def part(program, tmp_path):
    def run(account, uid, *what):
        environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"),
                       "XDG_STATE_HOME": str(tmp_path / "state"),
                       "G_DEBUG": "fatal-criticals"}
        done = subprocess.run([program("tests/live/part"), account, "INBOX", str(uid), *what],
                              env=environment, capture_output=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout
    return run


def large_message():
    """20 MB in four attachments; the smallest is what is opened."""
    draw = random.Random(1)
    message = email.message.EmailMessage()
    message["From"], message["Subject"] = "alice@example.org", "Files"
    message.set_content("Grüße\n", charset="iso-8859-1", cte="quoted-printable")
    files = [draw.randbytes(size * KILO) for size in (9000, 300, 3000, 2700)]
    for number, octets in enumerate(files):
        message.add_attachment(octets, maintype="application", subtype="pdf",
                               filename=f"Bericht-€{number}.pdf")
    octets = message.as_bytes(policy=email.policy.SMTP)
    assert len(octets) > 20_000_000
    return octets, files


@pytest.mark.parametrize("binary", (True, False))
def test_one_attachment_is_fetched_alone(part, dovecot, user, account, slow, binary):
    octets, files = large_message()
    dovecot.fill(user, "INBOX", [(octets, "", 1700000000)])
    between = slow(0)
    keys = {"port": str(between.port), "ssl": "false", "host": between.host}
    if not binary:
        keys["disable_extensions"] = "BINARY"
    path = account(keys)
    rows = [line.split("\t") for line in part(path, 1).decode().splitlines()]
    assert [row[1] for row in rows] == ["", "1", "2", "3", "4", "5"]
    assert rows[3][6] == "Bericht-€1.pdf" and rows[3][5] == "attachment"
    before = sum(each.down for each in between.connections)
    assert part(path, 1, "3", "decoded") == files[1]
    wire = sum(each.down for each in between.connections) - before
    print(f"{wire} octets on the wire for {len(files[1])}, {wire / len(files[1]):.3f} of it")
    assert wire <= 1.4 * len(files[1]) + 16 * KILO
    assert part(path, 1, "1", "text").decode() == "Grüße\n"


def leaves(message, prefix=()):
    """(section, part) of all that is no multipart, numbered as IMAP does."""
    if message.get_content_maintype() == "multipart":
        for number, child in enumerate(message.get_payload(), 1):
            yield from leaves(child, (*prefix, number))
    else:
        yield ".".join(map(str, prefix or (1,))), message


def test_every_part_of_generated_mail(part, dovecot, user, account, mails):
    chosen = [mail for mail in mails(200, largest=20_000) if b"multipart/" in mail.octets][:12]
    dovecot.fill(user, "INBOX", chosen)
    path = account()
    seen = 0
    for uid, mail in enumerate(chosen, 1):
        listed = {row.split("\t")[1]: row.split("\t")
                  for row in part(path, uid).decode().splitlines()}
        for section, leaf in leaves(email.message_from_bytes(mail.octets)):
            assert listed[section][2] == leaf.get_content_type()
            if leaf.get_content_maintype() == "message":
                continue
            octets = part(path, uid, section, "decoded")
            expected = leaf.get_payload(decode=True)
            encoding = (leaf["Content-Transfer-Encoding"] or "").lower()
            if leaf.get_content_maintype() == "text" and encoding != "base64":
                expected = expected.replace(b"\r\n", b"\n")
            assert octets == expected, (uid, section)
            seen += 1
    assert seen > 20
