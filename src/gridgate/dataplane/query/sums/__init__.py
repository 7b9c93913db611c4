"""What many points have together, summed with NumPy: power step by step, energy by civil periods.

**What counts.** Of each point what its reader may read of it, and of that what a read of the point alone would answer:
a step that lies wholly in it, with every part there. Nothing is made up for what is missing; it is counted.

**Exact.** Sums are of integers, one for each power of ten and length of step that occurs, put together at the end.
"""
