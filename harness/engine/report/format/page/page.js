// ---- the page as a whole

const PROMPT = {pass: 'passed', fail: 'failed', inconclusive: 'inconclusive', skip: 'skipped', error: 'error'};

function drawTotals() {
  const totals = document.getElementById('totals');
  const verdicts = document.getElementById('verdicts');
  for (const verdict of ['pass', 'fail', 'inconclusive', 'skip', 'error']) {
    const count = run.summary[COUNTED[verdict]];
    totals.append(el('li', {class: count ? verdict : 'dim'}, el('b', {}, String(count)), ` ${COUNTED[verdict]}`));
    const box = el('input', {type: 'checkbox', value: verdict, checked: true, onchange: () => {
      if (box.checked) state.verdicts.add(verdict);
      else state.verdicts.delete(verdict);
      filterList();
    }});
    verdicts.append(el('label', {}, box, ` ${PROMPT[verdict]}`));
  }
}

function drawBar() {
  const {summary} = run;
  const all = Object.values(summary).reduce((sum, count) => sum + count, 0);
  const bar = document.getElementById('bar');
  let x = 0;
  const part = verdict => {
    const width = all ? 100 * summary[COUNTED[verdict]] / all : 0;
    x += width;
    return svg('rect', {class: verdict, x: x - width, y: 0, width, height: 2});
  };
  bar.append(svg('svg', {viewBox: '0 0 100 2', preserveAspectRatio: 'none', 'aria-hidden': 'true'}, ...VERDICTS.map(part)));
}

function drawHead() {
  const {summary} = run;
  const outcome = summary.failed + summary.errors ? 'failed' : summary.inconclusive ? 'inconclusive' : summary.passed ? 'passed' : 'nothing proven';
  const heading = run.interrupted && outcome === 'passed' ? 'interrupted' : `${run.interrupted ? 'interrupted, ' : ''}${outcome}`;
  document.title = `plumbline: ${heading}`;
  const hosts = [...new Set(run.scenarios.map(scenario => scenario.host).filter(Boolean))];
  document.getElementById('run').textContent = [run.started && new Date(run.started).toLocaleString(),
    `${plural(run.scenarios.length, 'scenario')} in ${took(run.duration_ms)}`,
    hosts.length > 4 ? plural(hosts.length, 'host') : hosts.join(', ')].filter(Boolean).join(' · ');
  if (!run.interrupted) return;
  const told = document.getElementById('interrupted');
  told.hidden = false;
  told.textContent = 'Interrupted: this counts only what had ended by then.';
}

function listenToText() {
  const text = document.getElementById('text');
  text.addEventListener('input', () => {
    state.text = text.value.trim().toLowerCase();
    filterList();
  });
  document.getElementById('filter').addEventListener('submit', event => event.preventDefault());
}

// Whoever opens a report of a failure looks for it.
async function openFirstFailure() {
  const index = run.scenarios.findIndex(scenario => ['fail', 'error'].includes(worstOf(scenario)));
  if (index < 0) return;
  await openScenario(index);
  listed[index].details.open = true;
  const check = run.scenarios[index].checks.findIndex(one => one.verdict === 'fail' || one.verdict === 'error');
  const first = document.getElementById(`s${index}c${check}`);
  if (first) first.open = true;
}

function begin() {
  drawHead();
  drawTotals();
  drawBar();
  document.getElementById('causes').append(...[sharedCauses(run.causes)].filter(Boolean));
  const parts = [differing('Not the same in all repetitions', run.differing, 'repetition'), differing('Not the same on all hosts', run.across_hosts), baseline(run.baseline)].filter(Boolean);
  document.getElementById('compared').append(...parts);
  listenToText();
  drawList();
  openFirstFailure();
}

begin();
