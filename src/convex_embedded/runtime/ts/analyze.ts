// What pushed modules declare. Runs generated code at import time only; the trusted side bounds it.

import { report } from "./errors.ts";
import { Call, type Invoked, type Shared } from "./calls.ts";
import type { Compiled } from "./loader.ts";
import type { Any } from "./realm/hooks.ts";

const ONLY_ACTIONS = "Only actions can be defined in Node.js. " +
  "See https://docs.convex.dev/functions/actions for more details.";
const ANY = { type: "any" };

interface FoundFunction {
  name: string;
  kind: "query" | "mutation" | "action" | "httpAction";
  internal: boolean;
  args: unknown;
  returns: unknown;
}

interface FoundDefinition {
  path: string;
  schema: unknown;
  functions: Record<string, FoundFunction[]>;
  routes: [string, string][] | null;
  crons: unknown;
  definition: unknown;
}

/** The code is refused; the text is for its author. */
export class Refused extends Error {}

export class Analysis {
  readonly #evaluators = new Map<string, (path: string) => Any>();
  readonly #configs = new Map<string, { exported: unknown; name: string | null }>();

  constructor(private readonly shared: Shared, private readonly env: Record<string, string>) {
    shared.loader.childStub = (path) => this.#childStub(path);
  }

  run(): FoundDefinition[] {
    return [...this.shared.loader.definitions.keys()].map((path) => this.#definition(path));
  }

  #definition(path: string): FoundDefinition {
    const { modules } = this.shared.loader.definitions.get(path)!;
    const found: FoundDefinition = {
      path,
      schema: null,
      functions: {},
      routes: null,
      crons: null,
      definition: this.#config(path).exported,
    };
    for (const module of [...modules.values()].sort((a, b) => (a.path < b.path ? -1 : 1))) {
      if (module.path === "convex.config.js") continue;
      const exports = this.#evaluate(path, module);
      this.#read(found, module, exports);
    }
    return found;
  }

  #read(found: FoundDefinition, module: Compiled, exports: Any): void {
    const file = module.path;
    const main = exports?.default;
    if (file === "schema.js") found.schema = JSON.parse(this.#guarded(file, () => exported(file, main, "tables")));
    else {
      if (file === "crons.js") found.crons = JSON.parse(this.#guarded(file, () => exported(file, main, "isCrons")));
      if (file === "http.js") found.routes = this.#guarded(file, () => routes(main));
      found.functions[file] = this.#guarded(file, () => functions(module, exports));
    }
  }

  #evaluate(definition: string, module: Compiled): Any {
    this.shared.writer.line("N", JSON.stringify(shown(definition, module)));
    this.shared.writer.flush();
    const key = `${module.environment} ${definition}`;
    let evaluator = this.#evaluators.get(key);
    if (!evaluator) {
      const about: Invoked = {
        definition,
        kind: "analysis",
        now: Date.now(),
        seed: 0,
        env: this.env,
        tables: {},
        node: module.environment === "node",
      };
      evaluator = this.shared.loader.evaluator(new Call(0, about, this.shared).scope, definition, about.node);
      this.#evaluators.set(key, evaluator);
    }
    return this.#guarded(shown(definition, module), () => evaluator(module.path));
  }

  /** Errors of generated code become refusals that name the file. */
  #guarded<T>(file: string, action: () => T): T {
    try {
      return action();
    } catch (thrown) {
      if (thrown instanceof Refused) throw thrown;
      const { message } = report(thrown, this.shared.loader.locate);
      throw new Refused(`Failed to analyze ${file}: ${message}`);
    }
  }

  /** convex.config.js, evaluated at most once for each definition. */
  #config(path: string): { exported: unknown; name: string | null } {
    const known = this.#configs.get(path);
    if (known) return known;
    const module = this.shared.loader.definitions.get(path)?.modules.get("convex.config.js");
    const config: { exported: unknown; name: string | null } = { exported: null, name: null };
    this.#configs.set(path, config);
    if (!module) return config;
    const main = this.#evaluate(path, module)?.default;
    const file = shown(path, module);
    const kind = path === "" ? "defineApp" : "defineComponent";
    if (typeof main?.export !== "function" || main._isRoot !== (path === "")) {
      throw new Refused(`Failed to analyze ${file}: its default export must be what \`${kind}()\` returned.`);
    }
    config.exported = this.#guarded(file, () => JSON.parse(JSON.stringify(main.export())));
    config.name = typeof main._name === "string" ? main._name : null;
    return config;
  }

  #childStub(path: string): unknown {
    const { name } = this.#config(path);
    const child = { componentDefinitionPath: path, defaultName: name ?? path.split("/").pop() };
    // Bundled from a package of type "module", a default import is the whole module and not its `default`.
    return { __esModule: true, default: child, ...child };
  }
}

/** As the developer knows the file; our own path when the bundler did not say. */
function shown(definition: string, module: Compiled): string {
  return definition === "" ? module.path : `${definition}/${module.path}`;
}

function exported(file: string, main: Any, mark: string): string {
  const source = file.replace(/\.js$/, ".ts");
  if (main === undefined) throw new Refused(`convex/${source} has no default export.`);
  if (typeof main?.export !== "function" || main[mark] === undefined) {
    const wanted = file === "schema.js" ? "a schema made with `defineSchema`" : "cron jobs made with `cronJobs()`";
    throw new Refused(`The default export of convex/${source} must be ${wanted}.`);
  }
  return main.export();
}

function routes(router: Any): [string, string][] {
  if (router === undefined) {
    throw new Refused("The `http` file (convex/http.ts) must have a default export of a Router.");
  }
  if (router?.isRouter !== true || typeof router.getRoutes !== "function") {
    throw new Refused(
      "The default export of `convex/http.ts` is not a Router. It must be what `httpRouter()` returned.",
    );
  }
  return [...router.getRoutes()].map(([path, method]: [string, string]) => [String(path), String(method)]);
}

function functions(module: Compiled, exports: Any): FoundFunction[] {
  const found: FoundFunction[] = [];
  if (typeof exports !== "object" && typeof exports !== "function" || exports === null) return found;
  for (const name of Object.keys(exports)) {
    const one = exports[name];
    const kind = kindOf(one);
    if (kind === null) continue;
    if (module.environment === "node" && (kind === "query" || kind === "mutation")) {
      const word = kind === "query" ? "Query" : "Mutation";
      throw new Refused(`\`${name}\` defined in \`${module.path}\` is a ${word} function. ${ONLY_ACTIONS}`);
    }
    const internal = one.isInternal === true;
    if (kind !== "httpAction" && !internal && one.isPublic !== true) continue;
    found.push({ name, kind, internal, args: validator(one.exportArgs), returns: validator(one.exportReturns) });
  }
  return found;
}

function kindOf(one: Any): FoundFunction["kind"] | null {
  if (typeof one !== "function" && (typeof one !== "object" || one === null)) return null;
  if (one.isQuery === true) return "query";
  if (one.isMutation === true) return "mutation";
  if (one.isAction === true) return "action";
  return one.isHttp === true ? "httpAction" : null;
}

function validator(exportOf: Any): unknown {
  return typeof exportOf === "function" ? JSON.parse(exportOf()) ?? ANY : ANY;
}
