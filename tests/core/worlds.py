"""Tiny worlds for the tests of the core: an eval folder, a trial, a run."""

from __future__ import annotations

from pathlib import Path

from convex_evals.types import CHECKS, Check, Reply, Run, Score, Submission, TestResult, Trial

EVAL_TOML = 'why = "w"\napi = ["query"]\nfamily = "f"\nsplit = "train"\n[expect.slug]\ncheck = "deploy"\nmatch = "x"\n'


def make_eval(root: Path, eval_id: str, task: str = "Write `convex/index.ts`.", toml: str = EVAL_TOML) -> Path:
    """A native eval folder that can be loaded."""
    folder = root / eval_id
    (folder / "answer" / "convex").mkdir(parents=True)
    (folder / "TASK.txt").write_text(task, encoding="utf-8")
    (folder / "eval.toml").write_text(toml, encoding="utf-8")
    (folder / "grader.py").write_text("", encoding="utf-8")
    (folder / "answer" / "convex" / "index.ts").write_text(f"export const id = {eval_id!r};\n", encoding="utf-8")
    return folder


def make_score(passed: bool) -> Score:
    """A verdict with two behaviour tests, of which one fails when it did not pass."""
    tests = {"test_a": TestResult("pass"), "test_b": TestResult("pass" if passed else "fail", "expected 1, got 2")}
    checks = [Check(name, "pass") for name in CHECKS[:-1]]
    return Score((*checks, Check("behaviour", "pass" if passed else "fail", tests=tests)), frozenset(CHECKS))


def make_trial(eval_id: str = "queries/a", epoch: int = 1, passed: bool = True) -> Trial:
    """A scored trial."""
    submission = Submission({"convex/index.ts": "x\n"}, Reply("text"))
    return Trial(eval_id, "hash", eval_id.split("/")[0], epoch, submission, make_score(passed), None)


def make_run(evals: tuple[str, ...] = ("queries/a", "queries/b"), epochs: int = 1, model: str = "answer") -> Run:
    """A plan that has no id yet."""
    return Run(
        id="",
        model=model,
        solver="one_shot",
        condition="none",
        guidelines_name=None,
        guidelines_hash=None,
        suite="suite",
        suite_hash="h",
        evals=evals,
        epochs=epochs,
        backend="embedded",
        backend_version="1",
        toolchain={"typescript": "7.0.2"},
        settings={},
        code_version="0.1.0",
        started="2026-11-22T20:00:00Z",
    )
