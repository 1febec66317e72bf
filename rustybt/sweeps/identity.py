"""What makes a sweep this sweep: a directory is only gone on with by the call that began it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from rustybt.engine import RunConfig
from rustybt.model import Panel
from rustybt.spec.hooks import source_digest
from rustybt.sweeps.measure import columns
from rustybt.sweeps.variants import Variants

PROBES = 8
"""Variants whose meaning stands for that of all: it shows a change in what a strategy calls, which its own source does not."""


def facts_of(variants: Variants, panels: Sequence[Panel], config: RunConfig, *, curves: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """What has to agree with the manifest of a directory, and what is only noted there."""
    from rustybt import __version__

    facts = {
        "engine": __version__,
        "data": {name: panel.snapshot for name, panel in zip(variants.datasets, panels, strict=True)},
        "config": config.to_dict(),
        "strategies": [strategy.name for strategy in variants.strategies],
        "source": _digest([source_digest(cast(Any, strategy.function)) for strategy in variants.strategies]),
        "variants": variants.count,
        "parameters": list(variants.names),
        "values": variants.digest(),
        "meaning": _digest(_meanings(variants)),
        "columns": list(columns(config.money_scale)),
        "curves": curves,
    }
    return facts, {}


def _meanings(variants: Variants) -> list[str]:
    found = []
    for variant in sorted(set(np.linspace(0, variants.count - 1, PROBES).astype(int).tolist())):
        block, parameters = variants.at(variant)
        try:
            found.append(variants.strategies[block.strategy](**parameters).spec_id)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - such a variant is a row with its error
            found.append(type(error).__name__)
    return found


def _digest(parts: list[str]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
