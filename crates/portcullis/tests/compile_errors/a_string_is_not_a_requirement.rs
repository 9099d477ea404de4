use portcullis::RequireLayer;

fn main() {
    let _ = RequireLayer::new("orders:read");
}
