# SPDX-License-Identifier: LGPL-2.1-or-later
"""A proxy in front of a private Dovecot that breaks connections at a chosen octet of a command.

    with FaultProxy(server.imap) as proxy:               # or certificates=ca: TLS to the client
        ...connect to proxy.host, proxy.port...
        proxy.arm(Fault("F3", "APPEND", "up", 17))       # the next APPEND, once
        ...
        proxy.struck                                     # whether it happened
        proxy.settle()                                   # the server is done with what was cut
        proxy.commands[-1]                               # (name, octets up, octets down, answer)

Offsets count from the first octet of the command: up is what the client sends, its literals with
it, down is what the server sends from then on until the end of its tagged answer.  So many octets
pass, not one more; None is all of it, and the fault strikes behind.  (Dovecot's answers tell how
long it took, so that their length varies; a fault beyond the end does not strike.)  Without a
command, offsets count from the beginning of the next connection.

 F1  connections are refused, or with mode="silent" not even that, for so many seconds (0: until
     relent()); one with a command is reset at the offset first
 F2  FIN without close_notify          F3  RST              F4  close_notify and FIN
 F5  silence for ever, both ways       F6  silence for so many seconds, then all goes on
 F7  from the offset on one octet a segment, both ways
 F8  the command is carried out; its answer does not come, or so many octets of it; then F2
 F9  BYE, at the end of the last response that fits into the offset, and F4
 F10 the command does not reach the server; NO [code] instead; mode="early": where it announced a
     literal that waits
 F11 the server is killed by hook(), or without one the session's process alone; starting it again
     is the caller's
 F12 UIDVALIDITY changes, F13 another client meddles: hook() does it at the offset; then F2
 F14 untagged responses come twice (mode="twice") or in another order ("reversed", "shuffled")

cut="" leaves a connection alone where F2 is written above, cut="F3" resets it.  A hook runs in the
proxy's thread.  up: when the client is cut off the server sees the end of its stream as well, but
is heard out (settle).  The client must neither compress nor use STARTTLS.

What it is not: able to cut within a TLS record; offsets are of what is inside.
"""

import contextlib
import dataclasses
import os
import pathlib
import selectors
import signal
import socket
import ssl
import sys
import threading
import time

if __package__ in (None, ""):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from tests.support import faultleg, procs  # noqa: E402
from tests.support.faultlink import Fault, Link  # noqa: E402, F401


class FaultProxy:
    host = "127.0.0.1"

    def __init__(self, port, certificates=None, certificate="good", server="127.0.0.1"):
        self.target = (server, port)
        self.port = procs.port()
        self.commands = []
        self.connections = 0
        self.sessions = set()        # pids of imap processes whose connection was reset
        self.context = None
        if certificates:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificates[certificate].chain,
                                         certificates[certificate].key)
        self.problem = None          # of the thread
        self._fault = None
        self._strikes = threading.Event()
        self._lock = threading.Lock()
        self._selector = selectors.DefaultSelector()
        self._timers = []            # (when, what)
        self._links = set()
        self._posted, self._post = socket.socketpair()
        self._calls = []
        self._stopping = False
        self._fillers = []
        self._listener = None
        self._listen()
        self._selector.register(self._posted, selectors.EVENT_READ, self._take_calls)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._call(self._stop)
        self._thread.join()
        if self.problem:
            raise RuntimeError("the proxy broke") from self.problem
        self._posted.close()
        self._post.close()

    # Any thread

    def arm(self, fault):
        """Have it strike once; one at a time, and an F1 without a command at once."""
        with self._lock:
            self._strikes.clear()
            self._fault = dataclasses.replace(fault)
        if fault.kind == "F1" and not fault.command:
            self._call(lambda: self.refuse(self.take_fault("")))

    def disarm(self):
        with self._lock:
            self._fault = None
        self._call(self._disarm_links)

    def kill_sessions(self):
        """For a hook: the server's process of each connection ends, and has when this returns."""
        killed = set()
        for link in self._links:
            with contextlib.suppress(OSError):
                killed.add(faultleg.session_of(link.server.sock))
        killed.discard(0)
        for process in killed:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        while any(map(_lives, killed)):
            time.sleep(0.0005)

    def vanish(self):
        """For a hook: as F1 from now on."""
        self._close_listener()

    def relent(self):
        """End an F1."""
        self._call(self._listen)

    def recover(self):
        """End an F5 and an F7: what was silent is reset, what was slow is fast again."""
        self._call(lambda: [link.recover() for link in list(self._links)])

    @property
    def struck(self):
        return self._strikes.is_set()

    def wait_struck(self, seconds=30.0):
        if not self._strikes.wait(seconds):
            raise TimeoutError("the fault has not struck")

    def settle(self, seconds=30.0):
        """Wait until the server has ended every session that was cut, so that what it shows from
        now on is what came of them."""
        deadline = time.monotonic() + seconds
        while any(link.ending for link in list(self._links)) or any(map(_lives, self.sessions)):
            if time.monotonic() > deadline:
                raise TimeoutError("the server has not ended a session")
            time.sleep(0.0005)
        self.sessions.clear()

    def _call(self, what):
        """Have the proxy's thread do something, and wait for that."""
        done = threading.Event()
        with self._lock:
            self._calls.append(lambda: (what(), done.set()))
        self._post.send(b"!")
        while not done.wait(0.2) and self._thread.is_alive():
            pass

    # The proxy's thread

    def _run(self):
        try:
            self._serve()
        except Exception as problem:     # for whoever waits; the thread has ended
            self.problem = problem
            raise

    def _serve(self):
        while not self._stopping:
            for key, events in self._selector.select(self._patience()):
                key.data(events)
            self._ring()
            for link in list(self._links):
                link.step()
        for link in list(self._links):
            link.end()
        self._close_listener()
        self._selector.close()

    def _stop(self):
        self._stopping = True

    def _patience(self):
        if any(link.dripping for link in self._links):
            return 0.0001
        if not self._timers:
            return None
        return max(0, min(when for when, _ in self._timers) - time.monotonic())

    def _ring(self):
        now = time.monotonic()
        due = [what for when, what in self._timers if when <= now]
        self._timers = [timer for timer in self._timers if timer[0] > now]
        for what in due:
            what()

    def after(self, seconds, what):
        self._timers.append((time.monotonic() + seconds, what))

    def _take_calls(self, _):
        self._posted.recv(4096)
        with self._lock:
            calls, self._calls = self._calls, []
        for call in calls:
            call()

    def _disarm_links(self):
        for link in self._links:
            link.disarm()

    def take_fault(self, command):
        """The armed fault if it is for this command; it is nobody else's from then on."""
        with self._lock:
            fault = self._fault
            if fault is None or fault.command != command:
                return None
            fault.nth -= 1
            if fault.nth > 0:
                return None
            self._fault = None
            return fault

    def arm_next(self, fault):
        """The one that comes after another."""
        with self._lock:
            self._fault = dataclasses.replace(fault)

    def strikes(self):
        self._strikes.set()

    def watch(self, leg, events, callback):
        """Have callback called for these events; 0 ends it."""
        known = self._selector.get_map().get(leg.sock) if not leg.closed else None
        if not events and known:
            self._selector.unregister(leg.sock)
        elif events and not known:
            self._selector.register(leg.sock, events, callback)
        elif events and known.events != events:
            self._selector.modify(leg.sock, events, callback)

    def forget(self, link):
        self._links.discard(link)

    # Being there or not

    def _listen(self):
        if self._listener and not self._fillers:
            return
        self._close_listener()
        self._listener = socket.create_server((self.host, self.port), backlog=128)
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)

    def _close_listener(self):
        if self._listener:
            with contextlib.suppress(KeyError):
                self._selector.unregister(self._listener)
            self._listener.close()
        for filler in self._fillers:
            filler.close()
        self._listener, self._fillers = None, []

    def refuse(self, fault):
        """F1.  Silence is a listener whose queue is full: the kernel drops what knocks."""
        if fault is None:
            return
        self._close_listener()
        if fault.mode == "silent":
            self._listener = socket.create_server((self.host, self.port), backlog=0)
            for _ in range(4):
                filler = socket.socket()
                filler.setblocking(False)
                filler.connect_ex((self.host, self.port))
                self._fillers.append(filler)
        if fault.seconds:
            self.after(fault.seconds, self._listen)
        self.strikes()

    def _accept(self, _):
        try:
            client, _ = self._listener.accept()
        except OSError:
            return
        self.connections += 1
        client_leg = faultleg.Leg(client, self.context)
        try:
            server = socket.create_connection(self.target, 10)
        except OSError:
            client_leg.reset()
            return
        self._links.add(Link(self, client_leg, faultleg.Leg(server)))


def _lives(process):
    try:
        # One that has ended stays a zombie until Dovecot's master looks.
        state = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z"
    except OSError:
        return False
