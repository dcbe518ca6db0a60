// Parses values that come from outside of this program: files that people or other versions of it wrote.
import type * as z from 'zod';

/** A field that JSON leaves out where it is undefined; in the parsed value it is always there. */
export function maybe<T extends z.ZodType>(schema: T) {
  return schema.optional().transform((value) => value);
}

/** Text that is to be JSON of a shape. @returns why it is not, in one line without any value of it */
export function parseJson<T>(
  schema: z.ZodType<T>,
  text: string,
): { readonly value: T } | { readonly why: string } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { why: 'it is not JSON' };
  }
  return parseValue(schema, json);
}

export function parseValue<T>(
  schema: z.ZodType<T>,
  value: unknown,
): { readonly value: T } | { readonly why: string } {
  const parsed = schema.safeParse(value);
  return parsed.success ? { value: parsed.data } : { why: whyNot(parsed.error) };
}

/** The first thing that is wrong, with the place where it is; values may be confidential and are left out. */
function whyNot(error: z.ZodError): string {
  const [issue] = error.issues;
  if (issue === undefined) return 'it has another form';
  const place = issue.path.length === 0 ? 'it' : issue.path.map(String).join('.');
  switch (issue.code) {
    case 'invalid_type':
      return `${place} is not of type ${issue.expected}`;
    case 'unrecognized_keys':
      return `${place} has a field that is not known: ${issue.keys.slice(0, 3).join(', ')}`;
    case 'invalid_value':
      return `${place} is none of ${issue.values.slice(0, 8).map(String).join(', ')}`;
    default:
      return `${place} is not as it should be`;
  }
}
