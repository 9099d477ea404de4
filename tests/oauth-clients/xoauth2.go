// The grants that Go's golang.org/x/oauth2 has, in the version of Debian's package. What there is comes and goes as in world.mjs.

package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

type client struct{ ID, Secret string }

var world struct {
	Issuer, Resource, Callback string
	Page, Server, Worker       client
}

var metadata struct {
	Authorization string `json:"authorization_endpoint"`
	Token         string `json:"token_endpoint"`
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func random() string {
	octets := make([]byte, 32)
	_, err := rand.Read(octets)
	check(err)
	return base64.RawURLEncoding.EncodeToString(octets)
}

func show(flow string, token *oauth2.Token) {
	if token.Type() != "Bearer" || !token.Valid() {
		panic(flow)
	}
	line, err := json.Marshal(map[string]string{"flow": flow, "token": token.AccessToken, "audience": world.Resource})
	check(err)
	fmt.Println(string(line))
}

func logIn(config oauth2.Config) *oauth2.Token {
	verifier, state := random(), random()
	challenge := sha256.Sum256([]byte(verifier))
	resource := oauth2.SetAuthURLParam("resource", world.Resource)
	asked := config.AuthCodeURL(state, resource, oauth2.SetAuthURLParam("code_challenge_method", "S256"),
		oauth2.SetAuthURLParam("code_challenge", base64.RawURLEncoding.EncodeToString(challenge[:])))
	browser := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := browser.Get(asked)
	check(err)
	location, err := answer.Location()
	check(err)
	if location.Query().Get("state") != state || location.Query().Get("iss") != world.Issuer {
		panic(location)
	}
	code := location.Query().Get("code")
	token, err := config.Exchange(context.Background(), code, resource, oauth2.SetAuthURLParam("code_verifier", verifier))
	check(err)
	return token
}

func main() {
	check(json.NewDecoder(os.Stdin).Decode(&world))
	answer, err := http.Get(world.Issuer + "/.well-known/oauth-authorization-server")
	check(err)
	check(json.NewDecoder(answer.Body).Decode(&metadata))
	// By default, the library tries the Authorization header first, and the body if that is refused.
	endpoint := oauth2.Endpoint{AuthURL: metadata.Authorization, TokenURL: metadata.Token}
	for _, each := range []client{world.Page, world.Server} {
		config := oauth2.Config{ClientID: each.ID, ClientSecret: each.Secret, Endpoint: endpoint, RedirectURL: world.Callback,
			Scopes: []string{"orders:read", "orders:write"}}
		token := logIn(config)
		show("code of "+each.ID, token)
		old := token.AccessToken
		token.Expiry = time.Now().Add(-time.Hour)
		token, err = config.TokenSource(context.Background(), token).Token()
		check(err)
		if token.AccessToken == old {
			panic("not refreshed")
		}
		show("refresh of "+each.ID, token)
	}
	config := clientcredentials.Config{ClientID: world.Worker.ID, ClientSecret: world.Worker.Secret, TokenURL: metadata.Token,
		Scopes: []string{"orders:read"}, EndpointParams: url.Values{"resource": {world.Resource}}}
	token, err := config.Token(context.Background())
	check(err)
	show("own token", token)
	config.ClientSecret = "another secret"
	if _, err := config.Token(context.Background()); err == nil {
		panic("accepted with another secret")
	}
}
