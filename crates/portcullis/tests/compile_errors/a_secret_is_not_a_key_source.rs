use portcullis::{Secret, TrustedIssuer};

fn trust(secret: Secret) -> TrustedIssuer {
    TrustedIssuer::new("https://login.example.com", secret).audience("orders")
}

fn main() {}
