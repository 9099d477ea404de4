use portcullis::Claims;

struct Custom {
    tenant: String,
}

fn right(claims: Claims<Custom>) -> String {
    claims.custom.tenant.clone()
}

fn wrong(claims: Claims<Custom>) -> String {
    claims.tenant.clone()
}

fn main() {}
