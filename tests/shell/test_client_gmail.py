# SPDX-License-Identifier: LGPL-2.1-or-later
"""Gmail's calls against a server that plays it, as its documentation has the wire."""

import pytest

from tests.support.calls import Calls
from tests.support.scripted import Scripted

GMAIL = r"""
S: * OK Gimap ready for requests
always: {tag} LOGOUT
  S: * BYE LOGOUT Requested
  S: {tag} OK 73 good day (Success)
  close:
always: {tag} CAPABILITY
  S: * CAPABILITY IMAP4rev1 UNSELECT IDLE X-GM-EXT-1 SASL-IR AUTH=PLAIN
  S: {tag} OK Thats all she wrote!
C: {tag} AUTHENTICATE PLAIN {b64:\0alice\0sekret}
S: * CAPABILITY IMAP4rev1 UNSELECT IDLE X-GM-EXT-1 UIDPLUS MOVE
S: {tag} OK alice authenticated (Success)
C: {tag} SELECT INBOX
S: * FLAGS (\Answered \Flagged \Draft \Deleted \Seen)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Draft \Deleted \Seen \*)] Flags permitted.
S: * OK [UIDVALIDITY 2] UIDs valid.
S: * 3 EXISTS
S: * 0 RECENT
S: * OK [UIDNEXT 40] Predicted next UID.
S: {tag} OK [READ-WRITE] INBOX selected. (Success)
C: {tag} UID SEARCH CHARSET UTF-8 X-GM-RAW "has:attachment in:unread"
S: * SEARCH 30 31
S: {tag} OK SEARCH completed (Success)
C: {tag} UID SEARCH CHARSET UTF-8 X-GM-RAW {literal}
S: + go ahead
C-octets: literal
C:
S: * SEARCH
S: {tag} OK SEARCH completed (Success)
C: {tag} UID FETCH 30:31 (X-GM-LABELS)
S: * 2 FETCH (X-GM-LABELS (\Inbox \Sent "R&-D" Entw&APw-rfe 2026 "back\\slash") UID 30)
S: * 3 FETCH (X-GM-LABELS () UID 31)
S: {tag} OK Success
C: {tag} UID STORE 30 +X-GM-LABELS (\Important Entw&APw-rfe "two words" "q\"t")
S: * 2 FETCH (X-GM-LABELS (\Inbox "two words") UID 30)
S: {tag} OK Success
C: {tag} UID STORE 30 -X-GM-LABELS ("two words")
S: * 2 FETCH (X-GM-LABELS (\Inbox) UID 30)
S: {tag} OK Success
C: {tag} UID STORE 30:31 X-GM-LABELS.SILENT (R&-D)
S: {tag} OK Success
C: {tag} UID STORE 31 X-GM-LABELS ()
S: * 3 FETCH (X-GM-LABELS () UID 31)
S: {tag} OK Success
C: {tag} UID FETCH 30 (X-GM-MSGID X-GM-THRID)
S: * 2 FETCH (X-GM-THRID 1266894439832287888 X-GM-MSGID 1278455344230334865 UID 30)
S: {tag} OK Success
"""


@pytest.fixture
def gmail(mailrack, account, certs):
    with Scripted(GMAIL, certs) as server:
        path = account({"host": "localhost", "port": server.port, "username": "alice",
                        "password": "sekret", "ssl": "false"})
        with Calls(mailrack, path) as calls:
            yield calls


def test_gmail(gmail):
    assert gmail("c.select_folder('INBOX')")[b"READ-WRITE"] is True
    assert gmail("c.gmail_search('has:attachment in:unread')") == [30, 31]
    assert gmail("c.gmail_search(query='größer', charset='UTF-8')") == []
    assert gmail("c.get_gmail_labels([30, 31])") == {
        30: ["\\Inbox", "\\Sent", "R&D", "Entwürfe", "2026", "back\\slash"], 31: []}
    assert gmail("c.add_gmail_labels(30, ['\\\\Important', 'Entwürfe', 'two words', 'q\"t'])") \
        == {30: ["\\Inbox", "two words"]}
    assert gmail("c.remove_gmail_labels([30], 'two words')") == {30: ["\\Inbox"]}
    assert gmail("c.set_gmail_labels([30, 31], ['R&D'], silent=True)") is None
    assert gmail("c.set_gmail_labels(31, [])") == {31: []}
    assert gmail("c.get_gmail_labels([])") == {}
    assert gmail("c.fetch(30, ['X-GM-MSGID', 'X-GM-THRID'])") == {
        30: {b"SEQ": 2, b"X-GM-MSGID": 1278455344230334865, b"X-GM-THRID": 1266894439832287888}}
    assert "argument: 'labels'" in gmail.fails("c.add_gmail_labels(30)")
    assert "a label must be" in gmail.fails("c.add_gmail_labels(30, [5])")
    assert gmail("c.logout()") == b"LOGOUT Requested"
