"""The discounts of modified Kneser-Ney smoothing, for phone n-grams (`asr.lm`) and for spelling (`asr.g2p`)."""

LEAST = 0.1
FALLBACK = (0.5, 1.0, 1.5)
"""Discounts where too few n-grams occur once, twice and three times."""


def discounts(once: int, twice: int, thrice: int, four: int) -> tuple[float, ...]:
    """What is taken from a count of 1, of 2, and of 3 or more, given how many n-grams have a count of 1, 2, 3 and 4.

    Never 0, so that every history leaves something to its back-off. Source: Chen & Goodman 1999, section 3.
    """
    if 0 in (once, twice, thrice):
        return FALLBACK
    y = once / (once + 2 * twice)
    raw = (1 - 2 * y * twice / once, 2 - 3 * y * thrice / twice, 3 - 4 * y * four / thrice)
    return tuple(min(max(discount, LEAST), count) for count, discount in enumerate(raw, 1))
