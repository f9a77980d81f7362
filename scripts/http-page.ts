/** What of an OpenAPI document the page of the HTTP API shows. */
export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

interface Operation {
  readonly summary?: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly required?: boolean;
    readonly description?: string;
    readonly schema: Schema;
  }[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}
type Content = Readonly<Record<string, { readonly schema?: Schema }>>;

interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly description?: string;
  readonly default?: unknown;
}

/** The page that lists every route, from the description that the server itself gives at `/api/openapi.json`. */
export function httpPage({ paths }: ApiDocument): string {
  const lines = [
    "# The HTTP API",
    "",
    "What `clip-interpret serve` answers. It is written from the server's own description by `npm run docs:http`, and a test holds",
    "the two equal. The whole description, with every field of every answer, is at `/api/openapi.json` (OpenAPI 3.1). Answers have the",
    'shape that the command of the same name prints with `--json`. What fails says `{"error": {"code", "message", …}}` with a',
    "[stable code](errors.md); how to start the server, tokens and limits are in [the web app and its API](app.md#the-server).",
  ];
  for (const [path, methods] of Object.entries(paths))
    for (const [method, operation] of Object.entries(methods)) {
      lines.push("", `## ${method.toUpperCase()} ${path}`, "", `${operation.summary}.`);
      const asked = [...parametersOf(operation), ...bodyOf(operation)];
      if (asked.length > 0) lines.push("", "| asked | | |", "| --- | --- | --- |", ...asked);
      lines.push("", `Answers with ${answerOf(operation)}.`);
    }
  return `${lines.join("\n")}\n`;
}

const parametersOf = ({ parameters = [] }: Operation) =>
  parameters.map(({ name, required, description, schema }) =>
    row(name, schema, required === true, description ?? schema.description),
  );

function bodyOf({ requestBody }: Operation): string[] {
  const [type, media] = Object.entries(requestBody?.content ?? {})[0] ?? [];
  if (type === undefined) return [];
  if (type !== "application/json") return [`| the body | the file | ${type} |`];
  return shapesOf(media?.schema).flatMap(({ properties = {}, required = [] }) =>
    Object.entries(properties).map(([name, schema]) =>
      row(name, schema, required.includes(name) && schema.default === undefined, schema.description),
    ),
  );
}

const shapesOf = (schema: Schema | undefined): readonly Schema[] => schema?.anyOf ?? (schema ? [schema] : []);

const row = (name: string, schema: Schema, required: boolean, description = "") => {
  const otherwise = schema.default === undefined ? "" : `, default ${JSON.stringify(schema.default)}`;
  const type = `${typeOf(schema)}${required ? "" : ", optional"}${otherwise}`;
  return `| \`${name}\` | ${escaped(type)} | ${escaped(description)} |`;
};

function typeOf({ type, anyOf, items, properties, ...rest }: Schema): string {
  if (rest.const !== undefined) return JSON.stringify(rest.const);
  if (rest.enum) return rest.enum.map((value) => JSON.stringify(value)).join(" or ");
  if (anyOf) return [...new Set(anyOf.map(typeOf))].join(" or ");
  if (items) return `list of ${typeOf(items)}`;
  if (properties) return `{${Object.keys(properties).join(", ")}}`;
  return typeof type === "string" ? type : (type ?? ["anything"]).join(" or ");
}

function answerOf({ responses }: Operation): string {
  const [type, media] = Object.entries(responses["200"]?.content ?? {})[0] ?? [];
  if (type === undefined) return "nothing but its status";
  const fields = shapesOf(media?.schema).flatMap(({ properties = {} }) => Object.keys(properties));
  return fields.length === 0 ? `\`${type}\`` : [...new Set(fields)].map((name) => `\`${name}\``).join(", ");
}

const escaped = (text: string) => text.replaceAll("|", "\\|").replaceAll("<", "&lt;").replace(/\s+/g, " ");
