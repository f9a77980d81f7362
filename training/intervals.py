"""Intervals of shares: one share, and the lowest of several. As in src/math/wilson.ts and src/math/minimum.ts."""

import math

Z = 1.959964


def interval(hits: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    p, z2 = hits / n, Z**2
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return middle - half, middle + half


def share(hits: int, n: int) -> dict:
    """A share with its sample size and interval."""
    low, high = interval(hits, n)
    return {"accuracy": hits / n, "low": low, "high": high, "n": n}


def minimum_interval(groups: list[tuple[int, int]]) -> tuple[float, float]:
    """A 95 % interval for the lowest of the true shares of groups of (hits, n): a bootstrap of the minimum, turned round.

    The group that looks worst was selected for it, so an interval for it alone lies too low. The upper end is the
    least p at which a minimum as low as the one seen comes about in 2.5 % of resamples (images drawn again within
    their groups), were every group that did worse than p as good as p.
    """
    lowest = min(hits / n for hits, n in groups)
    counts = [(math.floor(lowest * n + 1e-9), hits / n, n) for hits, n in groups]
    under, high = lowest, 1.0
    for _ in range(40):
        p = (under + high) / 2
        above = math.prod(1 - tail(most, n, max(own, p)) for most, own, n in counts)
        if 1 - above > 0.025:
            under = p
        else:
            high = p
    return min(interval(hits, n)[0] for hits, n in groups), high


def tail(most: int, n: int, p: float) -> float:
    """P(Bin(n, p) <= most)."""
    if most >= n or p <= 0:
        return 1.0
    if p >= 1:
        return 0.0
    choose = math.lgamma(n + 1)
    terms = (
        choose - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * math.log(p) + (n - k) * math.log1p(-p)
        for k in range(most + 1)
    )
    return min(1.0, math.fsum(math.exp(term) for term in terms))
