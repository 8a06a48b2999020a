//! The program's sources learn that they are a part of another program.
fn main() {
    println!("cargo::rustc-cfg=embedded");
    println!("cargo::rerun-if-changed=build.rs");
}
