"""What every workload tells: one line, its unit, ours and its peers' figures, a figure for each round."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Line:
    """A workload that was measured. Its least round is told: other work adds least to it."""

    name: str
    unit: str
    ours: list[float]
    peers: dict[str, list[float]] = field(default_factory=dict)
    """By peer. A limit, such as NumPy in memory, is a peer too."""

    @property
    def least(self) -> float:
        return min(self.ours)

    def with_rounds_of(self, other: "Line") -> "Line":
        """The same line, of the rounds of both."""
        peers = {peer: rounds + other.peers.get(peer, []) for peer, rounds in self.peers.items()}
        return replace(self, ours=self.ours + other.ours, peers=peers)

    def ratios(self) -> Iterator[tuple[str, float, float]]:
        """Each peer, its least, and how many times ours it takes."""
        for peer, rounds in self.peers.items():
            yield peer, min(rounds), min(rounds) / self.least if self.least else float("inf")


@dataclass(frozen=True, slots=True)
class Scale:
    """How much of everything is measured."""

    rounds: int = 3
    points: int = 1000
    days: int = 30
    many: int = 100_000
    """Points of which one day is added up."""
    company: int = 3000
    """Points of the company whose pages are asked for."""
    reads: int = 1_000_000
    users: int = 10_000
    seconds: int = 4
    """How long each request is made over and over, a round."""
    year_points: int = 40


QUICK = Scale(
    rounds=2, points=200, days=7, many=5000, company=300, reads=20_000, users=500, seconds=1, year_points=5
)
