// What the page shows. Text from elsewhere goes into `textContent` only.

import * as session from './session.js';

const { config } = session;
const $ = (id) => document.getElementById(id);
const VIEWS = ['log-in', 'external', 'consent', 'device', 'home'];
const NAMES = {
  account: 'See and change your account', 'orders:read': 'See your orders', 'orders:write': 'Place orders for you',
  'notes:list': 'See which tools there are', 'notes:read': 'Read your notes', 'notes:write': 'Add notes for you',
};

function show(view) {
  for (const each of VIEWS) $(each).hidden = each !== view;
  $('main').focus({ preventScroll: true });
}

// What a service says about an error has no capital letter and no full stop.
const sentence = (text) => text && text[0].toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? '' : '.');

function say(text, isError = false) {
  $('message').textContent = sentence(text);
  $('message').classList.toggle('is-error', isError);
}

// Runs what a button or a form asks for. One click at a time.
function on(element, event, action) {
  element.addEventListener(event, async (happened) => {
    happened.preventDefault();
    const buttons = [...document.querySelectorAll('button')];
    buttons.forEach((button) => { button.disabled = true; });
    say('');
    try {
      await action(happened);
    } catch (error) {
      if (error instanceof session.LoggedOut) askToLogIn('You are logged out.');
      else say(error.message, true);
    } finally {
      buttons.forEach((button) => { button.disabled = false; });
    }
  });
}

function item(title, details, action, label) {
  const [row, text, small] = ['li', 'span', 'small'].map((name) => document.createElement(name));
  text.append(title, small);
  small.textContent = details;
  row.append(text);
  if (action) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = label;
    button.setAttribute('aria-label', `${label}: ${title}`);
    on(button, 'click', action);
    row.append(button);
  }
  return row;
}

const empty = (text) => Object.assign(document.createElement('li'), { textContent: text });
const time = (seconds) => new Date(seconds * 1000).toLocaleString();

async function api(path, body) {
  const request = body === undefined ? {} : {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
  };
  const answer = await session.call(config.dashboard, path, request);
  const content = answer.status === 204 ? null : await answer.json().catch(() => null);
  if (answer.status === 401) throw new session.LoggedOut();
  if (!answer.ok) throw new Error(content?.error_description ?? content?.title ?? `The dashboard answers ${answer.status}.`);
  return content;
}

function askToLogIn(text = '') {
  say(text);
  $('who').hidden = true;
  $('provider').textContent = config.issuer;
  show(config.is_external ? 'external' : 'log-in');
}

// ---- the pages

async function start() {
  const me = await api('/api/me');
  $('who').textContent = me.subject;
  $('who').hidden = false;
  if (location.pathname === '/authorize') return consent();
  if (location.pathname === '/device') return device();
  return home(me);
}

async function home(me) {
  $('subject').textContent = me.subject;
  $('issuer').textContent = me.issuer;
  for (const each of document.querySelectorAll('[data-own]')) each.hidden = config.is_external;
  show('home');
  tick();
  if (!config.is_external) await Promise.all([listSessions(), listConsents()]);
}

async function listSessions() {
  const sessions = await api('/api/sessions');
  const rows = sessions.map((each) => {
    const details = `${each.client}, since ${time(each.since)}${each.is_current ? ', this one' : ''}`;
    const end = async () => {
      await api(`/api/sessions/${each.id}/end`, {});
      await listSessions();
    };
    return item(each.label ?? each.client, details, each.is_current ? null : end, 'End');
  });
  $('sessions').replaceChildren(...rows);
}

async function listConsents() {
  const consents = await api('/api/consents');
  const rows = consents.map((each) => item(each.client, `${each.scopes.join(', ')}, since ${time(each.since)}`, async () => {
    await api(`/api/consents/${encodeURIComponent(each.client)}/withdraw`, {});
    await Promise.all([listConsents(), listSessions()]);
  }, 'Withdraw'));
  $('consents').replaceChildren(...(rows.length ? rows : [empty('None.')]));
}

// The request of another application for which the user had to log in again.
let ticket;

// What another application asks for, which the server has checked before this page was sent.
async function consent() {
  const asked = await api('/api/authorization', ticket ? { ticket } : { query: location.search.slice(1) });
  if (asked.next === 'go') return location.assign(asked.location);
  if (asked.next === 'log_in') {
    ticket = asked.ticket;
    $('username').value = $('who').textContent;
    askToLogIn('The application wants you to log in again.');
    return $('password').focus();
  }
  // Any outsider can be such a client, and chooses its name. The host is what it cannot choose.
  const publisher = asked.client_id.startsWith('https://') ? `It is published by ${new URL(asked.client_id).host}. ` : '';
  ask(asked, `${publisher}Then you go on to ${new URL(asked.redirect_uri).host}.`, async (allow) => {
    location.assign((await api('/api/authorization/answer', { ticket: asked.ticket, allow })).location);
  });
}

async function device() {
  const code = new URLSearchParams(location.search).get('user_code') ?? '';
  $('user-code').value = code;
  show('device');
  $('user-code').focus();
}

async function findDevice() {
  const code = $('user-code');
  code.removeAttribute('aria-invalid');
  const asked = await api(`/api/device?${new URLSearchParams({ user_code: code.value })}`).catch((error) => {
    // So that the user types over it.
    code.setAttribute('aria-invalid', 'true');
    code.select();
    throw error;
  });
  ask(asked, 'Allow it only if you have the device before you.', async (allow) => {
    await api('/api/device', { ticket: asked.ticket, allow });
    history.replaceState(null, '', '/');
    await start();
    say(allow ? 'The device is connected.' : 'The device was refused.');
  });
}

let answerConsent;

function ask(asked, target, answer) {
  for (const each of document.querySelectorAll('[data-client]')) each.textContent = asked.client;
  $('consent-scopes').replaceChildren(...asked.scopes.map((scope) => empty(NAMES[scope] ?? scope)));
  $('consent-target').textContent = target;
  $('consent-code').hidden = !asked.user_code;
  $('consent-code-text').textContent = asked.user_code ?? '';
  answerConsent = answer;
  show('consent');
}

// Shows what is left of the token. It is renewed when a service is called, or shortly before its end while the page is looked at.
function tick() {
  const token = session.current(config.dashboard);
  if (!token || $('home').hidden) return;
  const left = Math.max(0, Math.ceil((token.expires - Date.now()) / 1000));
  $('countdown').textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`;
  $('left').value = left / token.lifetime;
  $('scopes').textContent = token.scope || 'none';
  $('refreshes').textContent = session.refreshCount();
  if (left <= 2 && !document.hidden) api('/api/me').catch((error) => (error instanceof session.LoggedOut ? askToLogIn('You are logged out.') : say(error.message, true)));
}

async function callService(service, path, request) {
  const answer = await session.call(service, path, request);
  const body = await answer.json().catch(() => ({}));
  $('answer').textContent = `${answer.status}\n${JSON.stringify(body, null, 2)}`;
}

on($('log-in-form'), 'submit', async () => {
  await session.logIn($('username').value, $('password').value);
  $('password').value = '';
  await start();
});
on($('log-in-external'), 'click', session.goToProvider);
on($('device-form'), 'submit', findDevice);
on($('allow'), 'click', () => answerConsent(true));
on($('refuse'), 'click', () => answerConsent(false));
on($('call-dashboard'), 'click', () => callService(config.dashboard, '/api/me'));
on($('call-orders'), 'click', () => callService(config.orders, '/orders'));
on($('place-order'), 'click', () => callService(config.orders, '/orders/new', { method: 'POST' }));
on($('log-out'), 'click', session.logOut);
on($('log-out-everywhere'), 'click', session.logOutEverywhere);

// Another tab has logged out or in, or the session was found to be over.
session.onChange(() => {
  if (session.current(config.dashboard)) tick();
  else askToLogIn('You are logged out.');
});
setInterval(tick, 1000);

try {
  if (config.is_external) await session.comeBack();
  await start();
} catch (error) {
  if (error instanceof session.LoggedOut) askToLogIn();
  else {
    askToLogIn();
    say(error.message, true);
  }
}
