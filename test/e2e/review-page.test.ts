// The review page in a real browser, without scripts, on a desk and on a phone; REVIEW_SHOTS=DIR keeps the pictures.
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeTinyFork } from '../../fixtures/histories/tiny-fork.ts';
import { forkSync, repositoriesOf } from '../sync/fork-sync.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const screens = { desk: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } };

let browser: Browser;
beforeAll(async () => {
  browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  });
});
afterAll(() => browser?.close());

const store = (body: string): string =>
  `package store\n\nimport (\n\t"fmt"\n\n\t"example.org/quartz/shared"\n)\n\n// Open opens the Quartz store.\nfunc Open(path string) error {\n\tif !shared.PathExists(path) {\n\t\treturn fmt.Errorf("No store at %q", path)\n\t}\n\n${body}}\n\n// Close closes it.\nfunc Close() error {\n\treturn nil\n}\n`;

/** A queue with a clean pick, one that asks for review, a conflict with what builds on it, and others. */
function makePage(): string {
  const folder = temporaryFolder();
  const numbers = (...without: readonly string[]): string =>
    ['one', 'two', 'three', 'four', 'five', 'six', 'seven', '']
      .filter((line) => !without.includes(line))
      .join('\n');
  const list = (two: string): string => `one\n${two}\nthree\n`;
  const tiny = makeTinyFork(folder, {
    upstream: [
      {
        name: 'store',
        from: 'base',
        time: 1100,
        message: 'store: Look whether the path is true\n',
        files: {
          'quartz/store/store.go': store('\tif shared.IsTrue(path) {\n\t\treturn nil\n\t}\n\n\treturn nil\n'),
        },
      },
      {
        name: 'guide',
        from: 'store',
        time: 1200,
        message: 'doc: A guide to <gems> & Quartz\n',
        files: { 'doc/gems.md': '# Gems\n\nA Quartz server has gems.\n' },
      },
      { name: 'start', from: 'guide', time: 1300, files: { 'list.txt': list('two'), 'half.txt': numbers() } },
      {
        name: 'half',
        from: 'start',
        time: 1350,
        message: 'half: Take two numbers out\n',
        files: { 'half.txt': numbers('two', 'six') },
      },
      {
        name: 'diverged',
        from: 'half',
        time: 1400,
        message: 'list: Another second line\n',
        files: { 'list.txt': list('two of upstream') },
      },
      {
        name: 'builds',
        from: 'diverged',
        time: 1500,
        message: 'list: Mend the second line\n',
        files: { 'list.txt': list('two of upstream, mended') },
      },
      {
        name: 'po',
        from: 'builds',
        time: 1600,
        message: 'i18n: Update translations\n',
        files: { 'po/de.po': 'msgid "b"\n' },
      },
    ],
    fork: [
      {
        name: 'ours',
        from: 'rename',
        time: 2500,
        authorTime: 1300,
        files: { 'list.txt': list('two of the fork'), 'half.txt': numbers('six') },
      },
    ],
  });
  const page = join(folder, 'review.html');
  const branch = `main=${tiny.sha('po')}`;
  const done = forkSync(['report', page, ...repositoriesOf(tiny), '--onto', 'ours', '--branch', branch]);
  expect(done).toMatchObject({ status: 0, stderr: '' });
  return page;
}

async function openPage(file: string, screen: keyof typeof screens): Promise<Page> {
  const context = await browser.newContext({
    javaScriptEnabled: false,
    viewport: screens[screen],
    offline: true,
  });
  const page = await context.newPage();
  await page.goto(`file://${file}`);
  return page;
}

async function shoot(page: Page, name: string): Promise<Buffer> {
  const folder = process.env['REVIEW_SHOTS'];
  return page.screenshot({
    fullPage: true,
    ...(folder === undefined ? {} : { path: join(folder, `${name}.png`) }),
  });
}

describe('the review page', () => {
  it.each(['desk', 'phone'] as const)(
    'filters, shows both differences and fits the screen: %s',
    async (screen) => {
      const page = await openPage(makePage(), screen);

      expect(await page.locator('.pick.clean summary').first().textContent()).toContain(
        'equal after renaming',
      );
      expect(await page.locator('section.v-skipped').isVisible()).toBe(false);
      await page.locator('.pick.clean summary').first().click();
      await page.locator('.pick.review summary').first().click();
      await page.locator('.pick.parked summary').first().click();
      const left = page.locator('.pick.clean .row.same .left').first();
      const right = page.locator('.pick.clean .row.same .right').first();
      expect([await left.isVisible(), await right.isVisible()]).toEqual([screen === 'desk', true]);
      expect(await page.locator('.pick.clean').first().textContent()).toContain('util.IsTrue(path)');
      expect(await page.locator('.pick.review').first().textContent()).toContain('equal after renaming');
      expect(await page.locator('.pick.parked').first().textContent()).toContain('two of the fork');
      // What only one of the two differences has stands out, on its side.
      const half = page.locator('.pick', { hasText: 'half: Take two numbers out' });
      await half.locator('summary').click();
      expect(await half.locator('summary').textContent()).toContain('differs');
      const odd = half.locator('.row.odd pre:not(.none)');
      expect(await odd.allTextContents()).toEqual(['-six']);
      expect(await odd.first().isVisible()).toBe(true);
      const colour = (one: typeof odd) =>
        one.evaluate(
          (element) => element.ownerDocument.defaultView?.getComputedStyle(element).backgroundColor,
        );
      expect(await colour(odd.first())).not.toBe(await colour(half.locator('.row.same .right').first()));
      const picture = await shoot(page, screen);
      expect(picture.length).toBeGreaterThan(20_000);
      const width = await page
        .locator('body')
        .evaluate((body) => [body.scrollWidth, body.ownerDocument.documentElement.clientWidth]);
      expect(width[0]).toBeLessThanOrEqual(width[1] ?? 0);

      await page.locator('label[for=s-parked]').click();
      expect(await page.locator('.pick.clean').first().isVisible()).toBe(false);
      expect(await page.locator('.pick.parked').count()).toBe(2);
      await page.locator('label[for=v-skipped]').click();
      expect(await page.locator('section.v-plan').isVisible()).toBe(false);
      expect(await page.locator('section.v-skipped').textContent()).toContain('i18n: Update translations');
      await page.context().close();
    },
  );
});
