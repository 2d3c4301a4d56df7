# SPDX-License-Identifier: LGPL-2.1-or-later
"""The library's operations with broken connections: a part of what scripts/faults runs whole."""

import pytest

from tests.faults import campaign as campaigns
from tests.faults import plan
from tests.support.dovecot import Dovecot
from tests.support.faultproxy import Fault


@pytest.fixture(scope="module")
def server(certs):
    """One of its own: it logs as errors what happens to it here."""
    with Dovecot(certificates=certs) as found:
        yield found


@pytest.fixture(scope="module")
def campaign(server, program, tmp_path_factory):
    with campaigns.Campaign(server, "alice", program("tests/faults/driver"),
                            tmp_path_factory.mktemp("faults")) as found:
        yield found


@pytest.mark.parametrize("name", campaigns.OPERATIONS)
def test_operation(campaign, name):
    total = campaigns.Tally()
    for _, run in plan.rows(campaign, False, [name]):
        total += run()
    print(f"{total.runs} cells, {total.struck} struck, {dict(total.codes)}")
    assert total.struck > 20
    assert not total.failures, "\n".join(total.failures)


def test_the_judge_sees_loss_and_doubling(campaign):
    """Or else nothing here could fail."""
    base = campaigns.stages.base_contents()
    move = campaigns.OPERATIONS["move"]
    lost, doubled = campaigns.does(*campaigns.LEFT)(base), campaigns.does(*campaigns.COPIED)(base)
    for code in (campaigns.OK, campaigns.UNKNOWN, *campaigns.SILENT):
        for after in (lost, doubled):
            outcome = campaigns.Outcome(code, " Work: move: ", True, base, after)
            assert campaigns.judge_cut(move, outcome)
    done = move.once(base)
    assert campaigns.judge_cut(move, campaigns.Outcome(14, " Work: move: ", True, base, done))
    assert not campaigns.judge_cut(move, campaigns.Outcome(0, "", True, base, done))


@pytest.mark.parametrize("name", plan.ON_MESSAGES)
def test_a_message_that_the_connection_has_not_seen(campaign, name):
    """Dovecot says OK to a UID that it has not shown there, and does nothing; a move by steps then
    expunged what it had not copied."""
    operation = campaigns.OPERATIONS[name]
    campaign.state = campaign.stage.restore()
    driver = campaign.driver(operation.keys)
    assert driver.ask("warm", "Work") == (campaigns.OK, "")
    campaign.stage.replace_both()
    before = campaign.stage.look()
    campaign.state = before
    assert driver.ask(*campaign.words(operation)) == (campaigns.OK, "")
    after = campaigns.stages.contents(campaign.stage.look())
    campaign.state = campaign.stage.restore()
    assert after == operation.once(campaigns.stages.contents(before))


@pytest.mark.parametrize("name", campaigns.OPERATIONS)
def test_given_up_after_it_was_sent(campaign, name):
    """What the server has cannot be called back: whether it was done is open then, not denied."""
    operation = campaigns.OPERATIONS[name]
    campaign.state = campaign.stage.restore()
    before = campaigns.stages.contents(campaign.state)
    driver = campaign.driver(operation.keys)
    assert driver.ask("warm", "Work") == (campaigns.OK, "")
    campaign.proxy.arm(Fault("F5", operation.commands[0], "up", None))
    driver.send("cancellable")
    driver.send(*campaign.words(operation))
    campaign.proxy.wait_struck()
    driver.send("cancel")
    code, text = driver.answer()
    campaign.proxy.recover()
    campaign.proxy.settle()
    after = campaigns.stages.contents(campaign.stage.look())
    campaign.state = campaign.stage.restore()
    assert code == campaigns.UNKNOWN, text
    assert not campaigns.judge_report(operation, campaigns.Outcome(code, text, True, {}, {}))
    assert after in [before, operation.once(before), *(step(before) for step in operation.steps)]


def test_through_tls(server, program, tmp_path, certs):
    """Where the end of a connection is told from its being cut off."""
    total = campaigns.Tally()
    with campaigns.Campaign(server, "alice", program("tests/faults/driver"), tmp_path,
                            certs) as campaign:
        for kind in ("F2", "F3", "F4", "F8"):
            for direction in ("up", "down")[kind == "F8":]:
                fault = Fault(kind, "UID MOVE", direction)
                total += campaign.sweep(campaigns.OPERATIONS["move"], fault, 31)
    assert total.struck > 15
    assert not total.failures, "\n".join(total.failures)
