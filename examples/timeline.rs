//! Prints the folded connections of a capture: facts and steps, one a line.
//!
//! `cargo run --release --example timeline -- CAPTURE`
use hcidiff::capture::{CaptureError, Input, OpenOptions};
use hcidiff::pipeline;

fn main() -> Result<(), CaptureError> {
    for path in std::env::args().skip(1) {
        let capture = pipeline::read(&Input::Path(path.into()), &OpenOptions::default(), None)?;
        for connection in &capture.connections {
            println!(
                "#{} {} {:?} peer {:?} status {:?} connected {:?} heard {:?} end {:?}",
                connection.number,
                connection.transport,
                connection.role,
                connection.peer.address,
                connection.status,
                connection.connected_frame,
                connection.heard.as_ref().map(|h| (h.frame, h.by)),
                connection.end.as_ref().map(|e| (e.frame, e.reason, e.reason_sent, e.by)),
            );
            for step in &connection.steps {
                let after = connection.after(step.at).map_or(String::new(), |s| s.to_string());
                let took = step.duration().map_or(String::new(), |s| s.to_string());
                println!(
                    "  {:5}-{:<5} {after:>10} +{took:<9} {:?} {} {} {:?} attribute {:#06x} x{} {}B {:?}",
                    step.frame,
                    step.last_frame,
                    step.by,
                    step.procedure,
                    step.outcome,
                    step.status,
                    step.attribute,
                    step.count,
                    step.bytes,
                    step.detail
                );
            }
            for open in &connection.open_requests {
                println!("  open: {open:?}");
            }
            for odd in &connection.oddities {
                println!("  odd: {odd:?}");
            }
        }
        for event in &capture.adapter_events {
            println!("  {:5} {:?} {:?}", event.frame, event.adapter, event.what);
        }
        println!("{:?} {:?} {:?}", capture.host, capture.adapters, capture.fitness);
    }
    Ok(())
}
