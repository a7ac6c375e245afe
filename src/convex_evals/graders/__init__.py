"""What judges a deployed submission: native graders (`python`, `api`) and suites in the public layout (`vitest`)."""
