# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls about the connection, what stands around the client, and calls that are wrong."""

import re

from tests.support import imapvalues
from tests.support.calls import Calls
from tests.support.coprocess import Quota
from tests.support.imapbox import wait_for


def test_what_the_server_is(calls, dovecot, user):
    assert calls("c.state") == "AUTH"
    assert re.fullmatch(rb"\* OK (\[CAPABILITY .*\] )?Private Dovecot \w+ ready\.",
                        calls("c.welcome"))
    capabilities = calls("c.capabilities()")
    with dovecot.connect(user) as connection:
        untagged, _ = imapvalues.responses(connection, "CAPABILITY")
        assert set(capabilities) == {each.upper() for each in imapvalues.parse(untagged[0])[2:]}
        untagged, _ = imapvalues.responses(connection, "ID NIL")
        assert calls("c.id_()") == tuple(imapvalues.parse(untagged[0])[2:])
        untagged, _ = imapvalues.responses(connection, "NAMESPACE")
        (prefix, separator), = imapvalues.parse(untagged[0])[2]
        assert calls("c.namespace()") == (((prefix.decode(), separator.decode()),), None, None)
    assert calls("c.has_capability('idle')") is True
    assert calls("c.has_capability(capability=b'X-NONE')") is False
    assert calls("c.id_({'name': 'a \"test\"', 'version': None})") == ((b"name", b"Dovecot"),)
    assert calls("c.namespace().personal") == (("", "/"),)
    assert calls("c.namespace().other") is None
    assert calls("c.enable('condstore', b'QRESYNC')") == [b"CONDSTORE", b"QRESYNC"]
    assert calls("c.enable('CONDSTORE')") in ([], [b"CONDSTORE"])
    assert "enable(): a capability must be" in calls.fails("c.enable(5)")
    assert calls("n = c.select_folder('INBOX')") is None and calls("c.state") == "SELECTED"
    assert "not while a mailbox is selected" in calls.fails("c.enable('CONDSTORE')")


def test_attributes(calls, dovecot):
    assert calls("(c.host, c.port, c.ssl, c.stream, c.ssl_context)") \
        == ("localhost", dovecot.imaps, True, False, None)
    assert calls("(c.use_uid, c.folder_encode, c.normalise_times)") == (True, True, True)
    calls("c.use_uid = 0; c.folder_encode = False; c.normalise_times = False")
    assert calls("(c.use_uid, c.folder_encode, c.normalise_times)") == (False, False, False)
    for name in ("host", "welcome", "search", "nothing"):
        assert "AttributeError" in calls.fails(f"c.{name} = 1")
    assert "AttributeError" in calls.fails("c.nothing")


def test_what_stands_beside_the_client(calls):
    assert calls("imapclient.SEEN") == b"\\Seen"
    assert calls("(imapclient.DELETED, imapclient.DRAFTS)") == (b"\\Deleted", b"\\Drafts")
    assert calls("Quota('r', 'STORAGE', 1, limit=2)") == Quota("r", "STORAGE", 1, 2)
    assert calls("imapclient.Quota('r', 'STORAGE', 1, 2) == Quota('r', 'STORAGE', 1, 2)") is True
    assert calls("Address(None, None, b'a', b'b').host") == b"b"
    assert calls("MailboxQuotaRoots('INBOX', ['r']).quota_roots") == ["r"]
    assert "missing 10 required" in calls.fails("Envelope()")


def test_help(calls, mailrack, account):
    about = calls("help(c.search)")
    assert about["name"] == "search" and about["parameters"] == "criteria='ALL', charset=None"
    assert calls("help c.search") == calls("help('search')") == about and about in calls("help(c)")
    assert "help() knows" in calls.fails("help(5)")
    done = mailrack("-f", account(), "-e", "help(c.move)", "-e", "help c.move")
    assert done.stdout == 2 * ("c.move(messages, folder)\n    moves messages to a mailbox "
                               "(needs MOVE)\n")


def test_coming_and_going(calls):
    text, responses = calls("c.noop()")
    assert text.startswith(b"NOOP completed") and responses == []
    calls("n = c.select_folder('INBOX')")
    assert calls("c.logout()") == b"Logging out"
    assert calls("c.state") == "NONAUTH"
    assert "no mailbox is selected" in calls.fails("c.search()")
    assert calls("c.noop()")[1] == [] and calls("c.state") == "AUTH"
    assert calls("c.shutdown()") is None and calls("c.state") == "NONAUTH"
    assert calls("c.shutdown()") is None
    assert calls("c.folder_exists('INBOX')") is True


def test_what_a_shell_has_no_use_for(calls, user):
    for call in ("c.login('bob', 'secret')", "c.plain_login('bob', 'secret')",
                 "c.oauth2_login('bob', 'token', mech='XOAUTH2', vendor=None)",
                 "c.oauthbearer_login(identity='bob', access_token='token')",
                 "c.sasl_login('PLAIN', len)"):
        said = calls.fails(call)
        assert f"the shell logs in by itself, as {user}@localhost" in said and "-u USER" in said
        assert "secret" not in said and "token" not in said
    assert "missing 1 required positional argument: 'password'" in calls.fails("c.login('bob')")
    assert "encrypted already" in calls.fails("c.starttls()")
    assert "no sockets" in calls.fails("c.socket()")


def test_starttls_without_tls(mailrack, account, dovecot):
    path = account({"ssl": "false", "port": dovecot.imap})
    with Calls(mailrack, path) as calls:
        assert "starttls = true" in calls.fails("c.starttls(ssl_context=None)")
        assert calls("(c.ssl, c.port)") == (False, dovecot.imap)


WRONG = [
    ("c.fetch()", "TypeError: fetch() missing 2 required positional arguments: "
                  "'messages' and 'data'"),
    ("c.setacl()", "missing 3 required positional arguments: 'folder', 'who', and 'what'"),
    ("c.fetch(1, 2, 3, 4)", "TypeError: fetch() takes from 2 to 3 positional arguments "
                            "but 4 were given"),
    ("c.noop(1)", "TypeError: noop() takes 0 positional arguments but 1 was given"),
    ("c.get_flags(1, 2)", "TypeError: get_flags() takes 1 positional argument but 2 were given"),
    ("c.search(key='ALL')", "search() got an unexpected keyword argument 'key'"),
    ("c.search('ALL', criteria='ALL')", "search() got multiple values for argument 'criteria'"),
    ("c.nothing()", "AttributeError"),
    ("c.select_folder(5)", "TypeError: select_folder(): folder must be str or bytes, not int"),
    ("c.select_folder(None)", "folder must be str or bytes, not NoneType"),
    ("c.select_folder('a\\0b')", "ValueError: select_folder(): folder holds a NUL"),
    ("c.select_folder(b'\\xff')", "UnicodeError: select_folder(): folder is not UTF-8"),
    ("c.select_folder('a\\r\\nb')", "line break"),
    ("c.rename_folder('INBOX', 5)", "rename_folder(): new_name must be"),
    ("c.list_folders(None)", "list_folders(): directory must be"),
    ("c.folder_status('INBOX', [5])", "folder_status(): what must be"),
    ("c.has_capability(5)", "has_capability(): capability must be"),
    ("c.id_(['a'])", "id_(): parameters must be a dict, not list"),
    ("c.id_({'a': 5})", "id_(): a value must be"),
    ("c.fetch(0, 'FLAGS')", "ValueError: fetch(): messages are numbered from 1"),
    ("c.fetch(-1, 'FLAGS')", "messages are numbered from 1"),
    ("c.fetch(4294967296, 'FLAGS')", "messages are numbered from 1"),
    ("c.fetch({}, 'FLAGS')",
     "messages are an int, a str like '1:5,9', or a list of them, not dict"),
    ("c.fetch([1, None], 'FLAGS')", "a list of them, not NoneType"),
    ("c.fetch('1-3', 'FLAGS')", "1,3:9,20:*"),
    ("c.fetch(1, 5)", "fetch(): data must be str, bytes, or a list of them, not int"),
    ("c.fetch(1, ['FLAGS', 5])", "fetch(): data must be str or bytes, not int"),
    ("c.fetch(1, 'FLAGS', 5)", "fetch(): modifiers must be"),
    ("c.add_flags(1, 5)", "add_flags(): flags must be"),
    ("c.add_flags(1, [None])", "add_flags(): flags must be"),
    ("c.copy(1, 5)", "copy(): folder must be"),
    ("c.copy([], 'INBOX')", "ValueError: copy(): no messages are given"),
    ("c.uid_expunge('')", 'ValueError: uid_expunge(): "" is not a set of messages'),
    ("c.append('INBOX', 5)", "append(): a message must be str or bytes, not int"),
    ("c.append('INBOX', 'x', 5)", "append(): flags must be"),
    ("c.append('INBOX', 'x', msg_time='now')",
     "append(): the time must be a datetime, not str"),
    ("c.append('INBOX', 'x', msg_time=date(2020, 1, 1))", "must be a datetime, not date"),
    ("c.sort(5)", "sort(): sort_criteria must be"),
    ("c.sort('ARRIVAL', 'ALL', None)", "sort(): charset must be str or bytes, not NoneType"),
    ("c.thread(5)", "thread(): algorithm must be"),
    ("c.idle_check('x')", "idle_check(): timeout must be a number of seconds"),
    ("c.idle_check(-1)", "idle_check(): timeout must be a number of seconds"),
    ("c.getacl(5)", "getacl(): folder must be"),
    ("c.setacl('INBOX', 5, 'l')", "setacl(): who must be"),
    ("c.get_quota(None)", "get_quota(): mailbox must be"),
    ("c.gmail_search('x')", "gmail_search: the server does not support X-GM-EXT-1"),
    ("c.get_gmail_labels(1)", "does not support X-GM-EXT-1"),
]


def test_wrong_arguments(calls):
    calls("n = c.select_folder('INBOX')")
    for call, words in WRONG:
        assert words in calls.fails(call), call
    assert calls("c.search()") == []


def test_idle(calls, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(1))
    calls("n = c.select_folder('INBOX')")
    assert calls("c.idle()") is None
    assert calls("c.idle_check(timeout=0)") == []
    assert "idle_done" in calls.fails("c.noop()")
    dovecot.deliver(user, b"Subject: new\r\n\r\n")
    news = []

    def has_come():
        news.extend(calls("c.idle_check(5)"))
        return (2, b"EXISTS") in news
    wait_for(has_come, seconds=30, what="the new message")
    with dovecot.connect(user) as connection:
        connection.select("INBOX")
        connection.store("1", "+FLAGS", "Work")
    news.clear()
    wait_for(lambda: news.extend(calls("c.idle_check(5.5)"))
             or any(each[:2] == (1, b"FETCH") and b"Work" in each[2][each[2].index(b"FLAGS") + 1]
                    for each in news), seconds=30, what="the flag")
    text, last = calls("c.idle_done()")
    assert text.startswith(b"Idle completed") and isinstance(last, list)
    assert calls("c.search()") == [1, 2]


def test_noop_tells_news(calls, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(2))
    calls("n = c.select_folder('INBOX')")
    with dovecot.connect(user) as connection:
        connection.select("INBOX")
        connection.store("1", "+FLAGS", r"(\Deleted Work)")
        connection.expunge()
    dovecot.deliver(user, b"Subject: new\r\n\r\n")
    text, news = calls("c.noop()")
    assert text.startswith(b"NOOP completed")
    assert (1, b"EXPUNGE") in news and (2, b"EXISTS") in news


def test_read_only(mailrack, account, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(1))
    with Calls(mailrack, account(), "--read-only") as calls:
        assert calls("c.select_folder('INBOX')")[b"READ-ONLY"] == [b""]
        for call in ("append('INBOX', 'x')", "create_folder('x')", "add_flags(1, 'x')",
                     "expunge()", "set_quota([])", "subscribe_folder('x')", "move(1, 'Trash')",
                     "setacl('INBOX', 'x', 'l')", "multiappend('INBOX', ['x'])"):
            assert "read-only" in calls.fails(f"c.{call}")
