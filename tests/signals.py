"""Signals as a program finds them that somebody starts in a terminal, however the run of the tests was started."""

import signal


def hear_interruptions() -> None:
    """A shell that is not interactive starts what it puts in the background with SIGINT ignored, and so is what
    that starts: one that is sent SIGINT goes on. What is started where a handler is set begins with the default.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
