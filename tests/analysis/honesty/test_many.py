"""Many variants at once: overfitting by splits worked by hand and by brute force; superiority against the `arch` library."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from arch.bootstrap import SPA

from rustybt.analysis.honesty import Contest, overfitting, reality_check, superior_ability
from rustybt.analysis.honesty.superiority import _long_run_deviation, _weights
from rustybt.errors import ConfigError

Floats = np.ndarray[Any, np.dtype[np.float64]]


def test_overfitting_worked_by_hand() -> None:
    """Two parts of two sessions, two variants: whichever wins one part loses the other, so every choice is wrong."""
    table = np.array([[0.03, -0.02], [0.01, -0.01], [-0.03, 0.02], [-0.01, 0.01]])
    found = overfitting(table, parts=2)
    assert found.chosen.tolist() == [0, 1]
    assert found.probability == 1.0
    assert found.loss == 1.0
    # the ranks are 1 of 2: w = 1 / 3, logit = ln(1/2)
    assert found.logits.tolist() == pytest.approx([math.log(0.5)] * 2)
    assert found.inside[0] == pytest.approx(0.02 / (0.01 * math.sqrt(2)))
    assert found.outside[0] == pytest.approx(-0.02 / (0.01 * math.sqrt(2)))


def brute_force(table: Floats, parts: int) -> tuple[float, list[float]]:
    """The procedure as the paper tells it, step by step, on real sub-tables."""
    pieces = np.array_split(table, parts)
    logits = []
    for chosen in itertools.combinations(range(parts), parts // 2):
        past = np.concatenate([pieces[i] for i in chosen])
        future = np.concatenate([pieces[i] for i in range(parts) if i not in chosen])
        best = int(np.argmax(past.mean(axis=0) / past.std(axis=0, ddof=1)))
        ratios = future.mean(axis=0) / future.std(axis=0, ddof=1)
        rank = 1 + int((ratios < ratios[best]).sum())
        share = rank / (table.shape[1] + 1)
        logits.append(math.log(share / (1 - share)))
    return float(np.mean(np.array(logits) <= 0)), logits


@pytest.mark.parametrize(("sessions", "parts"), [(120, 8), (127, 6)])
def test_overfitting_equals_the_procedure_step_by_step(sessions: int, parts: int) -> None:
    table = np.random.default_rng(6).normal(0.0002, 0.01, (sessions, 9))
    wanted, logits = brute_force(table, parts)
    found = overfitting(table, parts)
    assert found.probability == wanted
    assert found.logits.tolist() == pytest.approx(logits)


def test_choosing_among_noise_is_a_coin_toss_on_average() -> None:
    rng = np.random.default_rng(8)
    found = [overfitting(rng.normal(0, 0.01, (240, 10)), parts=6).probability for _ in range(200)]
    assert np.mean(found) == pytest.approx(0.5, abs=0.06)


def test_skill_is_no_overfitting_and_a_variant_that_never_trades_has_a_ratio_of_zero() -> None:
    table = np.random.default_rng(6).normal(-0.001, 0.01, (400, 8))
    table[:, 3] += 0.004
    table[:, 5] = 0.0
    found = overfitting(table, parts=8)
    assert found.probability == 0.0
    assert set(found.chosen.tolist()) == {3}
    assert overfitting(np.zeros((40, 3)), parts=4).probability == 1.0


def returns(sessions: int, variants: int, seed: int, best: float = 0.0) -> Floats:
    rng = np.random.default_rng(seed)
    table = rng.normal(0, 0.01, (sessions, variants)) * rng.uniform(0.5, 2.0, variants) - 0.0002
    table[:, 1:] += 0.3 * table[:, :-1]
    table[:, 0] += best
    return table


@pytest.mark.parametrize(("seed", "best"), [(1, 0.0), (2, 0.0008), (3, 0.0015)])
def test_superior_ability_is_that_of_arch(seed: int, best: float) -> None:
    """P-values from 4,000 resamples of each side are equal within four standard errors of their difference.

    `arch` compares means as they are, so it is given every variant in units of the deviation that Hansen divides by.
    """
    table, block, count = returns(400, 12, seed, best), 5, 4000
    scaled = table / _long_run_deviation(table, block)
    theirs = SPA(np.zeros(len(table)), -scaled, block_size=block, reps=count, bootstrap="stationary", studentize=True, seed=3)
    theirs.compute()
    ours = superior_ability(table, count, block, seed=4)
    for name, value in zip(("lower", "consistent", "upper"), (ours.lower, ours.p_value, ours.upper), strict=True):
        wanted = float(theirs.pvalues[name])
        assert value == pytest.approx(wanted, abs=4 * math.sqrt(2 * 0.25 / count) if 0.1 < wanted < 0.9 else 0.03)
    assert ours.lower <= ours.p_value <= ours.upper


@pytest.mark.parametrize(("seed", "best"), [(1, 0.0), (2, 0.0008), (3, 0.0015)])
def test_the_reality_check_is_that_of_arch(seed: int, best: float) -> None:
    table, block, count = returns(400, 12, seed, best), 5, 4000
    theirs = SPA(np.zeros(len(table)), -table, block_size=block, reps=count, bootstrap="stationary", studentize=False, seed=3)
    theirs.compute()
    ours = reality_check(table, count, block, seed=4)
    assert ours.p_value == pytest.approx(float(theirs.pvalues["upper"]), abs=0.045)
    assert ours.best == int(table.mean(axis=0).argmax())


def test_the_deviation_is_that_of_the_resamples() -> None:
    """Hansen's formula gives the bootstrap's variance without drawing."""
    table = returns(150, 3, 5)
    drawn = (_weights(150, 6.0, 20_000, 1) @ table).std(axis=0) * math.sqrt(150)
    assert _long_run_deviation(table, 6.0) == pytest.approx(drawn, rel=0.02)


def test_worthless_variants_are_called_superior_about_as_rarely_as_promised() -> None:
    found = [superior_ability(np.random.default_rng(seed).normal(0, 0.01, (120, 5)), 200, 1).p_value <= 0.1 for seed in range(300)]
    assert np.mean(found) == pytest.approx(0.1, abs=0.05)


def test_hopeless_variants_blind_the_reality_check_and_not_hansens_test() -> None:
    """One good variant among fifty that are wild and bad."""
    rng = np.random.default_rng(2)
    table = np.column_stack([rng.normal(0.002, 0.01, 500), rng.normal(-0.02, 0.08, (500, 50))])
    assert superior_ability(table, 2000, 1).p_value < 0.05 < reality_check(table, 2000, 1).p_value


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    table = returns(200, 7, 9, 0.001)
    whole, splits = superior_ability(table, 300, 4), overfitting(table, 6)
    monkeypatch.setattr("rustybt.analysis.honesty.superiority.CHUNK", 700)
    monkeypatch.setattr("rustybt.analysis.honesty.splits.CHUNK", 10)
    assert overfitting(table, 6).probability == splits.probability
    found = superior_ability(table, 300, 4)
    assert found.statistic == pytest.approx(whole.statistic)
    assert found.p_value == pytest.approx(whole.p_value, abs=0.1)


@pytest.mark.parametrize("sizes", [(7,), (1, 2, 4), (300, 300), (256, 44, 300), (599, 1)])
def test_how_variants_arrive_changes_no_bit(sizes: tuple[int, ...]) -> None:
    table, contest, first = returns(120, sum(sizes), 9, 0.001), Contest(120, 4, 300, 5), 0
    for size in sizes:
        contest.add(table[:, first : first + size])
        first += size
    assert contest.reality_check() == reality_check(table, 300, 4, 5)
    assert contest.superior_ability() == superior_ability(table, 300, 4, 5)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: Contest(5, 1), "5 sessions are too few"),
        (lambda: overfitting(np.zeros((100, 1))), "no two variants"),
        (lambda: overfitting(np.zeros((100, 4)), 7), "7 parts cannot be halved"),
        (lambda: overfitting(np.zeros((30, 4))), "30 sessions make no 16 parts"),
        (lambda: overfitting(np.zeros((300, 4)), 22), "22 parts make too many splits"),
        (lambda: overfitting(np.array([[0.0, np.nan]] * 9), 2), "variant 1 in session 0"),
        (lambda: reality_check(np.zeros(100)), "hold no variants"),
        (lambda: reality_check(np.zeros((5, 3))), "5 sessions are too few"),
        (lambda: reality_check(np.array([[0.0, np.nan]] * 20)), "variant 1 in session 0"),
        (lambda: superior_ability(np.zeros((50, 3))), "no variant differs"),
        (lambda: superior_ability(np.ones((50, 3)), block=51), "blocks of 51"),
        (lambda: superior_ability(np.ones((50, 3)), count=0), "0 resamples"),
    ],
)
def test_what_cannot_be_tested_is_said(wrong: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        wrong()
