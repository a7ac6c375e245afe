"""What tokens cost: a dated table with its sources, in prices.toml. Unknown is None, never 0. Knows no Inspect."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from convex_evals.errors import UsageError
from convex_evals.types import Usage

TABLE = Path(__file__).parent / "prices.toml"


@dataclass(frozen=True)
class Price:
    """USD for a million tokens."""

    input_usd: float
    output_usd: float
    cached_usd: float | None
    """For input read from the provider's cache; None: as other input."""
    source: str
    checked: str
    """ISO date on which the source said so."""

    def cost_usd(self, usage: Usage) -> float | None:
        """The cost of one generation; None when the provider did not count its tokens."""
        if usage.input_tokens is None or usage.output_tokens is None:
            return None
        cached = usage.cached_tokens or 0
        cached_usd = self.input_usd if self.cached_usd is None else self.cached_usd
        fresh = max(0, usage.input_tokens - cached)
        return (fresh * self.input_usd + cached * cached_usd + usage.output_tokens * self.output_usd) / 1_000_000


class Prices:
    """The table, with another laid over it when a person has better figures."""

    def __init__(self, rows: Mapping[str, Price]) -> None:
        self.rows = rows

    def of(self, model: str) -> Price | None:
        """The price of `provider/model`: the exact name, or the name without its date (`-2025-08-07`, `-20250807`)."""
        return self.rows.get(model) or self.rows.get(_undated(model))

    def cost_usd(self, model: str, usage: Usage | None) -> float | None:
        """The cost of one generation, None when price or usage is unknown. Offline models have no cost."""
        price = self.of(model)
        return None if price is None or usage is None else price.cost_usd(usage)


def load_prices(extra: Path | None = None) -> Prices:
    """The table that belongs to this version, and perhaps a file of the same form over it."""
    rows = _read(TABLE)
    return Prices(rows | _read(extra) if extra is not None else rows)


def _undated(model: str) -> str:
    head, _, tail = model.rpartition("-")
    if tail.isdigit() and len(tail) == 8:
        return head
    parts = model.split("-")
    dated = len(parts) > 3 and all(part.isdigit() for part in parts[-3:]) and len(parts[-3]) == 4
    return "-".join(parts[:-3]) if dated else model


def _read(path: Path) -> dict[str, Price]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        return {
            model: Price(
                input_usd=float(row["input_usd"]),
                output_usd=float(row["output_usd"]),
                cached_usd=float(row["cached_usd"]) if "cached_usd" in row else None,
                source=str(row["source"]),
                checked=str(row["checked"]),
            )
            for model, row in data.items()
        }
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"{path} is no price table: {type(error).__name__}: {error}") from error
