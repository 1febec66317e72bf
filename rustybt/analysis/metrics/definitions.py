"""What each metric is called, in which unit it is, and what it means in one line.

The report, the docs table and the tests read this list; a metric without a line here fails a test.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

type Unit = Literal["fraction", "ratio", "money", "count", "date", "sessions", "bars", "years", "number"]


@dataclass(frozen=True)
class Definition:
    """One metric.

    Attributes:
        name: key in the mapping of `measure`.
        label: words for a reader.
        unit: ``fraction`` is shown as a percentage (0.01 = 1 %); ``money`` is in the currency of the run.
        group: where a report lists it.
        meaning: formula or rule in one line.
    """

    name: str
    label: str
    unit: Unit
    group: str
    meaning: str


_ROWS: tuple[tuple[str, str, Unit, str, str], ...] = (
    ("start", "First session", "date", "period", "session of the first bar"),
    ("end", "Last session", "date", "period", "session of the last bar"),
    ("bars", "Bars", "count", "period", "distinct bar times"),
    ("sessions", "Sessions", "count", "period", "distinct sessions"),
    ("years", "Years", "years", "period", "session returns / periods per year"),
    ("periods_per_year", "Sessions per year", "number", "period", "365, 312 or 252 by the weekdays that trade; 52 or 12 for slow bars"),
    ("net_deposits", "Net deposits", "money", "returns", "deposits less withdrawals during the run"),
    ("total_return", "Total return", "fraction", "return", "last / first - 1"),
    ("cagr", "CAGR", "fraction", "return", "(last / first) ^ (1 / years) - 1"),
    ("best_day", "Best day", "fraction", "return", "highest session return"),
    ("worst_day", "Worst day", "fraction", "return", "lowest session return"),
    ("positive_days", "Positive days", "fraction", "return", "share of session returns above zero"),
    ("best_month", "Best month", "fraction", "return", "highest calendar-month return"),
    ("worst_month", "Worst month", "fraction", "return", "lowest calendar-month return"),
    ("positive_months", "Positive months", "fraction", "return", "share of months above zero"),
    ("volatility", "Volatility", "fraction", "risk", "sample deviation of session returns x sqrt(periods)"),
    ("downside_deviation", "Downside deviation", "fraction", "risk", "root mean square of returns below the minimum x sqrt(periods)"),
    ("sharpe", "Sharpe ratio", "ratio", "risk", "mean excess return / sample deviation x sqrt(periods)"),
    ("sharpe_error", "Sharpe standard error", "ratio", "risk", "Mertens 2002: allows for skew and fat tails"),
    ("sortino", "Sortino ratio", "ratio", "risk", "mean excess return x periods / downside deviation"),
    ("calmar", "Calmar ratio", "ratio", "risk", "CAGR / |max drawdown|"),
    ("omega", "Omega ratio", "ratio", "risk", "sum of gains / sum of losses against the minimum return"),
    ("var_95", "Value at risk 95 %", "fraction", "risk", "5 % quantile of session returns; a loss is negative"),
    ("var_99", "Value at risk 99 %", "fraction", "risk", "1 % quantile of session returns"),
    ("cvar_95", "Expected shortfall 95 %", "fraction", "risk", "mean of the returns at or below the 5 % quantile"),
    ("cvar_99", "Expected shortfall 99 %", "fraction", "risk", "mean of the returns at or below the 1 % quantile"),
    ("tail_ratio", "Tail ratio", "ratio", "risk", "95 % quantile / |5 % quantile|"),
    ("skew", "Skew", "number", "risk", "m3 / m2^1.5, population moments"),
    ("kurtosis", "Excess kurtosis", "number", "risk", "m4 / m2^2 - 3, population moments"),
    ("max_drawdown", "Max drawdown", "fraction", "drawdown", "lowest of equity / peak - 1 over session closes"),
    ("max_drawdown_start", "Drawdown began", "date", "drawdown", "session of the peak"),
    ("max_drawdown_trough", "Drawdown lowest", "date", "drawdown", "session of the lowest point"),
    ("max_drawdown_end", "Drawdown recovered", "date", "drawdown", "first session back at the peak; empty while it lasts"),
    ("max_drawdown_sessions", "Max drawdown length", "sessions", "drawdown", "sessions from the peak to the recovery or the end"),
    ("max_drawdown_bars", "Max drawdown over bars", "fraction", "drawdown", "the same over every bar, intraday ones included"),
    ("average_drawdown", "Average drawdown", "fraction", "drawdown", "mean depth of the separate falls"),
    ("longest_drawdown", "Longest drawdown", "sessions", "drawdown", "most sessions below a peak"),
    ("time_under_water", "Time under water", "fraction", "drawdown", "share of session closes below the peak"),
    ("ulcer_index", "Ulcer index", "fraction", "drawdown", "root mean square of the drawdown"),
    ("time_in_market", "Time in market", "fraction", "activity", "share of bars with a position"),
    ("average_exposure", "Average exposure", "fraction", "activity", "mean of gross / equity over bars"),
    ("max_exposure", "Highest exposure", "fraction", "activity", "highest gross / equity"),
    ("average_net_exposure", "Average net exposure", "fraction", "activity", "mean of (equity - cash) / equity over bars"),
    ("turnover", "Turnover per year", "fraction", "activity", "traded notional, both sides / average equity / years"),
    ("traded", "Traded notional", "money", "activity", "sum of absolute fill notionals"),
    ("orders", "Orders", "count", "activity", "orders sent"),
    ("fills", "Fills", "count", "activity", "executions"),
    ("rejected", "Rejected", "count", "activity", "orders that nothing was filled of and that were refused"),
    ("cancelled", "Cancelled", "count", "activity", "orders withdrawn before a fill"),
    ("working", "Still working", "count", "activity", "orders alive after the last bar"),
    ("costs", "Costs", "money", "costs", "sum of all costs paid"),
    ("costs_per_year", "Costs per year", "fraction", "costs", "costs / average equity / years"),
    ("costs_of_traded", "Costs of traded", "fraction", "costs", "costs / traded notional"),
    ("income", "Income", "money", "costs", "dividends and other payments received, net"),
    ("trades", "Trades", "count", "trades", "closed round trips"),
    ("open_trades", "Open trades", "count", "trades", "round trips not closed by the last bar, in no statistic"),
    ("long_trades", "Long trades", "count", "trades", "closed long round trips"),
    ("short_trades", "Short trades", "count", "trades", "closed short round trips"),
    ("win_rate", "Win rate", "fraction", "trades", "trades with profit after fees above zero / trades"),
    ("profit_factor", "Profit factor", "ratio", "trades", "sum of profits / |sum of losses|"),
    ("average_win", "Average win", "money", "trades", "mean profit of the winners"),
    ("average_loss", "Average loss", "money", "trades", "mean loss of the losers, negative"),
    ("payoff_ratio", "Payoff ratio", "ratio", "trades", "average win / |average loss|"),
    ("expectancy", "Expectancy", "money", "trades", "mean profit per trade after fees"),
    ("expectancy_return", "Expectancy, return", "fraction", "trades", "mean return per trade on its entry notional"),
    ("best_trade", "Best trade", "fraction", "trades", "highest trade return"),
    ("worst_trade", "Worst trade", "fraction", "trades", "lowest trade return"),
    ("average_bars_held", "Average bars held", "bars", "trades", "mean bars from entry to exit"),
    ("longest_winning_run", "Longest winning run", "count", "trades", "most winners in a row, by exit"),
    ("longest_losing_run", "Longest losing run", "count", "trades", "most losers in a row, by exit"),
    ("average_mae", "Average adverse excursion", "fraction", "trades", "mean worst move against the entry price"),
    ("average_mfe", "Average favourable excursion", "fraction", "trades", "mean best move from the entry price"),
    ("benchmark_return", "Benchmark return", "fraction", "benchmark", "its last / first - 1 over the common sessions"),
    ("benchmark_cagr", "Benchmark CAGR", "fraction", "benchmark", "as CAGR"),
    ("benchmark_volatility", "Benchmark volatility", "fraction", "benchmark", "as volatility"),
    ("benchmark_sharpe", "Benchmark Sharpe", "ratio", "benchmark", "as Sharpe ratio"),
    ("benchmark_max_drawdown", "Benchmark max drawdown", "fraction", "benchmark", "as max drawdown"),
    ("excess_return", "Excess return", "fraction", "benchmark", "total return - benchmark return, common sessions"),
    ("alpha", "Alpha", "fraction", "benchmark", "(mean excess - beta x mean benchmark excess) x periods"),
    ("beta", "Beta", "number", "benchmark", "covariance / variance of the benchmark"),
    ("correlation", "Correlation", "number", "benchmark", "Pearson, session returns"),
    ("tracking_error", "Tracking error", "fraction", "benchmark", "sample deviation of active returns x sqrt(periods)"),
    ("information_ratio", "Information ratio", "ratio", "benchmark", "mean active return / its deviation x sqrt(periods)"),
    ("up_capture", "Up capture", "ratio", "benchmark", "geometric mean return / benchmark's, sessions it rose"),
    ("down_capture", "Down capture", "ratio", "benchmark", "the same over sessions it fell"),
)

DEFINITIONS: dict[str, Definition] = {row[0]: Definition(*row) for row in _ROWS}
"""Every fixed metric by name, in reading order. ``cost_<kind>`` and ``income_<kind>`` come on top, one per kind."""


def definition_of(name: str) -> Definition:
    """The definition of a metric, also of ``cost_<kind>``, ``income_<kind>`` and of names that a user adds.

    Example:
        >>> definition_of("cost_commission").label, definition_of("my_score").unit
        ('Cost: commission', 'number')
    """
    if name in DEFINITIONS:
        return DEFINITIONS[name]
    for prefix, word, meaning in (("cost_", "Cost", "paid, this kind"), ("income_", "Income", "received, this kind")):
        if name.startswith(prefix):
            return Definition(name, f"{word}: {name.removeprefix(prefix).replace('_', ' ')}", "money", "costs", meaning)
    return Definition(name, name.replace("_", " ").capitalize(), "number", "other", "")
