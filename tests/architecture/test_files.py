# SPDX-License-Identifier: LGPL-2.1-or-later
"""What every file owes its reader: a licence, an opening paragraph, a size that can be read."""

import re
import subprocess
import warnings

import pytest

from tests.architecture import tree

LONG, TOO_LONG = 500, 700
GPL = re.compile(r"#\s*include\s+<readline/")
SOURCES = tree.files(".c", ".h")
PYTHON = tree.files(".py")
BUILD = tree.files("meson.build")
SCRIPTS = [path for path in tree.files("") if path.parts[0] in ("scripts", ".ci")
           and not path.suffix]


def opening_of_c(path):
    """What is wrong with how a C file opens, or None."""
    text = tree.text(path)
    licence = "GPL-3.0-or-later" if GPL.search(text) else "LGPL-2.1-or-later"
    first, _, rest = text.partition("\n")
    if not first.startswith(f"/* SPDX-License-Identifier: {licence}"):
        return f"{path}: not {licence}: {first}"
    comment = rest.strip() if first.endswith("*/") else text.partition("*/")[0]
    return None if len(comment.split()) > 8 else f"{path} does not say what it is"


def opening_of_script(path):
    """The same for Python, meson and shell."""
    lines = tree.text(path).splitlines()
    at = 1 if lines and lines[0].startswith("#!") else 0
    if len(lines) <= at or lines[at] != "# SPDX-License-Identifier: LGPL-2.1-or-later":
        return f"{path}: no licence line"
    if path.suffix == ".py" and '"""' not in "\n".join(lines[at + 1:at + 4]):
        return f"{path} does not say what it is"
    return None


def test_files_open_with_licence_and_purpose():
    wrong = [opening_of_c(path) for path in SOURCES]
    wrong += [opening_of_script(path) for path in PYTHON + BUILD + SCRIPTS if tree.text(path)]
    assert not any(wrong), "\n".join(filter(None, wrong))


def test_files_can_be_read_in_one_sitting():
    lengths = {path: tree.text(path).count("\n") for path in SOURCES + PYTHON}
    for path, length in lengths.items():
        if LONG < length <= TOO_LONG:
            warnings.warn(f"{path} has {length} lines")
    too_long = [f"{path} has {length} lines" for path, length in lengths.items()
                if length > TOO_LONG]
    assert not too_long, "each of these is two files: " + ", ".join(too_long)


def test_c_files_are_formatted():
    done = subprocess.run(["clang-format", "--dry-run", "--Werror", *SOURCES], cwd=tree.TOP,
                          capture_output=True, text=True)
    places = sorted(set(re.findall(r"^([^:\n]+:\d+):.*clang-format-violations", done.stderr,
                                   re.MULTILINE)))
    assert done.returncode == 0, "run clang-format -i: " + ", ".join(places[:20])


def test_python_lines_fit():
    wrong = [f"{path}:{number}" for path in PYTHON
             for number, line in enumerate(tree.text(path).splitlines(), 1)
             if len(line) > 100 and "http" not in line]
    assert not wrong, "longer than 100 characters: " + ", ".join(wrong)


@pytest.mark.parametrize("path", SCRIPTS, ids=str)
def test_script_is_executable_and_parses(path):
    first = tree.text(path).splitlines()[0]
    assert first.startswith("#!/"), f"{path} does not say what runs it"
    assert (tree.TOP / path).stat().st_mode & 0o111, f"{path} is not executable"
    if "python" not in first:
        done = subprocess.run([first[2:].split()[0], "-n", tree.TOP / path], capture_output=True,
                              text=True)
        assert done.returncode == 0, done.stderr
