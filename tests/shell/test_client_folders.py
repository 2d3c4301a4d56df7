# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls about mailboxes: their names, what selecting one tells, rights and limits."""

from tests.support import imapvalues
from tests.support.calls import Calls
from tests.support.coprocess import MailboxQuotaRoots, Quota
from tests.support.scripted import Scripted

# as people write them, and on the wire
NAMES = {
    'with "quotes"': b'with "quotes"',
    "back\\slash": b"back\\slash",
    "R&D": b"R&-D",
    "&": b"&-",
    "2026": b"2026",
    "Entwürfe für Zoë": b"Entw&APw-rfe f&APw-r Zo&AOs-",
    "台北": b"&U,BTFw-",
    "a (b) {3} %": b"a (b) {3} %",
    "NIL": b"NIL",
}


def test_names(calls, dovecot, user):
    for name, wire in NAMES.items():
        assert calls(f"c.create_folder({name!r})").startswith(b"Create completed"), name
        assert calls(f"c.folder_exists({name!r})") is True
        assert calls(f"c.select_folder({name!r})")[b"EXISTS"] == 0
        assert calls(f"c.append({name!r}, 'Subject: x\\n\\n')").startswith(b"[APPENDUID")
        assert calls(f"c.folder_status({name!r}, ['MESSAGES', 'UIDNEXT'])") == {b"MESSAGES": 1,
                                                                              b"UIDNEXT": 2}
        assert calls(f"c.subscribe_folder({name!r})")[0].startswith(b"Subscribe completed")
        assert name in [entry[2] for entry in calls("c.list_sub_folders()")]
        assert calls(f"c.unsubscribe_folder({name!r})")[0].startswith(b"Unsubscribe completed")
        assert name not in [entry[2] for entry in calls("c.list_sub_folders()")]
    with dovecot.connect(user) as connection:
        untagged, _ = imapvalues.responses(connection, 'LIST "" "*"')
    want = {imapvalues.parse(line)[4] for line in untagged}
    want = {b"%d" % name if isinstance(name, int) else name or b"NIL" for name in want}
    assert set(NAMES.values()) < want
    calls("c.folder_encode = False")
    assert {entry[2] for entry in calls("c.list_folders()")} == want
    for wire in NAMES.values():
        assert calls(f"c.folder_status({wire!r}, 'MESSAGES')") == {b"MESSAGES": 1}
    calls("c.folder_encode = True")
    for name in NAMES:
        assert calls(f"c.rename_folder({name!r}, {name + ' 2'!r})").startswith(b"Rename completed")
        assert calls(f"c.folder_exists({name!r})") is (name == "a (b) {3} %")   # a wildcard
        assert calls(f"c.delete_folder({name + ' 2'!r})").startswith(b"Delete completed")
    assert "Mailbox doesn't exist" in calls.fails("c.select_folder('2026')")
    assert calls("c.state") == "AUTH"


def test_list(calls, dovecot, user):
    for name in ("Work/2025", "Work/2026", "Play"):
        calls(f"n = c.create_folder('{name}')")
    assert sorted(entry[2] for entry in calls("c.list_folders(directory='Work/')")) == [
        "Work/2025", "Work/2026"]
    assert sorted(entry[2] for entry in calls("c.list_folders('Work/', '%')")) == ["Work/2025",
                                                                                   "Work/2026"]
    assert [entry[1:] for entry in calls("c.list_folders(pattern='P*')")] == [(b"/", "Play")]
    assert calls("c.list_folders('', 'Nothing*')") == []
    with dovecot.connect(user) as connection:
        for call, command in [("c.list_folders()", 'LIST "" "*"'),
                              ("c.list_sub_folders()", 'LSUB "" "*"'),
                              ("c.list_folders(directory='', pattern='%')", 'LIST "" "%"')]:
            untagged, _ = imapvalues.responses(connection, command)
            want = [(flags, separator, name.decode())
                    for flags, separator, name in (imapvalues.parse(line)[2:] for line in untagged)]
            assert calls(call) == want


def test_select_tells_what_the_server_says(calls, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(3))
    with dovecot.connect(user) as connection:
        connection.select("INBOX")
        for verb, readonly in (("SELECT", False), ("EXAMINE", True)):
            untagged, tagged = imapvalues.responses(connection, f"{verb} INBOX")
            lines = [imapvalues.parse(line.replace(b"[", b"(").replace(b"]", b")"))
                     for line in [*untagged, tagged]]
            got = calls(f"c.select_folder('inbox', readonly={readonly})")
            assert got[b"EXISTS"] == 3 and got[b"RECENT"] == 0
            codes = {line[2][0]: line[2][1:] for line in lines if isinstance(line[2], tuple)
                     and line[1] == b"OK"}
            for name in (b"UIDNEXT", b"UIDVALIDITY"):
                assert got[name] == codes[name][0]
            assert got[b"PERMANENTFLAGS"] == codes[b"PERMANENTFLAGS"][0]
            assert got[b"FLAGS"] == next(line[2] for line in lines if line[1] == b"FLAGS")
            assert got.get(b"READ-WRITE") is (None if readonly else True)
            assert got.get(b"READ-ONLY") == ([b""] if readonly else None)
    assert calls("c.select_folder(readonly=True, folder=b'INBOX')")[b"READ-ONLY"] == [b""]


def test_leaving_a_mailbox(calls, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(3))
    calls("n = c.select_folder('INBOX'); n = c.delete_messages(1)")
    assert calls("c.unselect_folder()").startswith(b"Unselect completed")
    assert "no mailbox is selected" in calls.fails("c.search()")
    assert calls("c.folder_status('INBOX')")[b"MESSAGES"] == 3
    calls("n = c.select_folder('INBOX')")
    assert calls("c.close_folder()").startswith(b"Close completed")
    assert calls("c.folder_status('INBOX', what=('MESSAGES', b'UIDNEXT'))") == {b"MESSAGES": 2,
                                                                                b"UIDNEXT": 4}
    status = calls("c.folder_status('INBOX')")
    assert set(status) == {b"MESSAGES", b"RECENT", b"UIDNEXT", b"UIDVALIDITY", b"UNSEEN"}


# No flags; the drafts have a usual name behind the prefix.  XLIST is Gmail's LIST of old.
PREFIXED = """\
S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
always: {tag} LOGOUT
  S: * BYE bye
  S: {tag} OK done
  close:
C: {tag} AUTHENTICATE PLAIN {b64:\\0alice\\0sekret}
S: {tag} OK [CAPABILITY IMAP4rev1 NAMESPACE XLIST] done
C: {tag} LIST "" "*"
S: * LIST () "." INBOX
S: * LIST (\\NoSelect) NIL Odd
S: {tag} OK done
C: {tag} NAMESPACE
S: * NAMESPACE (("INBOX." ".")) (("user." ".")("&AOQ-." ".")) NIL
S: {tag} OK done
C: {tag} LIST "" "INBOX.Trash"
S: {tag} OK done
C: {tag} LIST "" "INBOX.Deleted Items"
S: * LIST () "." "INBOX.Deleted Items"
S: {tag} OK done
C: {tag} LIST "" "*"
S: {tag} OK done
C: {tag} NAMESPACE
S: * NAMESPACE (("INBOX." ".")) (("user." ".")("&AOQ-." ".")) NIL
S: {tag} OK done
C: {tag} XLIST "" "*"
S: * XLIST (\\HasNoChildren \\Inbox) "/" "Inbox"
S: * XLIST (\\HasNoChildren \\AllMail) "/" "[Gmail]/Alle &AMQ-"
S: {tag} OK done
"""


def test_special_folders(calls):
    assert calls("c.find_special_folder(b'\\\\Sent')") == "Sent"
    assert calls("c.find_special_folder(imapclient.TRASH)") == "Trash"
    assert calls("c.find_special_folder('\\\\Important')") is None
    assert "does not support XLIST" in calls.fails("c.xlist_folders()")


def test_special_folders_by_name_and_xlist(mailrack, account, certs):
    with Scripted(PREFIXED, certs) as server:
        path = account({"host": "localhost", "port": server.port, "username": "alice",
                        "password": "sekret", "ssl": "false"})
        with Calls(mailrack, path) as calls:
            assert calls("c.find_special_folder(imapclient.TRASH)") == "INBOX.Deleted Items"
            assert calls("c.find_special_folder(imapclient.ALL)") is None
            assert calls("c.namespace()") == ((("INBOX.", "."),), (("user.", "."), ("ä.", ".")),
                                              None)
            assert calls("c.xlist_folders()") == [
                ((b"\\HasNoChildren", b"\\Inbox"), b"/", "Inbox"),
                ((b"\\HasNoChildren", b"\\AllMail"), b"/", "[Gmail]/Alle Ä")]
            calls("n = c.logout()")


def test_rights(calls, user):
    assert "GETACL: the server says NO" in calls.fails("c.getacl('Nowhere')")
    calls("n = c.create_folder('Shared ü')")
    owner = calls("c.getacl('Shared ü')")
    assert [who for who, _ in owner] == [user.encode()] and b"l" in owner[0][1]
    assert calls("c.setacl('Shared ü', 'alice', 'lr')").startswith(b"Setacl complete")
    assert (b"alice", b"lr") in calls("c.getacl(folder='Shared ü')")
    calls("n = c.setacl('Shared ü', who='alice', what='')")
    assert (b"alice", b"lr") not in calls("c.getacl('Shared ü')")


def test_quota(calls, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(20))
    roots, quotas = calls("c.get_quota_root('INBOX')")
    assert roots == MailboxQuotaRoots("INBOX", ["User quota"])
    with dovecot.connect(user) as connection:
        untagged, _ = imapvalues.responses(connection, "GETQUOTAROOT INBOX")
    _, _, root, (resource, usage, limit) = imapvalues.parse(untagged[1])
    assert quotas == [Quota(root.decode(), resource.decode(), usage, limit)] and usage > 0
    assert calls("c.get_quota()") == calls("c.get_quota(mailbox='Sent')") == quotas
    assert calls("c.get_quota()[0].limit") == limit
    assert calls("c.set_quota([])") is None
    calls("quotas = c.get_quota()")
    assert "SETQUOTA: the server says NO" in calls.fails("c.set_quota(quotas)")
    assert "quotas must hold Quota, not int" in calls.fails("c.set_quota([1])")
    assert "quotas must be a list" in calls.fails("c.set_quota('x')")
    assert "one quota_root" in calls.fails(
        "c.set_quota([Quota('a', 'STORAGE', 0, 1), imapclient.Quota('b', 'STORAGE', 0, 1)])")
    assert "limit must be a number" in calls.fails("c.set_quota([Quota('a', 'STORAGE', 0, 'x')])")
