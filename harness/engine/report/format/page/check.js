// ---- one check

function copyButton(text, pre) {
  const copy = button('copy', async () => {
    try {
      await navigator.clipboard.writeText(text);
      copy.textContent = 'copied';
    } catch {
      // A page that may not use the clipboard selects it for the reader's own keys.
      getSelection().selectAllChildren(pre);
      copy.textContent = 'selected';
    }
  }, {'aria-live': 'polite'});
  return copy;
}

function fixOf(text) {
  const pre = el('pre', {}, lines(text));
  return el('div', {class: 'fix'}, pre, copyButton(text, pre));
}

// A path as a link: each of its names encoded, so that none is read as a scheme, a host or a query.
function linkTo(path) {
  const steps = path.split('/').map(encodeName).join('/').replace(/^\/+/, '/');
  return path.startsWith('/') ? `file://${steps}` : steps;
}

function encodeName(name) {
  try {
    return encodeURIComponent(name);
  } catch {
    return encodeURIComponent(name.replace(/[\ud800-\udfff]/g, '\ufffd'));
  }
}

function facts(check) {
  const list = el('dl', {class: 'facts'});
  const add = (name, ...value) => list.append(el('dt', {}, name), el('dd', {}, ...value));
  if (check.expected) add('expected', check.expected);
  if (check.observed) add(check.verdict === 'skip' ? 'reason' : 'observed', check.observed);
  if (check.stopped) add('stopped', el('span', {class: check.verdict === 'pass' ? '' : 'fail'}, check.stopped));
  if (check.control) {
    const {from, to, with: how, verdict, observed} = check.control;
    add('control', mark(verdict), ` ${from} → ${to} ${how}: ${observed}`);
  }
  check.causes.forEach((cause, at) => addCause(add, cause, at));
  for (const gap of check.incomplete) add('not told', gap);
  if (check.frames_lost) add('not told', 'frames: the capture lost some, so that packets may have been where none are shown');
  for (const flow of check.conntrack) {
    add('conntrack', `${flow.node}: ${flow.original}, ${flow.answered ? 'answered as' : 'no answer yet, which would be'} ${flow.reply}`);
  }
  if (check.where) add('where', el('code', {}, check.where));
  if (check.trace) add('trace', el('a', {href: linkTo(check.trace_link || check.trace), download: ''}, check.trace));
  return list;
}

function addCause(add, cause, at) {
  const evidence = cause.evidence.length ? el('ul', {}, ...cause.evidence.map(line => el('li', {}, line))) : null;
  add(at ? 'or' : 'cause', el('b', {}, `${cause.proven ? '' : 'likely '}${cause.code}`), `: ${cause.summary}`, evidence);
  if (cause.fix) add('fix', fixOf(cause.fix));
}

// What several checks failed for.
function sharedCauses({most, others}) {
  if (!most.length) return null;
  const parts = most.map(({headline, cause, differs}) => {
    const list = el('dl', {class: 'facts'});
    const add = (name, ...value) => list.append(el('dt', {}, name), el('dd', {}, ...value));
    addCause(add, differs ? {...cause, fix: ''} : cause, 0);
    if (differs) add('fix', cause.fix);
    return el('div', {}, el('p', {}, headline), list);
  });
  return section('Causes of several checks', ...parts, others ? el('p', {}, `and ${others} more`) : null);
}

function checkBody(check, scenario) {
  const body = el('div', {class: 'body'}, facts(check));
  if (scenario.network && check.journey.length) body.append(el('h4', {}, 'Its way through the network'), picture(scenario.network, check));
  const seen = check.journey.length > 0;
  if (!seen && !check.kernel.some(isTold)) return body;
  const table = el('details', {class: 'as-table', open: narrow.matches || !seen}, el('summary', {}, 'The journey as a table'));
  // Some journeys have hundreds of steps: they become rows when they are asked for.
  const show = () => { if (table.open && !table.querySelector('table')) table.append(stepTable(check)); };
  table.addEventListener('toggle', show);
  show();
  body.append(el('h4', {}, 'Journey'), ...(seen ? [ladder(check)] : []), table);
  return body;
}
