// The page on which people manage tokens. The access token is in memory alone: after a reload, one logs in again.
"use strict";

const KINDS = {
  user_to_platform: { name: "User to platform", owner: "user", help: "Your role on every instance that you can reach, as it is when the token is used." },
  role_to_instance: { name: "Role to instance", owner: "user", help: "One role on one instance, and on no other." },
  application: { name: "Application", owner: "application", help: "Authenticates an application." },
  service_account: { name: "Service account", owner: "organisation", help: "A program of the organisation. It outlives the person who made it." },
};

const STATES = { superseded: "replaced, still accepted", ended_with_parent: "ended with the token that it was derived from" };

// What an application may do, in words.
const SCOPES = { "reports:read": "See which instances you can reach, and your role on each" };

// An application has sent the user here, with a request that the product has found valid.
const isConsent = location.pathname === "/authorize";

let access = null;
let account = null;
// The ticket of the question that the user is asked, and that of a request for which the user has to log in again.
let question = null;
let again = null;
// The token that is about to be revoked.
let doomed = null;
// The ids of rotations, by the id of the token, until they are answered: if an answer is lost, the same request gets the same token.
const requests = new Map();

const at = (id) => document.getElementById(id);
const say = (text) => { at("status").textContent = text; };
// What is behind an open dialog can be neither seen nor heard.
const complain = (text) => { at(at("confirm").open ? "confirm-error" : "status").textContent = text; };

class Refused extends Error {}

async function call(method, path, body) {
  const headers = { "content-type": "application/json" };
  if (access) headers.authorization = `Bearer ${access}`;
  const response = await fetch(path, { method, headers, body: body && JSON.stringify(body), cache: "no-store", credentials: "omit" });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get("content-type") ?? "");
  const answer = text && isJson ? JSON.parse(text) : null;
  if (response.ok) return answer;
  if (response.status === 401 && access) {
    const expired = "Your session has expired. Log in again.";
    logOut(expired);
    throw new Refused(expired);
  }
  throw new Refused(answer?.detail ?? `The product has answered ${response.status}.`);
}

// Runs what a person has asked for, and says what went wrong.
const asked = (work) => async (event) => {
  event.preventDefault();
  say("");
  at("confirm-error").textContent = "";
  try {
    await work(event);
  } catch (error) {
    complain(error instanceof Refused ? error.message : "The product cannot be reached. Try again.");
  }
};

function logOut(text) {
  access = account = doomed = question = null;
  requests.clear();
  at("confirm").close();
  at("secret").value = "";
  at("once").hidden = at("manage").hidden = at("consent").hidden = true;
  at("log-in").hidden = false;
  at("list").replaceChildren();
  say(text);
  at("username").focus();
}

at("log-in").addEventListener("submit", asked(async () => {
  const answer = await call("POST", "/session", { username: at("username").value, password: at("password").value });
  access = answer.access_token;
  at("password").value = "";
  account = await call("GET", "/account");
  if (isConsent) return askForConsent();
  at("who").textContent = account.user;
  const owned = Object.entries(KINDS).filter(([, kind]) => account.owners.some((owner) => owner.kind === kind.owner));
  at("kind").replaceChildren(...owned.map(([value, kind]) => new Option(kind.name, value)));
  explain();
  at("log-in").hidden = true;
  at("manage").hidden = false;
  await Promise.all([list(), listApplications()]);
  at("name").focus();
}));

// What the application asks for. Its name is its own choice; where the browser goes then is not.
async function askForConsent() {
  const asked = await call("POST", "/account/authorization", again ? { ticket: again } : { query: location.search.slice(1) });
  if (asked.location) return location.assign(asked.location);
  if (asked.log_in) {
    again = asked.log_in;
    return logOut("The application wants you to log in again.");
  }
  question = asked.ticket;
  for (const each of document.querySelectorAll("[data-client]")) each.textContent = asked.client;
  at("consent-user").textContent = account.user;
  at("consent-scopes").replaceChildren(...asked.scopes.map((scope) => element("li", SCOPES[scope] ?? scope)));
  at("consent-target").textContent = `Whatever you choose, you go on to ${new URL(asked.redirect_uri).host}. If you allow it, you can withdraw it later, on the page of your tokens.`;
  at("log-in").hidden = true;
  at("consent").hidden = false;
  at("consent-title").focus();
}

const answer = (allow) => asked(async () => {
  const buttons = [at("allow"), at("refuse")];
  buttons.forEach((button) => { button.disabled = true; });
  try {
    location.assign((await call("POST", "/account/authorization/answer", { ticket: question, allow })).location);
  } finally {
    buttons.forEach((button) => { button.disabled = false; });
  }
});
at("allow").addEventListener("click", answer(true));
at("refuse").addEventListener("click", answer(false));

async function listApplications() {
  const applications = await call("GET", "/account/applications");
  at("applications").replaceChildren(...applications.map(application));
  at("no-applications").hidden = applications.length > 0;
}

function application({ client, scopes, since }) {
  const item = document.createElement("li");
  const withdraw = element("button", "Withdraw", "quiet");
  withdraw.type = "button";
  withdraw.setAttribute("aria-label", `Withdraw what ${client} may do`);
  withdraw.addEventListener("click", asked(async () => {
    await call("DELETE", `/account/applications/${encodeURIComponent(client)}`);
    say(`“${client}” gets no further token of yours.`);
    await listApplications();
    at("applications-title").focus();
  }));
  const actions = element("p", "", "actions");
  actions.append(withdraw);
  const may = scopes.map((scope) => SCOPES[scope] ?? scope).join("; ");
  item.append(element("h3", client), element("p", `${may}; since ${day(since)}.`, "facts"), actions);
  return item;
}

if (isConsent) {
  document.title = "Allow an application";
  at("title").textContent = "Allow an application";
}

at("log-out").addEventListener("click", () => logOut("You have logged out."));

// Shows what belongs to the chosen kind.
function explain() {
  const kind = at("kind").value;
  at("kind-help").textContent = KINDS[kind].help;
  at("on-instance").hidden = kind !== "role_to_instance";
  at("with-role").hidden = kind === "user_to_platform";
}
at("kind").addEventListener("change", explain);

function grants(kind) {
  const role = at("role").value;
  if (kind === "user_to_platform") return [{ everything: true }];
  if (kind === "role_to_instance") return [{ role, instance: at("instance").value.trim() }];
  return [{ role }];
}

at("create").addEventListener("submit", asked(async () => {
  const kind = at("kind").value;
  const owner = account.owners.find((owner) => owner.kind === KINDS[kind].owner);
  const body = { name: at("name").value.trim(), kind, owner, grants: grants(kind), lifetime_seconds: Number(at("lifetime").value) };
  show(await call("POST", "/tokens", body));
  at("name").value = "";
  await list();
}));

function show(created) {
  at("secret").value = created.token;
  at("copy").textContent = "Copy";
  at("once").hidden = false;
  at("once-title").focus();
}

at("copy").addEventListener("click", asked(async () => {
  at("secret").focus();
  at("secret").select();
  try {
    await navigator.clipboard.writeText(at("secret").value);
  } catch {
    throw new Refused("The clipboard cannot be used. Copy it by hand: it is selected.");
  }
  at("copy").textContent = "Copied";
  say("The token is in the clipboard.");
}));

at("done").addEventListener("click", () => {
  at("secret").value = "";
  at("once").hidden = true;
  at("name").focus();
});

const day = (seconds) => new Date(seconds * 1000).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });

function right(grant) {
  if (grant.everything) return "everything that you may do";
  if (grant.scope) return grant.scope;
  return grant.instance ? `${grant.role} on ${grant.instance}` : `${grant.role} everywhere`;
}

function element(name, text, className) {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function row(token) {
  const item = document.createElement("li");
  const title = element("h3", token.name);
  title.append(" ", element("span", STATES[token.state] ?? token.state, "state"));
  const until = token.until ? `expires on ${day(token.until)}` : "does not expire";
  const used = token.last_used ? `last used on ${day(token.last_used)}` : "no recorded use";
  const facts = element("p", `${KINDS[token.kind]?.name ?? token.kind} of ${token.owner.id}: ${token.grants.map(right).join(", ")}; ${until}; ${used}.`, "facts");
  item.append(title, element("code", token.hint), facts);
  const actions = element("p", "", "actions");
  if (token.state === "active") actions.append(button("Replace", token, replace));
  if (token.state === "active" || token.state === "superseded") actions.append(button("Revoke", token, confirm));
  if (actions.hasChildNodes()) item.append(actions);
  return item;
}

function button(text, token, work) {
  const made = element("button", text, "quiet");
  made.type = "button";
  // After it was replaced, there are two of this name.
  const which = token.state === "superseded" ? `the earlier ${token.name}` : token.name;
  made.setAttribute("aria-label", `${text} ${which}`);
  made.addEventListener("click", asked(() => work(token)));
  return made;
}

const random = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

// Another token with the same rights. The earlier one is accepted for 24 hours, so that no program stops meanwhile.
async function replace(token) {
  if (!requests.has(token.id)) requests.set(token.id, random());
  const body = { request_id: requests.get(token.id), overlap_seconds: 86400 };
  const created = await call("POST", `/tokens/${token.id}/rotate`, body);
  requests.delete(token.id);
  show(created);
  say(`“${token.name}” is replaced. The earlier token is accepted for 24 hours.`);
  await list();
}

async function list() {
  const { tokens, unreadable } = await call("GET", "/tokens");
  at("list").replaceChildren(...tokens.reverse().map(row));
  at("none").hidden = tokens.length > 0;
  if (unreadable.length) say(`${unreadable.length} tokens cannot be shown: a later version of the product made them.`);
}

async function confirm(token) {
  const preview = await call("GET", `/tokens/${token.id}/preview`);
  doomed = token;
  const others = preview.derived === 1 ? "One other token, which was derived from it, ends" : `${preview.derived} other tokens, which were derived from it, end`;
  const also = preview.derived ? ` ${others} as well.` : " Nothing else ends.";
  at("confirm-text").textContent = `Programs with “${token.name}” are refused at once.${also} This cannot be undone.`;
  at("confirm").showModal();
  at("keep").focus();
}

at("keep").addEventListener("click", () => at("confirm").close());
at("revoke").addEventListener("click", asked(async () => {
  await call("DELETE", `/tokens/${doomed.id}`);
  at("confirm").close();
  say(`“${doomed.name}” is revoked.`);
  await list();
  // The button that had the focus is gone.
  at("list-title").focus();
}));
