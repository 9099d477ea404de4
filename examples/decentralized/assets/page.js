import { call, enrol, makeKey } from '/nats.js';

const element = (id) => document.getElementById(id);
const show = (text) => { element('status').textContent = text; };

/** One key for as long as the page is open. */
const key = await makeKey();
const { orders } = await (await fetch('/config.json')).json();
let user;

async function logInAndEnrol() {
  const body = JSON.stringify({ username: element('username').value });
  const session = await fetch('/session', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const { access_token: accessToken } = await session.json();
  const answer = await enrol(key, `${location.origin}/nats/users`, accessToken);
  user = answer.ok ? await answer.json() : undefined;
  element('read').disabled = element('write').disabled = !user;
  show(user ? `enrolled ${key.name} as ${user.role}` : `refused: ${answer.status}`);
}

async function order(method, body) {
  const answer = await call(key, user.jwt, method, `${orders}/orders/7`, body, user.account);
  show(`${answer.status} ${await answer.text()}`);
}

element('enrol').addEventListener('click', logInAndEnrol);
element('read').addEventListener('click', () => order('GET'));
element('write').addEventListener('click', () => order('POST', 'eight plums'));

show('ready');
