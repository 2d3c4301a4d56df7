# SPDX-License-Identifier: LGPL-2.1-or-later
"""The shell's notation against the real thing: what Python's repr and pprint print for the same
values, character by character, over thousands of random ones."""

import datetime
import pprint
import random
import string
import subprocess
import unicodedata
import warnings

import pytest

ROUNDS = 3000


@pytest.fixture(scope="module")
def evaluate(program):
    """evaluate("repr", sources) gives the answers of the evaluator (eval-driver.c)."""
    driver = program("tests/shell/eval-driver")

    def run(mode, sources, setup=""):
        joined = b"".join(source.encode() + b"\0" for source in sources)
        done = subprocess.run([driver, mode, setup], input=joined, capture_output=True, timeout=300)
        assert done.returncode == 0, done.stderr
        answers = done.stdout.decode().split("\0")[:-1]
        assert len(answers) == len(sources)
        return answers
    return run


# ---- Random values ----------------------------------------------------------------------------

def assigned(character):
    """Both Unicode tables, Python's and GLib's, know this character."""
    return unicodedata.category(character) not in ("Cn", "Cs")


INTERESTING = ("'\"\\\n\r\t\x00\x07\x1b\x7f\x80\x85\xa0\xad\u200b\u2028\u202e"
               "\u3000\ufeff\U0001f600é日 ")


def random_text(rng, longest=120):
    size = rng.choice([0, 1, 2, 5, 20, longest, rng.randrange(longest)])
    kind = rng.randrange(5)
    if kind == 0:
        return "".join(rng.choice(string.ascii_letters + "    ") for _ in range(size))
    if kind == 1:
        return "".join(rng.choice(INTERESTING) for _ in range(size))
    if kind == 2:
        return " ".join("".join(rng.choice("ab'\"") for _ in range(rng.randrange(9)))
                        for _ in range(size // 4))
    if kind == 3:
        return "\n".join("line " * rng.randrange(20) for _ in range(size // 10))
    text = "".join(chr(rng.randrange(0x110000)) for _ in range(size))
    return "".join(filter(assigned, text))


def random_bytes(rng, longest=120):
    size = rng.choice([0, 1, 3, 4, 5, 8, longest, rng.randrange(longest)])
    if rng.randrange(2):
        return rng.randbytes(size)
    return bytes(rng.choice(b"ab '\"\\\n\r\t\x1b\xff") for _ in range(size))


def random_moment(rng):
    moment = datetime.datetime(rng.randrange(1, 10000), rng.randrange(1, 13), rng.randrange(1, 29),
                               rng.randrange(24), rng.randrange(60), rng.choice([0, 7, 59]),
                               rng.choice([0, 0, 500000, 999999]))
    if rng.randrange(2):
        return moment
    offset = datetime.timedelta(seconds=rng.choice([0, 3600, -3600, 19800, -12345, 86399, -86399]))
    zone = datetime.timezone.utc if not offset else datetime.timezone(offset)
    return moment.replace(tzinfo=zone)


def random_scalar(rng):
    kind = rng.randrange(11)
    if kind == 0:
        return None
    if kind == 1:
        return rng.choice([True, False])
    if kind == 2:
        return rng.choice([0, 1, -1, 2**31, 2**63, 2**64 - 1, -2**63, rng.randrange(-10**6, 10**6)])
    if kind == 3:
        return rng.choice([0.0, -0.0, 1.5, 1e16, 1e15, 123456789.125, 1e-4, 1e-5, 5e-324, 1.7e308,
                           0.1, 1 / 3, rng.uniform(-1e6, 1e6), rng.uniform(0, 1e-9)])
    if kind in (4, 5, 6):
        return random_text(rng)
    if kind in (7, 8):
        return random_bytes(rng)
    if kind == 9:
        return random_moment(rng)
    return rng.choice([random_moment(rng).date(),
                       datetime.timedelta(rng.randrange(-5, 5), rng.randrange(90000),
                                          rng.choice([0, 5]))])


def random_key(rng, kind):
    if kind == 0:
        return rng.randrange(2000)
    if kind == 1:
        return random_bytes(rng, 30)
    if kind == 2:
        return random_text(rng, 30)
    if kind == 3:
        return (rng.randrange(4), rng.randrange(4))
    return rng.choice([rng.randrange(99), random_text(rng, 9), random_bytes(rng, 9), None, 2.5])


def random_value(rng, depth=0):
    kind = rng.randrange(8) if depth < 5 else 0
    size = rng.choice([0, 1, 1, 2, 3, 6, 12])
    if kind < 3 and depth:
        return random_scalar(rng)
    if kind in (3, 4):
        return [random_value(rng, depth + 1) for _ in range(size)]
    if kind == 5:
        return tuple(random_value(rng, depth + 1) for _ in range(size))
    if kind in (6, 7):
        keys = rng.randrange(5)
        return {random_key(rng, keys): random_value(rng, depth + 1) for _ in range(size)}
    return random_scalar(rng)


@pytest.fixture(scope="module")
def values():
    rng = random.Random(20260101)
    return [random_value(rng) for _ in range(ROUNDS)]


# ---- Properties -------------------------------------------------------------------------------

def test_repr_is_pythons(evaluate, values):
    for value, answer in zip(values, evaluate("repr", [repr(value) for value in values])):
        assert answer == repr(value)


def test_pprint_is_pythons(evaluate, values):
    for value, answer in zip(values, evaluate("pprint", [repr(value) for value in values])):
        assert answer == pprint.pformat(value)


def test_every_octet_and_character(evaluate):
    whole = [bytes(range(256)), bytes(range(256)) * 3]
    whole += ["".join(filter(assigned, map(chr, range(start, start + 64))))
              for start in range(0, 0x30000, 64)]
    whole = [value for value in whole if value]
    assert evaluate("repr", list(map(repr, whole))) == list(map(repr, whole))
    assert evaluate("pprint", list(map(repr, whole))) == list(map(pprint.pformat, whole))


def test_what_is_printed_reads_back(evaluate, values):
    """A printed value pasted back gives the same value, also over many lines."""
    pasted = [pprint.pformat(value) for value in values]
    assert evaluate("repr", pasted) == [repr(eval(text)) for text in pasted]


def test_nested_widths(evaluate):
    """Containers that just fit and just do not fit the line, at every indent."""
    cases = []
    for size in range(60, 84):
        for value in ("x" * size, b"x" * size, "x " * (size // 2), [1] * (size // 3)):
            cases += [value, [value], (value,), {1: value}, {1: (value,)}, [[value], 1],
                      {b"key": {b"k": (value, [value])}}]
    assert evaluate("pprint", list(map(repr, cases))) == list(map(pprint.pformat, cases))


# ---- Expressions ------------------------------------------------------------------------------

NAMES = {"i": 7, "n": -3, "s": "ab'c d", "b": b"xy\xffz", "l": [3, 1, 2], "t": (1, "a", b"q"),
         "d": {"k": 1, 2: [5], b"z": None}, "e": [], "f": 2.5, "m": [[1, 2], [3]]}
SETUP = "; ".join(f"{name} = {value!r}" for name, value in NAMES.items())


def random_expression(rng, depth=0):
    if depth > 3 or rng.randrange(5) == 0:
        return rng.choice(list(NAMES) + ["0", "1", "-2", "'a'", "b'x'", "None", "True", "1.5",
                                         "[]"])

    def more():
        return random_expression(rng, depth + 1)
    kind = rng.randrange(12)
    if kind < 3:
        return f"({more()} {rng.choice(['+', '-', '*', '%', '//', '/'])} {more()})"
    if kind == 3:
        return f"({more()} {rng.choice(['==', '!=', '<', '<=', '>', '>='])} {more()})"
    if kind == 4:
        return f"({more()} {rng.choice(['and', 'or'])} {more()})"
    if kind == 5:
        return f"({more()} {rng.choice(['in', 'not in'])} {more()})"
    if kind == 6:
        return f"{rng.choice(list(NAMES))}[{more()}]"
    if kind == 7:
        parts = [rng.choice(["", str(rng.randrange(-5, 6))]) for _ in range(rng.choice([2, 3]))]
        return f"{rng.choice(list(NAMES))}[{':'.join(parts)}]"
    if kind == 8:
        function = rng.choice("len str bytes list tuple sorted min max sum bool any all abs repr "
                              "int float".split())
        return f"{function}({more()})"
    if kind == 9:
        return f"(not {more()})" if rng.randrange(2) else f"(-{more()})"
    if kind == 10:
        method = rng.choice(["upper()", "lower()", "strip()", "split()", "count(1)", "count('a')",
                             "get(2)", "get('x', 5)", "startswith('a')", "splitlines()",
                             "index(1)", "replace('a', 'bc')", "find('c')", "strip(b'x')"])
        if rng.randrange(4) == 0:
            return f"list(d.{rng.choice(['keys', 'values', 'items'])}())"
        return f"{more()}.{method}"
    return f"({more()} if {more()} else {more()})"


def python_answer(source):
    """What Python says; None for an error."""
    try:
        return repr(eval(source, {}, dict(NAMES)))
    except Exception:
        return None


def in_scope(answer):
    """Left out: numbers beyond 64 bits."""
    def fits(each):
        if isinstance(each, (list, tuple)):
            return all(map(fits, each))
        if isinstance(each, dict):
            return all(map(fits, each.keys())) and all(map(fits, each.values()))
        return not isinstance(each, int) or -2**63 <= each < 2**64
    return fits(eval(answer, {"inf": float("inf"), "nan": float("nan")}))


# Intermediate results beyond 64 bits, and b'%d' % 1.
ABSENT = ("! OverflowError", "! TypeError: '%' does not work between bytes")


def test_expressions_are_pythons(evaluate):
    warnings.simplefilter("ignore")      # of Python, about the odd things generated here
    rng = random.Random(7)
    sources = [random_expression(rng) for _ in range(20000)]
    compared = refused = 0
    for source, answer in zip(sources, evaluate("repr", sources, SETUP)):
        expected = python_answer(source)
        if expected is None:
            assert answer.startswith("! "), f"{source}: Python refuses this, here it is {answer}"
            refused += 1
        elif in_scope(expected) and not answer.startswith(ABSENT):
            assert answer == expected, source
            compared += 1
    assert compared > 3000 and refused > 3000, (compared, refused)
