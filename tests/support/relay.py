#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Standard input and output are a connection to HOST PORT: a tunnel_command.

    nsenter --net=/proc/PID/ns/net relay.py 127.0.0.1 1143    # from another network namespace

Ends when either side does.
"""

import os
import selectors
import socket
import sys


def main():
    with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as peer, \
            selectors.DefaultSelector() as selector:
        selector.register(0, selectors.EVENT_READ, lambda: (os.read(0, 65536), peer.sendall))
        selector.register(peer, selectors.EVENT_READ, lambda: (peer.recv(65536), write_all))
        while True:
            for key, _ in selector.select():
                octets, write = key.data()
                if not octets:
                    return
                write(octets)


def write_all(octets):
    while octets:
        octets = octets[os.write(1, octets):]


if __name__ == "__main__":
    main()
