'use strict';
// All text goes into the page as text nodes: nothing that a packet, a spec or a kernel says can become markup.

function el(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function svg(tag, attributes, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

// Characters that steer (of terminals, of a line's direction) or hide are spelled out, as on the console.
const STEERS = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}]/gu;

const SPELLED = {'\n': '\\n', '\r': '\\r', '\t': '\\t'};

function plain(text) {
  return text.replace(STEERS, letter => {
    const code = letter.codePointAt(0).toString(16);
    if (letter in SPELLED) return SPELLED[letter];
    if (code.length <= 2) return `\\x${code.padStart(2, '0')}`;
    return code.length <= 4 ? `\\u${code.padStart(4, '0')}` : `\\U${code.padStart(8, '0')}`;
  });
}

// For text that may rightly have several lines.
function plainLines(text) {
  return text.split('\n').map(plain).join('\n');
}

function lines(text) {
  return document.createTextNode(plainLines(text));
}

const HAVE_LINES = new Set(['about', 'fix', 'message', 'remedy']);

// Spelled out from the beginning, so that drawings leave enough room; a link is no text. Most texts hold nothing to spell.
function parsed(text) {
  if (!/\\[ubfrnt]/.test(text) && text.search(STEERS) < 0) return JSON.parse(text);
  return JSON.parse(text, (key, value) => {
    if (typeof value !== 'string' || key === 'trace_link') return value;
    return HAVE_LINES.has(key) ? plainLines(value) : plain(value);
  });
}

// Attributes named "on…" are listeners; those that are false or absent are left out.
function fill(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) made.setAttribute(name, value === true ? '' : name === 'href' ? value : plain(String(value)));
  }
  for (const child of children.flat()) if (child != null && child !== false) made.append(typeof child === 'string' ? plain(child) : child);
  return made;
}

function button(text, onclick, attributes = {}) {
  return el('button', {type: 'button', ...attributes, onclick}, text);
}

function plural(count, word) {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

function shortened(text, most) {
  return text.length > most ? `${text.slice(0, Math.max(most - 1, 1))}…` : text;
}

// ---- times

function took(ms) {
  if (ms < 1) return `${Math.round(ms * 1000)} µs`;
  return ms < 1000 ? `${ms < 100 ? ms.toPrecision(3) : Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

function since(us) {
  if (Math.abs(us) < 1000) return `${us} µs`;
  return Math.abs(us) < 1e6 ? `${(us / 1000).toFixed(2)} ms` : `${(us / 1e6).toFixed(3)} s`;
}

// ---- verdicts

const VERDICTS = ['fail', 'error', 'inconclusive', 'pass', 'skip'];  // the worst first
const COUNTED = {pass: 'passed', fail: 'failed', inconclusive: 'inconclusive', skip: 'skipped', error: 'errors'};
const GLYPH = {pass: '✓', fail: '✗', inconclusive: '?', skip: '–', error: '!'};

function mark(verdict) {
  return el('span', {class: `mark ${verdict}`}, el('span', {class: 'glyph', 'aria-hidden': 'true'}, GLYPH[verdict] || '·'),
    verdict.toUpperCase());
}

// ---- drawings

const LETTER = 7.25;  // the width of one in the drawings' font, 12 pixels high

function widthOf(text) {
  return text.length * LETTER;
}

// It shrinks with the page until it could not be read, and then scrolls in its own box.
const narrow = matchMedia('(max-width: 45rem)');

function drawing(label, width, height, shrinks, parts) {
  const made = svg('svg', {width, height, viewBox: `0 0 ${width} ${height}`, ...label}, ...parts);
  made.style.minWidth = `${Math.round(width * (narrow.matches ? 0.85 : shrinks))}px`;
  return el('div', {class: 'drawing'}, made);
}
