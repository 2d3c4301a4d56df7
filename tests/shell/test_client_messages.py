# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls about messages: what they give is what a second parser makes of the same answers."""

import datetime

import pytest

from tests.support import imapvalues
from tests.support.calls import Calls

DEEP = b"""\
From: a@example.org
Subject: parts in parts
Date: Thu, 29 Feb 2024 12:30:15 -0330
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b0

--b0
Content-Type: multipart/related; boundary=b1; type="text/html"

--b1
Content-Type: multipart/alternative; boundary="b 2"

--b 2
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit
Content-Language: de, en

hall\xc3\xb6

--b 2
Content-Type: text/html

<p>hi

--b 2--
--b1
Content-Type: image/png; name="a \\"quoted\\" name.png"
Content-Disposition: inline; filename=a.png; size=3
Content-ID: <1@x>
Content-MD5: Q2hlY2s=
Content-Transfer-Encoding: base64

AAAA
--b1--
--b0
Content-Type: message/rfc822
Content-Description: forwarded

From: b@example.org
To: undisclosed-recipients:;
Subject: inside
Content-Type: multipart/digest; boundary=b3

--b3

Subject: one

1
--b3

Subject: two

2
--b3--
--b0--
""".replace(b"\n", b"\r\n")


def filled(dovecot, user, calls, messages):
    """The user's INBOX with these messages, selected in the shell."""
    dovecot.fill(user, "INBOX", messages)
    with dovecot.connect(user) as connection:
        connection.select("INBOX")         # so that \\Recent is nobody's any more
    return calls("c.select_folder('INBOX')")


def test_fetch_gives_what_a_second_parser_reads(calls, dovecot, user, mails):
    filled(dovecot, user, calls, [*mails(60), DEEP])
    items = ("FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODYSTRUCTURE", "BODY", "MODSEQ",
             "BODY.PEEK[HEADER.FIELDS (FROM Subject)]", "BODY.PEEK[]<0.100>", "BODY.PEEK[1.MIME]",
             "BODY.PEEK[TEXT]<7.20>", "BINARY.PEEK[1]")
    got = calls(f"c.fetch('1:*', {list(items)})")
    with dovecot.connect(user) as connection:
        connection.select("INBOX", readonly=True)
        want = imapvalues.fetched(connection, "1:*", f"({' '.join(items)})")
        assert sorted(got) == list(range(1, 62))
        for uid, message in want.items():
            assert got[uid] == message, uid
        calls("c.use_uid = False; c.normalise_times = False")
        want = imapvalues.fetched(connection, "5:9,61", "(UID ENVELOPE INTERNALDATE)", uid=False,
                                  native=False)
    assert calls("c.fetch([5, 6, '7:9', 61], 'UID ENVELOPE INTERNALDATE')") == want
    assert want[61][b"UID"] == 61


def test_parts_of_a_result(calls, dovecot, user):
    filled(dovecot, user, calls, [DEEP])
    calls("deep = c.fetch(1, ['BODYSTRUCTURE', 'ENVELOPE', 'BODY.PEEK[]<0.100>'])[1]")
    assert calls("deep[b'BODYSTRUCTURE'].is_multipart") is True
    assert calls("deep[b'BODYSTRUCTURE'][0][0][0][0][0][1].is_multipart") is False
    assert calls("deep[b'BODYSTRUCTURE'][0][0][0][0][0][1][:2]") == (b"text", b"html")
    assert calls("deep[b'ENVELOPE'].from_[0].mailbox + b'@' + deep[b'ENVELOPE'].from_[0].host") \
        == b"a@example.org"
    assert calls("deep[b'BODY[]<0>']") == DEEP[:100]
    assert calls("c.fetch([], ['FLAGS'])") == {}
    assert calls("c.fetch(99, ['FLAGS'])") == {}
    for macro in ("'fast'", "['FULL']"):
        assert {b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE"} < set(calls(f"c.fetch(1, {macro})[1]"))


def test_changed_since(calls, dovecot, user, mails):
    assert calls("c.enable('CONDSTORE', 'NONSENSE')") == [b"CONDSTORE"]
    filled(dovecot, user, calls, [mail.octets for mail in mails(5)])
    before = calls("c.select_folder('INBOX')")[b"HIGHESTMODSEQ"]
    calls("n = c.add_flags([2, 4], 'Changed')")
    changed = calls(f"c.fetch('1:*', ['FLAGS'], ['CHANGEDSINCE {before}'])")
    assert sorted(changed) == [2, 4] and b"Changed" in changed[4][b"FLAGS"]
    assert changed[2][b"MODSEQ"][0] > before
    assert calls(f"c.fetch('1:*', 'FLAGS', modifiers='CHANGEDSINCE {before}')") == changed
    assert calls(f"c.search(['MODSEQ', {before + 1}])") == [2, 4]
    assert calls("_.modseq") == max(changed[uid][b"MODSEQ"][0] for uid in (2, 4))
    assert calls("c.search('2').modseq") is None


def test_flags(calls, dovecot, user, mails):
    filled(dovecot, user, calls, [mail.octets for mail in mails(5)])

    def flags(given):
        return {uid: set(some) for uid, some in given.items()}
    assert flags(calls("c.get_flags([1, 2])")) == {1: set(), 2: set()}
    assert flags(calls("c.add_flags('1:2', ['\\\\Flagged', b'Work'])")) \
        == {1: {b"\\Flagged", b"Work"}, 2: {b"\\Flagged", b"Work"}}
    assert flags(calls("c.remove_flags(1, imapclient.FLAGGED)")) == {1: {b"Work"}}
    assert flags(calls("c.set_flags([2], ['\\\\Seen'])")) == {2: {b"\\Seen"}}
    assert calls("c.set_flags(2, [], silent=True)") is None
    assert calls("c.add_flags([], 'x')") == calls("c.get_flags([])") == {}
    assert flags(calls("c.delete_messages([3, 4])")) == {3: {b"\\Deleted"}, 4: {b"\\Deleted"}}
    assert calls("c.delete_messages(5, True)") is None
    with dovecot.connect(user) as connection:
        connection.select("INBOX", readonly=True)
        want = imapvalues.fetched(connection, "1:*", "FLAGS")
    assert flags(calls("c.get_flags('1:*')")) \
        == {uid: set(each[b"FLAGS"]) for uid, each in want.items()}


def test_copy_move_and_expunge(calls, dovecot, user, mails):
    filled(dovecot, user, calls, [mail.octets for mail in mails(8)])
    calls("n = c.create_folder('Other')")
    assert calls("c.copy([1, 2], 'Other')").startswith(b"[COPYUID ")
    assert calls("c.move('3', 'Other')").startswith(b"Move completed")
    assert calls("c.search()") == [1, 2, 4, 5, 6, 7, 8]
    assert calls("c.folder_status('Other', 'MESSAGES')") == {b"MESSAGES": 3}
    calls("n = c.delete_messages([1, 4, 5, 6])")
    assert calls("c.uid_expunge([1, 2])") is None
    assert calls("c.expunge(4)") is None
    assert calls("c.search()") == [2, 5, 6, 7, 8]
    text, responses = calls("c.expunge()")
    assert text.startswith(b"Expunge completed")
    assert [each for each in responses if each[1] == b"EXPUNGE"] == [(3, b"EXPUNGE"),
                                                                     (2, b"EXPUNGE")]
    assert "no messages are given" in calls.fails("c.expunge([])")
    calls("c.use_uid = False")
    assert "by UID alone" in calls.fails("c.expunge(1)")
    assert "by UID alone" in calls.fails("c.uid_expunge(1)")
    calls("n = c.move([1, 3], 'Other')")
    calls("c.use_uid = True")
    assert calls("c.search()") == [7]


@pytest.mark.parametrize("zone", ["UTC", "America/St_Johns"])
def test_append_keeps_dates(mailrack, account, dovecot, user, zone):
    with Calls(mailrack, account(), env={"TZ": zone}) as calls:
        added = calls("c.append('INBOX', 'Subject: one\\n\\nfine\\n', ['\\\\Seen', 'Work'], "
                      "datetime.datetime(2024, 2, 29, 12, 30, 15))")
        assert added.startswith(b"[APPENDUID ")
        calls("n = c.append('INBOX', b'Subject: two\\r\\n\\r\\n\\xff', flags='\\\\Draft', "
              "msg_time=datetime(2020, 7, 1, 1, 2, 3, tzinfo=timezone(timedelta(hours=-3.5))))")
        calls("n = c.append('INBOX', 'Subject: three\\r\\n\\r\\n')")
        calls("n = c.select_folder('INBOX')")
        assert calls("c.fetch(1, 'INTERNALDATE')[1][b'INTERNALDATE']") \
            == datetime.datetime(2024, 2, 29, 12, 30, 15)
        assert b"\\Seen" in calls("c.get_flags(1)")[1] and b"Work" in calls("c.get_flags(1)")[1]
        calls("c.normalise_times = False")
        when = calls("c.fetch(2, 'INTERNALDATE')[2][b'INTERNALDATE']")
        assert when == datetime.datetime(2020, 7, 1, 4, 32, 3, tzinfo=datetime.timezone.utc)
        assert calls("c.fetch(1, ['BODY.PEEK[]'])[1][b'BODY[]']") \
            == b"Subject: one\r\n\r\nfine\r\n"
        assert calls("c.fetch(2, ['BODY.PEEK[]'])[2][b'BODY[]']") == b"Subject: two\r\n\r\n\xff"
    first, second, third = dovecot.truth(user)
    offset = {"UTC": "+0000", "America/St_Johns": "-0330"}[zone]
    assert first.date == f"29-Feb-2024 12:30:15 {offset}" or zone != "UTC"
    assert imapvalues.internal_date(first.date.encode()).timestamp() \
        == datetime.datetime.strptime(f"2024-02-29 12:30:15 {offset}",
                                      "%Y-%m-%d %H:%M:%S %z").timestamp()
    assert second.flags == {"\\Draft"} and third.flags == set()


def test_multiappend(calls, dovecot, user):
    calls("n = c.create_folder('Many')")
    calls("when = datetime.datetime(2001, 2, 3, 4, 5, 6)")
    status, (text,) = calls("c.multiappend('Many', ['Subject: a\\n\\n', {'msg': b'Subject: "
                            "b\\n\\n', 'flags': ['\\\\Seen'], 'date': when}])")
    assert status == "OK" and text.startswith(b"[APPENDUID ") and b" 1:2]" in text
    _, second = dovecot.truth(user, "Many")
    assert second.flags == {"\\Seen"} and second.date.startswith("03-Feb-2001 04:05:06")
    assert "'msg', 'flags' and 'date'" in calls.fails("c.multiappend('Many', [{'mgs': 'x'}])")
    assert "a message must be" in calls.fails("c.multiappend('Many', [{'flags': 'x'}])")
    assert "msgs must be a list" in calls.fails("c.multiappend('Many', [])")
    assert calls("c.folder_status('Many', ['MESSAGES'])") == {b"MESSAGES": 2}


def test_a_dry_run_prints_every_command(mailrack, account, dovecot, user):
    dovecot.fill(user, "INBOX", [(b"Subject: x\r\n\r\n", "", 0)])
    done = mailrack("-f", account(), "--dry-run", "-e", "c.select_folder('INBOX')[b'EXISTS']",
                    "-e", "c.add_flags(list(range(1, 4001, 2)), 'x')",
                    "-e", "c.move(list(range(1, 4001, 2)), 'Trash')",
                    "-e", "c.uid_expunge(list(range(1, 4001, 2)))", "-e", "c.search()")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split(" ")[1] for line in lines[1:-1]] == [
        *2 * ["STORE"], *2 * ["MOVE"], *2 * ["EXPUNGE"]]
    assert lines[0] == "1" and lines[-1] == "[1]"


def test_sparse_sets_are_divided(calls, dovecot, user):
    """Dovecot takes no command line above 65,536 octets; every second of 12,000 UIDs needs more."""
    filled(dovecot, user, calls, [(b"Subject: x\r\n\r\n", "", 0)] * 1200)
    calls("odd = list(range(1, 24001, 2))")
    assert sorted(calls("c.fetch(odd, 'FLAGS')")) == list(range(1, 1200, 2))
    assert sorted(calls("c.add_flags(odd, 'Odd')")) == list(range(1, 1200, 2))
    assert calls("c.search('KEYWORD Odd')") == list(range(1, 1200, 2))
    calls("n = c.create_folder('Odd')")
    assert calls("c.copy(odd, 'Odd')").count(b"[COPYUID ") == 1
    calls("n = c.delete_messages(odd, silent=True); n = c.uid_expunge(odd)")
    assert calls("c.search()") == list(range(2, 1201, 2))
    calls("c.use_uid = False; n = c.move(list(range(1, 600, 2)), 'Odd'); c.use_uid = True")
    assert calls("c.search()") == list(range(4, 1201, 4))
    assert len(dovecot.truth(user, "Odd", bodies=False)) == 900
