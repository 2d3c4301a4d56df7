# SPDX-License-Identifier: LGPL-2.1-or-later
"""One side of a connection that passes through faultproxy.py: a socket that never blocks, with or
without TLS, and the ways in which it can end.

    leg = Leg(sock, context)        # TLS as the server when there is a context
    leg.receive()                   # octets; None: none now; b"": the peer has ended
    leg.send(octets); leg.flush()   # leg.waiting: octets the kernel has not taken yet
    leg.single = True               # from now on one octet a segment (and a TLS record)
    leg.finish(notify=True)         # FIN once all is sent, behind close_notify where there is TLS
    leg.reset()                     # RST
    session_of(leg.sock)            # the pid of Dovecot's imap process at the other end, or 0

What it is not: something that knows IMAP.
"""

import os
import pathlib
import socket
import ssl
import struct

_strangers = set()               # processes that were seen to be something else


class Leg:
    def __init__(self, sock, context=None):
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self.single = False
        self.ended = False           # the peer sends no more
        self.closed = False
        self._out = bytearray()      # for the kernel
        self._plain = bytearray()    # for TLS or _out: octet by octet, or before the handshake
        self._finishing = self._notify = self._shut = False
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context and context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._shaken = context is None

    def receive(self):
        try:
            data = self.sock.recv(65536)
        except BlockingIOError:
            return None
        except OSError:
            data = b""
        if not data:
            self.ended = True
            return b""
        if not self._tls:
            return data
        self._incoming.write(data)
        return self._decrypt()

    def _decrypt(self):
        found = b""
        try:
            if not self._shaken:
                self._tls.do_handshake()
                self._shaken = True
                if not self.single:
                    self._write(bytes(self._plain))
                    self._plain.clear()
            while piece := self._tls.read(65536):
                found += piece
            self.ended = self.ended or not piece
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:             # close_notify too; nothing more can be understood
            self.ended = True
        self.flush()
        return found if found or self.ended else None

    @property
    def waiting(self):
        return len(self._out) + len(self._plain)

    @property
    def dripping(self):
        return bool(self._plain) and self._shaken and not self.closed

    def send(self, octets):
        if self.closed or self._finishing:
            return
        if self.single or self._plain or not self._shaken:
            self._plain += octets
        else:
            self._write(octets)
        self.flush()

    def drip(self):
        """The next single octet."""
        octet = bytes(self._plain[:1])
        del self._plain[:1]
        self._write(octet)
        self.flush()

    def _write(self, octets):
        if not octets:
            return
        if not self._tls:
            self._out += octets
            return
        try:
            self._tls.write(octets)
        except ssl.SSLError:             # the peer has ended it
            self.ended = True

    def flush(self):
        if self.closed or self._shut:
            return
        self._out += self._outgoing.read()
        try:
            while self._out:
                del self._out[:self.sock.send(self._out)]
        except BlockingIOError:
            return
        except OSError:                  # the peer has gone
            self._out.clear()
            self._plain.clear()
        if self._finishing and not self._plain:
            self._end()

    def finish(self, notify=True):
        if not self._finishing:
            self._finishing, self._notify = True, notify
            if not self._shaken:
                self._plain.clear()
            self.flush()

    def _end(self):
        if self._notify and self._tls and self._shaken:
            self._notify = False
            try:
                self._tls.unwrap()
            except ssl.SSLError:         # it wants the peer's, which it need not wait for
                pass
            self.flush()
            return
        self._shut = True
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def reset(self):
        if not self.closed:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close()

    def close(self):
        self.closed = self.ended = True
        self.sock.close()


def session_of(sock):
    """The imap process that has the other end of a connection to Dovecot; 0: none, as before the
    login."""
    own, peer = (_proc_address(*address) for address in (sock.getsockname(), sock.getpeername()))
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        if words[1] == peer and words[2] == own and words[9] != "0":
            return _holder(f"socket:[{words[9]}]")
    return 0


def _proc_address(host, port):
    return "%08X:%04X" % (struct.unpack("=I", socket.inet_aton(host))[0], port)


def _holder(name):
    for process in filter(str.isdigit, os.listdir("/proc")):
        if process in _strangers:
            continue
        try:
            command = pathlib.Path(f"/proc/{process}/comm").read_text()
            if command != "imap\n":
                if command != "dovecot\n":      # which it is before it becomes another
                    _strangers.add(process)
                continue
            for descriptor in os.scandir(f"/proc/{process}/fd"):
                if os.readlink(descriptor.path) == name:
                    return int(process)
        except OSError:                  # it ended meanwhile, or is another's
            continue
    return 0
