// ---- the network's picture

// Where a check's packets went: places, nodes, and each part of the way once.
function wayOf(check) {
  const way = {places: new Set(), nodes: new Set(), parts: new Map(), focus: Boolean(check)};
  if (!check) return way;
  for (const {leg, steps} of flightsOf(check)) {
    if (leg === 'neighbour') continue;
    steps.forEach(({step}, at) => {
      const here = `${step.node}:${step.interface}`;
      way.places.add(here);
      way.nodes.add(step.node);
      if (!at) return;
      const before = `${steps[at - 1].step.node}:${steps[at - 1].step.interface}`;
      if (before !== here) way.parts.set(`${leg} ${before} ${here}`, {leg, from: before, to: here});
    });
  }
  for (const event of check.kernel) if (drops(event)) way.nodes.add(event.node);
  return way;
}

function picture(network, check) {
  const way = wayOf(check);
  const stop = check ? stopOf(check) : null;
  const holder = el('div', {class: 'picture'});
  const draw = unfolded => {
    const layout = layoutOf(network, way, stop, unfolded);
    const label = {role: 'img', 'aria-label': pictureText(network, way, stop)};
    const drawn = drawing(label, layout.width, layout.height, 0.62, [
      ...cables(network, layout.spots, way), ...layout.boxes.map(box => boxOf(box, way, stop)),
      ...[...way.parts.values()].map(part => partOf(part, network, layout.spots)),
      ...layout.boxes.map(box => wordsOf(box, way)),
    ]);
    const folds = layout.boxes.some(box => box.rest);
    const stopped = layout.boxes.find(box => stop && box.node.name === stop.node);
    if (stopped) requestAnimationFrame(() => showPart(drawn, stopped.x, layout.width));
    holder.replaceChildren(drawn, ...(folds ? [button(`Draw all ${network.length} nodes`, () => draw(true))] : []));
  };
  draw(false);
  return holder;
}

// Where a drawing is wider than the page, it begins with what matters.
function showPart(drawn, x, width) {
  drawn.scrollLeft = x * drawn.scrollWidth / width - 24;
}

function pictureText(network, way, stop) {
  const names = network.slice(0, 40).map(node => node.name).join(', ');
  const by = way.focus ? ` The packets went by ${[...way.nodes].join(', ') || 'none of them'}.` : '';
  return `Network of ${plural(network.length, 'node')}: ${names}${network.length > 40 ? ', …' : ''}.${by}${stop ? ` Stopped in ${stop.node}: ${stop.text}` : ''}`;
}

// From the side of one box to the facing side of another.
function curve(from, to, lift) {
  if (from.column === to.column) {
    const out = Math.max(from.right, to.right) + 34;
    return {d: `M${from.right} ${from.y + lift}C${out} ${from.y + lift} ${out} ${to.y + lift} ${to.right} ${to.y + lift}`, x: to.right, toLeft: true};
  }
  const rightwards = from.column < to.column;
  const [x1, x2] = rightwards ? [from.right, to.left] : [from.left, to.right];
  const bend = (x2 - x1) / 2;
  return {d: `M${x1} ${from.y + lift}C${x1 + bend} ${from.y + lift} ${x2 - bend} ${to.y + lift} ${x2} ${to.y + lift}`, x: x2, toLeft: !rightwards};
}

function cables(network, spots, way) {
  const drawn = [];
  const seen = new Set();
  for (const node of network) {
    for (const one of node.interfaces) {
      const here = `${node.name}:${one.name}`;
      const [from, to] = [spots.get(here), one.peer && spots.get(one.peer)];
      if (!to || from.node === to.node) continue;
      const ends = [from, to].map(spot => `${spot.node} ${spot.folded || spot.y}`);
      const key = from.folded || to.folded ? ends.sort().join(' ') : [here, one.peer].sort().join(' ');
      if (seen.has(key)) continue;
      seen.add(key);
      const off = way.focus && !(way.places.has(here) && way.places.has(one.peer));
      drawn.push(svg('path', {class: `cable${off ? ' off' : ''}${one.up ? '' : ' down'}`, d: curve(from, to, 0).d}, svg('title', {}, `${here} — ${one.peer}`)));
    }
  }
  return drawn;
}

// A part of the way: along a cable with an arrow's head, or through a node.
function partOf({leg, from, to}, network, spots) {
  // An interface that came later than the picture was taken ends at its node's name.
  const [a, b] = [from, to].map(place => spots.get(place) || spots.get(nodeOf(place)));
  if (!a || !b) return null;
  const lift = leg === 'forward' ? -2.5 : 2.5;
  const title = svg('title', {}, `${leg === 'forward' ? 'the probe' : `the ${leg}`}: ${from} → ${to}`);
  if (a.node === b.node) return svg('path', {class: `way ${leg} within`, d: through(a, b, sideOf(from, network, spots), sideOf(to, network, spots), lift)}, title);
  const {d, x, toLeft} = curve(a, b, lift);
  const head = toLeft ? 9 : -9;
  const y = b.y + lift;
  return svg('g', {class: `way ${leg}`}, svg('path', {d}), svg('path', {class: 'head', d: `M${x} ${y}l${head} -4.5v9z`}), title);
}

// At which side of its box an interface's cable ends, and whether it has one.
function sideOf(place, network, spots) {
  const spot = spots.get(place) || spots.get(nodeOf(place));
  const node = network.find(one => one.name === spot.node);
  const own = node && node.interfaces.find(one => `${node.name}:${one.name}` === place);
  const peer = own && own.peer && spots.get(own.peer);
  return {right: Boolean(peer) && peer.column >= spot.column, cabled: Boolean(peer)};
}

// Along the box's sides, and below its text where it goes to the other one: no text is run over. Packets and their answers
// have a lane each.
function through(a, b, from, to, lift) {
  const [y1, y2] = [a.y + lift, b.y + lift];
  const inwards = 7 + lift;
  const lane = right => right ? a.right - inwards : a.left + inwards;
  const end = ({right, cabled}) => cabled ? (right ? a.right : a.left) : lane(right) + (right ? -4 : 4);
  const across = from.right === to.right ? '' : `V${a.bottom - inwards}H${lane(to.right)}`;
  return `M${end(from)} ${y1}H${lane(from.right)}${across}V${y2}H${end(to)}`;
}

function boxOf({node, x, y, width, tall, rows}, way, stop) {
  const classes = ['node', node.role, rows.length ? '' : 'plain', way.nodes.has(node.name) ? 'on-way' : way.focus ? 'off' : '',
    stop && stop.node === node.name ? (stop.promised ? 'kept-out' : 'stopped') : ''];
  return svg('g', {class: classes.filter(Boolean).join(' ')},
    svg('rect', {class: 'box', x, y, width, height: tall, rx: isSwitch(node) ? 14 : 6}));
}

// Its words come last, so that no line runs over them.
function wordsOf({node, rest, rows, x, y, names}, way) {
  const off = way.focus && !way.nodes.has(node.name);
  const role = node.role === 'more' ? rest.slice(0, 60).map(one => one.name).join(', ') : `${node.name} (${isSwitch(node) ? 'a switch' : node.role})`;
  const words = [svg('text', {x: x + MARGIN, y: y + 18, class: off || node.role === 'more' ? 'name dim' : 'name'}, shortened(node.name, 32), svg('title', {}, role))];
  for (const row of rows) {
    if (row.stop) {
      const {promised} = row.stop;
      const glyph = promised ? 'held' : 'stop';
      const cross = promised ? `M${x + MARGIN} ${row.y - 4}l4 4l6 -9` : `M${x + MARGIN} ${row.y - 9}l9 9m0 -9l-9 9`;
      words.push(svg('path', {class: glyph, d: cross}), svg('text', {x: x + MARGIN + 14, y: row.y, class: `${glyph}-text`},
        stopWords(row.stop), svg('title', {}, row.stop.text)));
      continue;
    }
    const indent = x + MARGIN + row.indent * 14;
    const title = row.title || row.text;
    if (row.name) words.push(svg('text', {x: indent, y: row.y, class: row.up ? '' : 'dim'}, shortened(row.name, NAME_LETTERS), svg('title', {}, title)));
    if (row.text) words.push(svg('text', {x: x + MARGIN + names, y: row.y, class: 'dim'}, row.text, svg('title', {}, title)));
  }
  return svg('g', {class: 'words'}, ...words);
}
