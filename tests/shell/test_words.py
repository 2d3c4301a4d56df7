# SPDX-License-Identifier: LGPL-2.1-or-later
"""What people type where flags, search terms or numbers are wanted, and what is said of slips."""

import imaplib
import re

import pytest


@pytest.fixture
def shell(mailrack, account):
    """shell("cd", "ls") runs lines and goes on after errors: what they print, and the errors."""
    path = account()

    def run(*lines):
        done = mailrack("-f", path, "-k", *(word for line in lines for word in ("-e", line)))
        return done.stdout, done.stderr
    return run


def flags_of(dovecot, user, uid=1):
    with dovecot.connect(user) as connection:
        connection.select("INBOX", readonly=True)
        text = connection.uid("FETCH", str(uid), "(FLAGS)")[1][0]
        return {flag.decode() for flag in imaplib.ParseFlags(text)} - {r"\Recent"}


@pytest.mark.parametrize("words, flags", [
    ("+seen,answered", {r"\Seen", r"\Answered", r"\Flagged", r"\Draft"}),
    ("+seen +answered -flagged", {r"\Seen", r"\Answered", r"\Draft"}),
    ("-flagged,draft,+seen,$Work", {r"\Seen", "$Work"}),
    ("+a,b, -Flagged", {"a", "b", r"\Draft"}),
    (r"'+\Seen' '+x,y'", {r"\Seen", "x,y", r"\Flagged", r"\Draft"}),
    ("'+unread'", {"unread", r"\Flagged", r"\Draft"}),
])
def test_flags(shell, dovecot, user, mails, words, flags):
    dovecot.fill(user, "INBOX", mails(1))
    assert shell("cd", "flag 1 -seen,answered", "flag 1 +flagged,draft", f"flag 1 {words}") \
        == ("", "")
    assert flags_of(dovecot, user) == flags


def test_flags_that_are_none(shell, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(1))
    before = flags_of(dovecot, user)
    for words, said in (("seen", "write +seen to set it, -seen to remove it"),
                        ("+", "write +seen"), ("''", "write +seen"), ("+,", "write +seen"),
                        ("'+se(en'", "is no flag: they are seen"),
                        (r"'+\Foo'", "is no flag: they are seen"), ("+recent", "the server alone"),
                        ("+unread", "write -seen;"), ("-unread", "write +seen;"),
                        ("+a -read", "write -seen;"),
                        ("+seen,a -SEEN", r"\Seen cannot be both")):
        assert said in shell("cd", f"flag 1 {words}")[1], words
    assert flags_of(dovecot, user) == before            # nor was any of a line's other flags set
    for words, said in (("unread", "or nothing"), ("starred", "write flagged"),
                        ("'s('", "no flag")):
        assert said in shell("cd", f"put --flags {words} /dev/null")[1], words


BOTH = {           # what is searched for, by IMAP
    "from:a UNSEEN": "FROM a UNSEEN", "UNSEEN from:a": "FROM a UNSEEN",
    "unseen subject:x": "SUBJECT x unseen", "is:unread FROM bob": "UNSEEN FROM bob",
    "SINCE 1-Jan-2020 larger:1k": "LARGER 1024 SINCE 1-Jan-2020",
    "from:a OR to:b NEW": "OR FROM a TO b NEW", "OR UNSEEN SEEN from:b": "FROM b OR UNSEEN SEEN",
    "(UNSEEN FROM bob) from:x": "FROM x (UNSEEN FROM bob)", "1:5 is:unread": "UNSEEN 1:5",
    "imap:unseen from:a": "FROM a unseen", "from:a imap: not seen": "FROM a not seen",
    "from:a 'imap:SINCE 1-Jan-2020' is:read": "FROM a SEEN SINCE 1-Jan-2020",
    "subject re:foo": "subject re:foo", "'new' invoice": "TEXT new TEXT invoice",
    "hello NEW world": "TEXT hello TEXT world NEW", "older photos": "TEXT older TEXT photos",
    "unseen 'NEW'": "TEXT NEW unseen", "NOT NOT UNSEEN": "NOT NOT UNSEEN",
}


def test_terms_and_keys(mailrack, account, dovecot, user, mails, tmp_path):
    """What goes over the wire, and that Dovecot takes it."""
    dovecot.fill(user, "INBOX", mails(3))
    trace = tmp_path / "trace"
    lines = [f"find --uids {words}" for words in BOTH]
    done = mailrack("-f", account(), *(word for line in ("cd", f"trace {trace}", *lines)
                                       for word in ("-e", line)))
    assert done.returncode == 0, done.stderr
    sent = re.findall(r"^C: \S+ UID SEARCH (.*?)\r?$", trace.read_text(), re.MULTILINE)
    assert dict(zip(BOTH, sent)) == BOTH


def test_terms_and_keys_that_do_not_mix(shell):
    for words, said in (("OR from:a to:b", "write from:bob OR to:bob"),
                        ("not from:bob", "the opposite of a term is -from:bob"),
                        ("NOT -is:unread", "the opposite of a term is is:unread"),
                        ("from:a OR UNSEEN", "of IMAP's keys it stands before both"),
                        ("new invoice", 'find "new" invoice'),
                        ("SINCE", 'something is missing behind SINCE; for the word itself write "'),
                        ("UNSEEN OR SEEN", "a search key is missing behind OR"),
                        ("from:a imap:", "belong behind imap:")):
        assert said in shell("cd", f"find {words}")[1], words


@pytest.mark.parametrize("setting, wrong, said", [
    ("confirm", ("-1", "x", "1.5", "4294967296", "''"), "a number from 0 to 4294967295"),
    ("listing", ("-1", "0", "99999999999"), "a number from 1 to 4294967295"),
    ("width", ("-3", "5", "10001"), "a number from 20 to 10000, or 0"),
    ("output", ("-1", "xml"), "table, json, jsonl, csv, raw"),
    ("headings", ("-1", "2"), "auto, on, off"),
    ("errexit", ("-1", "2"), "on or off"), ("news", ("-1", "x"), "on or off"),
    ("notices", ("2", "''"), "on or off"), ("timing", ("-1", "maybe"), "on or off"),
    ("pager", ("-1", "'no-such-pager -x'"), "a command that is there, or off"),
])
def test_settings_out_of_range(shell, setting, wrong, said):
    before = shell(f"set {setting}")
    for value in wrong:
        output, error = shell(f"set {setting} {value}", f"set {setting}")
        assert f"{setting} cannot be" in error and f"it is {said}\n" in error, value
        assert output == before[0], value


def test_settings_in_range(shell):
    for words in ("confirm 0", "listing 1", "width 0", "width 20", "pager less", "pager off",
                  "pager 'LESS=R less'", "trash Trash", "trash ''"):
        assert shell(f"set {words}") == ("", ""), words
