// The warm bundler: a Node process that holds esbuild and answers one JSON line with one JSON line.
// It parses generated code and never runs it. What is bundled, and what the answer means, is decided in Python.
//
//   node worker.mjs <node_modules of the tools> <node_modules of npm>
//   → {"id": 1, "op": "build" | "app" | "specs", ...}    ← {"id": 1, "result": …} | {"id": 1, "failure": "…"}

import { readFile, realpath } from "node:fs/promises";
import { createRequire, isBuiltin } from "node:module";
import path from "node:path";
import { createInterface } from "node:readline";

const [toolModules, npmModules] = process.argv.slice(2);
const fromTools = createRequire(path.join(toolModules, "_"));
const fromNpm = createRequire(path.join(npmModules, "_"));
const esbuild = fromTools("esbuild");

const PROVIDED = ["convex/server", "convex/values", "convex/browser"];
const CONFIG_IMPORT = /(^|\/)convex\.config(\.[cm]?[jt]sx?)?$/;
const INSIDE_ONLY = /^(\.{1,2}(\/|$)|\/|[A-Za-z]:[\\/])/;

// ---- what the provided packages export, asked of the pinned package itself ----

let providedNames;
function exportsOfProvided() {
  providedNames ??= Promise.all(
    PROVIDED.map(async (name) => {
      const { metafile } = await esbuild.build({
        stdin: { contents: `export * from ${JSON.stringify(name)}`, resolveDir: path.dirname(toolModules) },
        bundle: true, write: false, metafile: true, format: "esm", platform: "node", logLevel: "silent",
      });
      return [name, Object.values(metafile.outputs)[0].exports];
    }),
  ).then((entries) => new Map(entries));
  return providedNames;
}

// An ES module with exactly the real names, each taken from the module that the runtime provides: so a name that
// does not exist is refused where it is imported, and one that does costs nothing.
function providedPlugin(names) {
  return {
    name: "provided",
    setup(build) {
      build.onResolve({ filter: /^convex\/(server|values|browser)$/ }, ({ path: name, namespace }) =>
        namespace === "provided" ? { path: name, external: true } : { path: name, namespace: "provided", sideEffects: false },
      );
      build.onLoad({ filter: /.*/, namespace: "provided" }, ({ path: name }) => ({
        contents: `export { ${names.get(name).join(", ")} } from ${JSON.stringify(name)};`,
        loader: "js",
      }));
    },
  };
}

// ---- nothing is read outside of the project and its packages ----

function within(folders, file) {
  return folders.some((folder) => file === folder || file.startsWith(folder + path.sep));
}

function outside(file) {
  return { errors: [{ text: `Could not load "${path.basename(file)}": it is outside of the project and its dependencies` }] };
}

function confinedPlugin(allowed) {
  return {
    name: "confined",
    setup(build) {
      build.onResolve({ filter: INSIDE_ONLY }, ({ path: wanted, resolveDir, kind, namespace }) => {
        if (kind === "entry-point" || namespace !== "file") return undefined;
        if (within(allowed, path.resolve(resolveDir, wanted))) return undefined;
        return { errors: [{ text: `Could not resolve "${wanted}": it is outside of the project` }] };
      });
      build.onLoad({ filter: /.*/, namespace: "file" }, async ({ path: file }) => {
        return within(allowed, await realpath(file)) ? undefined : outside(file);
      });
    },
  };
}

// ---- what Convex's own bundler does to a few imports ----

function stub(name, filter, contents) {
  return {
    name,
    setup(build) {
      build.onResolve({ filter }, ({ path: wanted }) => ({ path: wanted, namespace: name }));
      build.onLoad({ filter: /.*/, namespace: name }, () => ({ contents, loader: "js" }));
    },
  };
}

const serverOnly = stub("server-only", /^server-only$/, "");
const asyncHooks = stub(
  "async-hooks",
  /^(node:)?async_hooks$/,
  "export const { AsyncLocalStorage, AsyncResource } = globalThis; export default { AsyncLocalStorage, AsyncResource };",
);
const wasm = (allowed) => ({
  name: "wasm",
  setup(build) {
    build.onResolve({ filter: /\.wasm$/ }, async ({ path: wanted, resolveDir, importer, kind, pluginData }) => {
      if (pluginData?.wasm) return undefined;
      const found = await build.resolve(wanted, { resolveDir, importer, kind, pluginData: { wasm: true } });
      return found.errors.length > 0 ? found : { path: found.path, namespace: "wasm" };
    });
    build.onLoad({ filter: /.*/, namespace: "wasm" }, async ({ path: file }) => {
      if (!within(allowed, await realpath(file))) return outside(file);
      const content = (await readFile(file)).toString("base64");
      return {
        contents: `export default new WebAssembly.Module(Uint8Array.from(atob("${content}"), (c) => c.charCodeAt(0)));`,
        loader: "js",
      };
    });
  },
});

// A component's definition requires those of its children: they stay apart, under a name made from their folder.
function childrenPlugin(root, children, allowed) {
  return {
    name: "children",
    setup(build) {
      build.onResolve({ filter: CONFIG_IMPORT }, async ({ path: wanted, resolveDir, importer, kind, pluginData }) => {
        if (kind === "entry-point" || pluginData?.child) return undefined;
        const found = await build.resolve(wanted, { resolveDir, importer, kind, pluginData: { child: true } });
        if (found.errors.length > 0) return { errors: found.errors };
        if (!within(allowed, await realpath(found.path))) return outside(found.path);
        const folder = path.dirname(found.path);
        const required = `./_componentDeps/${Buffer.from(shownPath(root, folder)).toString("base64url")}`;
        children.set(required, { specifier: wanted, folder, config: path.basename(found.path) });
        return { path: required, external: true };
      });
    },
  };
}

// ---- answers ----

function shownPath(root, file) {
  const absolute = path.resolve(root, file);
  const packages = absolute.lastIndexOf(`${path.sep}node_modules${path.sep}`);
  const shown = packages >= 0 ? absolute.slice(packages + 1) : path.relative(root, absolute);
  return shown.split(path.sep).join("/");
}

function problem(root, { text, location, notes }) {
  const builtin = /^Could not resolve "(.+)"$/.exec(text)?.[1];
  return {
    text,
    file: location ? shownPath(root, location.file) : "",
    line: location?.line ?? 0,
    column: location ? location.column + 1 : 0,
    source: location?.lineText ?? "",
    builtin: builtin !== undefined && isBuiltin(builtin) ? builtin : null,
    notes: notes.map((note) => note.text),
  };
}

function mapped(root, outFile, text) {
  const map = JSON.parse(text);
  map.sources = map.sources.map((source) =>
    /^[a-z-]+:/.test(source) ? source : shownPath(root, path.resolve(path.dirname(outFile), source)),
  );
  delete map.sourcesContent;
  return JSON.stringify(map);
}

async function attempt(root, options) {
  try {
    return await esbuild.build({ absWorkingDir: root, logLevel: "silent", write: false, ...options });
  } catch (error) {
    if (!Array.isArray(error.errors)) throw error;
    return { problems: error.errors.map((each) => problem(root, each)) };
  }
}

const COMMON = {
  bundle: true,
  target: "esnext",
  jsx: "automatic",
  treeShaking: true,
  tsconfigRaw: { compilerOptions: {} },
};

async function build({ root, entries, platform, provided, allowed, definition, maxBytes }) {
  const children = new Map();
  const plugins = [serverOnly, ...(platform === "browser" ? [asyncHooks] : [])];
  if (provided) plugins.push(providedPlugin(await exportsOfProvided()));
  if (definition) plugins.push(childrenPlugin(root, children, allowed));
  plugins.push(wasm(allowed), confinedPlugin(allowed));
  const out = path.join(root, "_out");
  const result = await attempt(root, {
    ...COMMON,
    entryPoints: entries,
    platform,
    plugins,
    format: "cjs",
    conditions: ["convex", "module"],
    outdir: out,
    sourcemap: "external",
    sourcesContent: false,
    keepNames: true,
    define: { "process.env.NODE_ENV": '"production"' },
    // A script has no modules to import later: `await import("node:crypto")` becomes a require.
    supported: { "dynamic-import": false },
  });
  if (result.problems) return result;
  const size = result.outputFiles.reduce((sum, file) => sum + file.contents.length, 0);
  if (size > maxBytes) return { tooLarge: size };
  const texts = new Map(result.outputFiles.map((file) => [file.path, file.text]));
  const modules = [...texts.keys()]
    .filter((file) => file.endsWith(".js"))
    .map((file) => ({
      path: path.relative(out, file).split(path.sep).join("/"),
      source: texts.get(file),
      sourceMap: texts.has(`${file}.map`) ? mapped(root, file, texts.get(`${file}.map`)) : null,
    }));
  return { modules, children: Object.fromEntries(children) };
}

async function app({ root, entry, allowed, define, maxBytes }) {
  const result = await attempt(root, {
    ...COMMON,
    entryPoints: [{ in: entry, out: "app" }],
    platform: "browser",
    plugins: [confinedPlugin(allowed)],
    format: "iife",
    outdir: path.join(root, "_out"),
    define,
    loader: Object.fromEntries(
      [".svg", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".ico", ".woff", ".woff2"].map((extension) => [extension, "dataurl"]),
    ),
  });
  if (result.problems) return result;
  const size = result.outputFiles.reduce((sum, file) => sum + file.contents.length, 0);
  if (size > maxBytes) return { tooLarge: size };
  const text = (extension) => result.outputFiles.find((file) => file.path.endsWith(extension))?.text ?? "";
  return { script: text(".js"), style: text(".css") };
}

// What npm itself makes of a dependency's name and range.
function specs({ wanted, pinned }) {
  const parse = fromNpm("npm-package-arg");
  const semver = fromNpm("semver");
  return wanted.map(([name, text]) => {
    try {
      const spec = parse.resolve(name, text);
      const target = spec.subSpec ?? spec;
      const satisfied =
        spec.type === "tag" ? spec.fetchSpec === "latest" : spec.registry === true && semver.satisfies(pinned, spec.fetchSpec);
      return { name, type: spec.type, registry: target.registry === true, pinned: spec.type !== "alias" && satisfied };
    } catch (error) {
      return { name, type: error.code ?? "invalid", registry: false, pinned: false, problem: error.message };
    }
  });
}

const ESBUILD_CRASHED = 70;
const OPERATIONS = { build, app, specs };

async function answer(line) {
  const { id, op, ...request } = JSON.parse(line);
  try {
    return { id, result: await OPERATIONS[op](request) };
  } catch (error) {
    // esbuild's own process has crashed and this one can start no other: whoever asked starts us again.
    if (/^The service (was stopped|is no longer running)/.test(error?.message)) process.exit(ESBUILD_CRASHED);
    return { id, failure: String(error?.stack ?? error) };
  }
}

const lines = createInterface({ input: process.stdin, crlfDelay: Infinity });
lines.on("line", async (line) => process.stdout.write(`${JSON.stringify(await answer(line))}\n`));
lines.on("close", () => process.exit(0));
