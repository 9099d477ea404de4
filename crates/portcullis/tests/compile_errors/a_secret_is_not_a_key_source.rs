use portcullis::{Secret, TrustedIssuer};

fn trust(secret: Secret) -> TrustedIssuer {
    TrustedIssuer::new("https://login.example.com", "orders", secret)
}

fn main() {}
