// The page is a reader: it shows what /events and /v1 say. Text from the gateway goes in as text, never as markup.
'use strict';

const $ = id => document.getElementById(id);
const feedLength = 200; // entries kept
const retryAfter = 2000; // ms

function el(tag, text, props, ...children) {
  const e = Object.assign(document.createElement(tag), props);
  if (text) e.textContent = text;
  e.append(...children);
  return e;
}

// set changes a text only where it differs: what the reader has selected or listens to stays as it is.
function set(e, text) {
  if (e.textContent !== text) e.textContent = text;
}

const number = n => n.toLocaleString();
const plural = (n, what) => number(n) + ' ' + what + (n === 1 ? '' : 's');
const dot = state => el('i', '', { className: 'dot s-' + state });

// when shows a time, and the day where that is not today.
function when(iso) {
  const t = new Date(iso);
  const clock = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' };
  const today = t.toDateString() === new Date().toDateString();
  const text = today ? t.toLocaleTimeString([], clock)
    : t.toLocaleString([], { day: 'numeric', month: 'short', year: 'numeric', ...clock });
  return el('time', text, { dateTime: iso, title: t.toISOString() });
}

// The figures.

function showStates(now) {
  set($('total'), number(now.devices));
  $('no-devices').hidden = now.devices > 0;
  if (!$('states').childElementCount) {
    $('bar').replaceChildren(...now.order.map(state => el('i', '', { className: 's-' + state })));
    $('states').replaceChildren(...now.order.map(state =>
      el('li', '', { id: 'n-' + state }, dot(state), el('span', state), el('b', '0'))));
  }
  now.order.forEach((state, i) => {
    const n = now.states[state] || 0;
    $('bar').children[i].style.flexGrow = n;
    const li = $('n-' + state);
    set(li.querySelector('b'), number(n));
    li.className = n ? '' : 'none';
  });
}

function modemNote(m) {
  const why = m.reason || m.error || '';
  if (!m.until) return why;
  const then = m.state === 'out of service' ? 'next try ' : 'until ';
  return [why, then + when(m.until).textContent].filter(Boolean).join('; ');
}

function showModems(modems) {
  $('no-modems').hidden = modems.length > 0;
  $('modem-table').hidden = !modems.length;
  set($('modem-count'), modems.length ? number(modems.length) : '');
  const rows = $('modems');
  while (rows.childElementCount > modems.length) rows.lastElementChild.remove();
  modems.forEach((m, i) => {
    if (!rows.children[i]) {
      const choose = el('button', '', { type: 'button', title: 'Show this modem' });
      choose.addEventListener('click', () => showModem(choose.textContent));
      rows.append(el('tr', '', {}, el('th', '', { scope: 'row' }, choose), el('td'), el('td', '', { className: 'n' }),
        el('td', '', { className: 'n' }), el('td')));
    }
    const cells = [m.name, m.state, number(m.sent), number(m.failed), modemNote(m)];
    cells.forEach((text, k) => set(k ? rows.children[i].children[k] : rows.children[i].querySelector('button'), text));
    rows.children[i].className = m.state === 'out of service' ? 'bad' : '';
  });
}

// The feed.

function sentence(e) {
  const text = e.text || '';
  switch (e.kind) {
    case 'state': {
      const way = e.from && e.from !== e.to ? e.from + ' → ' + e.to : e.to;
      return [way, text].filter(Boolean).join(': ');
    }
    case 'results': return plural(e.count || 0, 'result');
    case 'push': return 'SMS: ' + text;
    case 'session': return 'session ' + text;
    case 'order':
    case 'campaign': return [e.kind + ' ' + (e.status || ''), text].filter(Boolean).join(': ');
  }
  return [e.kind, text].filter(Boolean).join(': ');
}

// merged joins what comes in dozens: results that follow each other at one device are one entry with their sum, and an
// entry that says the same as the one before it is left out.
function merged(entries) {
  const out = [];
  const last = new Map(); // by device: index in out
  for (const e of entries) {
    const before = out[last.get(e.device)];
    if (before && before.kind === 'results' && e.kind === 'results') {
      out[last.get(e.device)] = { ...before, count: before.count + e.count };
    } else if (!(before && before.kind === 'push' && e.kind === 'push' && e.text === before.text)) {
      last.set(e.device, out.push(e) - 1);
    }
  }
  return out;
}

const event = e => el('span', sentence(e), { className: 'event' + (e.kind === 'state' ? ' moved s-' + e.to : '') });

let seen = 0; // offset of the last feed entry received
let waiting = []; // feed entries to be shown, oldest first

function addFeed(now) {
  if (now.offset < seen) { // another store
    seen = 0;
    waiting = [];
    $('feed').replaceChildren();
  }
  const fresh = now.feed.filter(e => e.offset > seen);
  if (!fresh.length) return;
  const missed = seen ? fresh[0].offset - seen - 1 : 0;
  if (missed) waiting.push({ missed });
  waiting = waiting.concat(fresh).slice(-feedLength);
  seen = fresh.at(-1).offset;
  showFeed();
  if (missed || fresh.some(e => e.device === shown)) refreshDevice();
}

// held says that someone is about to use an entry: it must not move away then.
let pointed = false; // by a mouse
const held = () => pointed || $('feed').querySelector(':focus-visible') !== null;

function showFeed() {
  $('held').hidden = !held() || !waiting.length;
  if (held()) return;
  $('no-feed').hidden = waiting.length > 0 || $('feed').childElementCount > 0;
  for (const e of merged(waiting)) {
    if (e.missed) {
      $('feed').prepend(el('li', plural(e.missed, 'event') + ' not shown', { className: 'missed' }));
      continue;
    }
    const show = e.device ? el('button', e.device, { type: 'button', title: 'Show this device' }) : el('span', e.campaign || '');
    if (e.device) show.addEventListener('click', () => showDevice(e.device));
    $('feed').prepend(el('li', '', {}, when(e.time), show, event(e)));
  }
  waiting = [];
  while ($('feed').childElementCount > feedLength) $('feed').lastElementChild.remove();
}

$('feed').addEventListener('pointerenter', e => { pointed = e.pointerType === 'mouse'; });
$('feed').addEventListener('pointerleave', () => { pointed = false; showFeed(); });
$('feed').addEventListener('focusout', () => setTimeout(showFeed)); // when the focus has moved on

// One device.

let shown = ''; // id of the device shown
let refreshing = 0; // timer

async function get(path) {
  const answer = await fetch(path).catch(() => { throw new Error('The gateway does not answer.'); });
  if (answer.status === 401) {
    showGate('Your sign-in has ended.');
    throw new Error('');
  }
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(body.detail || body.title || 'The gateway answered ' + answer.status + '.');
  return body;
}

// list shows names with their values, each a text or an element; those without a value are left out.
function list(pairs, className) {
  const dl = el('dl', '', { className: className || '' });
  for (const [name, value] of pairs.filter(pair => pair[1])) {
    dl.append(el('div', '', {}, el('dt', '', {}, name), el('dd', '', {}, value)));
  }
  return dl;
}

// part is a titled list; nothing where the list is empty.
const part = (title, pairs, className) => pairs.length ? [el('h4', title), list(pairs, className)] : [];

function deviceView(d) {
  const facts = { ...d.facts };
  delete facts.DevId; // shown above
  const model = [facts.Man, facts.Mod].filter(Boolean).join(' ');
  return [
    el('h3', d.msisdn, { tabIndex: -1 }, el('span', model, { className: 'count' })),
    list([
      ['state', el('span', '', {}, dot(d.state), d.state, ' since ', when(d.since))],
      ['why', d.reason],
      ['waits for', d.waits && d.waits.for],
      ['until', d.waits && el('span', '', {}, when(d.waits.until), ', then ' + d.waits.next)],
      ['last session', d.seen && when(d.seen)],
      ['device', d.dev_id],
      ['id', d.id],
    ]),
    ...part('What it is', Object.entries(facts).sort(), 'facts'),
    ...part('What it has', (d.objects || []).map(o => [o.uri,
      [o.type, (o.children || []).join(', ')].filter(Boolean).join(': ') || '—'])),
    ...part('What happened', merged(d.timeline || []).map(e => [when(e.time), event(e)])),
  ];
}

// note says something in place of a device, or nothing.
function note(text) {
  set($('device-note'), text);
  if (text) $('device').replaceChildren();
}

async function loadDevice(id) {
  shown = id;
  try {
    const d = await get('/v1/devices/' + encodeURIComponent(id));
    if (shown !== id) return false; // another has been chosen meanwhile
    note('');
    $('device').replaceChildren(...deviceView(d));
    return true;
  } catch (err) {
    if (shown === id) note(err.message);
    return false;
  }
}

async function showDevice(id) {
  if (await loadDevice(id)) $('device').querySelector('h3').focus();
}

// refreshDevice keeps the shown device up to date, at most once a second.
function refreshDevice() {
  if (!shown || refreshing) return;
  refreshing = setTimeout(() => {
    refreshing = 0;
    if (shown) loadDevice(shown);
  }, 1000);
}

// e164 is a number as people write it in the form in which the gateway keeps it.
function e164(text) {
  const digits = text.replace(/[^0-9]/g, '').replace(/^00/, '');
  return digits && '+' + digits;
}

$('find').addEventListener('submit', async submitted => {
  submitted.preventDefault();
  const wanted = e164($('msisdn').value);
  $('msisdn').select(); // the next number takes its place
  shown = '';
  if (!wanted) return note('A number has digits.');
  try {
    const page = await get('/v1/devices?msisdn=' + encodeURIComponent(wanted));
    if (page.devices.length) await showDevice(page.devices[0].id);
    else note('No device has the number ' + wanted + '.');
  } catch (err) {
    note(err.message);
  }
});

// One modem.

let shownModem = ''; // name of the modem shown
let modemDue = 0; // timer

function modemView(m) {
  const said = (m.exchanges || []).slice().reverse().map(e => el('li', '', {}, when(e.time),
    el('code', e.sent || ''), el('code', (e.lines || []).join('\n'))));
  return [
    el('h3', m.name, { tabIndex: -1 }, el('span', [m.maker, m.model].filter(Boolean).join(' '), { className: 'count' })),
    list([
      ['id', m.id],
      ['SIM', m.iccid || m.imsi],
      ['network', m.operator],
      ['signal', m.signal === 99 ? 'unknown' : m.signal + ' of 31'],
      ['pushes', number(m.pushes) + ' sent, ' + plural(m.reports, 'delivery report')],
      ['perhaps sent', m.doubtful && plural(m.doubtful, 'segment')],
      ['tags', (m.tags || []).join(', ')],
      ['last error', m.error],
    ]),
    el('h4', 'What was said, the latest first'),
    el('ol', '', { className: 'talk scroll' }, ...said),
  ];
}

async function loadModem(name) {
  shownModem = name;
  try {
    const m = await get('/v1/modems/' + encodeURIComponent(name));
    if (shownModem !== name) return false;
    const top = $('modem').querySelector('.talk')?.scrollTop || 0;
    $('modem').replaceChildren(...modemView(m));
    $('modem').querySelector('.talk').scrollTop = top;
    return true;
  } catch (err) {
    if (shownModem === name) $('modem').replaceChildren(el('p', err.message, { className: 'hint' }));
    return false;
  }
}

async function showModem(name) {
  if (await loadModem(name)) $('modem').querySelector('h3').focus();
}

// refreshModem keeps the shown modem up to date, at most every two seconds, and not while somebody reads it.
function refreshModem() {
  if (!shownModem || modemDue) return;
  modemDue = setTimeout(() => {
    modemDue = 0;
    if (shownModem && !$('modem').matches(':hover, :focus-within')) loadModem(shownModem);
  }, 2000);
}

// Sign-in and connection.

let events; // the open stream
let again = 0; // timer of the next try

function link(text, kind) {
  set($('link'), text);
  $('link').className = kind;
}

function stop() {
  if (events) events.close();
  events = undefined;
  clearTimeout(again);
}

function lost() {
  if ($('link').className !== 'lost') {
    link('connection lost at ' + when(new Date().toISOString()).textContent + ', trying again', 'lost');
  }
}

function retry() {
  stop();
  lost();
  again = setTimeout(start, retryAfter);
}

function showGate(why) {
  stop();
  shown = shownModem = '';
  $('modem').replaceChildren();
  seen = 0;
  waiting = [];
  pointed = false;
  $('feed').replaceChildren();
  note('Enter a number, or choose a device among the latest events.');
  $('board').hidden = $('signout').hidden = true;
  $('gate').hidden = false;
  set($('wrong'), why);
  link('not signed in', '');
  $('key').focus();
}

function showBoard() {
  stop();
  $('gate').hidden = true;
  $('board').hidden = $('signout').hidden = false;
  events = new EventSource('/events');
  events.onmessage = message => {
    const now = JSON.parse(message.data);
    link('live', 'live');
    showStates(now);
    showModems(now.modems);
    refreshModem();
    addFeed(now);
  };
  // The browser tries again by itself, except after an answer that is no stream: signed out, or too many pages.
  events.onerror = () => events.readyState === EventSource.CLOSED ? retry() : lost();
}

// signIn returns what went wrong, or nothing.
async function signIn(key) {
  try {
    const answer = await fetch('/signin', { method: 'POST', body: new URLSearchParams({ key }) });
    return answer.ok ? '' : await answer.text();
  } catch {
    return 'The gateway does not answer.';
  }
}

$('signin').addEventListener('submit', async submitted => {
  submitted.preventDefault();
  const wrong = await signIn($('key').value);
  $('key').value = '';
  if (wrong) {
    set($('wrong'), wrong);
    $('key').focus();
  } else {
    set($('wrong'), '');
    showBoard();
  }
});

$('signout').addEventListener('click', async () => {
  try {
    await fetch('/signout', { method: 'POST' });
    showGate('');
  } catch {
    retry(); // still signed in
  }
});

// start uses a key in the address (as the demo prints it) once and takes it out of sight, else the cookie.
async function start() {
  stop();
  const key = new URLSearchParams(location.hash.slice(1)).get('key');
  let wrong = '';
  if (key) {
    history.replaceState(null, '', location.pathname);
    wrong = await signIn(key);
  }
  try {
    const signedIn = await (await fetch('/signin')).json();
    if (signedIn) showBoard();
    else showGate(wrong || ($('board').hidden ? '' : 'Your sign-in has ended.'));
  } catch {
    retry();
  }
}

addEventListener('hashchange', start);
// A page that nobody sees holds no connection: a browser has only six for one gateway.
document.addEventListener('visibilitychange', () => {
  if (!$('gate').hidden) return;
  if (document.hidden) stop(); else start();
});
start();
