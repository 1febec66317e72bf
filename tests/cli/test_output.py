"""A file that cannot be written is one message, and leaves nothing in part."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from rustybt._output import written
from rustybt.cli import main
from rustybt.errors import ConfigError, DataError

Command = Callable[..., Any]
BUNDLE = str(Path(__file__).parents[1] / "data" / "bundles" / "real" / "daily")
FULL = os.strerror(errno.ENOSPC)
COMMANDS = {
    "export": ("catalog", "export", "demo1", "{out}/x.parquet"),
    "export as CSV": ("catalog", "export", "demo1", "{out}/x.csv"),
    "adjust": ("adjust", "demo", "--mode", "split", "--out", "{out}/x.parquet"),
    "adjust as CSV": ("adjust", "demo", "--mode", "split", "--out", "{out}/x.csv"),
    "mend": ("catalog", "mend", "{bars}", "--fix", "null price", "--out", "{out}/x.parquet"),
    "check": ("catalog", "check", "{bars}", "--out", "{out}/x.parquet"),
    "page": ("catalog", "check", "{bars}", "--page", "{out}/x.html"),
    "migrate": ("migrate", BUNDLE, "--name", "old", "--report", "{out}/x.parquet"),
    "run": ("run", "{cross}", "--data", "{bars}", "--stamp", "close", "--out", "{out}/run"),
    "report": ("run", "{cross}", "--data", "{bars}", "--stamp", "close", "--report", "{out}/x.html"),
    "sweep": ("sweep", "{cross}", "--data", "{bars}", "--grid", "fast=3,5", "--trials", "off", "--out", "{out}/x.parquet"),
    "assets": ("assets", "export", "{out}"),
}


@pytest.fixture(autouse=True)
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rustybt: Command) -> None:
    monkeypatch.setenv("RUSTYBT_CATALOG", str(tmp_path / "catalog"))
    monkeypatch.setenv("RUSTYBT_TRIALS", str(tmp_path / "trials.db"))


@pytest.fixture
def call(rustybt: Command, bars: str, cross: str) -> Callable[[str, Path], Any]:
    """Run one of the commands with its files in a folder."""

    def run(name: str, out: Path) -> Any:
        if name.startswith("export"):
            assert rustybt("ingest", "demo", "--name", "demo1").code == 0
        return rustybt(*(word.format(out=out, bars=bars, cross=cross) for word in COMMANDS[name]))

    return run


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A disk without a free byte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        with suppress(OSError), (disk / "filler").open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def refuse(monkeypatch: pytest.MonkeyPatch, folder: Path, error: Callable[[], Exception]) -> None:
    """Let whatever is written in a folder stop in the middle."""

    def failing(original: Callable[..., Any]) -> Callable[..., Any]:
        def write(self: Any, file: Any = None, *rest: Any, **options: Any) -> Any:
            place = Path(self if isinstance(self, Path) else file if isinstance(file, (str, Path)) else "/")
            if not place.is_relative_to(folder):
                return original(self, file, *rest, **options)
            place.write_bytes(b"half")
            raise error()

        return write

    for kind, name in ((pl.DataFrame, "write_parquet"), (pl.DataFrame, "write_csv"), (Path, "write_text")):
        monkeypatch.setattr(kind, name, failing(getattr(kind, name)))


def polars_refuses() -> Exception:
    return pl.exceptions.ComputeError(f"parquet: File out of specification: underlying IO error: {FULL} (os error 28)")


def system_refuses() -> Exception:
    return OSError(errno.ENOSPC, FULL)


def one_message(ran: Any) -> None:
    """A refusal with what, where and what to do, and nothing of Python."""
    assert ran.code in (1, 2), ran
    kind, what = ran.err.splitlines()[0].split(": ", 1)
    assert kind in ("ConfigError", "DataError")
    assert what.startswith("cannot write")
    assert what.endswith(FULL)
    assert "do:    free some space" in ran.err
    assert len(ran.err.splitlines()) == 3


@pytest.mark.parametrize("name", COMMANDS)
def test_a_full_disk_is_one_message_and_leaves_nothing(call: Callable[..., Any], full: Path, name: str) -> None:
    one_message(call(name, full))
    assert [file.name for file in full.iterdir()] == ["filler"]


@pytest.mark.parametrize("error", [polars_refuses, system_refuses])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_refusal_in_the_middle_leaves_nothing(
    call: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, error: Callable[[], Exception]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    refuse(monkeypatch, out, error)
    one_message(call(name, out))
    assert list(out.iterdir()) == []


def test_a_bundle_that_is_in_the_catalog_is_said_where_its_report_is_not_written(
    rustybt: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = tmp_path / "out" / "report.parquet"
    with monkeypatch.context() as patch:
        refuse(patch, report.parent, polars_refuses)
        report.parent.mkdir()
        failed = rustybt("migrate", BUNDLE, "--name", "old", "--report", str(report))
    version = rustybt("catalog", "list", "--json").json["datasets"][0]
    assert f"old@{version['snapshot'][:12]} is in the catalog, and the same call writes its report again" in failed.err
    assert not rustybt("migrate", BUNDLE, "--name", "old", "--report", str(report), "--json").json["new"]
    assert pl.read_parquet(report).height == 4


def test_a_place_that_cannot_be_is_refused_before_the_work(rustybt: Command, bars: str) -> None:
    for words in (
        ("catalog", "check", bars, "--out", "/dev/null/x.parquet"),
        ("catalog", "mend", bars, "--fix", "null price", "--out", "/dev/null/x.parquet"),
        ("migrate", BUNDLE, "--name", "old", "--report", "/dev/null/x.parquet"),
    ):
        failed = rustybt(*words)
        assert (failed.code, "cannot be written" in failed.err) == (2, True)
    assert rustybt("catalog", "list", "--json").json["datasets"] == []


def half(path: Path, error: Exception, **options: Any) -> None:
    """Write a file that fails in the middle."""
    with written(path, **options) as part:
        part.write_text("half")
        raise error


def test_folders_are_made_where_the_place_was_found_to_be_good(rustybt: Command, bars: str, tmp_path: Path) -> None:
    out = tmp_path / "a" / "b" / "x.parquet"
    assert (
        rustybt("catalog", "mend", bars, "--fix", "null price", "--out", str(out), "--log", str(out.parent / "c" / "log.parquet")).code == 0
    )
    assert pl.read_parquet(out).height == pl.read_parquet(bars).height
    assert rustybt("catalog", "check", bars, "--out", str(tmp_path / "d" / "x.parquet")).code == 0


def test_what_was_there_stays_until_the_new_is_whole(tmp_path: Path) -> None:
    file, link = tmp_path / "rows.txt", tmp_path / "link.txt"
    file.write_text("old")
    file.chmod(0o640)
    link.symlink_to(file)
    with pytest.raises(DataError, match=rf"^cannot write the rows: {FULL}\n"):
        half(file, system_refuses(), what="the rows", kind=DataError)
    assert file.read_text() == "old"
    with written(link) as part:
        part.write_text("new")
        assert file.read_text() == "old"
    assert (file.read_text(), link.is_symlink(), file.stat().st_mode & 0o777) == ("new", True, 0o640)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["link.txt", "rows.txt"]


def test_other_errors_are_theirs_and_leave_nothing_either(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        half(tmp_path / "x", ZeroDivisionError())
    with (
        pytest.raises(ConfigError, match=r"^cannot write: No such file or directory\n") as caught,
        written(tmp_path / "none" / "x") as part,
    ):
        pl.DataFrame({"a": [1]}).write_parquet(part)
    assert caught.value.where == str(tmp_path / "none" / "x")
    assert list(tmp_path.iterdir()) == []


def test_a_device_is_written_and_stays_one() -> None:
    with written(Path("/dev/null")) as part:
        part.write_text("rows")
    assert Path("/dev/null").is_char_device()
    with pytest.raises(ConfigError, match=FULL), written(Path("/dev/full")) as part:
        part.write_text("rows")
    assert Path("/dev/full").is_char_device()


@pytest.mark.parametrize(
    "command", [["--version"], ["explain", "{cross}", "--json"], ["run", "{cross}", "--data", "{bars}", "--stamp", "close"]]
)
def test_what_cannot_be_printed_is_one_message(command: list[str], bars: str, cross: str) -> None:
    words = [word.format(cross=cross, bars=bars) for word in command]
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run([sys.executable, "-m", "rustybt", *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1] == f"what was to be printed cannot be written: {FULL}"
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_closed_stream_is_no_obstacle(stream: str, bars: str, cross: str, tmp_path: Path) -> None:
    closed = {"stdout": ">&-", "stderr": "2>&-"}[stream]
    script = f"exec {sys.executable} -m rustybt run {cross} --data {bars} --stamp close --out {tmp_path}/run {closed}"
    ran = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=False)
    assert (ran.returncode, "Traceback" in ran.stderr) == (0, False)
    assert (tmp_path / "run" / "manifest.json").is_file()


def test_a_terminal_of_few_characters_shows_others(bars: str, cross: str) -> None:
    words = ["verify", cross, "--data", bars, "--stamp", "close", "--points", "1"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    ran = subprocess.run([sys.executable, "-m", "rustybt", *words], capture_output=True, text=True, check=False, env=environment)
    assert (ran.returncode, "Traceback" in ran.stderr) == (0, False)
    assert ran.stdout.startswith("?  window bounds")


@pytest.mark.parametrize("error", [ImportError("numpy._core.multiarray failed to import"), None])
def test_ctrl_c_in_an_import_is_an_interruption(error: ImportError | None, rustybt: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            if error is not None:
                raise error from None
            raise

    monkeypatch.setattr("rustybt.cli.build_app", interrupted)
    before = signal.getsignal(signal.SIGINT)
    ran = rustybt("run")
    assert (ran.code, ran.err) == (1, "interrupted: nothing was written\n")
    assert signal.getsignal(signal.SIGINT) is before


def test_an_error_that_nobody_foresaw_is_not_hidden(rustybt: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise OSError(errno.EBADF, "something else")

    monkeypatch.setattr("rustybt.cli.build_app", broken)
    with pytest.raises(OSError, match="something else"):
        main(["run"])
