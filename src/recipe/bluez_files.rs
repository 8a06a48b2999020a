//! Files for `/var/lib/bluetooth`: what BlueZ is to know of one device, with the commands that put it there.
//!
//! The rules were found by experiment on BlueZ 5.66 and 5.82. A cache file helps where it holds the whole database; a
//! part of one, without the Database Hash, makes BlueZ slower. The info file keeps the device trusted, or BlueZ drops
//! the cache 30 s after the link's end, and it sets the interval of the device's next connections.
use super::handshake::{Handshake, Need};
use super::literal::key_file;
use super::refusal::{Deadline, Refusal};
use super::template::fill;
use super::{File, Recipe, Target, table};
use crate::diagnose::what_if::{self, Budget, Requests};
use crate::report::safe;
use crate::time::Span;
use std::fmt::Write;

pub const TARGET: Target = Target {
    name: "bluez-files",
    says: "files for BlueZ's /var/lib/bluetooth, with the commands that put them there and take them away",
    ending: "",
    write,
};

/// Requests of BlueZ before a program's first write, where its cache file has the right Database Hash.
const CACHED_WITH_HASH: u32 = 8;

/// The same where the device has no Database Hash.
const CACHED_WITHOUT_HASH: u32 = 7;

/// The kernel's own, in units of 10 ms: shorter ones lose links.
const SHORTEST_TIMEOUT: u16 = 42;

/// The kernel's longest interval where nothing is set, in units of 1.25 ms: a longer one is no cure.
const USUAL_INTERVAL: u16 = 40;

/// The script around the two files.
const SCRIPT: &str = include_str!("templates/bluez_files.sh");

fn write(handshake: &Handshake) -> Result<Recipe, Refusal> {
    let mut says = Vec::new();
    let lacks = handshake.server.lacks();
    let wrong = handshake.server.hash_contradicts();
    let cached = lacks.is_empty() && !wrong;
    let (deadline, interval) = handshake.interval(|budget| requests(handshake, budget, cached));
    let interval = interval.map(|units| units.min(USUAL_INTERVAL));
    if !cached && interval.is_none() {
        return Err(Refusal::NothingForBlueZ { lacks, deadline });
    }
    if wrong {
        says.push("no cache file: the Database Hash that the device told is not that of the attributes in the capture, so some are missing there".to_owned());
    } else if !cached {
        says.push(format!(
            "no cache file: a part of a database makes BlueZ slower, and the capture does not show {}; the info file alone",
            lacks.join(", nor ")
        ));
    } else if handshake.server.has_hash() && handshake.server.hash().is_none() {
        says.push("the device has a Database Hash that the capture does not show: BlueZ asks for the services once more on the first connection".to_owned());
    }
    match (interval, deadline) {
        (Some(units), _) => says.extend(interval_says(handshake, units, cached)),
        (None, Deadline::TooShort(deadline)) => says.push(format!(
            "no interval is short enough for a device that waits {deadline}: the cache file alone may not do; `--for att-socket` writes at once"
        )),
        (None, Deadline::Met(_)) => {
            says.push("the failing host's interval is short enough with the cache file: it stays".to_owned());
        }
        (None, _) => {}
    }
    let info = info(handshake, interval);
    let cache = cached.then(|| format!("[Attributes]\n{}", handshake.server.attributes()));
    let mut files = vec![File::of("cure.sh", script(handshake, &info, cache.as_deref()))];
    files.push(File::of("info", info));
    files.extend(cache.map(|cache| File::of("cache", cache)));
    files.push(File::of("handshake.txt", table::lines(handshake)));
    Ok(Recipe { files, says })
}

/// How many requests BlueZ makes before a program's first write, with these files.
fn requests(handshake: &Handshake, budget: &Budget, cached: bool) -> u32 {
    let bluez = handshake.fails.as_ref().is_some_and(|fails| fails.bluez);
    if cached {
        if handshake.server.has_hash() { CACHED_WITH_HASH } else { CACHED_WITHOUT_HASH }
    } else if bluez {
        budget.requests.number()
    } else {
        Requests::bluez().number()
    }
}

fn interval_says(handshake: &Handshake, units: u16, cached: bool) -> Option<String> {
    let budget = handshake.fails.as_ref()?.budget?;
    let n = requests(handshake, &budget, cached);
    let interval = what_if::units(units);
    let arrives = what_if::reaches(interval, n, true);
    let margin =
        if arrives > what_if::with_margin(budget.deadline) { ", without a margin" } else { "" };
    Some(format!(
        "an interval of {interval}: BlueZ makes about {n} round trips before a program's first write, which then arrives after about {arrives} of the {} that the device waits{margin}; a device that is silent for six intervals ({}) after the connect request is given up",
        budget.deadline,
        Span(interval.0 * 6)
    ))
}

/// The info file: the device is kept, and connected to with this interval.
fn info(handshake: &Handshake, interval: Option<u16>) -> String {
    let device = &handshake.device;
    let mut out = String::from("[General]\n");
    if let Some(name) = device.name.as_deref().and_then(key_file) {
        let _ = writeln!(out, "Name={name}");
    }
    let kind = if device.random { "static" } else { "public" };
    let _ =
        write!(out, "AddressType={kind}\nSupportedTechnologies=LE;\nTrusted=true\nBlocked=false\n");
    if let Some(interval) = interval {
        let timeout = handshake.granted.map_or(0, |granted| granted.timeout).max(SHORTEST_TIMEOUT);
        let _ = write!(
            out,
            "\n[ConnectionParameters]\nMinInterval={interval}\nMaxInterval={interval}\nLatency=0\nTimeout={timeout}\n"
        );
    }
    out
}

/// The script that puts the files there, and takes them away.
fn script(handshake: &Handshake, info: &str, cache: Option<&str>) -> String {
    let adapter =
        handshake.fails.as_ref().filter(|fails| fails.bluez).and_then(|fails| fails.adapter);
    let adapter = adapter.map(|address| address.to_string()).unwrap_or_default();
    // The files do not change what the program writes, only how early it can.
    let writes = handshake.needed().filter(|operation| operation.need == Need::Yes).count();
    fill(
        SCRIPT,
        &[
            ("@WORKS@", &safe::text(&handshake.works)),
            ("@TABLE@\n", &table::comment(handshake, "#")),
            ("@WRITES@", &writes.to_string()),
            ("@PEER@", &handshake.device.address.to_string()),
            ("@ADAPTER@", &adapter),
            ("@INFO@\n", info),
            ("@CACHE@\n", cache.unwrap_or_default()),
            ("@HAS_CACHE@", if cache.is_some() { "yes" } else { "no" }),
        ],
    )
}
