//! Reads any text as expectations, one by one and as a file. What is read is read the same once more.
#![no_main]
use hcidiff::check::Expectation;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match Expectation::parse(text) {
        Ok(expectation) => {
            let again = Expectation::parse(expectation.text()).expect("it was read before");
            assert_eq!(again.text(), expectation.text());
        }
        Err(wrong) => {
            assert!(wrong.column() >= 1);
            assert!(wrong.to_string().lines().count() >= 3);
        }
    }
    let _ = Expectation::parse_all(text);
});
