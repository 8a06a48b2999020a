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

/// The text of a file that a package may not have, read when the test runs. It lives as long as the test.
#[allow(unused_macros)]
macro_rules! text_of {
    ($path:literal) => {{
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join($path);
        let text = std::fs::read_to_string(path).expect($path);
        let text: &'static str = text.leak();
        text
    }};
}
