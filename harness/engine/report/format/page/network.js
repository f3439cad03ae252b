// ---- where the nodes of a network stand in its picture

const ROW = 17;        // a line's height
const MOST_IN_COLUMN = 10;
const MOST_BESIDE_WAY = 6;
const MOST_PORTS = 6;  // of a bridge, each on a line of its own
const MARGIN = 20;     // left and right of a box's text, where packets run through it
const LANE = 8;        // below its text, for packets that go to its other side
const NAME_LETTERS = 20;     // the kernel's own names of interfaces have 15 at most
const ADDRESS_LETTERS = 43;  // the longest one of IPv6 with its prefix

function nodeOf(place) {
  return place.slice(0, place.lastIndexOf(':'));
}

// Each node's neighbours by cable, in the order of its interfaces.
function neighboursOf(network) {
  const neighbours = new Map(network.map(node => [node.name, new Set()]));
  for (const node of network) {
    for (const one of node.interfaces) {
      const peer = one.peer ? nodeOf(one.peer) : '';
      if (!neighbours.has(peer) || peer === node.name) continue;
      neighbours.get(node.name).add(peer);
      neighbours.get(peer).add(node.name);
    }
  }
  return neighbours;
}

// Containers stand left of the host, the world right of it, by the number of cables between.
function columnsOf(network) {
  const neighbours = neighboursOf(network);
  const byName = new Map(network.map(node => [node.name, node]));
  const host = network.find(node => node.role === 'host');
  const depth = new Map(host ? [[host.name, 0]] : []);
  for (const name of depth.keys()) {  // grows while it is walked
    for (const next of neighbours.get(name)) {
      if (depth.has(next)) continue;
      const left = byName.get(next).role === 'container' && depth.get(name) <= 0;
      depth.set(next, left ? depth.get(name) - 1 : depth.get(name) < 0 ? depth.get(name) - 1 : depth.get(name) + 1);
    }
  }
  for (const node of network) if (!depth.has(node.name)) depth.set(node.name, node.role === 'container' ? -1 : 1);
  const columns = new Map();
  for (const [name, at] of depth) {
    if (!columns.has(at)) columns.set(at, []);
    columns.get(at).push(byName.get(name));
  }
  return [...columns].sort((a, b) => a[0] - b[0]).map(([, nodes]) => nodes);
}

function isSwitch(node) {
  const cables = node.interfaces.filter(one => one.kind !== 'loopback');
  return node.role !== 'host' && cables.some(one => one.kind === 'bridge') &&
    cables.every(one => one.kind === 'bridge' ? !shownAddresses(one).length : one.master);
}

function shownAddresses(one) {
  return one.addresses.filter(a => !a.startsWith('127.') && a !== '::1/128' && !a.startsWith('fe80:'));
}

// Lines of a node's box: its interfaces with addresses, a bridge's ports below it, and what stopped the packet there.
function rowsOf(node, way, stop) {
  const rows = [];
  const add = (one, indent) => {
    const addresses = shownAddresses(one);
    const row = (name, address, state) => rows.push({name, indent, up: one.up,
      text: [shortened(address, ADDRESS_LETTERS), state].filter(Boolean).join(' '), title: [`${node.name}:${one.name}`, address, state].filter(Boolean).join(' ')});
    row(one.name, addresses[0] || '', one.up ? '' : 'down');
    for (const more of addresses.slice(1)) row('', more, '');
    if (stop && stop.node === node.name && stop.interface === one.name) rows.push({stop});
  };
  const ports = bridge => node.interfaces.filter(one => one.master === bridge);
  const names = new Set(node.interfaces.map(one => one.name));
  for (const one of node.interfaces) {
    if (one.master && names.has(one.master)) continue;
    if (one.kind === 'loopback' && !shownAddresses(one).length) continue;
    add(one, 0);
    const all = ports(one.name);
    const shown = all.length <= MOST_PORTS ? all : all.filter(port => way.places.has(`${node.name}:${port.name}`));
    for (const port of shown) add(port, 1);
    if (shown.length < all.length) rows.push({name: '', indent: 1, up: true, text: `${shown.length ? '+ ' : ''}${plural(all.length - shown.length, 'port')}`, folds: one.name});
  }
  if (stop && stop.node === node.name && !rows.some(row => row.stop)) rows.push({stop});
  return rows;
}

// Which boxes stand where. `spots` says for "node:interface" where cables end.
function layoutOf(network, way, stop, unfolded) {
  const boxes = [];
  const spots = new Map();
  const isPlain = node => isSwitch(node) ? !(stop && stop.node === node.name) : way.focus && !way.nodes.has(node.name);
  let x = 16;
  let height = 0;
  columnsOf(network).forEach((nodes, column) => {
    const shown = unfolded ? nodes : chosen(nodes, way);
    const sized = shown.map(node => ({node, rows: isPlain(node) ? [] : rowsOf(node, way, stop)}));
    if (shown.length < nodes.length) {
      const rest = nodes.filter(node => !shown.includes(node));
      sized.push({node: {name: `+ ${rest.length} more`, role: 'more', interfaces: []}, rest, rows: []});
    }
    for (const one of sized) one.names = Math.max(0, ...one.rows.map(row => row.name ? widthOf(shortened(row.name, NAME_LETTERS)) + row.indent * 14 + 12 : 0));
    const width = 2 * MARGIN + Math.max(...sized.map(boxWidth));
    let y = 14;
    for (const one of sized) {
      const tall = (one.rows.length ? 30 + one.rows.length * ROW : 28) + (way.nodes.has(one.node.name) ? LANE : 0);
      boxes.push({...one, x, y, width, tall, column});
      y += tall + 12;
    }
    height = Math.max(height, y + 2);
    x += width + 64;
  });
  const width = x - 48;
  centre(boxes, height);
  for (const box of boxes) addSpots(spots, box);
  return {boxes, spots, width, height};
}

// Those that a packet went by, and the first ones of the others.
function chosen(nodes, way) {
  const most = way.focus ? MOST_BESIDE_WAY : MOST_IN_COLUMN;
  if (nodes.length <= most + 1) return nodes;
  const on = nodes.filter(node => way.nodes.has(node.name));
  const others = nodes.filter(node => !way.nodes.has(node.name)).slice(0, Math.max(0, most - on.length));
  return nodes.filter(node => on.includes(node) || others.includes(node));
}

const STOP_LETTERS = 52;

function stopWords(stop) {
  return shortened(stop.event ? eventText({...stop.event, packets: null}, STOP_LETTERS) : stop.text, STOP_LETTERS);
}

function boxWidth({node, rows, names}) {
  const lines = rows.map(row => row.stop ? widthOf(stopWords(row.stop)) + 16
    : Math.max(names, row.indent * 14) + widthOf(row.text));
  return Math.max(widthOf(shortened(node.name, 32)) * 1.05, ...lines);
}

// Shorter columns stand in the middle.
function centre(boxes, height) {
  const bottoms = new Map();
  for (const box of boxes) bottoms.set(box.column, Math.max(bottoms.get(box.column) || 0, box.y + box.tall + 14));
  for (const box of boxes) box.y += (height - bottoms.get(box.column)) / 2;
}

function addSpots(spots, box) {
  const {node, rows, x, y, width, tall, column} = box;
  const spot = at => ({left: x, right: x + width, bottom: y + tall, y: at, column, node: node.name});
  for (const hidden of box.rest || []) for (const one of hidden.interfaces) spots.set(`${hidden.name}:${one.name}`, {...spot(y + 14), folded: node.name});
  spots.set(node.name, spot(y + 14));
  rows.forEach((row, at) => {
    row.y = y + 36 + at * ROW;
    if (row.name) spots.set(`${node.name}:${row.name}`, spot(row.y - 4));
  });
  for (const one of node.interfaces) {
    const here = `${node.name}:${one.name}`;
    if (spots.has(here)) continue;
    const folded = rows.find(row => row.folds && row.folds === one.master);
    spots.set(here, spot(folded ? folded.y - 4 : y + 14));
  }
}
