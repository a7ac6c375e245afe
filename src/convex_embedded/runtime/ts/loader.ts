// The pushed modules: compiled once, evaluated afresh in every realm that asks.

import process from "node:process";
import vm from "node:vm";
import { SCRIPT_NAME } from "./errors.ts";
import type { Any, Realm } from "./realm/hooks.ts";
import { SourceMap } from "./sourcemap.ts";
import type { Definition, ModuleSource } from "./wire.ts";

const HEAD = "(function (exports, require, module) {\n";
const TAIL = "\n})";
const PROVIDED = new Set(["convex/server", "convex/values", "convex/browser"]);

export interface Scope extends Realm {
  context: vm.Context;
  node: boolean;
}

export interface Compiled extends ModuleSource {
  index: number;
  sourceMap: SourceMap;
  script: vm.Script | null;
}

/** What `require` of a child's convex.config answers. */
export type ChildStub = (definitionPath: string) => unknown;

export class Loader {
  readonly definitions = new Map<string, { children: Record<string, string>; modules: Map<string, Compiled> }>();
  readonly #all: Compiled[] = [];
  readonly #provided: vm.Script;
  #childStub: ChildStub = (definitionPath) => ({ default: { componentDefinitionPath: definitionPath } });

  constructor(providedSource: string) {
    this.#provided = new vm.Script(HEAD + providedSource + TAIL, { filename: "convex-provided", lineOffset: -1 });
  }

  add(definition: Definition): void {
    const modules = new Map<string, Compiled>();
    for (const source of definition.modules) {
      const index = this.#all.length;
      const compiled = { ...source, index, sourceMap: new SourceMap(source.map, source.original), script: null };
      this.#all.push(compiled);
      modules.set(source.path, compiled);
    }
    this.definitions.set(definition.path, { children: definition.children, modules });
  }

  set childStub(stub: ChildStub) {
    this.#childStub = stub;
  }

  readonly locate = (index: number, line: number, column: number): string | null => {
    const place = this.#all[index]?.sourceMap.find(line, column);
    return place ? `${place.file}:${place.line}:${place.column}` : null;
  };

  /** A `require` that evaluates each module at most once in its scope. */
  evaluator(scope: Scope, definitionPath: string): (path: string) => Any {
    const definition = this.definitions.get(definitionPath);
    const loaded = new Map<string, { exports: Any }>();
    let provided: Record<string, () => Any> | null = null;
    const evaluate = (path: string): Any => {
      const known = loaded.get(path);
      if (known) return known.exports;
      const compiled = definition?.modules.get(path);
      if (!compiled) throw new Error(`Could not find module '${path}'`);
      const module = { exports: run(scope, "({})") as Any };
      loaded.set(path, module);
      this.#wrapped(compiled).runInContext(scope.context, QUIET)(module.exports, requireFrom(path), module);
      return module.exports;
    };
    const requireFrom = (from: string) => (name: string): Any => {
      if (PROVIDED.has(name)) {
        provided ??= this.#provide(scope);
        return provided[name]();
      }
      const child = definition?.children[name];
      if (child !== undefined) return this.#childStub(child);
      const sibling = resolved(from, name);
      if (sibling !== null && definition?.modules.has(sibling)) return evaluate(sibling);
      const builtin = scope.node ? process.getBuiltinModule(name as Any) : undefined;
      if (builtin !== undefined) return builtin;
      throw new Error(`Cannot find module '${name}'`);
    };
    return evaluate;
  }

  #wrapped(compiled: Compiled): vm.Script {
    return compiled.script ??= new vm.Script(HEAD + compiled.source + TAIL, {
      filename: SCRIPT_NAME + compiled.index,
      lineOffset: -1,
    });
  }

  #provide(scope: Scope): Record<string, () => Any> {
    const module = { exports: {} as Any };
    const require = (name: string) => {
      throw new Error(`Cannot find module '${name}'`);
    };
    this.#provided.runInContext(scope.context, QUIET)(module.exports, require, module);
    return module.exports;
  }
}

export const QUIET = { displayErrors: false };

const scripts = new Map<string, vm.Script>();

/** Evaluates a short text of ours in a scope. */
function run(scope: Scope, text: string): unknown {
  let script = scripts.get(text);
  if (!script) scripts.set(text, script = new vm.Script(text, { filename: "convex-realm" }));
  return script.runInContext(scope.context, QUIET);
}

/** "./x.js" or "../x" as seen from a module; null for a package's name. */
function resolved(from: string, name: string): string | null {
  if (!name.startsWith("./") && !name.startsWith("../")) return null;
  const path = new URL(name, "file:///" + from).pathname.slice(1);
  return path.endsWith(".js") ? path : path + ".js";
}
