#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A proxy on loopback that delays, cuts, stalls and counts.

    with Proxy(server.host, server.imap, delay=0.025) as proxy:      # 50 ms round trip
        ...connect to proxy.host, proxy.port...
        proxy.connections[0].up, .down, .flights                     # octets, turns of the client

    proxy.plan(Fault("down", 1234, "reset"))      # the next connection: 1,234 octets of the server
                                                  # get through, then RST
    proxy.silence()                               # of the connections there are nothing gets
                                                  # through any more, and nobody is told
    proxy.strike("reset")                         # does that to all connections now; a stall of
                                                  # so many seconds: proxy.strike("stall", 0.5)
    proxy.refuse(True)                            # connections are reset at once; False ends it
    Proxy(host, imap, certificates=ca)            # speaks TLS to the client and plain to the
                                                  # server, so that offsets count IMAP's octets
    Proxy(host, imap, rewrite=Liar)               # what the server says is changed by one object a
                                                  # connection: feed(octets) gives octets (liar.py)

    proxy.py HOST PORT [--delay 0.025] [--fault down:1234:reset] ...

Directions are "up" (to the server) and "down" (to the client).  Actions: "close" (FIN to both;
behind TLS after close_notify), "abrupt" (FIN without close_notify), "reset" (RST to both), "stall"
(this direction stops for good, or for Fault.seconds), "blackhole" (both directions stop for good),
"drop" (the server's side is closed, the client's stays open and silent).  segment=1 sends single
octets.  A fault at offset 0 strikes before the first octet.

What it is not: a scripted server; it understands nothing of what passes through.
"""

import argparse
import asyncio
import contextlib
import dataclasses
import pathlib
import socket
import ssl
import struct
import sys
import threading

if __package__ in (None, ""):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

ACTIONS = ("close", "abrupt", "reset", "stall", "blackhole", "drop")


@dataclasses.dataclass(frozen=True)
class Fault:
    direction: str               # "up" or "down"
    offset: int                  # octets of that direction that still get through
    action: str                  # one of ACTIONS
    seconds: float = 0.0         # of a stall that ends

    def __post_init__(self):
        if self.direction not in ("up", "down") or self.action not in ACTIONS:
            raise ValueError(f"no such fault: {self}")


@dataclasses.dataclass
class Connection:
    """What passed through one connection."""
    up: int = 0
    down: int = 0
    flights: int = 0             # how often the client began to speak after the server had
    struck: bool = False         # whether its fault happened
    _turn: str = "down"

    def note(self, direction, count):
        if direction == "up" and self._turn == "down":
            self.flights += 1
        self._turn = direction
        setattr(self, direction, getattr(self, direction) + count)


class Proxy:
    host = "127.0.0.1"

    def __init__(self, host, port, delay=0.0, segment=0, certificates=None, certificate="good",
                 listen=0, rewrite=None):
        """delay: seconds each way for every piece that passes.  segment: octets per write."""
        self.target = (host, port)
        self.delay = delay
        self.segment = segment
        self.rewrite = rewrite
        self.connections = []
        self._faults = []
        self._refusing = False
        self._pairs = set()
        self._writers = set()        # of the connections that are open
        self._tls = None
        if certificates:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificates[certificate].chain,
                                      certificates[certificate].key)
        self._listener = socket.create_server((self.host, listen), backlog=64)
        self.port = self._listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()
        return self

    def close(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    def plan(self, *faults):
        """Strike the next connections, one each, with these faults (None lets one pass)."""
        self._faults.extend(faults)

    def silence(self):
        for pair in list(self._pairs):
            pair.silent = True

    def strike(self, action, seconds=0.0):
        def all_of_them():
            for pair in list(self._pairs):
                if action == "stall" and seconds:
                    pair.resumes = self._loop.time() + seconds
                else:
                    self._loop.create_task(pair.strike(Fault("down", 0, action)))
        self._loop.call_soon_threadsafe(all_of_them)

    def refuse(self, refusing):
        self._refusing = refusing

    # In the loop's thread

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._loop.set_exception_handler(lambda *_: None)     # clients leave in every way
        server = self._loop.run_until_complete(
            asyncio.start_server(self._accepted, sock=self._listener, ssl=self._tls, limit=1 << 20))
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        for writer in self._writers:
            with contextlib.suppress(AttributeError):    # asyncio's, of TLS that was aborted before
                writer.transport.abort()
        self._loop.run_until_complete(asyncio.sleep(0.01))
        self._loop.close()

    async def _accepted(self, reader, writer):
        fault = self._faults.pop(0) if self._faults else None
        connection = Connection()
        self.connections.append(connection)
        try:
            if self._refusing:
                _reset(writer)
                return
            up_reader, up_writer = await asyncio.open_connection(*self.target, limit=1 << 20)
        except OSError:
            _reset(writer)
            return
        for each in (writer, up_writer):
            each.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pair = _Pair(self, connection, fault, writer, up_writer)
        self._writers |= {writer, up_writer}
        self._pairs.add(pair)
        await asyncio.gather(pair.pump("up", reader, up_writer),
                             pair.pump("down", up_reader, writer), return_exceptions=True)
        self._writers -= {writer, up_writer}
        self._pairs.discard(pair)
        for each in (writer, up_writer):
            each.close()


class _Pair:
    """One client with its connection to the server."""

    def __init__(self, proxy, connection, fault, client, server):
        self.proxy = proxy
        self.connection = connection
        self.fault = fault
        self.client = client
        self.server = server
        self.silent = False
        self.resumes = 0.0           # when a stall of both directions ends

    async def pump(self, direction, reader, writer):
        """Pass on what comes, each piece after the delay, reading ahead meanwhile."""
        loop = asyncio.get_running_loop()
        queue = asyncio.Queue()
        rewriter = self.proxy.rewrite() if self.proxy.rewrite and direction == "down" else None
        sender = loop.create_task(self._send(direction, queue, writer))
        try:
            while data := await reader.read(65536):
                data = rewriter.feed(data) if rewriter else data
                if data:
                    queue.put_nowait((loop.time() + self.proxy.delay, data))
        except OSError:
            pass
        queue.put_nowait((loop.time() + self.proxy.delay, b""))
        await sender

    async def _send(self, direction, queue, writer):
        loop = asyncio.get_running_loop()
        fault = self.fault if self.fault and self.fault.direction == direction else None
        if fault and fault.offset == 0:
            await self.strike(fault)
            fault = None
        while True:
            due, data = await queue.get()
            if due > loop.time():
                await asyncio.sleep(due - loop.time())
            if not data:
                if not self.silent and writer.can_write_eof():
                    writer.write_eof()
                elif not self.silent:
                    writer.close()     # TLS has no half-close
                return
            left = fault.offset - getattr(self.connection, direction) if fault else len(data) + 1
            await self._write(direction, writer, data[:left])
            if left <= len(data):
                await self.strike(fault)
                fault = None
                await self._write(direction, writer, data[left:])

    async def _write(self, direction, writer, data):
        while (left := self.resumes - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(left)
        if self.silent or not data:
            return
        self.connection.note(direction, len(data))
        step = self.proxy.segment or len(data)
        for at in range(0, len(data), step):
            writer.write(data[at:at + step])
            await writer.drain()
            if self.proxy.segment:
                await asyncio.sleep(0)

    async def strike(self, fault):
        self.connection.struck = True
        if fault.action == "stall" and fault.seconds:
            await asyncio.sleep(fault.seconds)
            return
        if fault.action == "stall":
            await asyncio.Event().wait()
        self.silent = True
        if fault.action == "close":
            self.client.close()
            self.server.close()
        elif fault.action == "abrupt":
            await self.client.drain()
            self.client.get_extra_info("socket").shutdown(socket.SHUT_WR)
            self.server.close()
        elif fault.action == "reset":
            _reset(self.client)
            _reset(self.server)
        elif fault.action == "drop":
            self.server.close()


def _reset(writer):
    raw = writer.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def main():
    parser = argparse.ArgumentParser(description="A loopback proxy with delays and faults.")
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds each way")
    parser.add_argument("--segment", type=int, default=0, help="octets per write")
    parser.add_argument("--listen", type=int, default=0)
    parser.add_argument("--fault", action="append", default=[],
                        metavar="DIRECTION:OFFSET:ACTION[:SECONDS]")
    options = parser.parse_args()
    with Proxy(options.host, options.port, options.delay, options.segment,
               listen=options.listen) as proxy:
        for text in options.fault:
            direction, offset, action, *seconds = text.split(":")
            proxy.plan(Fault(direction, int(offset), action, *map(float, seconds)))
        print(f"PORT={proxy.port}\nREADY=1", flush=True)
        sys.stdin.buffer.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
