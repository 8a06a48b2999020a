//! Links and adapters in somebody else's hands, and what a program must ask for.
use super::{Entry, For, View, What};
use crate::packet::Direction;
use crate::packet::att::Pdu;
use crate::timeline::{OpenRequest, Pending, Role, Step};

const STACKS: &[&str] = &["two-stacks-one-adapter"];
const UNUSABLE: &[&str] = &["never-usable-connection"];
const NOTIFY: &[&str] = &["notifications-never-enabled"];
const WRITE: &[&str] = &["write-type-mismatch"];
const ATT_30S: &[&str] = &["att-transaction-timeout-30s"];
const BOTH: &[&str] = &["5.66", "5.82"];

pub const ROWS: &[Entry] = &[
    Entry::fixed(
        What::Command,
        "stop-daemon",
        (STACKS, For::RawHci),
        "first `sudo systemctl stop bluetooth`, then open the HCI user channel: with bluetoothd running, the bind is refused (EBUSY), and after the stop the adapter is down already.",
    )
    .tried("r-user-channel", BOTH),
    Entry::fixed(
        What::Code,
        "disconnect-and-retry",
        (UNUSABLE, For::BlueZ),
        "Treat `Connected` without `ServicesResolved` after 10 s as failed: `Device1.Disconnect`, then connect again.",
    )
    .limits("It works if the device answers then.")
    .tried("z-phantom", BOTH),
    Entry::no_use("reconnect-without-disconnect", (UNUSABLE, For::BlueZ), "Ending the program and starting another one without `Disconnect`: the second joins the dead link and waits.")
        .tried("z-phantom-nodisc", &["5.66"]),
    Entry::fixed(
        What::Code,
        "start-notify",
        (NOTIFY, For::Bleak),
        "call `await client.start_notify(characteristic, callback)` before the first write; over D-Bus: `StartNotify`.",
    )
    .unless("the host subscribed, and the device refused", |view| view.subscribed())
    .tried("n-cccd", BOTH),
    Entry::fixed(
        What::Code,
        "response-true",
        (WRITE, For::Bleak),
        "`write_gatt_char(…, response=True)` for a Write Request (or no `response` argument), `response=False` for a Write Command; over D-Bus the `type` option (`request`, `command`).",
    )
    .tried("n-write-type2", BOTH),
    Entry::fixed(
        What::Command,
        "noplugin",
        (ATT_30S, For::BlueZ),
        "Keep BlueZ from asking, for a test: `sudo systemctl stop bluetooth`, then `sudo /usr/libexec/bluetooth/bluetoothd -n --noplugin=gap,deviceinfo,battery`; if the link then lives, it was BlueZ's own read and not your program's.",
    )
    .when("the request without an answer is a read of this host", |view| {
        unanswered(view, Direction::Sent, |pdu| matches!(Pdu::name_of(pdu), Some("Read Request" | "Read Blob Request" | "Read By Type Request")))
    })
    .says_source("tried for a device that hangs up at the read of 0x2A00 (noplugin-gap), not for one that is silent"),
    Entry::fixed(
        What::Test,
        "leave-out",
        (ATT_30S, For::Any),
        "Leave that request out for one test, if your program sends it: if the link then works, the device cannot take this one.",
    )
    .when("the request without an answer is this host's", |view| {
        unanswered(view, Direction::Sent, |_| true)
    }),
    Entry::fixed(
        What::Setting,
        "no-reverse-discovery",
        (ATT_30S, For::BlueZ),
        "Switch this peripheral's own discovery off: `ReverseServiceDiscovery=false` under `[General]` in /etc/bluetooth/main.conf, then `sudo systemctl restart bluetooth`.",
    )
    .when("this host is the peripheral, and asked for the central's attributes too", |view| {
        view.any(|c| {
            let asks = |s: &Step| s.by == Direction::Sent && s.procedure.word().starts_with("discover");
            c.role == Some(Role::Peripheral) && c.steps.iter().any(asks)
        })
    }),
    Entry::fixed(
        What::Code,
        "answer-here",
        (ATT_30S, For::Any),
        "Answer the other side's request on this host: look at what its server, or the program behind that attribute, was waiting for.",
    )
    .when("the request without an answer is the other side's", |view| {
        unanswered(view, Direction::Received, |_| true)
    }),
    Entry::no_use("cache-always", (ATT_30S, For::BlueZ), "`[GATT] Cache=always` is the default: it changes nothing.")
        .says_source("BlueZ src/main.conf: Cache defaults to always"),
    Entry::no_use("longer-timeout", (ATT_30S, For::Any), "A longer supervision timeout: the link was alive all the time."),
    Entry::fixed(
        What::Advice,
        "answer-every-request",
        (ATT_30S, For::Peer),
        "answer every request, with an Error Response if nothing else.",
    )
    .when("the request without an answer is this host's", |view| {
        unanswered(view, Direction::Sent, |_| true)
    }),
];

/// A request of that side, of a kind, that was open at the end.
fn unanswered(view: &View<'_>, by: Direction, kind: fn(u8) -> bool) -> bool {
    let open = |open: &OpenRequest| {
        open.by == by && matches!(open.pending, Pending::Att(opcode) if kind(opcode))
    };
    view.any(|c| c.open_requests.iter().any(open))
}
