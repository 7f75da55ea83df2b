//! Rebuilds the crate when a file is added to or removed from a pack. The macro tracks only existing
//! files.

fn main() {
    println!("cargo:rerun-if-changed=../../packs");
}
