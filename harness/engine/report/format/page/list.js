// ---- the scenarios

const run = parsed(document.getElementById('run-data').textContent);
const state = {verdicts: new Set(VERDICTS), text: ''};
const listed = [];  // of each scenario: its element and what it is found by; its checks' elements once it was opened

// Of each check, in lower case: what the filter's text is looked for in.
function wordsOfAll(scenario) {
  const own = `${scenario.name} ${scenario.setup} ${scenario.host} ${scenario.file}`;
  return {broken: own.toLowerCase(), checks: scenario.checks.map(check => `${own} ${check.id}`.toLowerCase())};
}

function isShown({checks}, {words}, at) {
  return state.verdicts.has(checks[at].verdict) && words.checks[at].includes(state.text);
}

function isShownBroken({error}, {words}) {
  return error && state.verdicts.has('error') && words.broken.includes(state.text);
}

// Base64 of deflated JSON: thousands of journeys take a hundredth of the room, and are unpacked when they are looked at.
async function unpacked(index) {
  const text = document.getElementById(`scenario-${index}`).textContent;
  const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return parsed(await new Response(stream).text());
}

// What a scenario holds is read and drawn when it is opened, once.
function openScenario(index) {
  listed[index].drawn ??= drawScenario(index);
  return listed[index].drawn;
}

async function drawScenario(index) {
  const {details} = listed[index];
  const summary = run.scenarios[index];
  let scenario;
  try {
    scenario = await unpacked(index);
  } catch (error) {
    details.append(el('p', {class: 'body error'}, `This browser cannot read the scenario's data: ${error.message}`));
    return;
  }
  const body = el('div', {class: 'body'});
  if (summary.about) body.append(el('p', {}, lines(summary.about)));
  if (scenario.error) body.append(errorOf(scenario.error));
  if (scenario.network) {
    const part = el('details', {class: 'part'}, el('summary', {}, el('h3', {}, `Network of ${plural(scenario.network.length, 'node')}`)));
    whenOpened(part, () => part.append(picture(scenario.network, null)));
    if (scenario.network.length <= 60) part.open = true;
    body.append(part);
  }
  const reach = matrices(scenario.matrix, scenario.matrix_asked);
  if (reach) body.append(reach);
  scenario.checks.forEach((check, at) => {
    for (const change of scenario.changes.filter(one => one.before === at)) body.append(changeLine(change));
    const one = checkOf(check, scenario, `s${index}c${at}`);
    one.hidden = !isShown(summary, listed[index], at);
    listed[index].checks.push(one);
    body.append(one);
  });
  details.append(body);
}

function changeLine({about, where, made}) {
  return el('p', {class: 'change', title: where}, el('span', {class: 'dim'}, 'then '), el('code', {}, lines(about)), made ? null : el('span', {class: 'error'}, ' (not made)'));
}

function whenOpened(details, draw) {
  let drawn = false;
  details.addEventListener('toggle', () => {
    if (!details.open || drawn) return;
    drawn = true;
    draw();
  });
}

function checkOf(check, scenario, id) {
  const one = el('details', {class: 'check', id}, el('summary', {}, mark(check.verdict), el('h3', {class: 'id'}, check.id),
    el('span', {class: 'took'}, took(check.duration_ms))));
  whenOpened(one, () => one.append(checkBody(check, scenario)));
  return one;
}

function errorOf(error) {
  return el('dl', {class: 'facts'}, el('dt', {}, 'error'), el('dd', {}, el('pre', {class: 'error'}, lines(error.message))),
    el('dt', {}, 'where'), el('dd', {}, el('code', {}, error.where)),
    error.remedy ? [el('dt', {}, 'remedy'), el('dd', {}, el('pre', {}, lines(error.remedy)))] : []);
}

function worstOf(scenario) {
  const has = verdict => scenario.checks.some(check => check.verdict === verdict);
  const worst = scenario.error ? 'error' : VERDICTS.find(has) || 'skip';
  // What a signal cut short has not passed.
  return worst === 'pass' && run.interrupted && has('skip') ? 'skip' : worst;
}

function summaryOf(scenario) {
  const words = [scenario.setup && `setup ${scenario.setup}`, scenario.repetition && `repetition ${scenario.repetition}`,
    run.hosts > 1 && scenario.host].filter(Boolean).join(', ');
  const tally = VERDICTS.map(verdict => [verdict, scenario.checks.filter(check => check.verdict === verdict).length]).filter(([, count]) => count);
  return el('summary', {}, mark(worstOf(scenario)), el('h2', {}, scenario.name), el('span', {class: 'dim'}, words),
    ...tally.map(([verdict, count]) => el('span', {class: `tally ${verdict}`}, `${count} ${COUNTED[verdict]}`)),
    el('span', {class: 'file dim mono'}, scenario.file));
}

function scenarioOf(scenario, index) {
  const details = el('details', {class: 'scenario', 'data-index': index}, summaryOf(scenario));
  details.addEventListener('toggle', () => { if (details.open) openScenario(index); });
  return details;
}

function drawList() {
  const main = document.getElementById('scenarios');
  run.scenarios.forEach((scenario, index) => listed.push({details: scenarioOf(scenario, index), words: wordsOfAll(scenario), checks: []}));
  main.append(...listed.map(({details}) => details), el('p', {class: 'dim none'}, run.scenarios.length ? 'No check matches the filter.' : 'Nothing was run.'));
  filterList();
}

// Hides and shows, so that what was opened stays open.
function filterList() {
  let all = 0;
  let none = true;
  run.scenarios.forEach((scenario, index) => {
    const one = listed[index];
    const shown = scenario.checks.map((check, at) => isShown(scenario, one, at));
    const count = shown.filter(Boolean).length;
    one.checks.forEach((check, at) => { check.hidden = !shown[at]; });
    one.details.hidden = !count && !isShownBroken(scenario, one);
    none &&= one.details.hidden;
    all += count;
  });
  document.querySelector('#scenarios > .none').hidden = !none;
  document.getElementById('shown').textContent = `${plural(all, 'check')} shown`;
}
