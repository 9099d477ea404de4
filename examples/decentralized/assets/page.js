import { comeBack, goToProvider, logIn, logOut } from '/log_in.js';
import { call, enrol, makeKey } from '/nats.js';

const element = (id) => document.getElementById(id);
const show = (text) => { element('status').textContent = text; };

const { orders, audience, provider } = await (await fetch('/config.json')).json();
/** One key for as long as the page is open. */
let key;
let accessToken;
let user;

async function enrolWith(token) {
  accessToken = token;
  const answer = await enrol(key, `${location.origin}/nats/users`, accessToken);
  user = answer.ok ? await answer.json() : undefined;
  element('read').disabled = element('write').disabled = !user;
  element('log-out').disabled = !user;
  show(user ? `enrolled ${key.name} as ${user.role}` : `refused: ${answer.status}`);
}

async function order(method, body) {
  const answer = await call(key, user.token, method, `${orders}/orders/7`, body, user.account);
  show(`${answer.status} ${await answer.text()}`);
}

/** Runs what a button asks for, and says what went wrong. The key stays, so that a call after a log-out shows what is left of it. */
function on(id, action) {
  element(id).addEventListener('click', () => action().catch((error) => show(error.message)));
}

on('enrol', async () => enrolWith(await logIn(element('username').value)));
on('log-in-at-provider', () => goToProvider(provider, audience));
on('read', () => order('GET'));
on('write', () => order('POST', 'eight plums'));
on('log-out', async () => {
  await logOut(accessToken);
  show('logged out: orders learns of it in a moment');
});

element('own').hidden = Boolean(provider);
element('log-out').hidden = Boolean(provider);
element('other').hidden = !provider;
element('provider').textContent = provider?.issuer ?? '';

try {
  key = await makeKey();
  show('ready');
  const token = provider && await comeBack(provider, audience);
  if (token) await enrolWith(token);
} catch (error) {
  show(error.message);
}
