// ---- what a check's journey tells, apart from how it is drawn

function drops(event) {
  return Boolean(event.drop_reason) || ['drop', 'reject'].includes((event.verdict || '').split(' ')[0].toLowerCase());
}

// A kernel that says "netfilter did it" says nothing new after the rule.
function repeats(check, event) {
  return Boolean(event.drop_reason) &&
    check.kernel.some(other => !other.drop_reason && drops(other) && other.node === event.node && other.leg === event.leg);
}

function isTold(event) {
  return Boolean(event.table || event.drop_reason);
}

// With at most so many letters, of which the rule's own are left out first.
function eventText(event, most = Infinity) {
  if (event.drop_reason) return shortened(`dropped by the kernel: ${event.drop_reason} in ${event.function || '?'}`, most);
  const before = `${event.hook ? `${event.hook}: ` : ''}${event.table} ${event.chain}: `;
  const after = ` → ${event.verdict || '?'}${event.packets == null ? '' : ` (counted ${event.packets})`}`;
  return shortened(`${before}${shortened(event.rule, Math.max(12, most - before.length - after.length))}${after}`, most);
}

function stepText(step) {
  const notes = [step.translated && `translated: ${step.translated}`, step.note].filter(Boolean);
  return `${since(step.t_us)}  ${step.node}:${step.interface} ${step.direction}  ${step.packet}${notes.length ? `  (${notes.join('; ')})` : ''}`;
}

// "192.168.99.11:4000 > 203.0.113.80:80" of a packet's line, and what else it says.
function endsOf(packet) {
  const found = /^(\S+ > \S+) (.*)$/.exec(packet);
  return found ? {ends: found[1], rest: found[2].replace(/, ttl \d+/, '')} : {ends: '', rest: packet};
}

// One packet on its way through the nodes, step by step: the same text at each, but for its addresses. It may have
// to wait in between until a neighbour's address is known.
function flightsOf(check) {
  const flights = [];
  const under = {};  // way: the packet's, and the one that finds neighbours
  check.journey.forEach((step, at) => {
    const leg = step.leg || 'forward';
    const kind = leg === 'neighbour' ? leg : 'packet';
    const {rest} = endsOf(step.packet);
    const here = `${step.node}:${step.interface} ${step.direction}`;
    const last = under[kind];
    if (!last || last.leg !== leg || last.rest !== rest || last.places.has(here)) {
      under[kind] = {leg, rest, steps: [], places: new Set(), events: []};
      flights.push(under[kind]);
    }
    under[kind].steps.push({step, at});
    under[kind].places.add(here);
  });
  for (const event of check.kernel.filter(isTold)) flightOf(flights, event)?.events.push(event);
  return flights;
}

// The packet that an event happened to: the one whose step it came after, or before, of the same leg if there is one.
function flightOf(flights, event) {
  const packets = flights.filter(flight => flight.leg !== 'neighbour' && (!event.leg || flight.leg === event.leg));
  const all = packets.length ? packets : flights;
  const before = all.filter(flight => flight.steps.some(({at}) => at < event.after));
  return before.length ? before[before.length - 1] : all[0];
}

// The rule or the kernel that stopped the probe or its answer (as promised, where the check passed), or where it was seen
// last: null where it got through.
function stopOf(check) {
  const told = check.kernel.filter(event => drops(event) && !repeats(check, event));
  const event = told[told.length - 1];
  const seen = check.journey.filter(step => step.leg !== 'neighbour');
  if (event) {
    const before = check.journey.slice(0, event.after).filter(step => step.node === event.node).pop();
    return {node: event.node, interface: before ? before.interface : event.iif || '', text: eventText(event), event, promised: check.verdict === 'pass'};
  }
  const last = seen[seen.length - 1];
  if (check.verdict === 'pass' || !last) return null;
  if (check.stopped) {
    const names = [...new Set(seen.map(step => step.node))].filter(name => check.stopped.startsWith(name));
    const node = names.sort((a, b) => b.length - a.length)[0] || last.node;
    const there = seen.filter(step => step.node === node).pop();
    return {node, interface: there ? there.interface : '', text: check.stopped};
  }
  if (seen.some(step => step.leg !== 'forward')) return null;
  return {node: last.node, interface: last.interface, text: 'last seen here'};
}
