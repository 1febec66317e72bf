"""Names of datasets, and how to tell one from a path."""

from __future__ import annotations

import re

from rustybt.errors import ConfigError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def check_name(name: str) -> None:
    """Refuses a name that could be taken for a path, or in SQL for a table of the catalog.

    Raises:
        ConfigError: it is one.
    """
    from rustybt.data.catalog.schema import TABLES  # a plain run has no use for SQLite

    if name.lower() in TABLES:
        raise ConfigError(f"dataset name {name!r} is that of a table of the catalog", where="name", do=f"choose one like {name}_1")
    if name == "demo" or not NAME.fullmatch(name):
        said = "is taken by the embedded set" if name == "demo" else "is not letters, digits, _ and -"
        raise ConfigError(f"dataset name {name!r} {said}", where="name", do="choose one like us_daily")


def split_name(name: str) -> tuple[str, str]:
    """Name and beginning of the snapshot.

    Example:
        >>> split_name("us-daily@3f2a"), split_name("us-daily")
        (('us-daily', '3f2a'), ('us-daily', ''))
    """
    dataset, _, snapshot = name.partition("@")
    return dataset, snapshot.lower()


def may_be_name(text: str) -> bool:
    """Whether a text can be a dataset's name.

    Example:
        >>> may_be_name("us-daily@3f2a"), may_be_name("data/us.parquet")
        (True, False)
    """
    dataset, mark, snapshot = text.partition("@")
    return bool(NAME.fullmatch(dataset)) and (not mark or bool(re.fullmatch(r"[0-9a-fA-F]{1,64}", snapshot)))
