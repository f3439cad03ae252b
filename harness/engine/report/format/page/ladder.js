// ---- a check's journey: nodes as columns, each packet an arrow through those that it went by

const FIRST_FLIGHTS = 8;
const LAST_FLIGHTS = 6;
const TIME_WIDTH = 78;
const NOTE_LETTERS = 110;
const DOT_LETTER = 6.1;  // of interface names, 10 pixels high

function ladder(check) {
  const flights = flightsOf(check);
  const neighbours = flights.filter(flight => flight.leg === 'neighbour' && !flight.events.length).length;
  const state = {neighbours: neighbours === flights.length, all: false};
  const holder = el('div', {class: 'ladder'});
  const draw = () => {
    const kept = flights.filter(flight => state.neighbours || flight.leg !== 'neighbour' || flight.events.length);
    const shown = state.all ? kept : chosenFlights(kept);
    const buttons = el('p', {class: 'more'},
      shown.length < kept.length && button(`Show all ${kept.length} packets`, () => { state.all = true; draw(); }),
      neighbours > 0 && neighbours < flights.length && button(state.neighbours ? 'Hide neighbour discovery' : `Show neighbour discovery (${neighbours})`,
        () => { state.neighbours = !state.neighbours; draw(); }, {'aria-pressed': String(state.neighbours)}));
    holder.replaceChildren(...drawnLadder(check, shown, kept), buttons);
  };
  draw();
  return holder;
}

// The first, the last, and those with which something happened.
function chosenFlights(flights) {
  if (flights.length <= FIRST_FLIGHTS + LAST_FLIGHTS + 1) return flights;
  return flights.filter((flight, at) => at < FIRST_FLIGHTS || at >= flights.length - LAST_FLIGHTS || flight.events.some(drops));
}

function drawnLadder(check, flights, all) {
  const line = el('p', {class: 'hop mono'}, 'Each dot is a packet seen at an interface: point at it for its line, press it for its headers and bytes.');
  const panel = el('div', {class: 'packet', role: 'region', 'aria-label': 'Packet', hidden: true});
  const hops = [];
  const board = {check, line, panel, hops, columns: ladderColumns(flights), y: 44, told: new Set(), parts: []};
  flights.forEach((flight, at) => {
    const left = all.indexOf(flight) - (at ? all.indexOf(flights[at - 1]) + 1 : 0);
    if (left > 0) gapRow(board, left);
    flightRow(board, flight);
  });
  moveByKeys(hops);
  const {columns} = board;
  const heads = [...columns.values()].map(column => svg('g', {class: 'column'},
    svg('line', {class: 'lifeline', x1: column.x, x2: column.x, y1: 28, y2: board.y - 14}),
    svg('text', {x: column.x, y: 18, class: 'name', 'text-anchor': 'middle'}, shortened(column.name, 28), svg('title', {}, column.name))));
  const width = Math.max(TIME_WIDTH + [...columns.values()].reduce((sum, column) => sum + column.width, 0) + 16, board.right || 0);
  const label = {role: 'group', 'aria-label': 'The packets by time and node; arrow keys go from one sighting to the next'};
  return [drawing(label, width, board.y, 0.75, [...heads, ...board.parts]), line, panel];
}

// Wide enough for the names of the interfaces that one packet went by.
function ladderColumns(flights) {
  const columns = new Map();
  const column = name => {
    if (!columns.has(name)) columns.set(name, {name, width: widthOf(shortened(name, 28)) + 28});
    return columns.get(name);
  };
  for (const flight of flights) {
    const widths = new Map();
    for (const {step} of flight.steps) widths.set(step.node, (widths.get(step.node) || 24) + dotWidth(step));
    for (const [name, width] of widths) column(name).width = Math.max(column(name).width, width);
    for (const event of flight.events) column(event.node);
  }
  let x = TIME_WIDTH;
  for (const one of columns.values()) {
    one.x = x + one.width / 2;
    x += one.width;
  }
  return columns;
}

function dotWidth(step) {
  return (shortened(step.interface, 16).length + 2) * DOT_LETTER + 10;
}

// Sightings within a node side by side, in the direction of the way.
function dotsOf(board, flight) {
  const order = [...board.columns.keys()];
  const dots = [];
  for (let begin = 0; begin < flight.steps.length;) {
    const {node} = flight.steps[begin].step;
    let end = begin;
    while (end < flight.steps.length && flight.steps[end].step.node === node) ++end;
    const group = flight.steps.slice(begin, end);
    const toLeft = leftwards(order, flight, begin, end);
    const total = group.reduce((sum, {step}) => sum + dotWidth(step), 0);
    let x = board.columns.get(node).x + (toLeft ? total : -total) / 2;
    for (const one of group) {
      const wide = dotWidth(one.step);
      dots.push({...one, x: x + (toLeft ? -wide : wide) / 2});
      x += toLeft ? -wide : wide;
    }
    begin = end;
  }
  return dots;
}

function leftwards(order, flight, begin, end) {
  const at = index => order.indexOf(flight.steps[index].step.node);
  if (end < flight.steps.length) return at(end) < at(begin);
  return begin > 0 && at(begin) < at(begin - 1);
}

function flightRow(board, flight) {
  const dots = dotsOf(board, flight);
  const {y, parts} = board;
  const promised = board.check.verdict === 'pass';
  const sort = flight.events.some(drops) && !promised ? `${flight.leg} lost` : flight.leg;
  const first = dots[0];
  parts.push(svg('text', {x: TIME_WIDTH - 12, y: y + 18, class: 'dim', 'text-anchor': 'end'}, since(first.step.t_us)));
  let from = null;
  for (const dot of dots) {
    if (from) parts.push(arrow(from, dot, y + 14, sort));
    from = dot;
  }
  for (const dot of dots) parts.push(hopOf(board, dot, y + 14, sort));
  const label = flightLabel(flight, dots);
  const middle = label.fits ? (Math.min(...dots.map(d => d.x)) + Math.max(...dots.map(d => d.x))) / 2 : Math.max(Math.min(...dots.map(d => d.x)) - 10, TIME_WIDTH);
  parts.push(svg('text', {x: middle, y: y + 2, class: `flight ${sort}`, 'text-anchor': label.fits ? 'middle' : 'start'}, label.text, svg('title', {}, first.step.packet)));
  if (!label.fits) board.right = Math.max(board.right || 0, middle + widthOf(label.text) + 8);
  board.y += 42;
  noteRows(board, flight, dots);
}

function flightLabel(flight, dots) {
  const spread = Math.max(...dots.map(d => d.x)) - Math.min(...dots.map(d => d.x));
  const text = shortened(flight.rest, 72);
  return {text, fits: widthOf(text) <= spread + 20};
}

function arrow(from, to, y, sort) {
  const direction = to.x > from.x ? -1 : 1;
  const within = from.step.node === to.step.node;
  const line = svg('path', {d: `M${from.x - direction * 5} ${y}H${to.x + direction * 5}`});
  const head = within ? null : svg('path', {class: 'head', d: `M${to.x + direction * 5} ${y}l${direction * 8} -4v8z`});
  return svg('g', {class: `arrow ${sort}${within ? ' within' : ''}`}, line, head);
}

// A packet at an interface, which shows itself when it is pointed at or pressed.
function hopOf(board, {step, x}, y, sort) {
  const text = stepText(step);
  const show = () => { board.line.textContent = text; };
  const toggle = () => {
    show();
    showPacket(board, made, step);
  };
  const made = svg('g', {
    class: `dot ${sort}${step.translated ? ' translated' : ''}`, role: 'button', tabindex: board.hops.length ? -1 : 0, 'aria-label': text,
    'aria-expanded': 'false', onmouseenter: show, onfocus: show, onclick: toggle,
    onkeydown: event => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      toggle();
    },
  },
  svg('rect', {class: 'target', x: x - dotWidth(step) / 2, y: y - 9, width: dotWidth(step), height: 28}),
  svg('circle', {cx: x, cy: y, r: 4.5}),
  svg('text', {x, y: y + 15, class: 'port', 'text-anchor': 'middle'}, `${shortened(step.interface, 16)}${step.translated ? ' *' : ''}`));
  board.hops.push(made);
  return made;
}

// One stop for the Tab key; arrows, Home and End go on from there.
function moveByKeys(hops) {
  const steps = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity};
  hops.forEach((hop, at) => hop.addEventListener('keydown', event => {
    if (!(event.key in steps)) return;
    event.preventDefault();
    const next = hops[Math.min(Math.max(at + steps[event.key], 0), hops.length - 1)];
    hop.setAttribute('tabindex', -1);
    next.setAttribute('tabindex', 0);
    next.focus();
  }));
}

function gapRow(board, count) {
  board.parts.push(svg('text', {x: TIME_WIDTH, y: board.y, class: 'dim'}, `… ${plural(count, 'packet')} left out …`));
  board.y += 24;
}

// What was translated, and which rules were met, below the packet that it happened to.
function noteRows(board, flight, dots) {
  let before = null;
  for (const {step} of dots) {
    const {ends} = endsOf(step.packet);
    if (before && ends && ends !== before && !board.told.has(`${step.node} ${ends}`)) {
      board.told.add(`${step.node} ${ends}`);
      noteRow(board, step.node, `* ${step.node} translates: ${ends}`, 'translated');
    }
    before = ends || before;
  }
  let passed = [];
  const tell = () => {
    if (passed.length > 2) noteRow(board, passed[0].node, `${passed.length} rules that let it pass`, 'rule', lines(passed.map(event => eventText(event)).join('\n')));
    else for (const event of passed) ruleRow(board, event, 'rule');
    passed = [];
  };
  for (const event of flight.events) {
    if (passed.length && (passed[0].node !== event.node || passed[0].hook !== event.hook)) tell();
    if (!drops(event) && (event.verdict === 'continue' || event.rule === 'return')) {
      passed.push(event);
      continue;
    }
    tell();
    ruleRow(board, event, !drops(event) || repeats(board.check, event) ? 'rule' : board.check.verdict === 'pass' ? 'held' : 'dropper');
  }
  tell();
  board.y += 8;
}

function ruleRow(board, event, sort) {
  noteRow(board, event.node, eventText(event, NOTE_LETTERS), sort, eventText(event));
}

function noteRow(board, node, text, sort, title) {
  const x = board.columns.get(node).x;
  const shown = `${{dropper: '✗ ', held: '✓ '}[sort] || ''}${shortened(text, NOTE_LETTERS)}`;
  // Text that would leave the drawing at its right ends at the node instead of beginning there.
  const toLeft = x > TIME_WIDTH + widthOf(shown) && x > 480;
  board.parts.push(svg('g', {class: `note ${sort}`},
    svg('circle', {cx: x, cy: board.y - 4, r: 2.5}),
    svg('text', {x: x + (toLeft ? -9 : 9), y: board.y, 'text-anchor': toLeft ? 'end' : 'start'}, shown, svg('title', {}, title || text))));
  if (!toLeft) board.right = Math.max(board.right || 0, x + widthOf(shown) + 20);
  board.y += 18;
}
