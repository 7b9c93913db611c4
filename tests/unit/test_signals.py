import subprocess
import sys

CHILD = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
RUN = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {CHILD!r}])"
IN_THE_BACKGROUND = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN);"
    " os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
)


def _heard_by_a_child_of(program: str) -> str:
    begun = [sys.executable, "-c", IN_THE_BACKGROUND, "-c", program]
    return subprocess.run(begun, capture_output=True, text=True, check=True).stdout.strip()


def test_what_a_run_in_the_background_starts_hears_an_interruption():
    assert _heard_by_a_child_of(RUN) == "False", "what is begun so hears none by itself"
    assert (
        _heard_by_a_child_of(f"from tests.signals import hear_interruptions; hear_interruptions(); {RUN}")
        == "True"
    )
