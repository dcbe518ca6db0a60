// An inventory whose confidential values cannot be read any more, for every output, log and report.
import { showValue } from '../../core/secret.ts';
import type { Config, Inventory } from '../model/inventory.ts';

/** Fields of an inventory that hold keys and values, and those that hold several such sets by name. */
const configFields: ReadonlySet<string> = new Set(['config', 'properties']);
const configSetFields: ReadonlySet<string> = new Set(['devices', 'memberConfig']);

export function redactInventory(inventory: Inventory): Inventory {
  return redact(inventory) as Inventory;
}

function redact(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redact);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([field, content]: [string, unknown]) => [field, redactField(field, content)]),
  );
}

function redactField(field: string, content: unknown): unknown {
  if (typeof content !== 'object' || content === null) return content;
  if (configFields.has(field)) return redactConfig(content as Config);
  if (configSetFields.has(field)) {
    return Object.fromEntries(
      Object.entries(content as Readonly<Record<string, Config>>).map(([name, config]) => [
        name,
        redactConfig(config),
      ]),
    );
  }
  return redact(content);
}

export function redactConfig(config: Config): Config {
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [key, showValue(key, value)]));
}
