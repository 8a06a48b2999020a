//! How fast a log is read of which almost all is about something else, as a ratio to counting its lines.
//!
//! `cargo bench --bench logs -- [ROUNDS] [FILE]`. Without a file, a log of Home Assistant is made: one line of a
//! hundred is about Bluetooth. Rounds alternate, medians count, and the memory is what the process took at most. Where
//! the system tells it, the time is what the processor spent: other programs do not count.
#[path = "counted/mod.rs"]
mod counted;

use counted::{Made, busy, median, memory, newlines, timed};
use hcidiff::witness;
use std::fs;
use std::hint::black_box;
use std::io::{self, Write};
use std::path::Path;

const SIZE: usize = 200_000_000;
/// Of so many lines one is about Bluetooth.
const RARE: usize = 100;
const BLUETOOTH: &str = "fixtures/witness/w46-ha-3e/w46-ha-3e.home-assistant.log";

/// What Home Assistant's log is full of.
const OTHERS: [&str; 12] = [
    "INFO (MainThread) [homeassistant.components.automation.lights] Lights in the hall: Running automation actions",
    "WARNING (MainThread) [homeassistant.helpers.entity] Update of sensor.meter_power is taking over 10 seconds",
    "DEBUG (MainThread) [homeassistant.components.mqtt.client] Received message on zigbee2mqtt/lamp (qos=0): b'{\"state\":\"ON\",\"brightness\":254,\"linkquality\":131}'",
    "INFO (SyncWorker_3) [homeassistant.components.recorder.migration] Purging old events and states in batches of 4000",
    "WARNING (MainThread) [homeassistant.components.sensor.recorder] Entity sensor.gas is not strictly increasing",
    "DEBUG (MainThread) [zigpy.zcl] [0x4F21:1:0x0402] Received ZCL frame: b'\\x18\\x91\\x0A\\x00\\x00\\x29\\x5C\\x08'",
    "INFO (MainThread) [homeassistant.setup] Setup of domain weather took 0.42 seconds",
    "ERROR (MainThread) [homeassistant.components.rest.data] Timeout while fetching data: http://inverter.local/status",
    "DEBUG (MainThread) [homeassistant.components.shelly] Finished fetching shelly-plug data in 0.213 seconds (success: True)",
    "INFO (MainThread) [homeassistant.components.history] Fetched 1250 states in 0.02 s for 14 entities",
    "WARNING (MainThread) [aiohttp.server] Slow response to /api/states from the dashboard in the kitchen",
    "DEBUG (MainThread) [homeassistant.components.energy] Tariff of the day: 0.31, night: 0.22, solar: 1.7 kWh",
];

fn main() {
    let Made { rounds, path, .. } = &counted::file(make);
    let size = fs::metadata(path).expect("a file").len() as f64 / 1e6;
    let (mut counts, mut reads, mut lines, mut understood) = (Vec::new(), Vec::new(), 0, 0);
    for _ in 0..*rounds {
        let (counted, seconds) = timed(path, newlines);
        lines = counted;
        counts.push(seconds);
        let start = busy();
        let log = witness::read(&path.clone().into(), &Default::default()).expect("a file");
        reads.push(busy() - start);
        understood = black_box(log).map_or(0, |log| log.understood);
    }
    let [count, read] = [median(&mut counts), median(&mut reads)];
    println!("{size:.0} MB, {lines} lines, {understood} about connections; {rounds} rounds");
    println!("newlines counted {count:.4} s, {:.0} MB/s", size / count);
    println!("log read         {read:.4} s, {:.0} MB/s", size / read);
    println!("1/{:.1} of the count; at most {} kB of memory", read / count, memory());
}

fn make(out: &mut dyn Write) -> io::Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(BLUETOOTH);
    let bluetooth = fs::read_to_string(path).expect("the laboratory's log");
    let mut bluetooth = bluetooth.lines().cycle();
    let (mut written, mut number) = (0, 0_usize);
    while written < SIZE {
        number += 1;
        let line = match number % RARE {
            0 => bluetooth.next().unwrap_or_default().to_owned(),
            _ => {
                let (second, milli) = (number / 50 % 60, number % 1000);
                let minute = number / 3_000 % 60;
                let other = OTHERS[number * 7 % OTHERS.len()];
                format!("2026-11-28 07:{minute:02}:{second:02}.{milli:03} {other}")
            }
        };
        written += line.len() + 1;
        writeln!(out, "{line}")?;
    }
    Ok(())
}
