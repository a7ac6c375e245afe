"""Browser bundles of apps, run in a real JavaScript engine with the little of a page that they touch."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from convex_evals.errors import DeployFailed
from convex_evals.toolchain import Toolchain
from tests.toolchain.conftest import Prepared
from tests.toolchain.registry import Registry

PAGE = """
const shown = [];
const document = { head: { append: (node) => shown.push(node.textContent) }, createElement: () => ({}) };
"""


def run(tools: Toolchain, script: str) -> list[object]:
    """What the script pushed to `shown`."""
    program = f"{PAGE}{script}\nconsole.log(JSON.stringify(shown));"
    done = subprocess.run([tools.node, "-e", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


async def test_an_app_gets_its_environment_its_styles_and_its_packages(
    tools: Toolchain, prepared: Prepared, packages: Registry
) -> None:
    packages.add("convex", tools.versions["convex"])
    packages.add(
        "react",
        "19.9.9",
        {"jsx-runtime.js": "exports.jsx = (type, props) => ({ type, ...props });", "index.js": ""},
        exports={".": "./index.js", "./jsx-runtime": "./jsx-runtime.js"},
    )
    project = await prepared(
        {
            "package.json": '{"dependencies": {"convex": "*", "react": "^19.0.0"}}',
            "src/main.tsx": 'import "./style.css";\nimport image from "./dot.svg";\n'
            "declare const shown: unknown[];\n"
            "shown.push(import.meta.env.VITE_CONVEX_URL, process.env.CONVEX_URL);\n"
            "shown.push(import.meta.env.PROD, import.meta.env.NO);\n"
            'shown.push(process.env.NODE_ENV, image.slice(0, 14), <b id="x">bold</b>);\n',
            "src/style.css": "b { color: red }",
            "src/dot.svg": "<svg/>",
        }
    )
    script = await tools.bundle_app(
        Path("src/main.tsx"), project, {"VITE_CONVEX_URL": "http://a", "CONVEX_URL": "http://b"}
    )
    style, *values = run(tools, script)
    assert "color: red" in str(style)
    assert values == [
        "http://a",
        "http://b",
        True,
        None,
        "production",
        "data:image/svg",
        {"type": "b", "id": "x", "children": "bold"},
    ]


async def test_an_app_that_does_not_build_is_refused_with_its_place(tools: Toolchain, prepared: Prepared) -> None:
    project = await prepared({"src/main.tsx": 'import { useQuery } from "convex/react";\nconsole.log(useQuery);\n'})
    with pytest.raises(DeployFailed, match='Could not resolve "react"'):
        await tools.bundle_app(Path("src/main.tsx"), project, {})
    with pytest.raises(DeployFailed, match=r"src/App\.tsx"):
        await tools.bundle_app(Path("src/App.tsx"), project, {})


async def test_an_app_cannot_read_outside_of_the_project(tools: Toolchain, prepared: Prepared, tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text("{}")
    project = await prepared({"src/main.ts": 'import it from "../../secret.json";\nconsole.log(it);\n'})
    with pytest.raises(DeployFailed, match="outside of the project"):
        await tools.bundle_app(Path("src/main.ts"), project, {})


async def test_real_react_with_convex(tools: Toolchain, prepared: Prepared) -> None:
    """The packages as they are published; needs the registry once."""
    versions = {"convex": tools.versions["convex"], "react": "19.2.0", "react-dom": "19.2.0"}
    project = await prepared(
        {
            "package.json": json.dumps({"dependencies": versions, "devDependencies": {"@types/react": "19.2.0"}}),
            "convex/a.ts": 'import { query } from "./_generated/server";\n'
            "export const list = query({ args: {}, handler: async () => [1] });\n",
            "src/App.tsx": 'import { useQuery } from "convex/react";\nimport { api } from "../convex/_generated/api";\n'
            "export const App = () => <ul>{useQuery(api.a.list)?.map((n) => <li key={n}>{n.toFixed()}</li>)}</ul>;\n",
        }
    )
    assert await tools.typecheck(project) == ()
    assert "useQuery" in await tools.bundle_app(Path("src/App.tsx"), project, {})
