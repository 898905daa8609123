"""SIGTERM and SIGHUP do what Ctrl-C does, once; all of them can wait."""

import signal

import pytest

from mocapgen.shared.signals import interrupts_deferred, like_ctrl_c

OTHERS = [signal.SIGTERM, signal.SIGHUP]


@pytest.mark.parametrize("number", OTHERS)
def test_like_ctrl_c(number):
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), like_ctrl_c() as received:
        signal.raise_signal(number)
    assert received.number == number
    assert signal.getsignal(number) is before


def test_a_second_one_does_not_disturb_the_cleaning_up():
    with like_ctrl_c():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        for number in OTHERS:
            signal.raise_signal(number)


def test_what_is_ignored_stays_ignored():
    """As ``nohup`` arranges."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with like_ctrl_c():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_program_in_the_background_that_ignores_ctrl_c_can_be_ended():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with pytest.raises(KeyboardInterrupt), like_ctrl_c():
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGINT, before)


def test_whoever_handles_ctrl_c_handles_the_others():
    seen = []
    before = signal.signal(signal.SIGINT, lambda number, frame: seen.append(number))
    try:
        with like_ctrl_c(), like_ctrl_c():
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGINT, before)
    assert seen == [signal.SIGINT]


@pytest.mark.parametrize("number", [signal.SIGINT, *OTHERS])
def test_deferred(number):
    done = []

    def work():
        with like_ctrl_c(), interrupts_deferred():
            signal.raise_signal(number)
            done.append(1)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == [1]
