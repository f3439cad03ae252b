// What the tests share: a browser of its own for each, which notes whatever a report must not do.
import {createRequire} from 'node:module';
import {existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {pathToFileURL} from 'node:url';
import {deflateRawSync, inflateRawSync} from 'node:zlib';

export const folder = resolve(process.argv[2]);
export const reports = join(folder, 'reports');
const {chromium} = createRequire(join(folder, 'package.json'))('playwright-core');

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];
export const PHONE = {viewport: {width: 390, height: 844}, hasTouch: true};

// Opens a report in a browser without a past, gives its page to `work`, and fails on what was asked for or complained of.
export async function looking(file, options, work) {
  const past = mkdtempSync(join(tmpdir(), 'plumbline-browser-'));
  const context = await chromium.launchPersistentContext(past, {
    executablePath: process.env.CHROMIUM, headless: true, args: FLAGS, viewport: {width: 1280, height: 900}, colorScheme: 'light',
    timezoneId: 'UTC', locale: 'en-GB',
    env: {...process.env, HOME: past, XDG_CACHE_HOME: past, XDG_CONFIG_HOME: past}, ...options,
  });
  try {
    const url = pathToFileURL(file).href;
    const wrong = [];
    context.on('request', request => {
      if (request.url() !== url && !request.url().startsWith('data:')) wrong.push(`asked for ${request.url()}`);
    });
    const page = context.pages()[0];
    page.setDefaultTimeout(10000);
    page.on('console', message => wrong.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', error => wrong.push(`threw ${error}`));
    page.on('dialog', dialog => { wrong.push(`dialog ${dialog.message()}`); dialog.dismiss(); });
    await page.goto(url);
    if (options.javaScriptEnabled !== false) await page.waitForSelector('.scenario, .none');
    await work(page, wrong);
    if (wrong.length) throw new Error(`the page was not quiet:\n${wrong.join('\n')}`);
  } finally {
    await context.close();
    rmSync(past, {recursive: true, force: true});
  }
}

export function report(name) {
  const file = join(reports, `${name}.html`);
  if (!existsSync(file)) throw new Error(`${file} is missing`);
  return file;
}

// A report with other data in it: what is written by parts of the program that no single run comes by.
export function changed(name, as, change) {
  let text = readFileSync(report(name), 'utf8');
  const part = (id, read, write) => {
    const found = new RegExp(`(<script [^>]*id="${id}">)([^<]*)`).exec(text);
    const value = read(found[2]);
    return {value, done: () => { text = text.replace(found[0], () => found[1] + write(value)); }};
  };
  const run = part('run-data', JSON.parse, value => JSON.stringify(value).replaceAll('<', '\\u003c'));
  const scenario = part('scenario-0', packed => JSON.parse(inflateRawSync(Buffer.from(packed, 'base64'))),
    value => deflateRawSync(JSON.stringify(value)).toString('base64'));
  change(run.value, scenario.value);
  run.done();
  scenario.done();
  const file = join(reports, `${as}.html`);
  writeFileSync(file, text);
  return file;
}

export async function openCheck(page, id) {
  const check = page.locator('.check').filter({has: page.locator('h3', {hasText: new RegExp(`^${id.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')}$`)})});
  if (!await check.evaluate(details => details.open)) await check.locator('summary').first().click();
  await check.locator('.ladder').waitFor();
  return check;
}

export async function openScenario(page, at = 0) {
  const scenario = page.locator('.scenario').nth(at);
  if (!await scenario.evaluate(details => details.open)) await scenario.locator('summary').first().click();
  await scenario.locator('.body').first().waitFor();
  return scenario;
}

// Of the whole window, or as high a one as shows all of `what`.
export async function screenshot(page, name, what) {
  if (what) {
    const {height} = await what.boundingBox();
    await page.setViewportSize({width: page.viewportSize().width, height: Math.ceil(height) + 80});
    await what.evaluate(element => scrollTo(0, element.getBoundingClientRect().top + scrollY - 70));
  }
  return page.screenshot({path: join(folder, 'screenshots', `${name}.png`)});
}

export async function overflow(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}
