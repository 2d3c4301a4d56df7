# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which faults meet which operations: the rows of the campaign, short for every day and whole.

    for title, run in plan.rows(campaign, whole=False):
        tally = run()

Short: one octet in some dozens of both streams, and the boundaries; whole: every octet.
What it is not: the judgement; that is campaign.py's.
"""

import functools

from tests.faults import campaign as campaigns
from tests.faults.campaign import Tally
from tests.support.faultproxy import Fault

CODES = ("UNAVAILABLE", "INUSE", "LIMIT", "OVERQUOTA")
# Operations on messages of Work, whom F12 and F13 concern.
ON_MESSAGES = ("copy", "move", "move by steps", "store", "store less", "store anew", "expunge")


def rows(campaign, whole, names=None):
    for name, operation in campaigns.OPERATIONS.items():
        if names and name not in names:
            continue
        for title, run in OPERATION_ROWS:
            if title.startswith("F12") or title.startswith("F13"):
                if name not in ON_MESSAGES:
                    continue
            yield f"{name}: {title}", functools.partial(run, campaign, operation, whole)


def _both_ways(campaign, operation, kind, step, judge=None, **more):
    total = Tally()
    for command in operation.commands:
        for direction in ("up", "down"):
            total += campaign.sweep(operation, Fault(kind, command, direction, **more), step, judge)
    return total


def cuts(campaign, operation, whole):
    total = Tally()
    for kind, step in (("F2", 41), ("F3", 83)):
        total += _both_ways(campaign, operation, kind, 1 if whole else step)
    return total


def dropped(campaign, operation, whole):
    total = Tally()
    for command in operation.commands:
        total += campaign.sweep(operation, Fault("F8", command), 1 if whole else 37)
    return total


def ends(campaign, operation, whole):
    total = Tally()
    for kind in ("F4", "F9"):
        total += _both_ways(campaign, operation, kind, 5 if whole else 113)
    return total


def gone(campaign, operation, whole):
    """The answer is lost and the server does not come back for a while."""
    total = Tally()
    for command in operation.commands:
        for fault in (Fault("F8", command, hook=campaign.proxy.vanish),
                      Fault("F13", command, "up", 5, hook=campaign.proxy.vanish)):
            total += campaign.cell(operation, fault, campaigns.judge_gone)[1]
    return total


def stalls(campaign, operation, whole):
    """Silence for ever costs the timeout; silence for a while and single octets cost nothing."""
    total = Tally()
    for command in operation.commands:
        places = [("up", 3)] + whole * [("up", 0), ("up", 20), ("up", None),
                                       ("down", 0), ("down", 10), ("down", None)]
        for direction, offset in places:
            for kind, seconds in (("F6", 0.05), ("F7", 0)):
                total += campaign.cell(operation, Fault(kind, command, direction, offset,
                                                        seconds=seconds), campaigns.judge_done)[1]
        if whole:
            for direction, offset in places:
                total += campaign.cell(operation, Fault("F5", command, direction, offset),
                                       keys=(("timeout", "1s"),))[1]
    return total


def refusals(campaign, operation, whole):
    total = Tally()
    for command in operation.commands:
        for code in CODES if whole else CODES[:1]:
            for mode in ("", "early") if command == "APPEND" else ("",):
                total += campaign.cell(operation, Fault("F10", command, code=code, mode=mode),
                                       campaigns.judge_refused)[1]
    return total


def killed(campaign, operation, whole):
    """The server's process for this session is killed."""
    return _both_ways(campaign, operation, "F11", 7 if whole else 1000)


def disorder(campaign, operation, whole):
    total = Tally()
    for command in operation.commands:
        for mode in ("twice", "reversed", "shuffled"):
            total += campaign.cell(operation, Fault("F14", command, mode=mode),
                                   campaigns.judge_done)[1]
    return total


def renewed(campaign, operation, whole):
    """UIDVALIDITY changes at the cut; the UIDs are those of other messages then."""
    campaign.stage.renew()
    campaign.state = campaign.stage.look()
    return _both_ways(campaign, operation, "F12", 7 if whole else 97, campaigns.judge_renewed,
                      hook=campaign.stage.renew)


def meddled(campaign, operation, whole):
    total = Tally()
    stage = campaign.stage
    for hook, more in ((stage.take_first, {"taken": [campaigns.FIRST]}), (stage.move_second, {}),
                       (stage.mark_both, {"marked": True})):
        judge = functools.partial(campaigns.judge_meddled, **more)
        for direction in ("up", "down"):
            for offset in range(0, 40, 7) if whole else (5,):
                for command in operation.commands:
                    fault = Fault("F13", command, direction, offset, hook=hook)
                    total += campaign.cell(operation, fault, judge)[1]
    return total


OPERATION_ROWS = (
    ("F2 F3, cut", cuts), ("F8, answer dropped", dropped), ("F4 F9, ended", ends),
    ("F1, gone after it", gone), ("F5 F6 F7, slow", stalls), ("F10, refused", refusals),
    ("F11, session killed", killed), ("F12, made anew", renewed), ("F13, meddled with", meddled),
    ("F14, disorder", disorder))
