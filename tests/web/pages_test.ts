// The web pages in a real browser.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { chromium, type Browser, type Page } from 'playwright-core';
import { baseUrl, clients, program, twoSteps } from './potok.js';

const { runs } = clients(true);
let browser: Browser;

before(async () => {
  // The sandbox of the browser cannot be set up by root.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  browser = await chromium.launch({ executablePath: process.env['POTOK_BROWSER'] ?? '/usr/bin/chromium', args });
});
after(() => browser.close());

function link(): string {
  return execFileSync(program, ['web'], { encoding: 'utf8' }).trim();
}

// A page of a browser that is signed in, and what went wrong in it.
async function signedIn(): Promise<{ page: Page; errors: string[] }> {
  const page = await (await browser.newContext()).newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  await page.goto(link());
  return { page, errors };
}

test('a browser without a session is told how to get one', async () => {
  const page = await (await browser.newContext()).newPage();
  const response = await page.goto(baseUrl);
  assert.equal(response?.status(), 401);
  assert.match(await page.textContent('body') ?? '', /potok web/);
});

test('a link opens once', async () => {
  const url = link();
  const first = await (await browser.newContext()).newPage();
  await first.goto(url);
  assert.equal(first.url(), `${baseUrl}/`);
  const second = await (await browser.newContext()).newPage();
  assert.equal((await second.goto(url))?.status(), 401);
});

test('shows runs with hostile names as text', async () => {
  const hostile = '<img src=x onerror=alert(1)> & "quotes"';
  const { name } = await runs.submit(twoSteps(hostile));
  const { page, errors } = await signedIn();
  const row = page.getByRole('row').filter({ hasText: name });
  await row.getByText(hostile, { exact: true }).waitFor();
  assert.deepEqual(errors, []);
  await runs.cancel({ name });
  await page.context().close();
});

test('follows a run, shows its log and cancels it', async () => {
  const { name } = await runs.submit(twoSteps('on the page'));
  const { page, errors } = await signedIn();
  await page.getByRole('link', { name, exact: true }).click();
  const second = page.getByRole('row').filter({ hasText: 'second' });
  await second.getByText('Running', { exact: true }).waitFor();

  await page.getByRole('link', { name: 'first' }).click();
  await page.getByText('hello from the first step').waitFor();
  await page.goBack();

  await page.getByRole('button', { name: 'Cancel' }).click();
  await second.getByText('Canceled', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Cancel' }).waitFor({ state: 'detached' });
  assert.deepEqual(errors, []);
  await page.context().close();
});

test('shows the machines', async () => {
  const { page, errors } = await signedIn();
  await page.getByRole('link', { name: 'Machines' }).click();
  await page.getByText('Ready', { exact: true }).waitFor();
  assert.deepEqual(errors, []);
  await page.context().close();
});

test('says so when the server has no such run', async () => {
  const { page } = await signedIn();
  await page.goto(`${baseUrl}/#/runs/nobody`);
  const alert = page.getByRole('alert');
  await alert.waitFor();
  assert.match((await alert.textContent()) ?? '', /no run 'nobody'/);
  await page.context().close();
});
