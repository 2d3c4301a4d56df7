# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls that search: criteria as values find what the same keys find in IMAP's own words."""

import email.header

import pytest

from tests.support import imapvalues
from tests.support.calls import Calls

# subject, day, flags, text
MESSAGES = [
    ("plain", "01-Jan-2020", "", "first"),
    ("two words", "05-Nov-2026", r"\Seen", "second"),
    ("Entwürfe für Zoë", "05-Nov-2026", r"\Flagged", "grün"),
    ('a "quoted" word', "06-Nov-2026", r"\Flagged \Seen", "back\\slash"),
    ("брат", "07-Nov-2026", "Work", "текст"),
    ("(brackets) {3} %*", "08-Nov-2026", r"\Answered", "x" * 5000),
]


def message(subject, text):
    if not subject.isascii():
        subject = email.header.Header(subject, "utf-8").encode()
    return (f"From: someone@example.org\r\nSubject: {subject}\r\nX-Empty:\r\nMIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
            f"{text}\r\n").encode()


@pytest.fixture
def box(dovecot, user, calls):
    """The messages, selected in the shell and by imaplib; box(keys) is what imaplib finds."""
    dovecot.fill(user, "INBOX", [(message(subject, text), flags, f'"{day} 12:00:00 +0000"')
                                 for subject, day, flags, text in MESSAGES])
    calls("c.select_folder('INBOX', readonly=True)")
    with dovecot.connect(user) as connection:
        connection.select("INBOX", readonly=True)
        yield lambda keys, verb="SEARCH": imapvalues.numbers(connection, f"UID {verb} {keys}",
                                                             verb.encode())


# the call's arguments; the same in IMAP, or what is found where ASCII cannot say it
SEARCHES = [
    ("", "ALL"),
    ("'ALL'", "ALL"),
    ("'UNSEEN'", "UNSEEN"),
    ("b'NOT SEEN LARGER 1000'", "UNSEEN LARGER 1000"),
    ("'SUBJECT \"two words\" SEEN'", 'SUBJECT "two words" SEEN'),
    ("'OR (SUBJECT plain) (FLAGGED SEEN)'", "OR (SUBJECT plain) (FLAGGED SEEN)"),
    ("['UNSEEN', 'LARGER', 1000]", "UNSEEN LARGER 1000"),
    ("['SUBJECT', 'two words']", 'SUBJECT "two words"'),
    ("('SUBJECT', b'a \"quoted\"')", r'SUBJECT "a \"quoted\""'),
    (r"['BODY', 'back\\slash']", r'BODY "back\\slash"'),
    ("['SUBJECT', '(brackets) {3} %*']", 'SUBJECT "(brackets) {3} %*"'),
    ("['HEADER', 'X-Empty', '']", 'HEADER X-Empty ""'),
    ("['NOT', ['SUBJECT', 'plain']]", "NOT SUBJECT plain"),
    ("['OR', ['FLAGGED', 'SEEN'], ['OR', ['KEYWORD', 'Work'], ['NOT', ['UNANSWERED']]]]",
     "OR (FLAGGED SEEN) (OR KEYWORD Work NOT UNANSWERED)"),
    ("['SINCE', date(2026, 11, 6), 'BEFORE', date(2026, 11, 8)]",
     "SINCE 6-Nov-2026 BEFORE 8-Nov-2026"),
    ("['ON', datetime.datetime(2026, 11, 5, 23, 59)]", "ON 5-Nov-2026"),
    ("['UID', '2:4']", "UID 2:4"),
    ("['UID', [1, 3]]", None),
    ("[3]", "3"),
    ("['NOT', 1, 'SMALLER', 400]", "NOT 1 SMALLER 400"),
    ("['SUBJECT', 'entwürfe']", [3]),
    ("['SUBJECT', 'für zoë', ['OR', 'FLAGGED', ['BODY', 'текст']]]", [3]),
    ("'OR (SUBJECT \"für Zoë\") SUBJECT брат NOT SEEN'", [3, 5]),
    ("['BODY', 'ТЕКСТ'], 'UTF-8'", [5]),
    ("['SUBJECT', 'Entwürfe'], 'ISO-8859-1'", [3]),
    ("['SUBJECT', b'Entw\\xfcrfe'], 'ISO-8859-1'", [3]),
    ("'SUBJECT \"Entwürfe für\"', 'ISO-8859-1'", [3]),
    ("['SUBJECT', 'брат'], charset='KOI8-R'", [5]),
    ("criteria=['FLAGGED'], charset='US-ASCII'", [3, 4]),
]


def test_criteria(calls, box):
    for arguments, keys in SEARCHES:
        if keys is None:
            assert "INBOX: UID SEARCH: the server says BAD" in calls.fails(f"c.search({arguments})")
            continue
        want = box(keys) if isinstance(keys, str) else keys
        assert calls(f"c.search({arguments})") == want, arguments
    calls("c.use_uid = False")
    assert calls("c.search(['SUBJECT', 'plain'])") == [1]


def test_charset_that_the_server_does_not_know(calls, box):
    assert "[BADCHARSET] Unknown charset" in calls.fails("c.search('ALL', 'X-NONSENSE')")
    assert "the server says NO" in calls.fails("c.sort('ARRIVAL', 'ALL', 'X-NONSENSE')")
    assert "UnicodeError: search(): this text cannot be written in US-ASCII" \
        in calls.fails("c.search(['SUBJECT', 'ü'], 'US-ASCII')")
    assert calls("c.search('SUBJECT plain')") == [1]


def test_charsets_that_the_server_knows_are_named(mailrack, account, dialogue):
    with dialogue("search-badcharset") as server:
        path = account({"host": "localhost", "port": server.port, "username": "alice",
                        "password": "sekret", "ssl": "false"})
        with Calls(mailrack, path) as calls:
            calls("n = c.select_folder('INBOX', readonly=True)")
            said = calls.fails("c.search(['SUBJECT', 'Entwürfe', 'SEEN'])")
            assert said.endswith("INBOX: UID SEARCH: the server says NO: [BADCHARSET] not that "
                                 "(it knows US-ASCII)")
            assert calls("c.search('SUBJECT Entw SEEN')") == [3, 4]
            assert calls("c.logout()") == b"bye"


def test_sort(calls, box):
    for arguments, keys in [
            ("'SUBJECT'", "(SUBJECT) UTF-8 ALL"),
            ("['REVERSE', 'SIZE']", "(REVERSE SIZE) UTF-8 ALL"),
            ("['REVERSE ARRIVAL', 'SUBJECT'], ['FLAGGED']",
             "(REVERSE ARRIVAL SUBJECT) UTF-8 FLAGGED"),
            ("b'ARRIVAL', 'UNSEEN', 'US-ASCII'", "(ARRIVAL) US-ASCII UNSEEN"),
            ("sort_criteria='ARRIVAL', criteria='KEYWORD None'", "(ARRIVAL) UTF-8 KEYWORD None")]:
        assert calls(f"c.sort({arguments})") == box(keys, "SORT"), arguments
    assert calls("c.sort('ARRIVAL', ['SUBJECT', 'Entwürfe'])") == [3]


def test_thread(calls, dovecot, user):
    def reply(number, *references):
        return (f"Message-ID: <{number}@x>\r\nSubject: {number}\r\n"
                f"References: {' '.join(f'<{each}@x>' for each in references)}\r\n\r\n").encode()
    dovecot.fill(user, "INBOX", [reply(1), reply(2, 1), reply(3, 1, 2), reply(4, 1), reply(5)])
    calls("c.select_folder('INBOX', readonly=True)")
    with dovecot.connect(user) as connection:
        connection.select("INBOX", readonly=True)
        for algorithm in ("REFERENCES", "ORDEREDSUBJECT"):
            untagged, _ = imapvalues.responses(connection, f"UID THREAD {algorithm} UTF-8 ALL")
            want = tuple(imapvalues.parse(untagged[0])[2:])
            assert calls(f"c.thread('{algorithm}')") == want
    assert calls("c.thread()") == ((1, (2, 3), (4,)), (5,))
    assert calls("c.thread(criteria=['SUBJECT', '5'], charset='US-ASCII')") == ((5,),)
    assert calls("c.thread(criteria=['SUBJECT', 'ü'])") == ()
    assert "does not support THREAD=NONE" in calls.fails("c.thread('NONE')")


def test_no_criteria_are_an_error(calls, box):
    for arguments in ("''", "[]", "b''", "['NOT', []]"):
        assert "ValueError: search(): no criteria are given (" \
            in calls.fails(f"c.search({arguments})")
    for arguments, kind in [("None", "NoneType"), ("5", "int"), ("{}", "dict")]:
        assert f"criteria must be str, bytes, or a list, not {kind}" \
            in calls.fails(f"c.search({arguments})")
    assert "criteria cannot hold" in calls.fails("c.search(['SUBJECT', None])")
    assert "a negative int" in calls.fails("c.search(['LARGER', -1])")
    assert "NUL" in calls.fails("c.search('ALL\\0')")
    assert "a line break" in calls.fails(r"c.search('ALL\r\nX LOGOUT')")
    assert "nested too deeply" in calls.fails(f"c.search({'[' * 60}'ALL'{']' * 60})")
    assert calls("c.search(['SUBJECT', 'plain'])") == [1]
