# SPDX-License-Identifier: LGPL-2.1-or-later
"""--help, the manual and completion know the same: every subcommand, option, command and setting.

What there is comes from the program (its --help, and `help` and `set` of the shell, which print the
tables that lines are parsed with).  A subcommand is told of in mailrack(1), with its options there
or in a manual of its own.
"""

import json
import pathlib
import re
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
DOCS = TOP / "docs"
SCRIPT = TOP / "shell/mailrack.bash"


def manual(name):
    path = DOCS / f"{name}.1.scd"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def section(title):
    return re.search(rf"^# {title}\n(.*?)(?=^# |\Z)", manual("mailrack"), re.S | re.M)[1]


@pytest.fixture(scope="session")
def helps(program):
    """{subcommand: what --help says}; '' is the program itself."""
    def ask(*words):
        done = subprocess.run([program("mailrack"), *words, "--help"], capture_output=True,
                              text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout
    own = ask()
    listed = re.search(r"^Subcommands.*?\n(.*?)\n\n", own, re.S | re.M)[1]
    return {"": own, **{line.split()[0]: ask(line.split()[0]) for line in listed.splitlines()}}


def options(text):
    """[("-f", "--file"), ("", "--json"), ...] of --help."""
    found = re.findall(r"^  (-\w)?(?:, )?(--[a-z][a-z-]*)?[ =]", text, re.M)
    return [pair for pair in found if any(pair)]


def complete(program, tmp_path, *words):
    """What bash offers for the last word."""
    line = f"""
        source {SCRIPT}
        PATH={program("mailrack").parent}:{program("mailrack-mount").parent}:$PATH
        COMP_WORDS=({' '.join(f"'{word}'" for word in words)}) COMP_CWORD={len(words) - 1}
        _mailrack
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, cwd=tmp_path,
                          check=False, env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin",
                                            "LANG": "C.UTF-8"})
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return done.stdout.split()


def test_subcommands_are_the_same_everywhere(helps, program, tmp_path):
    subcommands = set(helps) - {""}
    header = (TOP / "shell/commands.h").read_text(encoding="utf-8")
    declared = set(re.findall(r"^int rack_cmd_(\w+) ", header, re.M))
    assert declared <= subcommands, "has a function, but is not among the subcommands"
    assert {"config", "plugins", "mount", "umount", "cache", "queue", "shell"} <= subcommands
    described = set(re.findall(r"^\*mailrack ([a-z]+)\*", section("SUBCOMMANDS"), re.M))
    assert described == subcommands, "mailrack(1) and --help differ"
    assert set(complete(program, tmp_path, "mailrack", "")) == subcommands


def test_options_of_subcommands_are_in_manuals_and_completion(helps, program, tmp_path):
    for subcommand, text in helps.items():
        own = re.search(rf"^\*mailrack {subcommand}\*.*?\n\n", section("SUBCOMMANDS"), re.S | re.M)
        if subcommand in ("", "shell"):
            described = section("OPTIONS")
        else:
            described = own[0] + manual(f"mailrack-{subcommand}")
        words = ["mailrack", *([subcommand] if subcommand else []), "-"]
        offered = complete(program, tmp_path, *words)
        assert options(text), f"{subcommand} --help lists no options"
        for pair in options(text):
            for option in filter(None, pair):
                assert option in offered, f"mailrack {subcommand}: completion lacks {option}"
                if option not in ("-h", "--help") or not subcommand:
                    assert f"*{option}*" in described, f"mailrack {subcommand}: {option} is nowhere"
    mount = {option for pair in options(helps["mount"]) for option in pair if option}
    assert set(complete(program, tmp_path, "mailrack-mount", "-")) == mount


def test_completion_of_accounts_and_words(program, tmp_path):
    (tmp_path / ".config/mailrack").mkdir(parents=True)
    (tmp_path / ".config/mailrack/config.ini").write_text("[DEFAULT]\nhost = x\n[work]\n[home]\n")
    (tmp_path / "other.ini").write_text("[DEFAULT]\n[else]\n")
    assert {"work", "home", "config"} <= set(complete(program, tmp_path, "mailrack", ""))
    assert complete(program, tmp_path, "mailrack", "wo") == ["work"]
    assert complete(program, tmp_path, "mailrack", "config", "h") == ["home"]
    assert complete(program, tmp_path, "mailrack", "-f", "other.ini", "-A", "") == ["else"]
    assert complete(program, tmp_path, "mailrack", "-f", "oth") == ["other.ini"]
    assert {"size", "check", "clear"} <= set(complete(program, tmp_path, "mailrack", "cache", ""))


@pytest.fixture
def tables(mailrack, account):
    """What the shell says of itself: {command: help}, {setting: help}."""
    path = account()

    def ask(*lines):
        done = mailrack("-f", path, "--json", *[word for line in lines for word in ("-e", line)])
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]
    names = [row["name"] for row in ask("help")]
    return ({row["name"]: row for row in ask(*[f"help {name}" for name in names])},
            {row["name"]: row for row in ask("set")})


def plain(text):
    """scdoc's text without its marks."""
    return re.sub(r"\\(.)", r"\1", text)


def test_commands_of_the_shell_are_in_the_manual(tables):
    commands, settings = tables
    parts = re.findall(r"^\*(.*?)\*\n(.*?)(?=^\*|\Z)", section("COMMANDS"), re.S | re.M)
    described = {plain(usage).split()[0]: (plain(usage), body) for usage, body in parts}
    assert list(described) == sorted(commands), "mailrack(1) and help differ"
    for name, row in commands.items():
        usage, body = described[name]
        assert usage == row["usage"]
        assert " ".join(row["summary"].split()) in " ".join(plain(body).split())
        for option in row["options"]:
            assert re.search(rf"--{option}[ *]", body), f"{name} --{option} is not in the manual"
        for example in row["examples"].splitlines():
            assert f"\t{example}\n" in body, f"{name}: {example}"
        assert row["examples"], f"{name} has no example"
    listed = re.findall(r"^\*([a-z]+)\* \(", section("SETTINGS"), re.M)
    assert listed == sorted(settings), "mailrack(1) and set differ"
    for name, row in settings.items():
        assert row["help"].split(";")[0] in plain(section("SETTINGS")).replace("*", "") \
            or name in ("output", "news"), name


def test_commands_of_the_shell_are_in_completion(tables, program, tmp_path):
    commands, settings = tables
    lines = ["", *(f"{name} --" for name in commands), "set ", "help ", "time ", "alias x=",
             *(f"set {name} " for name in settings)]
    done = subprocess.run([program("tests/shell/complete-driver")], input="\n".join(lines) + "\n",
                          capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0
    offered = dict(zip(lines, (set(line.split("\t")) for line in done.stdout.split("\n"))))
    for name, row in commands.items():
        assert {name} <= offered[""] & offered["help "] & offered["time "]
        wanted = {f"--{option}" for option in row["options"]}
        assert {text for text in offered[f"{name} --"] if text.startswith("--")} == wanted, name
    assert offered["set "] == set(settings)
    for name, row in settings.items():
        assert set(row["values"]) <= {text.strip('"') for text in offered[f"set {name} "]}, name


def test_every_example_is_a_line_that_parses(mailrack, account, tables):
    """Each is tried on a read-only dry run: it may be refused, never misunderstood."""
    commands, _ = tables
    lines = [example for row in commands.values() for example in row["examples"].splitlines()
             if not example.startswith(("quit", "exit", "watch", "put", "source", "save", "trace",
                                        "repeat 100"))]
    done = mailrack("-f", account(), "--dry-run", "-k", "-e", "cd",
                    *[word for line in lines for word in ("-e", line)])
    wrong = [line for line in done.stderr.splitlines()
             if re.match(r"(\w+Error|usage)", line) and "NotFound" not in line]
    assert not wrong, wrong


def test_manuals_are_whole():
    for path in sorted(DOCS.glob("*.scd")):
        done = subprocess.run(["scdoc"], input=path.read_bytes(), capture_output=True, check=False)
        assert done.returncode == 0, f"{path.name}: {done.stderr.decode()}"
        assert f"'{path.name.removesuffix('.scd')}'" in (DOCS / "meson.build").read_text(
            encoding="utf-8"), f"{path.name} is not installed"
