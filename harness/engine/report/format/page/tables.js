// ---- who reaches whom, hosts beside each other, and what changed since another run

const CELLS = {
  '.': ['allowed', 'allowed'], X: ['denied', 'denied'], '?': ['unknown', 'inconclusive'], '!': ['wrong', 'not as promised'],
  '-': ['self', 'itself'], ' ': ['self', 'nothing known'],
};

function matrixTable(matrix) {
  const caption = `${matrix.with || 'anything'}${matrix.family ? ` over ${matrix.family === 'ipv6' ? 'IPv6' : 'IPv4'}` : ''}`;
  const head = el('tr', {}, el('td', {class: 'dim'}, 'from \\ to'), ...matrix.to.map(name => el('th', {scope: 'col'}, el('span', {}, name))));
  const rows = matrix.from.map((name, at) => el('tr', {}, el('th', {scope: 'row'}, name),
    ...[...(matrix.cells[at] || '')].slice(0, matrix.to.length).map((cell, to) => cellOf(cell, name, matrix.to[to]))));
  return el('table', {class: 'matrix'}, el('caption', {}, caption), el('thead', {}, head), el('tbody', {}, ...rows));
}

function cellOf(cell, from, to) {
  const [sort, text] = CELLS[cell] || ['self', cell];
  return el('td', {class: sort, title: `${from} → ${to}: ${text}`}, el('span', {'aria-hidden': 'true'}, cell === '.' ? '·' : cell),
    el('span', {class: 'aloud'}, text));
}

// Open where it was asked for, and is not just what the checks tell beside.
function matrices(all, open) {
  if (!all || !all.length) return null;
  const legend = el('p', {class: 'dim'}, '· allowed, X denied, ? inconclusive, ! not as promised, - the node itself; empty: nothing is known');
  return el('details', {class: 'part', open}, el('summary', {}, el('h3', {}, 'Who reaches whom')),
    el('div', {class: 'matrices scrolls', tabindex: 0, role: 'region', 'aria-label': 'Who reaches whom'}, ...all.map(matrixTable)), legend);
}

function section(title, ...parts) {
  return el('section', {class: 'part'}, el('h2', {}, title), ...parts);
}

function wideTable(label, heads, rows) {
  return el('div', {class: 'scrolls', tabindex: 0, role: 'region', 'aria-label': label},
    el('table', {class: 'list'}, el('thead', {}, el('tr', {}, ...heads.map(text => el('th', {scope: 'col'}, text)))), el('tbody', {}, ...rows)));
}

function named({scenario, setup, check}) {
  return [el('th', {scope: 'row', class: 'mono'}, check), el('td', {}, scenario, setup ? el('span', {class: 'dim'}, ` (setup ${setup})`) : null)];
}

// Checks that came to one verdict here and to another there.
function differing(title, differences, where = '') {
  if (!differences || !differences.length) return null;
  const rows = differences.map(one => el('tr', {}, ...named(one), el('td', {}, ...Object.entries(one.verdicts).map(([verdict, hosts]) =>
    el('p', {}, mark(verdict), ` ${[where, hosts.join(', ')].filter(Boolean).join(' ')}`)))));
  return section(title, wideTable(title, ['check', 'scenario', 'verdicts'], rows));
}

// As the console says it: that nothing changed is only said of what was compared.
function compared({compared: count, changes}) {
  const added = changes.filter(one => !one.was).length;
  const gone = changes.filter(one => !one.is).length;
  const changed = changes.length - added - gone;
  return [`of ${plural(count, 'check')} ${changed || 'none'} changed`, added && `${added} ${added === 1 ? 'is' : 'are'} new`,
    gone && `${gone} ${gone === 1 ? 'is' : 'are'} gone`].filter(Boolean).join('; ');
}

function baseline(old) {
  if (!old) return null;
  const when = old.started ? ` of ${new Date(old.started).toLocaleString()}` : '';
  const said = el('p', {}, 'Compared with ', el('code', {}, old.name), `${when}: ${compared(old)}.`);
  const gaps = old.incomplete ? el('p', {class: 'inconclusive'},
    `Of ${plural(old.incomplete, 'check')} not all rules could be compared: one of the runs does not tell them.`) : null;
  const from = el('div', {}, said, gaps);
  if (!old.changes.length) return section('Changes', from);
  const rows = old.changes.map(one => el('tr', {}, ...named(one), el('td', {}, one.host || ''), el('td', {}, ...changeOf(one)),
    el('td', {}, ...pathChange(one))));
  return section('Changes', from, wideTable('Changes', ['check', 'scenario', 'host', 'verdict', 'way'], rows));
}

function changeOf({was, is}) {
  if (!was) return ['new: ', mark(is)];
  if (!is) return [mark(was), ' is gone'];
  return was === is ? [mark(is)] : [mark(was), ' → ', mark(is)];
}

function pathChange({gained, lost}) {
  const lines = [...(lost || []).map(text => ['lost', '−', text]), ...(gained || []).map(text => ['gained', '+', text])];
  return lines.map(([sort, sign, text]) => el('p', {class: `mono ${sort}`}, `${sign} `, el('span', {class: 'aloud'}, `${sort}: `), text));
}
