import assert from 'node:assert/strict';
import {cpSync, mkdirSync, readFileSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {PHONE, changed, folder, looking, openCheck, openScenario, overflow, report, reports, screenshot} from './browser.mjs';

const DROPPED = 'egress container-one -> internet tcp/80 via ens4';
const LET_THROUGH = 'deny container-one -> 10.1.2.3 ping';

test('a healthy run says so, and shows the way of what passed', () => looking(report('healthy'), {}, async page => {
  assert.equal(await page.title(), 'plumbline: passed');
  assert.match(await page.locator('#totals').innerText(), /\b0\s+failed/);
  assert.equal(await page.locator('#causes section').count(), 0);
  const scenario = await openScenario(page);
  assert.equal(await scenario.locator('.stop').count(), 0);
  const check = await openCheck(page, DROPPED);
  for (const node of ['container-one', 'host', 'gateway', 'internet'])
    assert.equal(await check.locator('.picture .on-way').filter({hasText: node}).count() + await check.locator('.ladder .column', {hasText: node}).count() > 0, true, node);
  assert.ok(await check.locator('.picture .way.forward').count() > 5);
  assert.ok(await check.locator('.picture .way.reply').count() > 5);
  assert.match(await check.locator('.note.translated').first().textContent(), /host translates: 192\.168\.16\.10/);
  await screenshot(page, 'pass-light', check);
}));

test('a broken run opens its first failure, with who stopped it and where', () => looking(report('broken'), {}, async page => {
  assert.equal(await page.title(), 'plumbline: failed');
  await page.locator('.check[open]').waitFor();
  assert.match(await page.locator('.check[open] h3').innerText(), /^egress container-one -> internet/);
  const check = await openCheck(page, DROPPED);
  assert.equal(await check.locator('.picture .node.stopped').count(), 1);
  assert.match(await check.locator('.picture .stop-text').textContent(), /forward: inet filter forward: policy → drop/);
  assert.match(await check.locator('.picture svg').getAttribute('aria-label'), /Stopped in host/);
  assert.match(await page.locator('.change').textContent(), /^then run .*flush chain/);
  assert.match(await check.locator('.note.dropper').textContent(), /✗ forward: inet filter forward: policy → drop/);
  const red = await check.locator('.note.dropper text').evaluate(text => getComputedStyle(text).fill);
  assert.equal(red, 'rgb(198, 40, 40)');
  await check.locator('.dot').nth(2).click();
  await screenshot(page, 'fail-light', check);
}));

test('what several checks failed for is told once, before them', () => looking(report('broken'), {}, async page => {
  const causes = page.locator('#causes section');
  assert.match(await causes.locator('p').first().textContent(), /^[2-9] checks have causes of one kind$/);
  assert.match(await causes.innerText(), /forward-policy-drop: [^]*fix\s/);
}));

test('a denial that did not hold shows the rule that let it through', () => looking(report('broken'), {}, async page => {
  await openScenario(page);
  const check = await openCheck(page, LET_THROUGH);
  assert.equal(await check.locator('.picture .node.stopped').count(), 0);
  assert.match(await check.locator('.note.rule').first().textContent(), /ip daddr 10\.1\.2\.3 accept → accept/);
}));

test('a denial that held shows what kept the probe out, and alarms nobody', () => looking(report('healthy'), {}, async page => {
  await openScenario(page);
  const check = await openCheck(page, 'deny container-one -> 10.1.2.3 tcp/80');
  assert.equal(await check.locator('.picture .kept-out').count(), 1);
  assert.match(await check.locator('.note.held').textContent(), /✓ forward: .*ip daddr 10\.0\.0\.0\/8 .*→ reject/);
  assert.equal(await check.locator('.stopped, .dropper, .lost').count(), 0);
}));

test('filters by verdict and by text', () => looking(report('broken'), {}, async page => {
  const shown = async () => parseInt(await page.locator('#shown').textContent(), 10);
  const all = await shown();
  await page.getByRole('checkbox', {name: 'passed'}).uncheck();
  const failed = await shown();
  assert.ok(failed > 0 && failed < all, `${failed} of ${all}`);
  await openScenario(page);
  assert.equal(await page.locator('.check:visible > summary .mark.pass').count(), 0);
  await page.getByRole('searchbox').fill('DENY');
  const ids = await page.locator('.check:visible h3').allTextContents();
  assert.ok(ids.length > 0);
  for (const id of ids) assert.match(id, /^deny/);
  await page.getByRole('searchbox').fill('browser/broken.yaml');
  assert.equal(await shown(), failed);
  await page.getByRole('searchbox').fill('nothing is named so');
  await page.getByText('No check matches the filter.').waitFor();
  assert.equal(await shown(), 0);
}));

test('filters by host', () => {
  const file = changed('broken', 'host', run => { run.scenarios[0].host = 'Web-1'; });
  return looking(file, {}, async page => {
    const all = await page.locator('#shown').textContent();
    await page.getByRole('searchbox').fill('web-1 deny');
    assert.equal(await page.locator('#shown').textContent(), '0 checks shown');
    await page.getByRole('searchbox').fill('web-1');
    assert.equal(await page.locator('#shown').textContent(), all);
  });
});

test('what was opened stays open while the filter changes', () => looking(report('broken'), {}, async page => {
  await openScenario(page);
  const check = await openCheck(page, DROPPED);
  await openCheck(page, LET_THROUGH);
  await check.locator('.dot').nth(1).press('Enter');
  const before = await page.locator('.check[open] h3').allTextContents();
  assert.ok(before.length > 1);
  await page.getByRole('searchbox').fill('deny');
  assert.equal(await check.isVisible(), false);
  await page.getByRole('checkbox', {name: 'failed'}).uncheck();
  await page.getByRole('searchbox').fill('nothing is named so');
  await page.getByRole('checkbox', {name: 'failed'}).check();
  await page.getByRole('searchbox').fill('');
  assert.deepEqual(await page.locator('.check[open] h3').allTextContents(), before);
  assert.ok(await check.getByRole('region', {name: 'Packet'}).isVisible());
}));

test('a hop tells its packet when pointed at', () => looking(report('broken'), {}, async page => {
  await openScenario(page);
  const check = await openCheck(page, DROPPED);
  await check.locator('.dot').nth(1).hover();
  assert.match(await check.locator('.hop').innerText(), /host:veth1 (in|other-host) +192\.168\.99\.11:\d+ > 203\.0\.113\.80:80 TCP SYN/);
}));

test('a packet opens by keyboard, and closes', () => looking(report('broken'), {}, async page => {
  await openScenario(page);
  const check = await openCheck(page, DROPPED);
  const dots = check.locator('.dot');
  await dots.first().focus();
  await page.keyboard.press('ArrowRight');
  assert.match(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), /host:veth1/);
  await page.keyboard.press('Enter');
  const packet = check.getByRole('region', {name: 'Packet'});
  await packet.waitFor();
  assert.equal(await dots.nth(1).getAttribute('aria-expanded'), 'true');
  assert.match(await packet.innerText(), /IPv4: 192\.168\.99\.11 > 203\.0\.113\.80/);
  assert.match(await packet.locator('.bytes').innerText(), /^0000 {2}([0-9a-f]{2} ){8} ([0-9a-f]{2} ?){8}/);
  await page.keyboard.press('End');
  await page.keyboard.press(' ');
  assert.match(await packet.innerText(), /host:bridge0/);
  await packet.getByRole('button', {name: 'close'}).press('Enter');
  assert.equal(await packet.isVisible(), false);
  assert.match(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), /host:bridge0/);
  await check.getByText('The journey as a table').press('Enter');
  await check.locator('.steps').getByRole('button').first().press('Enter');
  assert.match(await check.locator('.steps .bytes').innerText(), /^0000/);
}));

test('copies the fix', () => looking(report('broken'), {permissions: ['clipboard-read', 'clipboard-write']}, async page => {
  await openScenario(page);
  const check = await openCheck(page, DROPPED);
  const fix = await check.locator('.fix pre').first().innerText();
  assert.match(fix, /^nft /);
  await check.getByRole('button', {name: 'copy'}).first().click();
  const told = check.locator('.fix button').first();
  await check.locator('.fix button', {hasText: /copied|selected/}).first().waitFor();
  const got = await told.innerText() === 'copied' ? await page.evaluate(() => navigator.clipboard.readText()) : await page.evaluate(() => String(getSelection()));
  assert.equal(got, fix);
}));

test('follows the link to the trace, also where both were moved', async () => {
  const moved = join(folder, 'moved');
  rmSync(moved, {recursive: true, force: true});
  mkdirSync(moved);
  cpSync(join(reports, 'broken.html'), join(moved, 'broken.html'));
  cpSync(join(reports, 'traces'), join(moved, 'traces'), {recursive: true});
  await looking(join(moved, 'broken.html'), {acceptDownloads: true}, async (page, wrong) => {
    await openScenario(page);
    const link = (await openCheck(page, DROPPED)).locator('.facts a');
    const target = await link.evaluate(a => a.href);
    assert.ok(target.startsWith('file://') && fileURLToPath(target).startsWith(moved), target);
    const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
    const bytes = readFileSync(await download.path());
    assert.equal(bytes.readUInt32LE(0), 0x0a0d0d0a);  // a pcapng's first block
    assert.deepEqual(bytes, readFileSync(fileURLToPath(target)));
    assert.deepEqual(wrong.splice(0), [`asked for ${target}`]);
  });
});

test('nothing that others wrote is more than text', () => looking(report('hostile'), {}, async page => {
  const count = await page.locator('.scenario').count();
  for (let at = 0; at < count; ++at) await openScenario(page, at);
  for (const check of await page.locator('.check').all()) {
    if (!await check.evaluate(details => details.open)) await check.locator('summary').first().click();
  }
  for (const table of await page.locator('.as-table').all()) await table.evaluate(details => { details.open = true; });
  for (const part of await page.locator('.part').all()) await part.evaluate(details => { details.open = true; });
  for (const dot of await page.locator('.dot').all()) await dot.press('Enter');
  await page.locator('.steps').first().waitFor();
  assert.equal(await page.evaluate(() => window.owned), undefined);
  assert.equal(await page.locator('img, iframe, object, main script, [onerror], [onclick]').count(), 0);
  assert.ok((await page.locator('.scenario h2').first().innerText()).includes('<script>window.owned=1</script>&lt;b&gt;'));
  assert.ok(await page.getByText('<img src=http://203.0.113.1/x onerror="window.owned=2">').count() > 3);
  assert.ok((await page.locator('.check h3').allTextContents()).some(id => id.includes('</script><!--\\u2028\\u2029]]>')));
  assert.equal(/[\u0000-\u0008\u001b\u202a-\u202e]/.test(await page.locator('body').evaluate(body => body.innerText)), false);
  const links = await page.locator('.facts a').evaluateAll(all => all.map(a => a.href));
  assert.ok(links.length >= 3);
  for (const link of links) assert.match(link, /^file:\/\/\//);
  assert.equal(await overflow(page), 0);
  await screenshot(page, 'hostile');
}));

test('without JavaScript tells the verdict and what did not pass', () => looking(report('broken'), {javaScriptEnabled: false}, async page => {
  const text = await page.locator('body').innerText();
  assert.match(text, /10 passed, 10 failed, 0 inconclusive, 0 skipped, 0 errors/);
  assert.match(text, /fail broken \(native\): 10 passed, 10 failed/);
  assert.match(text, /fail egress container-one -> internet tcp\/80 via ens4: timeout; last seen at host:bridge0 in — broken \(native\)/);
  assert.equal(text.includes('reach host'), false);  // passed
  assert.equal(await page.getByRole('searchbox').isVisible(), false);
  await screenshot(page, 'no-script');
}));

test('without JavaScript too nothing that others wrote is more than text', () => looking(report('hostile'), {javaScriptEnabled: false}, async page => {
  const text = await page.locator('body').innerText();
  assert.ok(text.includes('<script>window.owned=1</script></script><!--\\u2028\\u2029]]>'));
  assert.ok(text.includes('<img src=http://203.0.113.1/x onerror="window.owned=2">'));
  assert.equal(/[\u0000-\u0008\u001b\u202a-\u202e]/.test(text), false);
  assert.equal(await page.locator('img, iframe, object, noscript script, [onerror], [onclick]').count(), 0);
  assert.equal(await overflow(page), 0);
}));

test('reads on a phone', () => looking(report('broken'), PHONE, async page => {
  await openScenario(page);
  const check = await openCheck(page, DROPPED);
  assert.equal(await overflow(page), 0);
  await check.locator('.dot').first().click();
  await check.locator('.steps').waitFor();  // beside the drawing, without being asked for
  assert.equal(await overflow(page), 0);
  await check.locator('.picture').scrollIntoViewIfNeeded();
  assert.ok(await check.locator('.picture .stop-text').first().isVisible());
  await screenshot(page, 'fail-phone');
}));

// Of each kind of text, the contrast with what is behind it.
const contrasts = page => page.evaluate(() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = color => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = color => {
    const [r, g, b] = rgba(color).map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const {backgroundColor} = getComputedStyle(at);
      if (rgba(backgroundColor)[3] === 255) return backgroundColor;
    }
    return 'white';
  };
  const worst = {};
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility() || element.closest('title, script, style, noscript')) continue;
    const style = getComputedStyle(element);
    const [a, b] = [light(element.closest('svg') ? style.fill : style.color), light(behind(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const kind = `${element.tagName.toLowerCase()}.${element.getAttribute('class') || ''}`;
    if (!(kind in worst) || ratio < worst[kind]) worst[kind] = ratio;
  }
  return worst;
});

for (const colorScheme of ['light', 'dark']) {
  test(`has contrast in ${colorScheme}`, () => looking(report('broken'), {colorScheme}, async page => {
    await openScenario(page);
    const check = await openCheck(page, DROPPED);
    await check.locator('.dot').nth(2).click();
    const weak = Object.entries(await contrasts(page)).filter(([, ratio]) => ratio < 4.5);
    assert.deepEqual(weak, []);
    if (colorScheme === 'dark') await screenshot(page, 'fail-dark', check);
  }));
}

test('has names, roles and an order of headings', () => looking(report('broken'), {}, async page => {
  await openScenario(page);
  const check = await openCheck(page, DROPPED);
  const tree = await page.locator('body').ariaSnapshot();
  for (const part of [/heading "plumbline" \[level=1\]/, /search "Filter"/, /checkbox "failed" \[checked\]/, /searchbox "named"/, /list "Totals"/,
    /heading "broken" \[level=2\]/, /img "Network of 15 nodes/, /button "0 µs/]) assert.match(tree, part);
  const levels = await page.locator('h1, h2, h3, h4').evaluateAll(all => all.filter(h => h.checkVisibility()).map(h => Number(h.tagName[1])));
  levels.forEach((level, at) => assert.ok(at === 0 ? level === 1 : level <= levels[at - 1] + 1, `heading ${at}: ${levels}`));
  for (const button of await page.getByRole('button').all())
    assert.ok(await button.evaluate(b => (b.getAttribute('aria-label') || b.textContent).trim()), 'a button without a name');
  assert.equal(await page.locator('input').evaluateAll(all => all.filter(i => !i.labels.length).length), 0);
  assert.equal(await page.evaluate(() => new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size === document.querySelectorAll('[id]').length), true);
  assert.equal(await check.locator('.dot[tabindex="0"]').count(), 1);
  // The keyboard alone leads to the first check, and what has the focus shows it.
  await page.locator('.check > summary').first().focus();
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Tab');
  assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), 'none');
}));
