//! Tests over captures that a package does not have.

/// Ends a test, with a word, where a file or folder that it needs is not here: the package has the flagship pair and
/// a small capture of each format alone.
macro_rules! needs {
    ($($path:literal),+) => {
        needs!($($path),+ => ())
    };
    ($($path:literal),+ => $result:expr) => {$(
        if !std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join($path).exists() {
            eprintln!("{} is not in this package: skipped", $path);
            return $result;
        }
    )+};
}
