// The person in front of the browser, who logs in and agrees to everything.

const PATH = /^\/interaction\/[\w-]+$/;

export const isInteraction = (path) => PATH.test(path);

// Answers the question that the provider has for this interaction, and sends the browser back to it.
export async function interact(provider, request, response) {
  const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
  const result = prompt.name === 'login'
    ? { login: { accountId: params.login_hint ?? 'carol' } }
    : { consent: { grantId: await consent(provider, { prompt, params, session, grantId }) } };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
}

async function consent(provider, { prompt: { details }, params, session, grantId }) {
  const grant = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  if (details.missingOIDCScope) grant.addOIDCScope(details.missingOIDCScope.join(' '));
  for (const [resource, scopes] of Object.entries(details.missingResourceScopes ?? {})) {
    grant.addResourceScope(resource, scopes.join(' '));
  }
  return grant.save();
}
