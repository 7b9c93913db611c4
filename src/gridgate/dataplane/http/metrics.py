"""What Prometheus may ask: how many requests, how long, how many reads granted and refused."""

from pathlib import Path

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from gridgate.dataplane.http.shared_metrics import write_changes

REQUESTS = Counter("gridgate_requests_total", "Requests answered.", ["facade", "status"])
SECONDS = Histogram(
    "gridgate_request_seconds",
    "Time from the request's arrival to its answer.",
    ["facade"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0),
)
READS = Counter(
    "gridgate_reads_total", "Reads logged, by outcome: granted, or why not.", ["channel", "outcome"]
)

DAY_TEXTS = Counter(
    "gridgate_day_texts_total",
    "Days of load curves answered, by whether their text was kept or made.",
    ["was"],
)
DAY_TEXT_BYTES = Counter(
    "gridgate_day_text_bytes_total",
    "Bytes of such texts that were put by, and that were let go again: what is kept is the difference.",
    ["were"],
)


def exposition(directory: Path | None) -> bytes:
    """The metrics in Prometheus' text format; with a directory, those of every process that writes there,
    added.
    """
    if directory is None:
        return generate_latest(REGISTRY)
    write_changes()
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(directory))  # type: ignore[no-untyped-call]
    return generate_latest(registry)
