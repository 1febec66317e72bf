"""The command ``rustybt``: one file per verb, each a thin layer over a public function.

In: arguments. Out: text or, with ``--json``, one JSON document on stdout; logs and progress on stderr; exit code 0, 1 (the work
    failed) or 2 (bad usage).
To add a command: one module with a ``register(app)``, and its name in `COMMANDS`.
"""

from __future__ import annotations

import errno
import io
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import typer

from rustybt._log import configure
from rustybt._output import PLACED
from rustybt.errors import ConfigError, RustyBTError

__all__ = ["build_app", "main"]

COMMANDS = (
    "demo", "run", "sweep", "search", "walk-forward", "cross-validate", "verify", "explain", "report", "ingest", "catalog", "cache",
    "migrate", "assets", "continuous", "adjust", "sql", "warm",
)  # fmt: skip


INTERRUPTED = 130
"""What the command line library makes of Ctrl-C."""
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""What a disk that takes no more answers."""


def build_app() -> typer.Typer:
    """The command line with all its verbs."""
    app = typer.Typer(
        name="rustybt",
        help="Backtest Polars expressions with exact money and a proof against look-ahead.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
    )

    @app.callback(invoke_without_command=True)
    def root(version: bool = typer.Option(False, "--version", help="Print the version and exit.", is_eager=True)) -> None:
        if version:
            import rustybt

            typer.echo(rustybt.__version__)
            raise typer.Exit

    for name in COMMANDS:
        import_module(f"rustybt.cli.{name.replace('-', '_')}").register(app)
    return app


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit; a user's mistake is one message, never a traceback."""
    given = sys.argv[1:] if arguments is None else arguments
    take_streams()
    configure()
    PLACED.clear()
    with noticing_interrupts() as interrupts:
        try:
            call(given)
        except RustyBTError as error:
            if "--json" in given:
                told = {"kind": type(error).__name__, "what": error.what, "where": error.where, "do": error.do}
                with suppress(BrokenPipeError):  # whoever read stdout has left
                    print(json.dumps({"ok": False, "error": told}), flush=True)
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            sys.exit(2 if isinstance(error, ConfigError) else 1)
        except KeyboardInterrupt:
            _interrupted()
        except SystemExit as left:
            if left.code == INTERRUPTED:
                _interrupted()
            raise
        except BrokenPipeError:
            sys.stderr.close()
            sys.exit(1)
        except OSError as error:
            if error.errno not in FULL:
                raise
            print(f"what was to be printed cannot be written: {error.strerror}", file=sys.stderr)
            _drop_stdout()
            sys.exit(1)
        except BaseException:
            if interrupts:
                _interrupted()
            raise


def take_streams() -> None:
    """Take stdout and stderr as they are: one that is closed goes nowhere, one that lacks a character shows another in its place."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115  # for as long as the process lasts
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def call(given: list[str]) -> NoReturn:
    """Do what the arguments ask for, and exit.

    Raises:
        OSError: stdout takes no more. It is written out here, for what fails when Python ends is a message of its own.
    """
    try:
        build_app()(given, standalone_mode=True)
    finally:
        sys.stdout.flush()
    sys.exit(0)


@contextmanager
def noticing_interrupts() -> Iterator[list[int]]:
    """Keep what Ctrl-C there was: an import that it ends turns it into an error of another kind."""
    noticed: list[int] = []

    def notice(number: int, frame: object) -> NoReturn:
        noticed.append(number)
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGINT, notice)
    except ValueError:  # not the main thread: no signal comes here
        yield noticed
        return
    try:
        yield noticed
    finally:
        signal.signal(signal.SIGINT, before)


def _drop_stdout() -> None:
    """Let what is left of stdout go nowhere."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _interrupted() -> NoReturn:
    with suppress(ValueError):  # a second Ctrl-C is in time for nothing
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    there = ", ".join(map(str, PLACED))
    print(f"interrupted: {f'nothing was written but {there}' if there else 'nothing was written'}", file=sys.stderr)
    sys.exit(1)
