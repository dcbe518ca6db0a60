// The file of an open database, where SQLite gives one and where it does not.
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { databaseImage } from '../../src/core/database-image.ts';
import { temporaryFolder } from '../temporary-folder.ts';

function opened(): Database.Database {
  const db = new Database(join(temporaryFolder(), 'one.db'));
  onTestFinished(() => void db.close());
  return db;
}

test('is what was written', () => {
  const db = opened();
  db.exec('CREATE TABLE kept (value TEXT); INSERT INTO kept VALUES (1)');

  const image = databaseImage(db);

  const copy = new Database(image);
  onTestFinished(() => void copy.close());
  expect(copy.prepare('SELECT value FROM kept').pluck().get()).toBe('1');
});

test('is empty where nothing was written', () => {
  expect(databaseImage(opened())).toEqual(Buffer.alloc(0));
});

test('is none where SQLite gives none, which it calls out of memory; any other error comes through', () => {
  const [damaged, other] = ['Out of memory', 'another'].map((message) => {
    const db = opened();
    db.exec('CREATE TABLE kept (value TEXT)');
    db.serialize = () => {
      throw new Error(message);
    };
    return db;
  });

  expect(damaged && databaseImage(damaged)).toBeUndefined();
  expect(() => other && databaseImage(other)).toThrow('another');
});
