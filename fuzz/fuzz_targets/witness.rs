//! Reads any bytes as a log or a D-Bus capture, and holds what it claims against a capture.
#![no_main]
use hcidiff::capture::Input;
use hcidiff::trace::Trace;
use hcidiff::witness::{self, Testimony};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Ok(Some(log)) = witness::read(&Input::bytes("log", input), &Default::default()) else {
        return;
    };
    let capture = Trace::new().advertises(0).up().mtu().wait_ms(500).run();
    let testimony = Testimony::of(log, &capture);
    for relation in &testimony.relations {
        assert!(testimony.claim(relation).is_some());
    }
});
