"""What the entries along time should give, in slow plain Python written from their formulas.

Every oracle takes the bars of one asset as lists by column name, and gives one value per bar; None is null.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

type Value = float | bool | str | None
type Series = Sequence[Value]
type Numbers = Sequence[float | None]
type Bars = Mapping[str, Numbers]


def back(x: Numbers, n: int) -> Numbers:
    return [x[t - n] if t >= n else None for t in range(len(x))]


def each(f: Callable[..., float | None], *columns: Numbers) -> Numbers:
    """A function of the values of one bar; null where one of them is."""
    return [None if any(v is None for v in row) else f(*row) for row in zip(*columns, strict=True)]


def rolled(f: Callable[[list[float]], float | None], x: Numbers, n: int) -> Numbers:
    """A function of the last n values; null until there are n, and where one of them is null."""
    found: list[float | None] = []
    for t in range(len(x)):
        window = [v for v in x[max(t - n + 1, 0) : t + 1] if v is not None]
        found.append(f(window) if len(window) == n else None)
    return found


def walked(f: Callable[[list[float]], float | None], x: Numbers) -> Numbers:
    """A function of all values so far that are not null; null where the value is."""
    return [None if x[t] is None else f([v for v in x[: t + 1] if v is not None]) for t in range(len(x))]


def mean(x: Iterable[float]) -> float:
    values = list(x)
    return math.fsum(values) / len(values)


def variance(x: list[float], ddof: int = 1) -> float:
    centre = mean(x)
    return math.fsum((v - centre) ** 2 for v in x) / (len(x) - ddof)


def std(x: list[float], ddof: int = 1) -> float:
    return math.sqrt(variance(x, ddof))


def above_mean(w: list[float]) -> bool:
    """Whether the last of some prices in cents is above their mean, in whole cents: a tie is not above."""
    cents = [round(100 * v) for v in w]
    return len(w) * cents[-1] > sum(cents)


def divided(a: float, b: float) -> float | None:
    return None if b == 0 else a / b


def ema(x: Numbers, n: int) -> Numbers:
    a = 2 / (n + 1)

    def last(values: list[float]) -> float | None:
        e = values[0]
        for v in values[1:]:
            e = a * v + (1 - a) * e
        return e if len(values) >= n else None

    return walked(last, x)


def wilder(x: Numbers, n: int) -> Numbers:
    def last(values: list[float]) -> float | None:
        if len(values) < n:
            return None
        w = mean(values[:n])
        for v in values[n:]:
            w += (v - w) / n
        return w

    return walked(last, x)


def wma(x: Numbers, n: int) -> Numbers:
    return rolled(lambda w: math.fsum((i + 1) * v for i, v in enumerate(w)) / (n * (n + 1) / 2), x, n)


def returns_of(x: Numbers, n: int = 1) -> Numbers:
    return each(lambda now, then: now / then - 1, x, back(x, n))


def logs_of(x: Numbers, n: int = 1) -> Numbers:
    return each(lambda now, then: math.log(now / then), x, back(x, n))


def moves_of(x: Numbers, n: int = 1) -> Numbers:
    return each(lambda now, then: now - then, x, back(x, n))


def cumulative_return(x: Numbers) -> Numbers:
    first = x[0]
    return [None if v is None or first is None else v / first - 1 for v in x]


def macd(x: Numbers, fast: int, slow: int) -> Numbers:
    return each(lambda a, b: a - b, ema(x, fast), ema(x, slow))


def slope(window: list[float]) -> float:
    n = len(window)
    sx, sy = sum(range(n)), math.fsum(window)
    sxy, sxx = math.fsum(i * v for i, v in enumerate(window)), sum(i * i for i in range(n))
    return (n * sxy - sx * sy) / (n * sxx - sx * sx)


def true_range(bars: Bars) -> Numbers:
    return each(lambda h, lo, c: max(h - lo, abs(h - c), abs(lo - c)), bars["high"], bars["low"], back(bars["close"], 1))


def directional(bars: Bars, n: int, sign: int) -> Numbers:
    up, down = moves_of(bars["high"]), each(lambda v: -v, moves_of(bars["low"]))
    ranges = true_range(bars)
    one, other = (up, down) if sign > 0 else (down, up)
    moves = each(lambda a, b, _: a if a > b and a > 0 else 0.0, one, other, ranges)
    return each(lambda m, r: divided(100 * m, r), wilder(moves, n), wilder(ranges, n))


def adx(bars: Bars, n: int) -> Numbers:
    plus, minus = directional(bars, n, 1), directional(bars, n, -1)
    return wilder(each(lambda p, m: divided(100 * abs(p - m), p + m), plus, minus), n)


def aroon(x: Numbers, n: int, best: Callable[[list[float]], float]) -> Numbers:
    def recent(window: list[float]) -> float:
        return 100 * (n - window[::-1].index(best(window))) / n

    return rolled(recent, x, n + 1)


def rsi(x: Numbers, n: int) -> Numbers:
    moves = moves_of(x)
    gain, loss = (wilder(each(lambda v, s=sign: max(s * v, 0.0), moves), n) for sign in (1, -1))
    return each(lambda g, s: 50.0 if g + s == 0 else 100 - 100 / (1 + g / s) if s else 100.0, gain, loss)


def cmo(x: Numbers, n: int) -> Numbers:
    def share(window: list[float]) -> float | None:
        gains, losses = math.fsum(v for v in window if v > 0), -math.fsum(v for v in window if v < 0)
        return divided(100 * (gains - losses), gains + losses)

    return rolled(share, moves_of(x), n)


def stochastic(bars: Bars, n: int) -> Numbers:
    low, high = rolled(min, bars["low"], n), rolled(max, bars["high"], n)
    return each(lambda c, lo, h: divided(100 * (c - lo), h - lo), bars["close"], low, high)


def williams(bars: Bars, n: int) -> Numbers:
    low, high = rolled(min, bars["low"], n), rolled(max, bars["high"], n)
    return each(lambda c, lo, h: divided(-100 * (h - c), h - lo), bars["close"], low, high)


def typical(bars: Bars) -> Numbers:
    return each(lambda h, lo, c: (h + lo + c) / 3, bars["high"], bars["low"], bars["close"])


def cci(bars: Bars, n: int) -> Numbers:
    def index(window: list[float]) -> float | None:
        centre = mean(window)
        spread = mean(abs(v - centre) for v in window)
        return (window[-1] - centre) / (0.015 * spread) if spread > 1e-12 * centre else None

    return rolled(index, typical(bars), n)


def trix(x: Numbers, n: int) -> Numbers:
    return each(lambda v: 100 * v, returns_of(ema(ema(ema(x, n), n), n)))


def ultimate(bars: Bars, spans: tuple[int, int, int]) -> Numbers:
    before = back(bars["close"], 1)
    pressure = each(lambda c, lo, b, _: c - min(lo, b), bars["close"], bars["low"], before, bars["high"])
    ratios = [each(divided, rolled(math.fsum, pressure, n), rolled(math.fsum, true_range(bars), n)) for n in spans]
    return each(lambda a, b, c: 100 * (4 * a + 2 * b + c) / 7, *ratios)


def bollinger(x: Numbers, n: int, k: float) -> Numbers:
    return rolled(lambda w: mean(w) + k * std(w, 0), x, n)


def percent_b(x: Numbers, n: int, k: float) -> Numbers:
    def place(w: list[float]) -> float | None:
        lower, upper = mean(w) - k * std(w, 0), mean(w) + k * std(w, 0)
        return None if len(set(w)) == 1 else (w[-1] - lower) / (upper - lower)

    return rolled(place, x, n)


def keltner(bars: Bars, n: int, k: float) -> Numbers:
    return each(lambda m, a: m + k * a, ema(bars["close"], n), wilder(true_range(bars), n))


def downside(x: Numbers, n: int, periods: int) -> Numbers:
    return rolled(lambda w: math.sqrt(periods * mean(min(v, 0.0) ** 2 for v in w)), logs_of(x), n)


def riskmetrics(x: Numbers, decay: float, n: int, periods: int) -> Numbers:
    def last(values: list[float]) -> float | None:
        v = values[0] ** 2
        for r in values[1:]:
            v = decay * v + (1 - decay) * r * r
        return math.sqrt(periods * v) if len(values) >= n else None

    return walked(last, logs_of(x))


def root_mean(x: Numbers, n: int, periods: int) -> Numbers:
    return rolled(lambda w: math.sqrt(periods * mean(w)), x, n)


def parkinson(bars: Bars, n: int, periods: int) -> Numbers:
    return root_mean(each(lambda h, lo: math.log(h / lo) ** 2 / (4 * math.log(2)), bars["high"], bars["low"]), n, periods)


def garman_klass(bars: Bars, n: int, periods: int) -> Numbers:
    def day(o: float, h: float, lo: float, c: float) -> float:
        return 0.5 * math.log(h / lo) ** 2 - (2 * math.log(2) - 1) * math.log(c / o) ** 2

    return root_mean(each(day, *(bars[name] for name in ("open", "high", "low", "close"))), n, periods)


def satchell_days(bars: Bars) -> Numbers:
    def day(o: float, h: float, lo: float, c: float) -> float:
        return math.log(h / c) * math.log(h / o) + math.log(lo / c) * math.log(lo / o)

    return each(day, *(bars[name] for name in ("open", "high", "low", "close")))


def yang_zhang(bars: Bars, n: int, periods: int) -> Numbers:
    gap = rolled(variance, each(lambda o, c: math.log(o / c), bars["open"], back(bars["close"], 1)), n)
    body = rolled(variance, each(lambda o, c: math.log(c / o), bars["open"], bars["close"]), n)
    k = 0.34 / (1.34 + (n + 1) / (n - 1))
    return each(lambda g, b, r: math.sqrt(periods * (g + k * b + (1 - k) * r)), gap, body, rolled(mean, satchell_days(bars), n))


def obv(bars: Bars) -> Numbers:
    flows = each(lambda m, v: v if m > 0 else -v if m < 0 else 0.0, moves_of(bars["close"]), bars["volume"])
    return walked(math.fsum, flows)


def flows_of(bars: Bars) -> Numbers:
    def flow(h: float, lo: float, c: float, v: float) -> float:
        return 0.0 if h == lo else v * ((c - lo) - (h - c)) / (h - lo)

    return each(flow, *(bars[name] for name in ("high", "low", "close", "volume")))


def cmf(bars: Bars, n: int) -> Numbers:
    return each(divided, rolled(math.fsum, flows_of(bars), n), rolled(math.fsum, bars["volume"], n))


def mfi(bars: Bars, n: int) -> Numbers:
    price = typical(bars)
    flow = each(
        lambda p, v, m: math.copysign(p * v, m) if m else 0.0, price, bars["volume"], each(lambda r: round(r, 12), returns_of(price))
    )

    def share(w: list[float]) -> float | None:
        up, down = math.fsum(v for v in w if v > 0), -math.fsum(v for v in w if v < 0)
        return divided(100 * up, up + down)

    return rolled(share, flow, n)


def vwap(bars: Bars) -> Numbers:
    found: list[float | None] = []
    money = volume = 0.0
    for t, (p, v) in enumerate(zip(typical(bars), bars["volume"], strict=True)):
        if t == 0 or bars["session"][t] != bars["session"][t - 1]:
            money = volume = 0.0
        if p is not None and v is not None:
            money, volume = money + p * v, volume + v
        found.append(None if p is None or v is None else divided(money, volume))
    return found


def rolling_vwap(bars: Bars, n: int) -> Numbers:
    money = each(lambda p, v: p * v, typical(bars), bars["volume"])
    return each(divided, rolled(math.fsum, money, n), rolled(math.fsum, bars["volume"], n))


def traded(bars: Bars) -> Numbers:
    return each(lambda c, v: c * v, bars["close"], bars["volume"])


def amihud(bars: Bars, n: int) -> Numbers:
    return rolled(mean, each(lambda r, m: divided(abs(r), m), returns_of(bars["close"]), traded(bars)), n)


def paired(f: Callable[[list[float], list[float]], float | None], x: Numbers, y: Numbers, n: int) -> Numbers:
    """A function of the last n pairs; null until there are n, and where a half of one is missing."""
    found: list[float | None] = []
    for t in range(len(x)):
        pairs = list(zip(x, y, strict=True))[max(t - n + 1, 0) : t + 1]
        whole = [(a, b) for a, b in pairs if a is not None and b is not None]
        found.append(f([a for a, _ in whole], [b for _, b in whole]) if len(whole) == n else None)
    return found


def covariance(x: list[float], y: list[float]) -> float:
    return mean((a - mean(x)) * (b - mean(y)) for a, b in zip(x, y, strict=True))


def correlation(x: list[float], y: list[float]) -> float | None:
    scale = math.sqrt(covariance(x, x) * covariance(y, y))
    return covariance(x, y) / scale if scale else None


def beta(x: list[float], y: list[float]) -> float | None:
    return divided(covariance(x, y), covariance(y, y))


def skew(w: list[float]) -> float:
    m = mean(w)
    return mean((v - m) ** 3 for v in w) / math.pow(mean((v - m) ** 2 for v in w), 1.5)


def kurtosis(w: list[float]) -> float:
    m = mean(w)
    return mean((v - m) ** 4 for v in w) / mean((v - m) ** 2 for v in w) ** 2 - 3


def average_rank(w: list[float], value: float) -> float:
    below, equal = sum(v < value for v in w), sum(v == value for v in w)
    return below + (equal + 1) / 2


def quantile(w: list[float], q: float) -> float:
    ordered, place = sorted(w), q * (len(w) - 1)
    low, high = math.floor(place), math.ceil(place)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def efficiency(x: Numbers, n: int) -> Numbers:
    walk = rolled(math.fsum, each(abs, moves_of(x)), n)
    return each(lambda way, total: divided(abs(way), total), moves_of(x, n), walk)


def true(x: Numbers) -> Numbers:
    """A condition in which null counts as false."""
    return [bool(v) for v in x]


def crossed(x: Numbers, y: Numbers, sign: int) -> Numbers:
    return true(each(lambda a, b, p, q: sign * (a - b) > 0 and sign * (p - q) <= 0, x, y, back(x, 1), back(y, 1)))


def labelled(x: Numbers, low: Numbers, high: Numbers, names: tuple[str, str, str]) -> Series:
    found: list[Value] = []
    for v, lo, h in zip(x, low, high, strict=True):
        found.append(None if v is None or lo is None or h is None else names[0] if v < lo else names[2] if v > h else names[1])
    return found


def volatility_regime(x: Numbers, n: int, history: int) -> Series:
    sigma = rolled(std, logs_of(x), n)
    low, high = rolled(lambda w: quantile(w, 0.25), sigma, history), rolled(lambda w: quantile(w, 0.75), sigma, history)
    return labelled(sigma, low, high, ("calm", "normal", "wild"))


def candle(bars: Bars, doji: float) -> Series:
    body = each(lambda o, h, lo, c: 0.0 if h == lo else (c - o) / (h - lo), *(bars[name] for name in ("open", "high", "low", "close")))
    return labelled(body, [-doji] * len(body), [doji] * len(body), ("falling", "doji", "rising"))
