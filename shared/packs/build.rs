//! Compiles the crate again when a file of a pack comes or goes: the macro sees the files that were there.

fn main() {
    println!("cargo:rerun-if-changed=../../packs");
}
