"""Find out how a text file writes its columns, dates and numbers; refuse to guess where two answers are possible."""

from __future__ import annotations

import re
from collections import Counter

import polars as pl

from rustybt.errors import DataError

DELIMITERS = ",;\t|"
MISSING = ("", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "-", "--", "#N/A", ".")
"""Texts that stand for no value."""
DATES = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d.%m.%Y", "%d-%b-%Y", "%d %b %Y", "%b %d, %Y", "%d-%b-%y")
"""Formats that mean one thing only."""
SLASHED = ("%m/%d/%Y", "%d/%m/%Y")
DASHED = ("%m-%d-%Y", "%d-%m-%Y")
CLOCKS = ("%H:%M:%S%.f", "%H:%M:%S", "%H:%M", "%H%M%S", "%H%M", "%I:%M:%S %p", "%I:%M %p")
ZONED = re.compile(r"(Z|[+-]\d{2}:?\d{2}| ?UTC| ?GMT)$")
ISO = re.compile(r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}")
EPOCHS = ((1e17, "ns"), (1e14, "us"), (1e11, "ms"), (1e8, "s"))
"""Least size of a count since 1970, and its unit: each holds from 1973 on."""
MOST_SAMPLED = 5000
"""Different texts that a format is found from."""
HINT = re.compile(r"(?i)(^|[^a-z])(utc|gmt)([^a-z]|$)")


def delimiter_of(lines: list[str]) -> str:
    """The mark between columns: the one that every line has equally often.

    Example:
        >>> delimiter_of(["a;b;c", "1,5;2;3", "2,5;4;5"])
        ';'
    """
    best, most = ",", 0
    for mark in DELIMITERS:
        counts = Counter(re.sub(r'"[^"]*"', "", line).count(mark) for line in lines)
        number, often = counts.most_common(1)[0] if counts else (0, 0)
        if number > most and often >= 0.9 * len(lines):
            best, most = mark, number
    return best


def clean_name(name: str) -> str:
    """A heading without the brackets and blanks that some programs write.

    Example:
        >>> clean_name("<CLOSE>"), clean_name(" Adj Close ")
        ('CLOSE', 'Adj Close')
    """
    return name.strip().strip("<>").strip()


def numbers(column: pl.Series, where: str, decimal: str | None = None) -> pl.Series:
    """Texts as plain numbers with a point, still texts; missing ones become null.

    Args:
        column: texts.
        where: what to name in an error.
        decimal: the mark before decimals, ``"."`` or ``","``; None to find out.

    Raises:
        DataError: thousands and decimals cannot be told apart.

    Example:
        >>> numbers(pl.Series("close", ["1.234,50", "NA"]), "x.csv").to_list()
        ['1234.50', None]
    """
    plain = column.str.strip_chars()
    plain = plain.set(plain.is_in(MISSING), None)
    known = plain.drop_nulls()
    if decimal is None and not known.str.contains(",", literal=True).any():
        return plain
    comma = known.str.contains(r",(\d{1,2}|\d{4,})$").any()
    point = known.str.contains(r",\d{3}(,|\.)|\.(\d{1,2}|\d{4,})$").any()
    if decimal == "," or (decimal is None and comma and not point):
        return plain.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    if decimal == "." or (point and not comma):
        return plain.str.replace_all(",", "", literal=True)
    first = known.filter(known.str.contains(",", literal=True))[0]
    raise DataError(
        f"the comma of {first!r} may part decimals or thousands",
        where=f"{where}, column {column.name!r}",
        do='say which mark is before the decimals: settings={"decimal": ","}',
    )


def stamps(column: pl.Series, date_format: str | None, where: str, first_line: int = 2) -> pl.Series:
    """Texts of dates or times as Date or Datetime; with a zone where they say one.

    Args:
        column: texts.
        date_format: as in `strftime`, or None to find out.
        where: what to name in an error.
        first_line: of the file that the first text stands on.

    Raises:
        DataError: the format cannot be known, or one row is not written in it.
    """
    texts = column.str.strip_chars()
    known = texts.drop_nulls()
    if known.is_empty():
        raise DataError("the column of times is empty", where=where, do="check the file")
    try:
        chosen = date_format or _format_of(known, where)
    except DataError as error:
        row = odd_one(texts)
        if row is None:
            raise
        raise _odd(texts[row], f"{where}, line {row + first_line}") from error
    made = _made(texts, chosen)
    wrong = made.is_null() & texts.is_not_null()
    if wrong.any():
        row = None if date_format else odd_one(texts)
        if row is not None:
            raise _odd(texts[row], f"{where}, line {row + first_line}")
        row = int(wrong.arg_max() or 0)
        raise DataError(
            f"{texts[row]!r} is not written like {chosen!r}",
            where=f"{where}, line {row + first_line}",
            do='say how: settings={"date_format": "..."}',
        )
    return made.rename("ts")


def odd_one(texts: pl.Series) -> int | None:
    """Row of the first text that is no time as most of the others are; None where most have no form in common, or all have one.

    Example:
        >>> odd_one(pl.Series(["2024-02-28", "2024-02-29", "2024-02-30"]))
        2
    """
    texts = texts.str.strip_chars()
    shapes = texts.str.replace_all(r"\d+", "9").str.replace_all("[A-Za-z]+", "a")
    often = shapes.drop_nulls().to_frame("shape").group_by("shape", maintain_order=True).len()
    if not often.height:
        return None
    alike = texts.filter(shapes == often["shape"][int(often["len"].arg_max() or 0)])
    sure, sample = _sure_format_of(alike), alike.unique(maintain_order=True).head(MOST_SAMPLED)
    chosen = sure or min(_forms(str(alike[0])), key=lambda form: _read(sample, form).null_count())
    wrong = _made(texts, chosen).is_null() & texts.is_not_null()
    return int(wrong.arg_max() or 0) if 0 < wrong.sum() <= len(texts) / 2 else None


def _odd(text: str, where: str) -> DataError:
    do = 'repair or drop the line; if it is right, say how times are written: settings={"date_format": "..."}'
    return DataError(f"{text!r} is no date or time like the others", where=where, do=do)


def _made(texts: pl.Series, chosen: str) -> pl.Series:
    """Times in a format; null where a text is not written in it."""
    if chosen.startswith("epoch "):
        unit = chosen.removeprefix("epoch ")
        counts = texts.cast(pl.Float64, strict=False) if unit == "s" else texts.cast(pl.Int64, strict=False)
        scale = {"s": 1e6, "ms": 1000, "us": 1}.get(unit)
        micros = (counts // 1000 if unit == "ns" else counts * scale).cast(pl.Int64)
        return micros.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    if chosen.endswith("%z"):
        plain = texts.str.replace(r" ?(UTC|GMT)$", "+0000").str.replace(r"Z$", "+0000")
        return plain.str.to_datetime(chosen, time_unit="us", time_zone="UTC", strict=False)
    if re.search(r"%(H|I|M|T|R|X|s)", chosen):
        return texts.str.to_datetime(chosen, time_unit="us", strict=False)
    return texts.str.to_date(chosen, strict=False)


def _format_of(known: pl.Series, where: str) -> str:
    """The one format that every text has."""
    sure = _sure_format_of(known)
    if sure is not None:
        return sure
    first, sample = str(known[0]), known.unique(maintain_order=True).head(MOST_SAMPLED)
    fits = [form for form in _forms(first) if _all(sample, form)]
    days = {tuple(_read(sample, form).cast(pl.Datetime("us")).to_list()) for form in fits}
    if len(days) == 1:
        return next(form for form in fits if _all(known, form)) if any(_all(known, form) for form in fits) else fits[0]
    said = "may have the day or the month first" if len(days) > 1 else "is no date or time in a known format"
    raise DataError(f"{first!r} {said}", where=where, do='say how it is written: settings={"date_format": "%d/%m/%Y"}')


def _sure_format_of(known: pl.Series) -> str | None:
    """The format of counts since 1970 and of ISO times, which is told from the first; None for others."""
    first = str(known[0])
    if known.str.contains(r"^\d{9,19}(\.\d+)?$").all():
        size = abs(float(first))
        return next(f"epoch {unit}" for least, unit in EPOCHS if size >= least)
    if not ISO.match(first):
        return None
    zone = "%z" if ZONED.search(first) else ""
    middle = "T" if first[10] == "T" else " "
    rest = ZONED.sub("", first[11:])
    clock = "%H:%M:%S%.f" if "." in rest else "%H:%M:%S" if rest.count(":") == 2 else "%H:%M"
    if known.str.contains(r":\d{2}\.\d").any():
        clock = "%H:%M:%S%.f"
    return f"%Y-%m-%d{middle}{clock}{zone}"


def _forms(first: str) -> list[str]:
    dates = [*DATES, *SLASHED, *DASHED]
    return [*dates, *(f"{day} {clock}" for day in dates for clock in CLOCKS)] if ":" in first or " " in first else dates


def _read(texts: pl.Series, form: str) -> pl.Series:
    timed = re.search(r"%(H|I)", form)
    return texts.str.to_datetime(form, time_unit="us", strict=False) if timed else texts.str.to_date(form, strict=False)


def _all(texts: pl.Series, form: str) -> bool:
    return not _read(texts, form).null_count()
