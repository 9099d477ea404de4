use portcullis::{AuthLayer, TrustedIssuer};

fn guard(issuer: TrustedIssuer) -> AuthLayer {
    AuthLayer::new(issuer)
}

fn main() {}
