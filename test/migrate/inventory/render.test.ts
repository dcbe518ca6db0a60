// What `inspect` shows and, above all, what it does not.
import { expect, test } from 'vitest';
import { readInventory } from '../../../src/migrate/inventory/database/read-inventory.ts';
import { inventoryJson, inventoryText } from '../../../src/migrate/inventory/render.ts';
import type { Config, Inventory } from '../../../src/migrate/model/inventory.ts';
import { smallServer } from './small-server.ts';

test('the table names every object', () => {
  const text = inventoryText(readInventory(smallServer()));

  expect(text).toMatch(
    /^Schema 60: 3 instances, 1 custom volume, 1 image, 2 networks, 1 storage pool, 2 projects\.$/m,
  );
  expect(text).toMatch(/^ {2}default {2}c1 {4}container +default web +1 +1 +none +2026-11-23$/m);
  expect(text).toMatch(/^ {2}instance default\/c1 +limits\.cpu$/m);
  expect(text).toMatch(/^ {2}default {2}web-acl {2}allow 80 tcp enabled$/m);
});

/** Plants a marked secret under a confidential key of every set of keys and values. */
function withSecrets(inventory: Inventory): { planted: Inventory; count: number } {
  let count = 0;
  const plant = (value: unknown, field: string): unknown => {
    if (Array.isArray(value)) return value.map((item) => plant(item, field));
    if (typeof value !== 'object' || value === null) return value;
    const mapped = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plant(item, key)]));
    if (!['config', 'properties', 'root', 'home', 'none'].includes(field)) return mapped;
    const keys = ['user.note', 'environment.X', 'raw.lxc', 'loki.auth.password', 'peers.x.key', 'a.token'];
    const secrets: Config = Object.fromEntries(keys.map((key) => [key, `SECRET-${count++}-${key}`]));
    return { ...mapped, ...secrets };
  };
  return { planted: plant(inventory, '') as Inventory, count };
}

test('no output shows a confidential value unless it was asked for', () => {
  const second = "INSERT INTO nodes VALUES (2, 'm2', '', '10.0.0.2:8443', 60, 318, 2, NULL)";
  const { planted, count } = withSecrets(readInventory(smallServer(second)));

  const outputs = [inventoryText(planted), inventoryJson(planted)];

  expect(count).toBeGreaterThan(60);
  for (const output of outputs) {
    expect(output).not.toContain('SECRET-');
    expect(output).toContain('bytes, sha256');
  }
  expect(inventoryText(planted, { showValues: true })).toContain('SECRET-0');
  expect(JSON.parse(inventoryJson(planted, { showValues: true }))).toEqual(
    JSON.parse(JSON.stringify(planted)),
  );
});

test('hostile names cannot reach the terminal', () => {
  const text = inventoryText(
    readInventory(
      smallServer("UPDATE instances SET name = 'x' || char(27) || '[2J' || char(10) || 'y' WHERE id = 1"),
    ),
  );

  expect(text).not.toContain('\u001b');
  expect(text).toContain('x\\u{1b}[2J\\u{a}y');
});
