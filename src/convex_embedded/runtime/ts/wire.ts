// What crosses the pipe. One message a line: a head of words, a tab, a payload that is JSON (often passed on unparsed).
// To the runtime:  m=modules z=analyse i=interned value c=call a=answer x=refusal k=drop p=ping
// From the runtime: A=analysis F=refused code S=syscall L=log V=value H=http response E=error T=turn P=pong

export type Kind = "query" | "mutation" | "action" | "httpAction" | "analysis";

export interface ModuleSource {
  path: string;
  source: string;
  environment: "isolate" | "node";
  map: string | null;
  original: string | null;
}

export interface Definition {
  path: string;
  children: Record<string, string>;
  modules: ModuleSource[];
}

export interface Pushed {
  definitions: Definition[];
  env: Record<string, string>;
  logLines: number;
  logLineBytes: number;
}

export interface HttpRequest {
  method: string;
  url: string;
  headers: [string, string][];
  body: string;
}

export interface CallMessage {
  definition: string;
  module: string;
  export: string;
  kind: Kind;
  args: unknown;
  now: number;
  seed: number;
  env: number;
  tables: number;
  request: HttpRequest | null;
}

/** What leaves for an error: `frames` are mapped already. */
export interface ErrorReport {
  message: string;
  hasData: boolean;
  data: unknown;
}
