# SPDX-License-Identifier: LGPL-2.1-or-later
"""From nothing to the first answer: what is sent before it, and what is loaded."""

import re
import subprocess


def flights(trace):
    """Who spoke in turn: runs of lines of one side, as the client's texts."""
    sides = re.findall(r"^([CS]): (.*)$", trace, re.M)
    found, last = [], "S"
    for side, text in sides:
        if side == "C" and last == "S":
            found.append(text)
        elif side == "C":
            found[-1] += " " + text
        last = side
    return found


def test_round_trips_to_the_first_answer(mailrack, account, tmp_path):
    trace = tmp_path / "trace"
    done = mailrack("-f", account({"auth_mechanisms": "PLAIN"}), "--trace", str(trace), "-e",
                    "status INBOX")
    assert done.returncode == 0, done.stderr
    sent = flights(trace.read_text(errors="replace"))
    assert len(sent) == 2, sent             # login with its capabilities, then the question
    assert "AUTHENTICATE PLAIN" in sent[0] and "STATUS INBOX" in sent[1]


def test_offline_commands_ask_nothing_more(mailrack, account, tmp_path):
    trace = tmp_path / "trace"
    done = mailrack("-f", account(), "--trace", str(trace), "-e", "help", "-e", "set", "-e", "pwd")
    assert done.returncode == 0, done.stderr
    assert not re.search(r"C: \w+ (CAPABILITY|ID|NAMESPACE|LIST|NOOP)",
                         trace.read_text(errors="replace"))


def test_only_the_plugins_it_needs_are_loaded(program, mailrack, account):
    done = subprocess.run([program("mailrack"), "-f", account(), "-e", "status INBOX"],
                          env={**mailrack.environment, "LD_DEBUG": "files"}, capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    loaded = set(re.findall(r"calling init: \S*/mailrack-([a-z0-9-]+)\.so", done.stderr))
    assert loaded == {"auth-password", "transport-ssl"}
    assert "libsoup" not in done.stderr
