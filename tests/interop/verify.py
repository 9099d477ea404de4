"""Verifies tokens with PyJWT or joserfc.

Reads one question a line from standard input: a JSON object with `token`, `alg`, `issuer`, `audience`, and either `url`, that of a
key set, or `key`, a JSON Web Key. Writes one answer a line: a JSON object with `claims` or `refused`.
"""

import json
import sys
import urllib.request


def pyjwt(question):
    import jwt

    if "url" in question:
        key = jwt.PyJWKClient(question["url"]).get_signing_key_from_jwt(question["token"])
    else:
        key = jwt.PyJWK(question["key"])
    return jwt.decode(
        question["token"],
        key,
        algorithms=[question["alg"]],
        issuer=question["issuer"],
        audience=question["audience"],
        options={"require": ["exp", "iat", "sub"]},
    )


def joserfc(question):
    from joserfc import jwk, jwt

    if "url" in question:
        with urllib.request.urlopen(question["url"]) as answer:
            key = jwk.KeySet.import_key_set(json.load(answer))
    else:
        key = jwk.import_key(question["key"])
    token = jwt.decode(question["token"], key, algorithms=[question["alg"]])
    value = lambda text: {"essential": True, "value": text}
    rules = jwt.JWTClaimsRegistry(iss=value(question["issuer"]), aud=value(question["audience"]), exp={"essential": True})
    rules.validate(token.claims)
    return token.claims


verify = {"pyjwt": pyjwt, "joserfc": joserfc}[sys.argv[1]]
for line in sys.stdin:
    try:
        answer = {"claims": verify(json.loads(line))}
    except Exception as error:
        answer = {"refused": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
