# SPDX-License-Identifier: LGPL-2.1-or-later
"""The shell against the private Dovecot: the documented session, commands, batch, a terminal."""

import ast
import os
import re
import subprocess
import time

import pytest


@pytest.fixture
def shell(mailrack, account):
    """shell("c.noop()", ...) runs lines by -e and gives the CompletedProcess."""
    path = account()

    def run(*lines, options=(), **keywords):
        arguments = [word for line in lines for word in ("-e", line)]
        return mailrack("-f", path, *options, *arguments, **keywords)
    return run


def literal(text):
    return ast.literal_eval(text)


def test_documented_session(shell, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(2))
    done = shell("c.select_folder('inbox')", "c.search()", "c.logout()")
    assert done.returncode == 0, done.stderr
    selected, rest = done.stdout.rsplit("}\n", 1)
    answer = literal(selected + "}")
    assert answer[b"EXISTS"] == 2 and answer[b"READ-WRITE"] is True
    assert answer[b"UIDNEXT"] == 3 and answer[b"FLAGS"][0] == b"\\Answered"
    assert selected.startswith("{b'EXISTS': 2,\n b'FLAGS': (b'\\\\Answered',")
    assert rest == "[1, 2]\nb'Logging out'\n"


def test_fetch_equals_imaplib(shell, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(20))
    done = shell("n = c.select_folder('INBOX', readonly=True)",
                 "c.fetch(c.search(), ['BODY.PEEK[]', 'RFC822.SIZE'])")
    assert done.returncode == 0, done.stderr
    got = literal(done.stdout)
    connection = dovecot.connect(user)
    connection.select("INBOX", readonly=True)
    for uid, message in got.items():
        _, data = connection.uid("FETCH", str(uid), "(BODY.PEEK[])")
        assert message[b"BODY[]"] == data[0][1]
        assert message[b"RFC822.SIZE"] == len(data[0][1])
    assert sorted(got) == list(range(1, 21))
    connection.logout()


def test_flags_copy_move_expunge(shell, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(5))
    done = shell("n = c.select_folder('INBOX')", "c.create_folder('Work ü')",
                 "c.set_flags([1, 2, 3, 4, 5], [])", "c.add_flags([1, 2], ['\\\\Flagged', 'Work'])",
                 "c.search(['FLAGGED', 'KEYWORD', 'Work'])", "n = c.copy('1:2', 'Work ü')",
                 "n = c.move([3], 'Work ü')", "n = c.delete_messages(4)", "n = c.expunge()",
                 "c.search()",
                 "c.folder_status('Work ü', ['MESSAGES'])", "c.folder_exists('Work ü')",
                 "c.list_folders('', 'Work*')")
    assert done.returncode == 0, done.stderr
    assert "[1, 2]\n" in done.stdout and "[1, 2, 5]\n" in done.stdout
    assert "{b'MESSAGES': 3}\nTrue\n" in done.stdout
    assert "b'/', 'Work ü')]" in done.stdout
    assert len(dovecot.truth(user, "Work &APw-")) == 3


def test_append_search_dates(shell, dovecot, user):
    done = shell("n = c.append('INBOX', b'Subject: \\xc3\\xbc\\r\\n\\r\\nhi\\r\\n', ['\\\\Seen'], "
                 "datetime.datetime(2024, 2, 29, 12, 30, 15))",
                 "n = c.select_folder('INBOX')",
                 "c.search(['SINCE', date(2024, 2, 29), 'BEFORE', date(2024, 3, 1)])",
                 "c.fetch(1, 'INTERNALDATE')[1][b'INTERNALDATE']")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "[1]"
    assert "datetime.datetime(2024, 2, 29, 12, 30, 15)" in done.stdout


def test_commands(shell, dovecot, user, mails, tmp_path):
    dovecot.fill(user, "INBOX", mails(6))
    done = shell("cd", "pwd", "ls", "find subject re", "flag 1:2 +flagged +$Later -seen",
                 "mkdir Keep",
                 "cp 1 Keep", "mv 2 Keep", "rm 3", f"save 4:6 {tmp_path}/saved", "status Keep",
                 "parts 1",
                 "headers 1", "show 1", "raw NOOP", "help mv", "ls -l *")
    assert done.returncode == 0, done.stderr
    assert "INBOX\n" in done.stdout and "C: NOOP\nS: OK" in done.stdout
    assert "Keep: 2 messages" in done.stdout
    assert sorted(os.listdir(tmp_path / "saved")) == ["4.eml", "5.eml", "6.eml"]
    assert len(dovecot.truth(user, "Trash")) == 1
    again = shell("cd", f"save 4 {tmp_path}/saved")
    assert again.returncode != 0 and "not overwritten" in again.stderr


def test_reading_leaves_unseen(shell, dovecot, user, mails):
    dovecot.fill(user, "INBOX", [(mail.octets, "", mail.date) for mail in mails(3)])
    assert shell("cd", "show 1", "headers 2", "parts 3", "ls").returncode == 0
    connection = dovecot.connect(user)
    connection.select("INBOX", readonly=True)
    assert connection.search(None, "SEEN")[1] == [b""]
    connection.logout()


def test_option_overrides_a_key(mailrack, account, dovecot, user):
    dovecot.fill(user, "INBOX", [])
    path = account({"username": "nobody"})
    done = mailrack("-f", path, "-o", f"username={user}", "-e", "cd", "-e", "pwd")
    assert done.stdout == "INBOX\n", done.stderr
    assert mailrack("-f", path, "-o", "nosuch=1", "-e", "pwd").returncode == 78
    assert mailrack("-f", path, "-o", "username", "-e", "pwd").returncode == 78


def test_secrets_leave_the_command_line(mailrack, account, dovecot, user):
    path = account({"password": None})
    password = dovecot.password(user)
    for words in (["-o", f"password={password}"], [f"--option=password={password}"],
                  ["-p", password]):
        done = mailrack("-f", path, *words, "-e", "!tr '\\0' ' ' < /proc/$PPID/cmdline",
                        "-e", "cd")
        assert done.returncode == 0, done.stderr
        assert "xxxx" in done.stdout and password not in done.stdout, words


def test_redirect_and_pipe(shell, dovecot, user, mails, tmp_path):
    dovecot.fill(user, "INBOX", mails(3))
    done = shell("cd", f"ls > {tmp_path}/list", "ls | wc -l")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "3"
    assert len((tmp_path / "list").read_text().splitlines()) == 3


def test_stdin_stops_at_first_error(mailrack, account):
    path = account()
    done = mailrack("-f", path, stdin="cd\nc.search('NONSENSE KEY')\npwd\n")
    assert done.returncode == 1 and "stdin:2:" in done.stderr and done.stdout == ""
    done = mailrack("-f", path, "-k", stdin="cd\nc.search('NONSENSE KEY')\npwd\n")
    assert done.returncode == 1 and done.stdout == "INBOX\n"


def test_multi_line_call_in_script(mailrack, account, tmp_path):
    script = tmp_path / "script"
    script.write_text("n = c.select_folder(\n  'INBOX',\n  readonly=True)\nlen(c.search())\n")
    done = mailrack("-f", account(), "--script", str(script))
    assert done.returncode == 0, done.stderr
    assert done.stdout == "0\n"


@pytest.mark.parametrize("keys, status, words", [
    ({"password": "wrong"}, 77, "AUTHENTICATIONFAILED"),
    ({"port": "1"}, 69, "refused"),
    ({"usernme": "x"}, 78, 'did you mean "username"'),
    ({"host": "127.0.0.4"}, 69, "expired"),
])
def test_exit_status(mailrack, account, keys, status, words):
    done = mailrack("-f", account(keys), "-e", "pwd")
    assert done.returncode == status and words in done.stderr


def test_read_only(shell, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(1))
    done = shell("cd", "flag 1 +flagged", options=("--read-only",))
    assert done.returncode == 1 and "--read-only" in done.stderr


def test_escape_sequences_stay_visible(shell, dovecot, user):
    text = b"Subject: \x1b]0;owned\x07 \xe2\x80\xae evil\r\n\r\n\x1b[2J\r\n"
    dovecot.fill(user, "INBOX", [(text, "", 0)])
    done = shell("cd", "ls", "show 1", "headers 1", "c.fetch(1, 'ENVELOPE')")
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout and "\u202e" not in done.stdout


def test_password_not_in_trace(mailrack, account, dovecot, user, tmp_path):
    path = account({"password": None})
    trace = tmp_path / "trace"
    done = mailrack("-f", path, "-p", dovecot.password(user), "--trace", str(trace), "-e", "cd")
    assert done.returncode == 0, done.stderr
    assert dovecot.password(user) not in trace.read_text(errors="replace")
    assert "<secret>" in trace.read_text(errors="replace")


def terminal_environment(home):
    return {**os.environ, "HOME": str(home), "LANG": "C.UTF-8",
            "XDG_STATE_HOME": str(home / "state")}


def in_tmux(command, keys, until, environment, seconds=20):
    """Types keys into command in a terminal of 80 columns; the screen when a pattern shows."""
    name = f"mailrack-{time.monotonic_ns()}"
    tmux = ["tmux", "-L", name]
    start = [*tmux, "-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "60", *command]
    subprocess.run(start, check=True, env=environment)
    try:
        screen = ""
        for line, pattern in zip(keys, until):
            deadline = time.monotonic() + seconds
            if line in ("C-c", "C-d"):
                subprocess.run([*tmux, "send-keys", line], check=True)
            elif line is not None:
                subprocess.run([*tmux, "send-keys", "-l", line], check=True)
                subprocess.run([*tmux, "send-keys", "Enter"], check=True)
            while not re.search(pattern, screen):
                assert time.monotonic() < deadline, f"no {pattern!r} on the screen:\n{screen}"
                time.sleep(0.05)
                screen = subprocess.run([*tmux, "capture-pane", "-p"], check=True, text=True,
                                        stdout=subprocess.PIPE).stdout
        return screen
    finally:
        subprocess.run([*tmux, "kill-server"], check=False, stderr=subprocess.DEVNULL)


def test_ctrl_c_gives_up_a_call_of_several_lines(program, account, tmp_path):
    in_tmux([str(program("mailrack")), "-f", str(account())],
            [None, "c.search(", "C-c", "pwd"],
            [r"Connected\.\n", r"\n\.\.\.", r"\^C\n\S+>", r"\(no mailbox is selected\)"],
            terminal_environment(tmp_path))


def test_ctrl_c_at_the_password_leaves_an_echoing_terminal(program, account, user, tmp_path):
    path = account({"password": None})
    command = f"trap : INT; {program('mailrack')} -f {path}; stty -a; cat"
    screen = in_tmux(["sh", "-c", command], [None, "C-c"], [r"Password of", r"[ -]echo "],
                     terminal_environment(tmp_path))
    assert " echo " in screen and "-echo " not in screen


def test_terminal(program, account, dovecot, user, mails, tmp_path):
    dovecot.fill(user, "INBOX", mails(2))
    environment = terminal_environment(tmp_path)
    screen = in_tmux([str(program("mailrack")), "-f", str(account())],
                     [None, "c.select_folder('inbox')", "c.search()", "c.logout()", "quit"],
                     [r"Connected\.\n", r"b'UIDVALIDITY': \d+", r"\[1, 2\]", r"b'Logging out'",
                      r""],
                     environment)
    assert "{b'EXISTS': 2,\n b'FLAGS': (" in screen.replace("(b'\\\\Answered'", "(")
    history = tmp_path / "state" / "mailrack" / "history"
    deadline = time.monotonic() + 10
    while not history.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert history.stat().st_mode & 0o77 == 0
    assert "c.search()" in history.read_text()
