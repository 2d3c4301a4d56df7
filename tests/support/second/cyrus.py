# SPDX-License-Identifier: LGPL-2.1-or-later
"""A private Cyrus IMAP: its configuration, its processes, its one user.

    cyrus = Cyrus(certs["good"], certs.ca_file)
    cyrus.start()              # raises Unavailable with the reason
    cyrus.ports["imap"], cyrus.ports["imaps"], cyrus.ports["imaps12"]
    cyrus.stop()

Everything it writes is in one directory of its own, which stop() removes.  Cyrus refuses to be
root, so for root it runs as `nobody`, otherwise as whoever calls.  If the calling process dies
without stop(), the kernel ends Cyrus; the directory is then left to the next start, which is why
second_server.py gives it a process of its own.

What it is not: a mail system.  No delivery (LMTP), no Sieve, no expiry; APPEND fills mailboxes.
"""

import imaplib
import os
import shutil
import signal
import ssl
import subprocess
import time

from tests.support import procs
from tests.support.second import packages
from tests.support.second.packages import Unavailable

SERVICES = ("imap", "imaps", "imaps12")

READY_SECONDS = 20
STOP_SECONDS = 5

# altnamespace and unixhierarchysep as Debian ships them and as installations of old have them:
# everything below "INBOX.", which a client only gets right through NAMESPACE.  imaps12 is there
# for SCRAM-SHA-256-PLUS, the binding being tls-unique, which TLS 1.3 does not define.
IMAPD_CONF = """\
configdirectory: {top}/conf
partition-default: {top}/spool
defaultpartition: default
temp_path: {top}/tmp
proc_path: {top}/conf/proc
mboxname_lockpath: {top}/conf/lock
idlesocket: {top}/conf/socket/idle
servername: localhost
syslog_prefix: mailrack-test
cyrus_user: {user}

altnamespace: no
unixhierarchysep: no
conversations: yes
autocreate_quota: 1048576
autocreate_inbox_folders: Sent | Drafts | Trash | Junk | Archive
autocreate_subscribe_folders: Sent | Drafts | Trash | Junk | Archive
xlist-sent: Sent
xlist-drafts: Drafts
xlist-trash: Trash
xlist-junk: Junk
xlist-archive: Archive
skiplist_unsafe: yes

allowplaintext: no
failedloginpause: 0s
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {top}/sasldb2
sasl_mech_list: PLAIN LOGIN SCRAM-SHA-1 SCRAM-SHA-256

tls_server_cert: {top}/server.pem
tls_server_key: {top}/server.key
tls_session_timeout: 0
tls_versions: tls1_2 tls1_3
imaps12_tls_versions: tls1_2
"""

CYRUS_CONF = """\
START {{
  recover cmd="{top}/bin/ctl_cyrusdb -r -C {top}/imapd.conf"
}}
SERVICES {{
  imap cmd="{top}/bin/imapd -C {top}/imapd.conf" listen="127.0.0.1:{imap}" proto="tcp4"
  imaps cmd="{top}/bin/imapd -s -C {top}/imapd.conf" listen="127.0.0.1:{imaps}" proto="tcp4"
  imaps12 cmd="{top}/bin/imapd -s -C {top}/imapd.conf" listen="127.0.0.1:{imaps12}" proto="tcp4"
}}
DAEMON {{
  idled cmd="{top}/bin/idled -C {top}/imapd.conf"
}}
"""


class Cyrus:
    def __init__(self, cert, ca_file, user="bob", password="sekret", cache=None):
        self.user = user
        self.password = password
        self.ports = {}
        self._cert = cert
        self._tls = ssl.create_default_context(cafile=str(ca_file))
        self._cache = cache
        self._top = None
        self._master = None

    @property
    def pid(self):
        """Of the master process, which leads a process group that holds all the others."""
        return self._master.pid

    def start(self):
        try:
            self._top = procs.runtime_directory("cyrus")
            if not procs.reachable(self._top):
                raise Unavailable(f"{procs.unprivileged().pw_name}, as whom Cyrus is to run, "
                                  f"cannot reach {self._top}; set TMPDIR to an open directory")
            installed = packages.install(self._top, self._cache)
            self._prepare(installed)
            self._launch(installed)
            self._wait_until_ready()
        except (OSError, KeyError) as error:
            self.stop()
            raise Unavailable(f"Cyrus cannot be started: {error}") from error
        except BaseException:
            self.stop()
            raise

    def stop(self):
        self._kill()
        if self._top:
            shutil.rmtree(self._top)
            self._top = None

    def _prepare(self, installed):
        top = self._top
        for name in ("spool", "tmp", "conf/db", "conf/lock", "conf/log", "conf/msg", "conf/proc",
                     "conf/quota", "conf/socket", "conf/user"):
            (top / name).mkdir(parents=True)
        shutil.copy(self._cert.chain, top / "server.pem")
        shutil.copy(self._cert.key, top / "server.key")
        self.ports = {service: procs.port() for service in SERVICES}
        (top / "cyrus.conf").write_text(CYRUS_CONF.format(top=top, **self.ports))
        (top / "imapd.conf").write_text(IMAPD_CONF.format(top=top,
                                                          user=procs.unprivileged().pw_name))

        done = subprocess.run([installed.programs["saslpasswd2"], "-p", "-c", "-f",
                               top / "sasldb2", "-u", "localhost", self.user],
                              input=self.password, capture_output=True, text=True,
                              env={**os.environ, **installed.environment})
        if done.returncode != 0:
            raise Unavailable(f"saslpasswd2 could not make {self.user}: {done.stderr.strip()}")
        procs.give(top)

    def _launch(self, installed):
        runner = procs.unprivileged()
        with open(self._top / "log", "ab") as log:
            self._master = procs.spawn(
                [installed.programs["master"], "-D", "-C", self._top / "imapd.conf",
                 "-M", self._top / "cyrus.conf", "-p", self._top / "conf" / "master.pid"],
                user=runner, cwd=self._top, stdout=log, stderr=log,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "CYRUS_USER": runner.pw_name,
                     **installed.environment})

    def _wait_until_ready(self):
        """Until every service lets the user in; the first login makes the mailboxes."""
        deadline = time.monotonic() + READY_SECONDS
        for service in SERVICES:
            while True:
                try:
                    self._log_in(service)
                    break
                except (OSError, imaplib.IMAP4.error) as error:
                    # A wrong certificate is somebody else's server; waiting does not help.
                    foreign = isinstance(error, ssl.SSLCertVerificationError)
                    if foreign or self._ended() or time.monotonic() > deadline:
                        raise Unavailable(
                            f"Cyrus' service {service} on port {self.ports[service]} does not let "
                            f"{self.user} in: {error}. {self._log()}") from error
                    time.sleep(0.03)

    def _log_in(self, service):
        port = self.ports[service]
        if service == "imap":
            client = imaplib.IMAP4("127.0.0.1", port, timeout=READY_SECONDS)
        else:
            client = imaplib.IMAP4_SSL("127.0.0.1", port, ssl_context=self._tls,
                                       timeout=READY_SECONDS)
        with client:
            if service == "imap":
                client.starttls(self._tls)
            client.login(self.user, self.password)

    def _log(self):
        ended = self._ended()
        state = f"ended with status {ended.si_status}" if ended else "is running"
        text = (self._top / "log").read_text(errors="replace")
        return f"Its master {state} and wrote: {' / '.join(text.splitlines()[-8:]) or 'nothing'}"

    def _ended(self):
        """How the master ended, or None.  It is not reaped: its number stays that of its group."""
        return os.waitid(os.P_PID, self._master.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)

    def _kill(self):
        if not self._master:
            return
        self._master.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        while not self._ended() and time.monotonic() < deadline:
            time.sleep(0.01)
        os.killpg(self._master.pid, signal.SIGKILL)
        self._master.wait()
        self._master = None
