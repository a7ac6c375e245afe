// The pushed modules: compiled once, evaluated afresh in every realm that asks.

import { AsyncLocalStorage } from "node:async_hooks";
import process from "node:process";
import vm from "node:vm";
import { SCRIPT_NAME } from "./errors.ts";
import type { Any, Realm } from "./realm/hooks.ts";
import { SourceMap } from "./sourcemap.ts";
import type { Definition, ModuleSource } from "./wire.ts";
import BROWSER_SOURCE from "browser-source";
import PROVIDED_SOURCE from "provided-source";
import REALM_SOURCE from "realm-source";

const HEAD = "(function (exports, require, module) {\n";
const TAIL = "\n})";

export interface Scope extends Realm {
  context: vm.Context;
  /** The npm package's entry points, once evaluated here. */
  provided: Record<string, Any>;
}

const realmScript = new vm.Script(REALM_SOURCE, { filename: "convex-realm" });

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
  readonly #provided = script(PROVIDED_SOURCE, "convex-provided");
  #browser: vm.Script | null = null;
  #spare: Scope | null = null;
  #childStub: ChildStub = (definitionPath) => ({ default: { componentDefinitionPath: definitionPath } });

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
  evaluator(scope: Scope, definitionPath: string, node: boolean): (path: string) => Any {
    const definition = this.definitions.get(definitionPath);
    const loaded = new Map<string, { exports: Any }>();
    const evaluate = (path: string): Any => {
      const known = loaded.get(path);
      if (known) return known.exports;
      const compiled = definition?.modules.get(path);
      if (!compiled) throw new Error(`Could not find module '${path}'`);
      const module = { exports: {} as Any };
      loaded.set(path, module);
      this.#wrapped(compiled).runInContext(scope.context, QUIET)(module.exports, requireFrom(path), module);
      return module.exports;
    };
    const requireFrom = (from: string) => (name: string): Any => {
      if (Object.hasOwn(scope.provided, name)) return scope.provided[name];
      if (name === "convex/browser") return this.#provideBrowser(scope);
      const child = definition?.children[name];
      if (child !== undefined) return this.#childStub(child);
      const sibling = resolved(from, name);
      if (sibling !== null && definition?.modules.has(sibling)) return evaluate(sibling);
      const builtin = node ? process.getBuiltinModule(name as Any) : undefined;
      if (builtin !== undefined) return builtin;
      throw new Error(`Cannot find module '${name}'`);
    };
    return evaluate;
  }

  #wrapped(compiled: Compiled): vm.Script {
    return compiled.script ??= script(compiled.source, SCRIPT_NAME + compiled.index);
  }

  /** A fresh realm with the npm package in it; the spare one if there is one. */
  scope(): Scope {
    const scope = this.#spare ?? this.#fresh();
    this.#spare = null;
    return scope;
  }

  /** Makes the next realm ahead of its call. */
  prepare(): void {
    this.#spare ??= this.#fresh();
  }

  #fresh(): Scope {
    const context = vm.createContext(vm.constants.DONT_CONTEXTIFY as Any);
    const realm: Realm = realmScript.runInContext(context, QUIET)(globalThis, AsyncLocalStorage);
    return { ...realm, context, provided: evaluated(this.#provided, context) };
  }

  #provideBrowser(scope: Scope): Any {
    this.#browser ??= script(BROWSER_SOURCE, "convex-provided");
    return scope.provided["convex/browser"] = evaluated(this.#browser, scope.context);
  }
}

function script(source: string, filename: string): vm.Script {
  return new vm.Script(HEAD + source + TAIL, { filename, lineOffset: -1 });
}

/** What one of the npm package's scripts exports. */
function evaluated(provided: vm.Script, context: vm.Context): Any {
  const module = { exports: {} as Any };
  provided.runInContext(context, QUIET)(module.exports, undefined, module);
  return module.exports;
}

export const QUIET = { displayErrors: false };

/** "./x.js" or "../x" as seen from a module; null for a package's name. */
function resolved(from: string, name: string): string | null {
  if (!name.startsWith("./") && !name.startsWith("../")) return null;
  const path = new URL(name, "file:///" + from).pathname.slice(1);
  return path.endsWith(".js") ? path : path + ".js";
}
