# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls on the second server, where it differs from Dovecot: names behind a prefix with "."
between, special use in lower case, another ACL and quota, its own words for what it refuses."""

import datetime
import imaplib
import ssl

import pytest

from tests.shell.test_client_messages import DEEP
from tests.shell.test_client_search import MESSAGES, SEARCHES, message
from tests.support import imapbox, imapvalues
from tests.support.calls import Calls
from tests.support.second_server import SecondServer


@pytest.fixture(scope="module")
def second(tmp_path_factory):
    with SecondServer(tmp_path_factory.mktemp("second")) as server:
        yield server


@pytest.fixture
def connection(second):
    context = ssl.create_default_context(cafile=second.ca_file)
    with imaplib.IMAP4_SSL("localhost", second.port_imaps, ssl_context=context) as made:
        made.login(second.user, second.password)
        yield made


@pytest.fixture
def calls(mailrack, second):
    with Calls(mailrack, second.ini) as running:
        yield running


def test_mailboxes(calls, connection, second):
    (personal,), (other,), (shared,) = calls("c.namespace()")
    assert personal == ("INBOX.", ".") and other[1] == shared[1] == "."
    for name in ("INBOX.R&D", "INBOX.2026", "INBOX.Entwürfe für Zoë", "INBOX.台北"):
        assert calls(f"c.create_folder({name!r})"), name
        assert calls(f"c.folder_exists({name!r})") is True
        assert calls(f"c.select_folder({name!r})")[b"EXISTS"] == 0
        assert name in [entry[2] for entry in calls("c.list_folders('INBOX.', '%')")]
        assert calls(f"c.subscribe_folder({name!r})")
        assert [entry[1:] for entry in calls(f"c.list_sub_folders('', {name!r})")] == [(b".", name)]
    untagged, _ = imapvalues.responses(connection, 'LIST "" "*"')
    calls("c.folder_encode = False")
    assert calls("c.list_folders()") == [tuple(imapvalues.parse(line)[2:]) for line in untagged]
    calls("c.folder_encode = True")
    assert calls("c.rename_folder('INBOX.2026', 'INBOX.2027')")
    assert "SELECT: the server says NO" in calls.fails("c.select_folder('INBOX.2026')")
    assert calls("c.delete_folder('INBOX.2027')")
    assert "Permission denied" in calls.fails("c.create_folder('work')")
    assert "Invalid mailbox name" in calls.fails("c.create_folder('INBOX.a\"b')")
    for special in ("SENT", "TRASH", "DRAFTS"):
        assert calls(f"c.find_special_folder(imapclient.{special})").startswith("INBOX.")


def test_searches(calls, connection):
    calls("n = c.create_folder('INBOX.Search')")
    imapbox.fill(connection, "INBOX.Search",
                 [(message(subject, text), flags, f'"{day} 12:00:00 +0000"')
                  for subject, day, flags, text in MESSAGES])
    calls("n = c.select_folder('INBOX.Search', readonly=True)")
    connection.select("INBOX.Search", readonly=True)
    for arguments, keys in SEARCHES:
        if keys is None or "KOI8" in arguments:
            continue
        want = imapvalues.numbers(connection, f"UID SEARCH {keys}", b"SEARCH") \
            if isinstance(keys, str) else keys
        assert calls(f"c.search({arguments})") == want, arguments
    assert "UID SEARCH: the server says BAD: Unrecognized character set" \
        in calls.fails("c.search('ALL', 'X-NONSENSE')")
    assert calls("c.sort('REVERSE SIZE')") == imapvalues.numbers(
        connection, "UID SORT (REVERSE SIZE) UTF-8 ALL", b"SORT")
    untagged, _ = imapvalues.responses(connection, "UID THREAD REFERENCES UTF-8 ALL")
    assert calls("c.thread()") == tuple(imapvalues.parse(untagged[0])[2:])


def test_messages(calls, connection, mails):
    calls("n = c.create_folder('INBOX.Fetch')")
    imapbox.fill(connection, "INBOX.Fetch", [*mails(20), DEEP])
    status = calls("c.select_folder('INBOX.Fetch')")
    assert status[b"EXISTS"] == 21 and status[b"READ-WRITE"] is True
    connection.select("INBOX.Fetch", readonly=True)
    items = ["FLAGS", "RFC822.SIZE", "ENVELOPE", "BODYSTRUCTURE", "BODY.PEEK[]<0.100>",
             "BODY.PEEK[HEADER.FIELDS (FROM)]"]
    got = calls(f"c.fetch('1:*', {items})")
    for uid, message in imapvalues.fetched(connection, "1:*", f"({' '.join(items)})").items():
        got[uid][b"FLAGS"] = set(got[uid][b"FLAGS"]) - {b"\\Recent"}    # the shell came first
        message[b"FLAGS"] = set(message[b"FLAGS"])
        assert got[uid] == message, uid
    assert len(got) == 21
    since = calls("c.folder_status('INBOX.Fetch', 'HIGHESTMODSEQ')")[b"HIGHESTMODSEQ"]
    calls("n = c.add_flags([3, 5], ['Work', '\\\\Flagged'])")
    assert sorted(calls(f"c.fetch('1:*', ['FLAGS'], ['CHANGEDSINCE {since}'])")) == [3, 5]
    assert set(calls("c.get_flags(3)")[3]) >= {b"Work", b"\\Flagged"}
    assert calls("c.copy([1, 2], 'INBOX.Search')").startswith(b"[COPYUID ")
    calls("n = c.delete_messages([7, 8, 9], silent=True)")
    assert calls("c.uid_expunge(7)") is None
    assert [each for each in calls("c.expunge()")[1] if each[1] == b"EXPUNGE"] \
        in ([(7, b"EXPUNGE"), (7, b"EXPUNGE")], [(8, b"EXPUNGE"), (7, b"EXPUNGE")])
    assert len(calls("c.search()")) == 18
    odd = list(range(1, 20001, 2))
    assert sorted(calls(f"c.fetch({odd}, 'FLAGS')")) == [uid for uid in range(1, 22, 2)
                                                        if uid not in (7, 9)]


def test_dates(mailrack, second, connection):
    """A date without a zone is one of this machine's, others keep their own."""
    with Calls(mailrack, second.ini, env={"TZ": "America/St_Johns"}) as calls:
        append_dates(calls)
    connection.select("INBOX.Dates", readonly=True)
    got = imapvalues.fetched(connection, "1", "(INTERNALDATE)", native=False)
    assert got[1][b"INTERNALDATE"] == datetime.datetime.fromisoformat("2024-02-29T12:30:15-03:30")


def append_dates(calls):
    calls("n = c.create_folder('INBOX.Dates')")
    assert calls("c.append('INBOX.Dates', 'Subject: a\\n\\nbare\\nlines\\n', ['\\\\Seen'], "
                 "datetime.datetime(2024, 2, 29, 12, 30, 15))").startswith(b"[APPENDUID ")
    status, (text,) = calls(
        "c.multiappend('INBOX.Dates', [{'msg': 'Subject: b\\n\\n', 'date': datetime(2020, 7, 1, 1, "
        "2, 3, tzinfo=timezone(timedelta(hours=5, minutes=45)))}, 'Subject: c\\n\\n'])")
    assert status == "OK" and text.startswith(b"[APPENDUID ")
    calls("n = c.select_folder('INBOX.Dates')")
    assert calls("c.fetch(1, 'INTERNALDATE')[1][b'INTERNALDATE']") \
        == datetime.datetime(2024, 2, 29, 12, 30, 15)
    calls("c.normalise_times = False")
    zone = datetime.timezone(datetime.timedelta(hours=5, minutes=45))
    assert calls("c.fetch(2, 'INTERNALDATE')[2][b'INTERNALDATE']") \
        == datetime.datetime(2020, 7, 1, 1, 2, 3, tzinfo=zone)


def test_rights_and_limits(calls, second):
    calls("n = c.create_folder('INBOX.Rights')")
    assert (second.user.encode(), ) == tuple(who for who, _ in calls("c.getacl('INBOX.Rights')")
                                             if who == second.user.encode())
    assert calls("c.setacl('INBOX.Rights', 'anyone', 'lr')") is not None
    assert (b"anyone", b"lr") in calls("c.getacl('INBOX.Rights')")
    roots, quotas = calls("c.get_quota_root('INBOX')")
    assert roots.mailbox == "INBOX" and roots.quota_roots
    assert ("STORAGE", 1024 * 1024) in [(quota.resource, quota.limit) for quota in quotas]
    assert calls("c.get_quota()") == quotas


def test_idle(calls, connection):
    calls("n = c.select_folder('INBOX')")
    before = calls("c.folder_status('INBOX', 'MESSAGES')")[b"MESSAGES"]
    calls("c.idle()")
    imapbox.fill(connection, "INBOX", [b"Subject: new\r\n\r\n"])
    news = []
    while (before + 1, b"EXISTS") not in news:
        some = calls("c.idle_check(30)")
        assert some, news
        news += some
    text, _ = calls("c.idle_done()")
    assert b"ompleted" in text
