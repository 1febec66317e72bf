"""Files of a snapshot: their checksums, and those that do not stay in memory."""

from __future__ import annotations

import errno
import os
import zlib
from pathlib import Path

import pytest

from rustybt.data.catalog import files
from rustybt.data.catalog.files import Summed, checksum


@pytest.mark.parametrize("unread", [False, True])
def test_a_file_has_the_bytes_and_the_checksum_of_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unread: bool) -> None:
    monkeypatch.setattr(files, "BEHIND", 1000)
    pieces = [bytes([number]) * (300 + number) for number in range(40)]
    whole = b"".join(pieces)
    with Summed(tmp_path / "one", quick=True, unread=unread) as file:
        assert [file.write(piece) for piece in pieces] == [len(piece) for piece in pieces]
    assert (tmp_path / "one").read_bytes() == whole
    assert file.said == ("one", len(whole), f"crc32:{zlib.crc32(whole):08x}")
    assert checksum(tmp_path / "one", file.said[2]) == file.said[2]


def test_what_the_disk_refuses_behind_the_writer_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files, "BEHIND", 1000)
    monkeypatch.setattr(os, "fdatasync", full)
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)), Summed(tmp_path / "one", quick=True, unread=True) as file:
        file.write(bytes(2000))
