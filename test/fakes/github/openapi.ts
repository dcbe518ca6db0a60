// GitHub's own description of its interface, as a judge of requests and answers.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';

interface Schema {
  readonly [key: string]: unknown;
}

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly schema: Schema;
}

interface Operation {
  readonly parameters?: readonly unknown[];
  readonly requestBody?: {
    readonly required?: boolean;
    readonly content: Readonly<Record<string, { readonly schema: Schema }>>;
  };
  readonly responses: Readonly<Record<string, unknown>>;
}

interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

export interface Judge {
  /** What is wrong with a request; nothing for a right one. */
  request(route: string, request: JudgedRequest): readonly string[];
  response(route: string, status: number, body: unknown): readonly string[];
}

export interface JudgedRequest {
  readonly path: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: unknown;
}

/** Who asks, limits and gateways: answered for every operation, whatever its description lists. */
const anywhere: readonly number[] = [401, 403, 404, 429, 500, 502];

let judge: Judge | undefined;

/** Read once a process: the description is 13 MB. */
export function openJudge(): Judge {
  judge ??= makeJudge();
  return judge;
}

function makeJudge(): Judge {
  const path = createRequire(import.meta.url).resolve('@octokit/openapi/generated/api.github.com.json');
  const description = JSON.parse(readFileSync(path, 'utf8'));
  // Ours to trust: the package's format is OpenAPI 3.0.
  const { paths } = description as Description;
  // Each schema is used a few times: code that is made fast is worth more than code that runs fast.
  const fastToMake = { inlineRefs: false, code: { optimize: false } };
  const ajv = new Ajv({
    strict: false,
    validateSchema: false,
    allErrors: true,
    logger: false,
    ...fastToMake,
  });
  addFormats.default(ajv);
  const known = new Map<string, ValidateFunction>();
  const lookUp = (reference: string): unknown =>
    reference
      .slice(2)
      .split('/')
      .reduce((inner: unknown, name) => (inner as Schema)[name], description);
  const resolve = (value: unknown): unknown =>
    typeof value === 'object' && value !== null && '$ref' in value ? lookUp(String(value.$ref)) : value;
  const added = new Set<string>();
  /** Each under a name of its own, so that what many operations share is compiled once. */
  const addComponent = (reference: string): string => {
    const name = reference.slice(reference.lastIndexOf('/') + 1);
    if (!added.has(name)) {
      added.add(name);
      ajv.addSchema(plainSchema(lookUp(reference), addComponent) as Schema, name);
    }
    return name;
  };
  const compile = (key: string, schema: unknown): ValidateFunction => {
    const before = known.get(key);
    if (before !== undefined) return before;
    const made = ajv.compile(plainSchema(schema, addComponent) as Schema);
    known.set(key, made);
    return made;
  };
  const check = (key: string, schema: unknown, value: unknown): readonly string[] => {
    const validate = compile(key, schema);
    if (validate(value) === true) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) =>
        `${key}${instancePath}: ${message ?? ''} ${JSON.stringify(params)}`,
    );
  };
  const operationOf = (route: string): Operation => {
    const [method = '', template = ''] = route.split(' ');
    const found = paths[template]?.[method.toLowerCase()];
    if (found === undefined) throw new Error(`GitHub's description has no ${route}`);
    return found;
  };

  return {
    request(route, request) {
      const operation = operationOf(route);
      const parameters = (operation.parameters ?? []).map((parameter) => resolve(parameter) as Parameter);
      const errors: string[] = [];
      const values = { path: request.path, query: Object.fromEntries(request.query) };
      for (const place of ['path', 'query'] as const) {
        const here = parameters.filter((parameter) => parameter.in === place);
        for (const name of Object.keys(values[place]))
          if (!here.some((parameter) => parameter.name === name))
            errors.push(`${route}: there is no ${place} parameter ${name}`);
        for (const parameter of here) {
          const value = values[place][parameter.name];
          if (value === undefined) {
            if (parameter.required === true) errors.push(`${route}: ${parameter.name} is missing`);
            continue;
          }
          const schema = resolve(parameter.schema) as Schema;
          const typed = schema['type'] === 'integer' ? Number(value) : value;
          errors.push(...check(`${route} ${place} ${parameter.name}`, schema, typed));
        }
      }
      const body = operation.requestBody?.content['application/json'];
      if (body === undefined) {
        if (request.body !== undefined) errors.push(`${route}: no body belongs here`);
        return errors;
      }
      if (request.body === undefined)
        return operation.requestBody?.required === true
          ? [...errors, `${route}: the body is missing`]
          : errors;
      errors.push(...check(`${route} body`, body.schema, request.body));
      const properties = (resolve(body.schema) as { readonly properties?: Schema }).properties;
      if (properties !== undefined)
        for (const key of Object.keys(request.body as Schema))
          if (!Object.hasOwn(properties, key)) errors.push(`${route}: the body has no key ${key}`);
      return errors;
    },
    response(route, status, body) {
      const found = operationOf(route).responses[String(status)];
      if (found === undefined) {
        if (!anywhere.includes(status)) return [`${route}: GitHub never answers ${status} here`];
        // A gateway answers with a page, if with anything.
        if (status >= 500 && (body === undefined || typeof body === 'string')) return [];
        const error = { allOf: [{ $ref: '#/components/schemas/basic-error' }, { required: ['message'] }] };
        return check(`${route} ${status}`, error, body);
      }
      const { content } = resolve(found) as {
        readonly content?: Record<string, { readonly schema: unknown }>;
      };
      const schema = content?.['application/json']?.schema;
      if (schema === undefined) return body === undefined ? [] : [`${route} ${status}: no body belongs here`];
      return check(`${route} ${status}`, schema, body);
    },
  };
}

/** OpenAPI 3.0 as JSON Schema: references by the names of what they name, `nullable` as a choice with null. */
function plainSchema(value: unknown, nameOf: (reference: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => plainSchema(item, nameOf));
  if (typeof value !== 'object' || value === null) return value;
  if ('$ref' in value && typeof value.$ref === 'string') return { $ref: nameOf(value.$ref) };
  const { nullable, example: _one, examples: _many, ...rest } = value as Schema;
  const plain = Object.fromEntries(
    Object.entries(rest).map(([key, inner]) => [key, plainSchema(inner, nameOf)]),
  );
  return nullable === true ? { anyOf: [{ type: 'null' }, plain] } : plain;
}
