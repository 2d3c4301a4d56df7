# SPDX-License-Identifier: LGPL-2.1-or-later
"""The life of a mount: service managers, fstab, unmounting, crashes, unwanted readers."""

import contextlib
import errno
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess

import pytest

from tests.fs.conftest import environment_of, is_mounted, unmount, wait_for
from tests.support.proxy import Fault

TOP = pathlib.Path(__file__).resolve().parents[2]


def answers(directory):
    try:
        return "INBOX" in os.listdir(directory)
    except OSError:
        return False


@pytest.fixture
def foreground(program, account, tmp_path):
    """with foreground() as (process, directory): a mount that stays the child of the test."""
    @contextlib.contextmanager
    def make(keys=None, **environment):
        directory = tmp_path / "mnt"
        with contextlib.suppress(FileExistsError): # what died may be mounted there
            directory.mkdir()
        command = [program("mailrack-mount"), "--foreground", "--config", account(keys),
                   directory]
        with subprocess.Popen(command, env={**environment_of(tmp_path), **environment},
                              stderr=subprocess.PIPE, text=True) as process:
            try:
                wait_for(lambda: answers(directory) or process.poll() is not None)
                assert process.poll() is None, process.stderr.read()
                yield process, directory
            finally:
                if process.poll() is None:
                    process.send_signal(signal.SIGTERM)
                process.wait(30)
    yield make
    if is_mounted((tmp_path / "mnt").resolve()):
        subprocess.run(["fusermount3", "-u", "-z", tmp_path / "mnt"], check=True, timeout=30)


@pytest.fixture
def umount(program):
    """umount(...) runs mailrack umount."""
    return lambda *words: subprocess.run([program("mailrack"), "umount", *words], text=True,
                                         capture_output=True, timeout=60, check=False)


def test_service_managers_hear_of_it(foreground, tmp_path):
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(30)
        with foreground(NOTIFY_SOCKET=str(path)) as (process, directory):
            lines = manager.recv(4096).decode().splitlines()
            assert lines[0] == "READY=1" and lines[1].startswith("STATUS=")
            assert "INBOX" in os.listdir(directory)
            process.send_signal(signal.SIGTERM)
            assert manager.recv(4096).decode().splitlines()[0] == "STOPPING=1"
            assert process.wait(30) == 0
            assert not os.path.ismount(directory)


def test_what_a_crash_left_is_cleaned(foreground):
    with foreground() as (process, directory):
        os.stat(directory)
        process.kill()
        process.wait(30)
        os.stat(directory)                 # what the kernel has cached it still tells
        with pytest.raises(OSError):
            os.listdir(directory)
    with foreground() as (process, directory):
        assert "INBOX" in os.listdir(directory)
        process.send_signal(signal.SIGTERM)
        _, complaint = process.communicate(timeout=30)
        assert "cleaned the leftover of a mount that died" in complaint


def states_of_threads(pid, name):
    """The states, as ps has them, of the threads of that name."""
    found = []
    for path in pathlib.Path(f"/proc/{pid}/task").glob("*/stat"):
        with contextlib.suppress(OSError):
            comm, _, rest = path.read_text(encoding="utf-8").partition("(")[2].rpartition(")")
            found += [rest.split()[0]] if comm == name else []
    return found


def test_killed_while_the_kernel_is_being_told(foreground, dovecot, user, slow):
    """A thread that waits in the kernel for a directory whose reader waits for us."""
    if os.geteuid() != 0 and not os.path.ismount("/sys/fs/fuse/connections"):
        pytest.skip("only root can abort a connection where fusectl is not mounted")
    dovecot.fill(user, "INBOX", [(b"Subject: number %d\r\n\r\nx\r\n" % n, "", 1_600_000_000 + n)
                                 for n in range(3000)])
    between = slow(0)
    between.plan(*[Fault("down", 100_000, "stall")] * 50)   # so a list of mailboxes gets through
    with foreground({"host": between.host, "port": str(between.port), "ssl": "false"}) \
            as (process, directory), \
            subprocess.Popen(["ls", directory / "INBOX" / "not-known-yet.9999.eml"],
                             stderr=subprocess.DEVNULL) as reader:
        wait_for(lambda: any(connection.struck for connection in between.connections), 60)
        with dovecot.connect(user) as connection:
            connection.create("INBOX/Child")
        (directory / ".mailrack" / "ctl").write_text("sync\n", encoding="utf-8")
        wait_for(lambda: states_of_threads(process.pid, "mount-notify") == ["D"], 60)
        assert reader.poll() is None
        process.kill()
        try:
            assert process.wait(60) == -signal.SIGKILL
        finally:
            if process.returncode is None:
                subprocess.run(["umount", "-f", directory], check=False)
        assert reader.wait(60) != 0
        with pytest.raises(OSError) as problem:        # and not an empty directory
            os.listdir(directory)
        assert problem.value.errno == errno.ENOTCONN
        unmount(directory)


def test_a_dead_mount_behind_a_link(foreground, umount, tmp_path):
    """With a name that /proc/self/mountinfo has to escape."""
    link = tmp_path / "mnt"
    (tmp_path / "my mail\\of\tall").mkdir()
    link.symlink_to("my mail\\of\tall")
    for _ in range(2):                 # the second one finds what the first one left
        with foreground() as (process, directory):
            assert directory == link
            process.kill()
            process.wait(30)
            complaint = process.stderr.read()
    assert "cleaned the leftover of a mount that died" in complaint
    done = umount(link)
    assert done.returncode == 0, done.stderr
    assert os.listdir(link) == []
    assert "nothing is mounted there" in umount(link).stderr


def test_no_directory_is_not_the_working_directory(mailrack, account, tmp_path):
    for words in ([""], ["DEFAULT", ""], []):
        done = mailrack("mount", "--config", account(), *words)
        assert done.returncode == 64 and "which directory?" in done.stderr
        assert not os.path.ismount(tmp_path)


def test_umount(mount, umount, tmp_path):
    with mount() as directory:
        with subprocess.Popen(["sleep", "600"], cwd=directory) as busy:
            done = umount(directory)
            assert done.returncode == 75 and f"sleep ({busy.pid})" in done.stderr
            assert os.path.ismount(directory)
            busy.kill()
        link = tmp_path / "link"
        link.symlink_to(directory)
        done = umount(link)
        assert done.returncode == 0, done.stderr
        assert not os.path.ismount(directory)
        done = umount(directory)
        assert done.returncode == 64 and "nothing is mounted there" in done.stderr
        done = umount("/proc")
        assert done.returncode == 64 and "not mail but proc" in done.stderr
        assert os.path.ismount("/proc")
    with mount() as directory, subprocess.Popen(["sleep", "600"], cwd=directory) as busy:
        done = umount("--lazy", directory)
        assert done.returncode == 0 and not os.path.ismount(directory), done.stderr
        busy.kill()


def test_helper_of_mount(program, account, tmp_path):
    """As mount(8) calls it for a line of fstab."""
    directory = tmp_path / "mnt"
    directory.mkdir()
    helper = tmp_path / "mount.fuse.mailrack"
    helper.symlink_to(program("mailrack-mount"))
    options = f"rw,noexec,user=bob,_netdev,x-systemd.automount,umask=022,config={account()}"

    def call(*words):
        return subprocess.run([helper, *words], env=environment_of(tmp_path), text=True,
                              capture_output=True, timeout=60, check=False)
    done = call("none", directory, "-f", "-n", "-o", options)
    assert done.returncode == 0 and not os.path.ismount(directory), done.stderr
    done = call("none", directory, "-o", options, "-t", "fuse.mailrack")
    assert done.returncode == 0, done.stderr
    try:
        assert "INBOX" in os.listdir(directory)
        assert (directory / "INBOX").stat().st_mode & 0o777 == 0o755
    finally:
        unmount(directory)
    done = call("none", directory, "-o", f"{options},setuid=nobody-of-that-name")
    assert done.returncode == 64 and "there is no such user" in done.stderr
    done = call("other", directory, "-o", options)
    assert done.returncode == 78 and '"other"' in done.stderr


def test_denied_readers(mount, dovecot, user, mails, tmp_path):
    dovecot.fill(user, "INBOX", mails(1))
    curious = tmp_path / "an-extractor-of-thumbnails"
    shutil.copy(shutil.which("cat"), curious)
    with mount({"deny_readers": f"tumblerd, {curious.name}"}) as directory:
        (path,) = (directory / "INBOX").iterdir()
        done = subprocess.run([curious, path], capture_output=True, text=True, check=False,
                              env={**os.environ, "LC_ALL": "C"})
        assert done.returncode == 1 and "Permission denied" in done.stderr
        assert subprocess.run(["cat", path], capture_output=True, check=True).stdout != b""


def test_the_manual_knows_every_key_and_option(program):
    manual = (TOP / "docs" / "mailrack-mount.1.scd").read_text(encoding="utf-8")
    settings = (TOP / "core" / "settings.c").read_text(encoding="utf-8")
    keys = re.findall(r'RACK_PARAM(?:_ENUM)? \(Mount, \w+,\s+"(\w+)"', settings)
    assert {"names", "root", "deny_readers"} <= set(keys)
    missing = [key for key in keys if f"*{key}* =" not in manual]
    assert not missing, f"docs/mailrack-mount.1.scd says nothing of {missing}"
    help_text = subprocess.run([program("mailrack-mount"), "--help"], check=True, text=True,
                               stdout=subprocess.PIPE).stdout
    for option in re.findall(r"(?<=\s)--[a-z]+", help_text):
        assert f"*{option}*" in manual, option
