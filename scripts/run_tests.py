# SPDX-License-Identifier: LGPL-2.1-or-later
"""Run every suite and count: the part of scripts/test that is not shell.

Four suites run at a time, since most of what tests do is wait; what a suite printed is shown when
it ends.  Each leaves a JUnit file; those are counted, not what is printed.  A suite that ends badly
without a failed case in its file (a crash, a build that fails, a time-out) counts as one failure.
The whole has a budget of time.  The sanitized suites are run as far as it goes, and each that did
not fit is said and counted as skipped.  With --sanitized those alone are run, all of them, and take
the time that they need.

What it is not: a place for tests.
"""

import argparse
import concurrent.futures
import math
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree

TOP = pathlib.Path(__file__).resolve().parents[1]
BUDGET = 700
LANES = 4
# What is run sanitized, by the beginnings of names, in the order of what it finds for the time.
SANITIZED = ("tests/live", "tests/fs/test_lying_sizes", "tests/fs/test_write_",
             "tests/faults/test_mount_writes", "tests/plugins/test_login",
             "tests/plugins/test_careless", "tests/fs", "tests/shell", "tests/faults/test_core")
# Folders that are long: each of their files is a suite.
DIVIDED = ("tests/fs", "tests/faults", "tests/plugins", "tests/shell", "tests/support")
# What takes more than some 15 s, the longest first: begun before all else, in this order, so that
# none is left to be waited for alone at the end.
LONG = ("tests/fs/test_mount_network.py", "tests/plugins/test_out_of_tree.py",
        "tests/faults/test_mount_writes.py", "tests/live", "tests/faults/test_core.py",
        "tests/support/test_faultproxy.py",
        "tests/fs/test_write_mbsync.py", "tests/fs/test_write_replace.py",
        "tests/fs/test_lying_sizes.py", "tests/faults/test_write_disk.py",
        "tests/fs/test_write_files.py", "tests/fs/test_write_moves.py",
        "tests/fs/test_mail_readers.py")
BUILD_SANITIZED = ["scripts/build", "build-asan", "-Db_sanitize=address,undefined",
                   "-Db_lundef=false", "-Doptimization=1"]
# Where each process leaves what a sanitizer says of it: nobody hears a mount in the background.
REPORTS = TOP / "build-asan/reports"
# LeakSanitizer must not look for the variables of threads in libraries that were loaded later:
# where such a thread has just ended it crashes.
SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:exitcode=99:detect_stack_use_after_return=1:"
                    "intercept_tls_get_addr=0:"
                    f"log_path={REPORTS}/asan",
    "UBSAN_OPTIONS": f"print_stacktrace=1:halt_on_error=1:exitcode=99:log_path={REPORTS}/ubsan",
    "LSAN_OPTIONS": f"suppressions={TOP / 'tests/lsan.supp'}:print_suppressions=0",
}


class Runner:
    """The suites' common clock and counters."""

    def __init__(self, budget):
        self.started = time.monotonic()
        self.budget = budget
        self.passed = self.failed = self.skipped = 0
        self.lock = threading.Lock()            # over the counters and what is printed

    def left(self):
        return self.budget - (time.monotonic() - self.started)

    def run(self, title, command, report=None, env=None, optional=False):
        """One suite.  False: something failed in it.  An optional one that the end of the time cuts
        short is left out; what it had run counts all the same."""
        limit = max(self.left(), 20) if self.left() < math.inf else None
        began = time.monotonic()
        if report:
            report.unlink(missing_ok=True)
        with tempfile.TemporaryFile() as log:
            child = subprocess.Popen([str(part) for part in command], cwd=TOP,
                                     env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
                                     stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
            try:
                status = child.wait(limit)
                late = False
            except subprocess.TimeoutExpired:
                status = stop(child)
                late = True
            with self.lock:
                print(f"== {title}", flush=True)
                copy(log)
                ok = self.judge(title, report, 0 if late and optional else status)
                if late:
                    print(f"-- {title}: cut short, the time is over", flush=True)
                    self.skipped += optional
                print(f"-- {title}: {time.monotonic() - began:.0f} s", flush=True)
        return ok

    def judge(self, title, report, status):
        failed_before = self.failed
        if report:
            self.count(report)
        if status not in (0, 5) and self.failed == failed_before:     # 5: pytest found no test
            self.failed += 1
            print(f"-- {title}: exit status {status}", flush=True)
        return self.failed == failed_before

    def run_all(self, suites, optional=False):
        """Suites side by side, begun in this order."""
        def one(suite):
            if optional and self.left() < 100:    # the longest takes that, and would be cut short
                self.leave_out(suite[0])
            else:
                self.run(*suite, optional=optional)
        with concurrent.futures.ThreadPoolExecutor(LANES) as lanes:
            list(lanes.map(one, suites))

    def start(self, title, command):
        """The same beside the others; finish() waits for it and counts."""
        log = open(TOP / "build" / "beside.log", "w+b")     # closed by finish()
        child = subprocess.Popen(["nice", *command], cwd=TOP, stdin=subprocess.DEVNULL, stdout=log,
                                 stderr=subprocess.STDOUT, start_new_session=True)
        return title, child, log

    def finish(self, started):
        """False: it failed, or the time is over."""
        title, child, log = started
        print(f"== {title}", flush=True)
        try:
            status = child.wait(max(self.left(), 1) if self.left() < math.inf else None)
        except subprocess.TimeoutExpired:
            stop(child)
            self.leave_out(title)
            return False
        finally:
            copy(log)
            log.close()
        if status:
            self.failed += 1
            print(f"-- {title}: exit status {status}", flush=True)
        return status == 0

    def count(self, report):
        try:
            root = xml.etree.ElementTree.parse(report).getroot()
        except (OSError, xml.etree.ElementTree.ParseError):
            return
        for case in root.iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                self.failed += 1
            elif case.find("skipped") is not None:
                self.skipped += 1
            else:
                self.passed += 1

    def count_reports(self):
        """What the sanitizers said; that they failed themselves (a tracer that crashed) is shown
        and counts for nothing."""
        for file in sorted(REPORTS.iterdir()):
            text = file.read_text(errors="replace")
            print(f"== {file.name}\n{text}", flush=True)
            self.failed += "ERROR: " in text or "runtime error: " in text

    def leave_out(self, title):
        with self.lock:
            print(f"-- {title}: left out, the time is over", flush=True)
            self.skipped += 1


def copy(log):
    log.seek(0)
    sys.stdout.buffer.write(log.read())
    sys.stdout.flush()


def stop(child):
    """End a suite and what it started in its session; give it a moment to clean up."""
    os.killpg(child.pid, signal.SIGINT)
    try:
        return child.wait(15)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        return child.wait()


def unit(runner, build, title, env=None):
    runner.run(title, ["meson", "test", "-C", build, "--no-rebuild", "--print-errorlogs", "--quiet",
                       "--num-processes", os.cpu_count() or 1],
               TOP / build / "meson-logs/testlog.junit.xml", env)


def pytest(build, place, env=None):
    """A suite: a folder or a file of pytest's."""
    title = place.removesuffix(".py").replace("/", " ") + (" sanitized" if env else "")
    report = TOP / build / f"junit-{title.replace(' ', '-')}.xml"
    return (title, ["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider",
                    "--durations=3", "--durations-min=3", f"--junitxml={report}", place],
            report, {"MAILRACK_BUILD": str(TOP / build), "PYTHONDONTWRITEBYTECODE": "1",
                     **(env or {})})


def places():
    """What pytest is run on, each apart, in the order in which to begin."""
    found = []
    for path in sorted((TOP / "tests").iterdir()):
        files = [str(file.relative_to(TOP)) for file in sorted(path.rglob("test_*.py"))]
        name = f"tests/{path.name}"
        found += files if name in DIVIDED else [name] if files else []
    return [name for name in LONG if name in found] + [name for name in found if name not in LONG]


def sanitized_places():
    """Those of them that are run again sanitized, in that order."""
    names = [name for start in SANITIZED for name in places() if name.startswith(start)]
    return list(dict.fromkeys(names))


def main():
    parser = argparse.ArgumentParser()
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--quick", action="store_true", help="without the sanitized build")
    which.add_argument("--sanitized", action="store_true",
                       help="the sanitized build alone, all of it, as long as it takes")
    options = parser.parse_args()
    runner = Runner(math.inf if options.sanitized else BUDGET)
    with tempfile.TemporaryDirectory(prefix="mailrack-certs-") as certificates:
        os.chmod(certificates, 0o755)
        os.environ["MAILRACK_TESTS_CERTS"] = certificates
        run_suites(runner, options)
    print(f"{time.monotonic() - runner.started:.0f} s")
    print(f"{runner.passed} passed, {runner.failed} failed, {runner.skipped} skipped", flush=True)
    return 1 if runner.failed or not runner.passed else 0


def run_suites(runner, options):
    sanitized = None
    if options.sanitized:
        (TOP / "build").mkdir(exist_ok=True)
        sanitized = runner.start("build with sanitizers", BUILD_SANITIZED)
    elif runner.run("build", ["scripts/build", "build"]):
        unit(runner, "build", "unit")
        if not options.quick:
            sanitized = runner.start("build with sanitizers", BUILD_SANITIZED)
        runner.run_all([pytest("build", place) for place in places()])
    if sanitized and runner.finish(sanitized):
        shutil.rmtree(REPORTS, ignore_errors=True)
        REPORTS.mkdir()
        REPORTS.chmod(0o1777)                  # some run as nobody
        unit(runner, "build-asan", "unit, sanitized", SANITIZERS)
        runner.run_all([pytest("build-asan", place, SANITIZERS) for place in sanitized_places()],
                       optional=True)
        runner.count_reports()


if __name__ == "__main__":
    sys.exit(main())
