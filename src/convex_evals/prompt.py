"""An eval and perhaps guidelines → the messages that a model is sent. Pure, and the only place that words a prompt.

The frame asks for files in a form that the parser reads, and says nothing about how Convex works: that is what the
evals measure, and what the guidelines may add.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from convex_evals.types import Eval, Guidelines, Message

FRAME = """\
You write complete TypeScript projects for the Convex backend platform.

Answer with the files of the project. Put before each file a heading with its path, relative to the root of the\
 project, and then the whole content of the file in a fenced code block:

### path/of/the/file.ts

```ts
// the whole content of the file
```

Write each file once, and each in full. Leave out lock files, `node_modules` and `convex/_generated`: they are made\
 from what you write. Nobody can answer questions or mend the files by hand."""

GUIDELINES_HEADING = "Keep to these guidelines for Convex:"
TASK_HEADING = "The task:"


def build_messages(ev: Eval, guidelines: Guidelines | None) -> tuple[Message, ...]:
    """The frame as system message; guidelines, when the condition has them, and the task as user message."""
    parts = [TASK_HEADING, ev.task.strip()]
    if guidelines is not None:
        parts = [GUIDELINES_HEADING, guidelines.text.strip(), *parts]
    return (Message("system", FRAME), Message("user", "\n\n".join(parts)))


def render_messages(messages: Sequence[Message]) -> str:
    """The messages as one text, to paste into any chat."""
    return "\n\n".join(message.text for message in messages) + "\n"


def prompt_hash(messages: Sequence[Message]) -> str:
    """SHA-256 of roles and texts: the same for exactly the same prompt."""
    return hashlib.sha256(json.dumps([[message.role, message.text] for message in messages]).encode()).hexdigest()
