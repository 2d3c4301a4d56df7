# SPDX-License-Identifier: LGPL-2.1-or-later
"""Mounts as the system makes them: mount(8) with fstab, and a service manager with our unit.

Each runs in namespaces of its own, so that nothing of this machine's is touched: its fstab, its
/usr/sbin, its services. That takes root.
"""

import os
import pathlib
import shutil
import subprocess

import pytest

from tests.fs.conftest import environment_of
from tests.support import dovecot as private_dovecot

MANAGER = pathlib.Path("/lib/systemd/systemd")
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="namespaces of mounts need root")


def run_script(script, environment):
    """The lines that a shell script in a mount namespace of its own prints."""
    done = subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-c", script],
                          env=environment, text=True, capture_output=True, timeout=240,
                          check=False, start_new_session=True)
    print(done.stdout, done.stderr)
    return done.stdout.splitlines()


BY_MOUNT = """
say () { echo "$1: $2"; }
has_mail () { ls "$DIRECTORY" 2>/dev/null | grep -q ^INBOX$ && echo mail || echo none; }
mount --bind "$HELPERS" /usr/sbin
mount -t fuse.mailrack none "$DIRECTORY" -o "ro,config=$CONFIG"; say typed "$? $(has_mail)"
say read-only "$(grep " $DIRECTORY " /proc/self/mountinfo | cut -d " " -f 6 | cut -c 1-2)"
umount "$DIRECTORY"; say umount "$? $(has_mail)"
echo "none $DIRECTORY fuse.mailrack noauto,user,_netdev,config=$CONFIG 0 0" > "$FSTAB"
mount -T "$FSTAB" "$DIRECTORY"; say fstab "$? $(has_mail)"
"$MAILRACK" umount "$DIRECTORY"; say mailrack-umount "$? $(has_mail)"
sed -i s/noauto/auto/ "$FSTAB"
mount -a -T "$FSTAB"; say all "$? $(has_mail)"
mount -a -T "$FSTAB"; say all-again "$? $(has_mail)"
say mounts "$(grep -c " $DIRECTORY " /proc/self/mountinfo)"
umount "$DIRECTORY"; say last "$? $(has_mail)"
mount -t fuse.mailrack nobody "$DIRECTORY" -o "config=$CONFIG"; say unknown $?
"""


def test_mount_and_fstab(program, account, tmp_path):
    helpers = tmp_path / "sbin"
    for directory in helpers, tmp_path / "mnt":
        directory.mkdir()
    (helpers / "mount.fuse.mailrack").symlink_to(program("mailrack-mount"))
    lines = run_script(BY_MOUNT, {
        **environment_of(tmp_path), "HELPERS": str(helpers), "CONFIG": str(account()),
        "DIRECTORY": str(tmp_path / "mnt"), "FSTAB": str(tmp_path / "fstab"),
        "MAILRACK": str(program("mailrack"))})
    assert lines == ["typed: 0 mail", "read-only: ro", "umount: 0 none", "fstab: 0 mail",
                     "mailrack-umount: 0 none", "all: 0 mail", "all-again: 0 mail", "mounts: 1",
                     "last: 0 none", "unknown: 78"]


@pytest.fixture
def unit(program, build, tmp_path):
    """The unit, for the program that was built, where a user's manager finds it."""
    directory = tmp_path / "config" / "systemd" / "user"
    directory.mkdir(parents=True)
    text = (build / "fs" / "mailrack-mount@.service").read_text(encoding="utf-8")
    lines = [f"ExecStart={program('mailrack-mount')} {line.partition(' ')[2]}"
             if line.startswith("ExecStart=") else line for line in text.splitlines()]
    path = directory / "mailrack-mount@.service"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_unit_is_right(unit, tmp_path):
    instance = unit.with_name("mailrack-mount@work.service")
    instance.write_text(unit.read_text(encoding="utf-8"), encoding="utf-8")

    def complaints():
        done = subprocess.run(["systemd-analyze", "--user", "--man=no", "verify", instance],
                              env={**environment_of(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)},
                              text=True, capture_output=True, timeout=60, check=False)
        return (done.stderr + done.stdout).strip() or done.returncode
    assert complaints() == 0
    instance.write_text(instance.read_text(encoding="utf-8").replace("=notify", "=notifi"),
                        encoding="utf-8")
    assert "notifi" in complaints()    # so it does look


# A cgroup of its own around what follows, as a manager makes groups where it is.
IN_A_CGROUP = """
mkdir "$CGROUPS" && mount -t cgroup2 none "$CGROUPS" || { echo "no cgroups"; exit; }
before="$CGROUPS$(sed -n "s/^0:://p" /proc/self/cgroup)"
own="$CGROUPS/mailrack-test-$$"
mkdir "$own" && echo $$ >"$own/cgroup.procs" || { echo "no cgroups"; exit; }
unshare --mount --cgroup --pid --fork --mount-proc sh -c "$BY_MANAGER"
echo $$ >"$before/cgroup.procs"
find "$own" -depth -type d -exec rmdir {} ";" || echo "groups are left"
"""

BY_MANAGER = """
say () { echo "$1: $2"; }
has_mail () { ls "$DIRECTORY" 2>/dev/null | grep -q ^INBOX$ && echo mail || echo none; }
get () { systemctl --user show --value --property "$1" "mailrack-mount@$2"; }
until_true () { n=0; while ! "$@" && [ $n -lt 600 ]; do n=$((n + 1)); sleep 0.1; done; }
mount -t tmpfs none /run/systemd && mkdir /run/systemd/system
umount -R /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup || { echo "no cgroups"; exit; }
mkdir -m 700 "$XDG_RUNTIME_DIR"
/lib/systemd/systemd --user >"$LOG" 2>&1 &
manager=$!
is_running () { systemctl --user is-system-running >/dev/null 2>&1; }
until_true is_running
is_running || { echo "no manager"; exit; }

systemctl --user start mailrack-mount@work; say start "$? $(has_mail)"
say state "$(get ActiveState work), $(get StatusText work)"
first=$(get MainPID work)
is_another () { now=$(get MainPID work); [ "$now" != 0 ] && [ "$now" != "$first" ] \
  && [ "$(get ActiveState work)" = active ]; }
[ "$first" -gt 1 ] || { systemctl --user status mailrack-mount@work; cat "$LOG"; exit; }
kill -KILL "$first"; until_true is_another
say killed "$(get ActiveState work) $(has_mail)"
systemctl --user stop mailrack-mount@work
say stop "$? $(get ActiveState work) $(get Result work) $(has_mail)"
systemctl --user start mailrack-mount@wrong; say wrong $?
say wrong-state "$(get ActiveState wrong) $(get ExecMainStatus wrong) $(get NRestarts wrong)"
kill $manager
wait $manager
"""


@pytest.mark.skipif(not MANAGER.exists(), reason="systemd is not installed")
def test_service_manager(unit, dovecot, user, tmp_path):
    """A real manager of a user's services starts it, restarts it when it was killed, and stops it;
    it does not try a wrong password again and again."""
    quick = unit.parent / f"{unit.name}.d" / "quick.conf"
    quick.parent.mkdir()
    quick.write_text("[Service]\nRestartSec=0\n", encoding="utf-8")
    keys = dovecot.accounts(user)["DEFAULT"]
    (tmp_path / "config" / "mailrack").mkdir()
    private_dovecot.write_ini(tmp_path / "config" / "mailrack" / "config.ini", {
        "DEFAULT": keys, "work": {}, "wrong": {"password": "not-this-one"}})
    environment = {**environment_of(tmp_path), "DIRECTORY": str(tmp_path / "Mail" / "work"),
                   "XDG_RUNTIME_DIR": str(tmp_path / "run"), "LOG": str(tmp_path / "log"),
                   "CGROUPS": str(tmp_path / "cgroups"), "BY_MANAGER": BY_MANAGER}
    lines = run_script(IN_A_CGROUP, environment)
    for obstacle in "no cgroups", "no manager":
        if lines[-1:] == [obstacle]:
            pytest.skip(f"a manager of services cannot run here: {obstacle}")
    assert lines[0] == "start: 0 mail"
    assert lines[1].startswith("state: active, ") and lines[1].endswith(" is mounted")
    assert lines[2] == "killed: active mail"
    assert lines[3] == "stop: 0 inactive success none"
    assert lines[4] != "wrong: 0"
    assert lines[5:] == ["wrong-state: failed 77 0"]
