"""How far ingest has come, in lines."""

from gridgate.config.ingesting.progress import Lines


def test_a_line_every_few_seconds_says_how_much_how_fast_and_how_long_yet() -> None:
    now, lines = [100.0], list[str]()
    progress = Lines(90_000_000, say=lines.append, clock=lambda: now[0])

    for _ in range(3):
        now[0] += 4
        progress.read(10_000_000)
        progress.seen(400_000)

    assert lines == ["20.0 MB of 90.0 MB read, 400000 values, 50000 values/s, 28 s left"]


def test_nothing_read_yet_says_nothing_of_the_time_left() -> None:
    now, lines = [0.0], list[str]()
    progress = Lines(90_000_000, say=lines.append, clock=lambda: now[0])

    now[0] = 6
    progress.seen(0)

    assert lines == ["0 bytes of 90.0 MB read, 0 values, 0 values/s"]
