"""References that people say on the telephone and that count nothing: `EIC-2027-K7Q4M`.

One scheme for whatever both sides quote: a prefix, the civil year or day, and characters drawn at random from
Crockford's alphabet, which has no I, L, O or U: none is taken for another, and no word comes out. A table's unique
constraint keeps them apart; who draws one that is taken draws again.
"""

from random import Random, SystemRandom

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
DRAWS = 20
"""How often one that is taken is drawn again: of 32⁵, as many as a year has, hardly ever once."""

source: Random = SystemRandom()
"""What characters are drawn by; a demo world, which is the same on every run, puts its own here."""


def drawn(length: int) -> str:
    """So many characters at random."""
    return "".join(source.choices(ALPHABET, k=length))
