use portcullis::{AuthLayer, JwtAuthenticator};

fn guard(authenticator: JwtAuthenticator) -> AuthLayer {
    AuthLayer::at("x-token", authenticator)
}

fn main() {}
