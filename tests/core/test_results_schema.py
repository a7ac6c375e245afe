"""The published JSON Schema is the one that the code writes by, and stored lines keep to it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from convex_evals.results import json_schema
from convex_evals.types import Check, Reply, Score, Submission, TestResult, Trial, TrialError

GOLDEN = Path(__file__).parents[2] / "docs" / "results.schema.json"


def test_the_published_schema_is_the_code_s(request: pytest.FixtureRequest) -> None:
    text = json.dumps(json_schema(), indent=2) + "\n"
    if request.config.getoption("--update-goldens"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert GOLDEN.read_text(encoding="utf-8") == text, "run `make goldens` and look at the difference"


def line_schema(name: str) -> dict[str, object]:
    whole = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return {**whole["files"][name], "$defs": whole["$defs"]}


def test_a_stored_trial_keeps_to_the_schema(tmp_path: Path) -> None:
    from worlds import make_run

    from convex_evals.results import open_run

    score = Score(
        (Check("behaviour", "fail", 0.1, "no", {"test_a": TestResult("fail", "1 is not 2")}),), frozenset({"behaviour"})
    )
    reply = Reply("text", "stop")
    trials = [
        Trial("queries/a", "h", "queries", 1, Submission({"convex/a.ts": "x"}, reply), score, None),
        Trial("queries/b", "h", "queries", 1, None, None, TrialError("provider_unavailable", "HTTP 500")),
    ]
    with open_run(tmp_path, make_run()) as folder:
        for trial in trials:
            folder.add_trial(trial)
        lines = (folder.path / "trials.jsonl").read_text(encoding="utf-8").splitlines()
        run = json.loads((folder.path / "run.json").read_text(encoding="utf-8"))
    schema = line_schema("trials.jsonl")
    for line in lines:
        jsonschema.validate(json.loads(line), schema)
    jsonschema.validate(run, line_schema("run.json"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(json.loads(lines[0]) | {"epoch": "first"}, schema)
