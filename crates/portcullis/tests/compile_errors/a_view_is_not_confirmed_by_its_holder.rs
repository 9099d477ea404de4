use portcullis::revocation::RevocationView;
use portcullis_store::Revocations;

fn pretend(revocations: &Revocations) {
    let view: RevocationView = revocations.into();
    view.confirm(view.ask());
}

fn main() {}
