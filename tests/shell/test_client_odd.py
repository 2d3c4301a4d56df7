# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls on a server that says what no real one can be made to say, be it odd or hostile."""

import contextlib

import pytest

from tests.support.calls import Calls
from tests.support.coprocess import Quota
from tests.support.scripted import Scripted

BEGINNING = r"""
S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
always: {tag} LOGOUT
  S: * BYE [UNAVAILABLE] closed for today
  S: {tag} OK done
  close:
C: {tag} AUTHENTICATE PLAIN {b64:\0alice\0sekret}
S: {tag} OK [CAPABILITY IMAP4rev1 QUOTA ID THREAD=REFERENCES UIDPLUS LITERAL+] done
"""

SELECT = r"""
C: {tag} SELECT INBOX
S: * 9 EXISTS
S: * OK [UIDVALIDITY 7] valid
S: * OK [NOMODSEQ] none
S: * OK [X-ODD (a "b c") 5] odd
S: {tag} OK [READ-WRITE] done
"""


@pytest.fixture
def play(mailrack, account, certs):
    """play(dialogue) is a shell on a server that plays it after the login; ends with LOGOUT."""
    with contextlib.ExitStack() as stack:
        def start(steps):
            server = stack.enter_context(Scripted(BEGINNING + steps, certs))
            path = account({"host": "localhost", "port": server.port, "username": "alice",
                            "password": "sekret", "ssl": "false"})
            calls = stack.enter_context(Calls(mailrack, path))
            stack.callback(calls, "c.state == 'NONAUTH' or c.logout()")
            return calls
        yield start


def test_select_and_status(play):
    calls = play(SELECT + r"""
C: {tag} STATUS Box (MESSAGES X-ODD)
S: * STATUS Box (MESSAGES 3 X-ODD (a "b") MAILBOXID (F1))
S: {tag} OK done
C: {tag} STATUS Box (MESSAGES)
S: {tag} OK done
""")
    assert calls("c.select_folder('INBOX')") == {
        b"EXISTS": 9, b"UIDVALIDITY": 7, b"NOMODSEQ": [b""], b"X-ODD": [b'(a "b c") 5'],
        b"READ-WRITE": True}
    assert calls("c.folder_status('Box', ['MESSAGES', 'X-ODD'])") == {
        b"MESSAGES": 3, b"X-ODD": (b"a", b"b"), b"MAILBOXID": (b"F1",)}
    assert calls("c.folder_status('Box', 'MESSAGES')") == {}


def test_set_quota(play):
    calls = play(r"""
C: {tag} SETQUOTA "" (STORAGE 512 MESSAGE 18446744073709551615)
S: * QUOTA "" (STORAGE 10 512 MESSAGE 3 100)
S: {tag} OK done
C: {tag} GETQUOTAROOT Entw&APw-rfe
S: * QUOTAROOT Entw&APw-rfe "" "second root"
S: * QUOTA "" (STORAGE 10 512)
S: * QUOTA "second root" ()
S: {tag} OK done
""")
    assert calls("c.set_quota([Quota('', 'STORAGE', 0, 512), imapclient.Quota(quota_root='', "
                 "resource='MESSAGE', usage=0, limit=18446744073709551615)])") \
        == [Quota("", "STORAGE", 10, 512), Quota("", "MESSAGE", 3, 100)]
    roots, quotas = calls("c.get_quota_root('Entwürfe')")
    assert roots.mailbox == "Entwürfe" and roots.quota_roots == ["", "second root"]
    assert quotas == [Quota("", "STORAGE", 10, 512)]


def test_answers_for_other_messages_are_left_out(play):
    calls = play(SELECT + r"""
C: {tag} UID FETCH 2:3 (FLAGS UID)
S: * 1 FETCH (FLAGS (\Seen) UID 1)
S: * 2 FETCH (FLAGS () UID 2)
S: * 3 FETCH (FLAGS (a))
S: * 2 FETCH (flags (b) MODSEQ (5) UID 2)
S: * 10 EXISTS
S: {tag} OK done
C: {tag} UID STORE 2 +FLAGS (c)
S: * 7 FETCH (FLAGS (z) UID 70)
S: * 2 FETCH (FLAGS (b c) UID 2)
S: {tag} OK done
C: {tag} NOOP
S: * 4 EXPUNGE
S: * 3 FETCH (FLAGS (x) BODY[] {literal:two\r\nlines})
S: * NO [ALERT] disk (almost) full
S: * BAD what was that
S: * FLAGS (\Seen "odd")
S: * LIST (\X) "/" "a b"
S: * XYZZY (1 NIL) "q" 5 )
S: {tag} OK [X-CODE 5] done
""")
    calls("n = c.select_folder('INBOX')")
    assert calls("c.fetch([2, 3], ['FLAGS', 'UID'])") == {
        2: {b"SEQ": 2, b"FLAGS": (b"b",), b"MODSEQ": (5,)}}
    assert calls("c.add_flags(2, 'c')") == {2: (b"b", b"c")}
    text, news = calls("c.noop()")
    assert text == b"[X-CODE 5] done"
    assert news == [(10, b"EXISTS"), (4, b"EXPUNGE"),
                    (3, b"FETCH", (b"FLAGS", (b"x",), b"BODY[]", b"two\r\nlines")),
                    (b"NO", b"[ALERT] disk (almost) full"), (b"BAD", b"what", b"was", b"that"),
                    (b"FLAGS", (b"\\Seen", b"odd")), (b"LIST", (b"\\X",), b"/", b"a b"),
                    (b"XYZZY", b' (1 NIL) "q" 5 )')]


def test_more_than_a_machine_could_hold(play):
    calls = play(SELECT + r"""
C: {tag} UID SEARCH ALL
S: * ESEARCH (TAG "{tag}") UID ALL 1:4294967295
S: {tag} OK done
C: {tag} UID SEARCH ALL
S: * ESEARCH (TAG "{tag}") UID ALL 3,5:7 MODSEQ 12
S: {tag} OK done
C: {tag} UID SEARCH ALL
S: {tag} OK done
C: {tag} UID THREAD REFERENCES UTF-8 ALL
S: * THREAD {repeat:1000:(}1{repeat:1000:)}
S: {tag} OK done
C: {tag} UID THREAD REFERENCES UTF-8 ALL
S: * THREAD (1 (2)(3 (4)))(5)
S: {tag} OK done
C: {tag} ID NIL
S: * ID NIL
S: {tag} OK done
C: {tag} ID NIL
S: {tag} OK done
""")
    calls("n = c.select_folder('INBOX')")
    assert "more than can be listed" in calls.fails("c.search()")
    assert calls("c.search()") == [3, 5, 6, 7] and calls("_.modseq") == 12
    assert calls("c.search()") == []
    assert calls.fails("c.thread()")
    assert calls("c.thread()") == ((1, (2,), (3, (4,))), (5,))
    assert calls("c.id_()") == (None,)
    assert calls("c.id_()") == ()
    assert calls("c.logout()") == b"[UNAVAILABLE] closed for today"
    calls("c.shutdown()")
