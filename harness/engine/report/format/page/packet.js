// ---- one packet's headers and bytes, and the journey as a table

function hexdump(hex) {
  const lines = [];
  for (let at = 0; at < hex.length; at += 32) {
    const part = hex.slice(at, at + 32).match(/../g) || [];
    const shown = part.map(printed).join('');
    lines.push(`${(at / 2).toString(16).padStart(4, '0')}  ${part.slice(0, 8).join(' ').padEnd(23)}  ${part.slice(8).join(' ').padEnd(23)}  ${shown}`);
  }
  return lines.join('\n');
}

function printed(byte) {
  const code = parseInt(byte, 16);
  return code >= 32 && code < 127 ? String.fromCharCode(code) : '.';
}

function packetDetail(step) {
  if (!step.bytes) return el('p', {class: 'dim'}, 'Its bytes were not kept.');
  const kept = step.bytes.length / 2;
  const length = step.length > kept ? `the first ${kept} of ${step.length} bytes` : plural(kept, 'byte');
  return el('div', {class: 'detail'},
    el('ul', {class: 'headers mono'}, ...(step.headers || []).map(line => el('li', {}, line))),
    el('pre', {class: 'bytes', tabindex: 0, role: 'region', 'aria-label': `Bytes: ${length}`}, lines(hexdump(step.bytes))),
    el('p', {class: 'dim'}, length));
}

// Below the ladder: of the hop that was pressed, until it is pressed again.
function showPacket({panel, hops}, hop, step) {
  const opened = hop.getAttribute('aria-expanded') === 'true';
  for (const one of hops) one.setAttribute('aria-expanded', 'false');
  panel.hidden = opened;
  if (opened) return;
  hop.setAttribute('aria-expanded', 'true');
  const close = button('close', () => {
    panel.hidden = true;
    hop.setAttribute('aria-expanded', 'false');
    hop.focus();
  }, {'aria-label': 'close this packet'});
  panel.replaceChildren(el('p', {class: 'mono'}, stepText(step)), close, packetDetail(step));
}

// What the ladder shows, to be read aloud, searched and copied.
function stepTable(check) {
  const body = el('tbody');
  const told = check.kernel.filter(isTold);
  for (let at = 0; at <= check.journey.length; ++at) {
    for (const event of told.filter(one => one.after === at || (at === check.journey.length && one.after > at))) body.append(eventRow(check, event));
    if (at < check.journey.length) body.append(...stepRows(check.journey[at]));
  }
  const heads = ['time', 'where', 'way', 'packet', 'bytes'].map(text => el('th', {scope: 'col'}, text));
  return el('div', {class: 'scrolls', tabindex: 0, role: 'region', 'aria-label': 'The journey as a table'},
    el('table', {class: 'steps'}, el('thead', {}, el('tr', {}, ...heads)), body));
}

function eventRow(check, event) {
  const dropped = drops(event) && !repeats(check, event);
  return el('tr', {class: dropped ? 'dropped' : 'met'}, el('td', {}), el('td', {}, event.node), el('td', {}),
    el('td', {colspan: 2}, `${dropped ? '✗ ' : ''}${eventText(event)}`));
}

function stepRows(step) {
  const detail = el('tr', {hidden: true}, el('td', {colspan: 5}));
  const toggle = button('packet', () => {
    detail.hidden = !detail.hidden;
    if (!detail.firstChild.firstChild) detail.firstChild.append(packetDetail(step));
    toggle.setAttribute('aria-expanded', String(!detail.hidden));
  }, {'aria-expanded': 'false', 'aria-label': `headers and bytes at ${step.node}:${step.interface}, ${since(step.t_us)}`});
  const notes = [step.translated && `translated: ${step.translated}`, step.note].filter(Boolean).map(note => ` (${note})`).join('');
  const row = el('tr', {class: `leg-${step.leg || 'forward'}`}, el('td', {}, since(step.t_us)), el('td', {}, `${step.node}:${step.interface}`), el('td', {}, step.direction),
    el('td', {class: step.translated ? 'translated' : ''}, step.packet, notes), el('td', {}, step.bytes ? toggle : null));
  return step.bytes ? [row, detail] : [row];
}
