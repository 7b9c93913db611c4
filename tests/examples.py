"""How much Hypothesis tries."""

from hypothesis import settings


def examples(gate: int) -> int:
    """`max_examples` of a test that wants another number than the 100 of the gate: `gate` there, and in proportion
    where the profile looks further.
    """
    return max(1, gate * settings.default.max_examples // 100)
