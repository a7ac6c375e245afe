"""The text of what codegen writes: `_generated` files and compiler settings. Pure: names in, text out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

_HEADER = "/* eslint-disable */\n/** Generated for this project; changes are lost. @module */\n"

_DATA_MODEL = """\
import type {
  DataModelFromSchemaDefinition, DocumentByName, SystemTableNames, TableNamesInDataModel,
} from "convex/server";
import type { GenericId } from "convex/values";
import schema from "../schema.js";

export type DataModel = DataModelFromSchemaDefinition<typeof schema>;
export type TableNames = TableNamesInDataModel<DataModel>;
export type Doc<TableName extends TableNames> = DocumentByName<DataModel, TableName>;
export type Id<TableName extends TableNames | SystemTableNames> = GenericId<TableName>;
"""

_DATA_MODEL_WITHOUT_SCHEMA = """\
import type { AnyDataModel } from "convex/server";
import type { GenericId } from "convex/values";

export type DataModel = AnyDataModel;
export type TableNames = string;
export type Doc = any;
export type Id<TableName extends TableNames = TableNames> = GenericId<TableName>;
"""

_SERVER_JS = """\
import {
  actionGeneric, httpActionGeneric, internalActionGeneric, internalMutationGeneric, internalQueryGeneric,
  mutationGeneric, queryGeneric,
} from "convex/server";

export const query = queryGeneric;
export const internalQuery = internalQueryGeneric;
export const mutation = mutationGeneric;
export const internalMutation = internalMutationGeneric;
export const action = actionGeneric;
export const internalAction = internalActionGeneric;
export const httpAction = httpActionGeneric;
export const env = process.env;
"""

_SERVER_TYPES = """\
import type {
  ActionBuilder, GenericActionCtx, GenericDatabaseReader, GenericDatabaseWriter, GenericMutationCtx, GenericQueryCtx,
  HttpActionBuilder, MutationBuilder, QueryBuilder,
} from "convex/server";
import type { DataModel } from "./dataModel.js";

export declare const query: QueryBuilder<DataModel, "public">;
export declare const internalQuery: QueryBuilder<DataModel, "internal">;
export declare const mutation: MutationBuilder<DataModel, "public">;
export declare const internalMutation: MutationBuilder<DataModel, "internal">;
export declare const action: ActionBuilder<DataModel, "public">;
export declare const internalAction: ActionBuilder<DataModel, "internal">;
export declare const httpAction: HttpActionBuilder;
export type QueryCtx = GenericQueryCtx<DataModel>;
export type MutationCtx = GenericMutationCtx<DataModel>;
export type ActionCtx = GenericActionCtx<DataModel>;
export type DatabaseReader = GenericDatabaseReader<DataModel>;
export type DatabaseWriter = GenericDatabaseWriter<DataModel>;

type Platform = { readonly CONVEX_CLOUD_URL: string; readonly CONVEX_SITE_URL: string };
"""

_ENV = "export declare const env: Platform;\n"
_ENV_OF_DEFINITION = """\
import type { EnvDefinition, EnvFromDefinition } from "convex/server";
import type definition from "../convex.config.js";
type Declared<Env extends EnvDefinition> = string extends keyof Env ? {} : Readonly<EnvFromDefinition<Env>>;
export declare const env: Declared<(typeof definition)["__env"]> & Platform;
"""

_API_JS = """\
import { anyApi, componentsGeneric } from "convex/server";

export const api = anyApi;
export const internal = anyApi;
export const components = componentsGeneric();
"""

# What a parent sees of a component: its public functions, callable from inside only, with plain strings for ids.
_COMPONENT = """\
import type { FunctionReference } from "convex/server";
import type { api } from "./api.js";

type Outside<T> = T extends string ? (string extends T ? string : T extends { __tableName: any } ? string : T)
  : T extends ArrayBuffer ? T
  : T extends (infer Item)[] ? Outside<Item>[]
  : T extends object ? { [Key in keyof T]: Outside<T[Key]> }
  : T;
type Exposed<Tree, Name extends string | undefined> = {
  [Key in keyof Tree]: Tree[Key] extends FunctionReference<infer Kind, "public", infer Args, infer Returns, any>
    ? FunctionReference<Kind, "internal", Outside<Args>, Outside<Returns>, Name>
    : Exposed<Tree[Key], Name>;
};
export type ComponentApi<Name extends string | undefined = string | undefined> = Exposed<typeof api, Name>;
"""

APP_ENVIRONMENT = """\
/* What the bundler of the app defines and accepts, for projects without vite's own types. */
interface ImportMetaEnv { readonly [name: string]: any }
interface ImportMeta { readonly env: ImportMetaEnv }
declare module "*.css" {}
declare module "*.svg" { const url: string; export default url; }
declare module "*.png" { const url: string; export default url; }
"""

_COMPILER = {
    "allowJs": True,
    "strict": True,
    "module": "ESNext",
    "moduleResolution": "Bundler",
    "target": "ESNext",
    "jsx": "react-jsx",
    "skipLibCheck": True,
    "allowSyntheticDefaultImports": True,
    "forceConsistentCasingInFileNames": True,
    "isolatedModules": True,
    "noEmit": True,
    "noUncheckedSideEffectImports": False,
    "types": ["*"],
}


def data_model(*, has_schema: bool) -> str:
    """dataModel.d.ts"""
    return _HEADER + (_DATA_MODEL if has_schema else _DATA_MODEL_WITHOUT_SCHEMA)


def server_js() -> str:
    """server.js"""
    return _HEADER + _SERVER_JS


def server_types(*, has_definition: bool) -> str:
    """server.d.ts; the variables that a convex.config file declares are typed by it."""
    return _HEADER + _SERVER_TYPES + (_ENV_OF_DEFINITION if has_definition else _ENV)


def api_js() -> str:
    """api.js"""
    return _HEADER + _API_JS


def api_types(modules: Sequence[str], components: Mapping[str, str]) -> str:
    """api.d.ts for module paths without extension, and for component name → type of its interface."""
    imports = [f'import type * as module{at} from "../{path}.js";' for at, path in enumerate(modules)]
    tree = [f"  {json.dumps(path)}: typeof module{at};" for at, path in enumerate(modules)]
    children = [f"  {json.dumps(name)}: {kind};" for name, kind in components.items()]
    lines = [
        'import type { ApiFromModules, FilterApi, FunctionReference } from "convex/server";',
        *imports,
        "",
        "declare const fullApi: ApiFromModules<{",
        *tree,
        "}>;",
        'export declare const api: FilterApi<typeof fullApi, FunctionReference<any, "public">>;',
        'export declare const internal: FilterApi<typeof fullApi, FunctionReference<any, "internal">>;',
        "export declare const components: {",
        *children,
        "};",
        "",
    ]
    return _HEADER + "\n".join(lines)


def component_types() -> str:
    """component.d.ts"""
    return _HEADER + _COMPONENT


def functions_tsconfig() -> str:
    """tsconfig.json of the functions folder."""
    return _settings(["ES2023", "dom"], include=["./**/*"], exclude=["./_generated"])


def app_tsconfig(functions: str) -> str:
    """tsconfig.json of the project, for everything outside of the functions folder."""
    return _settings(["ES2023", "dom", "dom.iterable"], include=["./**/*"], exclude=["node_modules", functions])


def _settings(lib: Sequence[str], *, include: Sequence[str], exclude: Sequence[str]) -> str:
    compiler = {**_COMPILER, "lib": list(lib)}
    return json.dumps({"compilerOptions": compiler, "include": include, "exclude": exclude}, indent=2) + "\n"
