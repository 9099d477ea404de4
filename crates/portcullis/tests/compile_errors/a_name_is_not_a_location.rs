use portcullis::{AuthLayer, Admission};

fn guard(admission: Admission) -> AuthLayer {
    AuthLayer::at("x-token", admission)
}

fn main() {}
