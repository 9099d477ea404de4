use portcullis::token::UnverifiedToken;

fn peek(token: UnverifiedToken<'_>) {
    token.subject();
    token.claims();
    let _: portcullis::Verified = token.into();
}

fn main() {}
