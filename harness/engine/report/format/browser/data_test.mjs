// What a page makes of data that no run on this machine comes by: other runs, long names, hundreds of nodes, thousands of checks.
import assert from 'node:assert/strict';
import {statSync} from 'node:fs';
import {test} from 'node:test';
import {changed, looking, openCheck, openScenario, overflow, report, screenshot} from './browser.mjs';

const DROPPED = 'egress container-one -> internet tcp/80 via ens4';
const LET_THROUGH = 'deny container-one -> 10.1.2.3 ping';

test('shows what differs between hosts, since a baseline, and who reaches whom', () => {
  const file = changed('broken', 'compared', (run, scenario) => {
    run.differing = [{scenario: 'broken', setup: 'native', check: DROPPED, verdicts: {pass: [1, 3], fail: [2]}}];
    run.across_hosts = [{scenario: 'broken', setup: 'native', check: DROPPED, verdicts: {pass: ['host-a', 'host-c'], fail: ['host-<b>']}}];
    run.baseline = {name: 'old.json', started: '2026-02-28T12:00:00Z', compared: 20, incomplete: 0, changes: [
      {host: 'host-a', scenario: 'broken', setup: 'native', check: DROPPED, was: 'pass', is: 'fail', gained: ['host forward inet filter forward: policy → drop'], lost: ['host:ens4 out', 'internet:eth0 in']},
      {host: 'host-a', scenario: 'broken', setup: 'native', check: LET_THROUGH, was: null, is: 'fail', gained: [], lost: []},
      {host: 'host-a', scenario: 'broken', setup: 'native', check: 'reach <gone>', was: 'pass', is: null, gained: [], lost: []}]};
    scenario.matrix = [
      {with: 'tcp/80', family: 'ipv4', from: ['host', 'container-one'], to: ['container-one', 'internet', '10.1.2.3'], cells: ['...', '-X!']},
      {with: 'ping', family: 'ipv6', from: ['host', 'container-one'], to: ['container-one', 'internet'], cells: ['.?', '- ']}];
  });
  return looking(file, {}, async page => {
    assert.match(await page.getByRole('region', {name: 'Not the same in all repetitions'}).innerText(), /FAIL\s+repetition 2/);
    const hosts = page.getByRole('region', {name: 'Not the same on all hosts'});
    assert.match(await hosts.innerText(), /PASS\s+host-a, host-c[\s\S]*FAIL\s+host-<b>/);
    const changes = page.getByRole('region', {name: 'Changes'});
    assert.match(await page.locator('#compared section').last().innerText(), /Compared with old\.json of [^:]*12:00:00: of 20 checks 1 changed; 1 is new; 1 is gone\./);
    assert.match(await changes.innerText(), /PASS → .?\s*FAIL/);
    assert.match(await changes.innerText(), /new: .?\s*FAIL/);
    assert.match(await changes.innerText(), /PASS is gone/);
    assert.match(await changes.locator('.gained').innerText(), /policy → drop/);
    assert.equal(await changes.locator('.lost').count(), 2);
    await screenshot(page, 'compared');
    await openScenario(page);
    await page.getByText('Who reaches whom').first().click();
    assert.equal(await page.locator('.matrix').count(), 2);
    const wrong = page.locator('.matrix td.wrong');
    assert.equal(await wrong.getAttribute('title'), 'container-one → 10.1.2.3: not as promised');
    assert.match(await page.locator('.matrix').first().ariaSnapshot(), /cell "denied"/);
    await page.locator('.matrix').first().scrollIntoViewIfNeeded();
    await screenshot(page, 'matrix');
    assert.equal(await overflow(page), 0);
  });
});

test('says nothing of what could not be compared', () => {
  const file = changed('broken', 'incomparable', run => {
    run.baseline = {name: 'other.json', started: '', compared: 0, incomplete: 0, changes: []};
  });
  return looking(file, {}, async page => {
    assert.match(await page.locator('#compared section').innerText(), /Compared with other\.json: of 0 checks none changed\.$/);
  });
});

test('says of how many checks not all could be compared', () => {
  const file = changed('broken', 'half-compared', run => {
    run.baseline = {name: 'old.json', started: '', compared: 20, incomplete: 1, changes: []};
  });
  return looking(file, {}, async page => {
    const told = await page.locator('#compared section').innerText();
    assert.match(told, /of 20 checks none changed\.\s+Of 1 check not all rules could be compared: one of the runs does not tell them\.$/);
  });
});

test('spells line ends and tabs as the console does, but where lines are meant', () => {
  const file = changed('broken', 'lines', (run, scenario) => {
    run.scenarios[0].name = 'two\nlines\tand a tab';
    const check = scenario.checks.find(one => one.id === DROPPED);
    check.observed = 'seen\nPASS forged';
    check.causes[0].fix = 'first\nsecond\tcolumn';
  });
  return looking(file, {}, async page => {
    assert.equal(await page.locator('.scenario h2').textContent(), 'two\\nlines\\tand a tab');
    await openScenario(page);
    const check = await openCheck(page, DROPPED);
    assert.match(await check.locator('.facts').textContent(), /seen\\nPASS forged/);
    assert.equal(await check.locator('.fix pre').first().textContent(), 'first\nsecond\\tcolumn');
  });
});

// Where a drawn way is nearer to a text than its halo.
const runOver = check => check.evaluate(root => {
  const texts = [...root.querySelectorAll('.picture .words text')].map(text => [text.textContent, text.getBBox()]);
  const found = [];
  for (const path of root.querySelectorAll('.picture .way.within')) {
    for (let at = 0; at <= path.getTotalLength(); ++at) {
      const {x, y} = path.getPointAtLength(at);
      for (const [text, box] of texts) if (x > box.x && x < box.x + box.width && y > box.y + 2 && y < box.y + box.height) found.push(text);
    }
  }
  return [...new Set(found)];
});

test('the way through a node runs over no text', () => looking(report('healthy'), {}, async page => {
  await openScenario(page);
  const check = await openCheck(page, DROPPED);
  assert.ok(await check.locator('.way.within').count() > 4);
  assert.deepEqual(await runOver(check), []);
}));

test('long addresses and names widen no box, and are told in full', () => {
  const long = `2001:db8::1/64 ${'x'.repeat(200)}`;
  const file = changed('broken', 'long', (run, scenario) => {
    const host = scenario.network.find(node => node.role === 'host');
    host.interfaces[0].addresses = [long];
    host.interfaces[1].name = 'n'.repeat(200);
  });
  return looking(file, {}, async page => {
    await openScenario(page);
    const check = await openCheck(page, DROPPED);
    assert.ok(await check.locator('.picture .box').evaluateAll(all => Math.max(...all.map(box => box.getBBox().width))) < 560);
    assert.ok((await check.locator('.picture title').allTextContents()).some(text => text.includes(long)));
  });
});

test('draws a host with hundreds of containers without freezing', () => looking(report('crowded'), {}, async page => {
  const begin = Date.now();
  await openScenario(page);
  await page.getByText('Network of 603 nodes').click();
  await page.locator('.node.more').first().waitFor();
  assert.match(await page.locator('.words').filter({hasText: /more/}).first().textContent(), /\+ \d+ more/);
  await screenshot(page, 'crowded');
  await page.getByRole('button', {name: 'Draw all 603 nodes'}).first().click();
  await page.waitForFunction(() => document.querySelectorAll('.part .node').length === 603);
  console.log(`# 603 nodes drawn ${Date.now() - begin} ms after their scenario was opened`);
  assert.equal(await overflow(page), 0);
}));

// How long it takes is printed, not judged: machines that run tests are noisy.
test('200 scenarios with 5,000 checks open, are filtered and opened', async () => {
  const begin = Date.now();
  await looking(report('large'), {}, async page => {
    const opened = await page.evaluate(() => performance.now());
    await page.locator('.check[open] .ladder').waitFor();
    const failure = await page.evaluate(() => performance.now());
    assert.equal(await page.locator('.scenario').count(), 200);
    assert.equal(await page.locator('.scenario[open]').getAttribute('data-index'), '100');
    assert.equal(await page.locator('#shown').textContent(), '5000 checks shown');
    const before = Date.now();
    await openScenario(page, 199);
    await page.locator('.scenario').nth(199).locator('.check').first().waitFor();
    const scenario = Date.now() - before;
    const typed = Date.now();
    await page.getByRole('searchbox').fill('udp');
    await page.waitForFunction(() => document.getElementById('shown').textContent !== '5000 checks shown');
    const {size} = statSync(report('large'));
    console.log(`# large: ${(size / 1e6).toFixed(1)} MB, open after ${Math.round(opened)} ms, its first failure after ${Math.round(failure)} ms (${Date.now() - begin} ms with the browser's start),`,
      `a scenario after ${scenario} ms, filtered after ${Date.now() - typed} ms`);
  });
});
