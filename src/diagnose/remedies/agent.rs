//! Pairing that this host refuses or never begins: nobody answers the question.
use super::{Entry, For, What};

const AGENT: &[&str] = &["no-pairing-agent"];
const NO_PAIRING: &[&str] = &["insufficient-auth-no-pairing"];
const BOTH_RULES: &[&str] = &["no-pairing-agent", "insufficient-auth-no-pairing"];
const BOTH: &[&str] = &["5.66", "5.82"];

pub const ROWS: &[Entry] = &[
    Entry::fixed(
        What::Code,
        "own-agent",
        (BOTH_RULES, For::BluezDbus),
        "register an agent in the program: `AgentManager1.RegisterAgent` with `NoInputNoOutput`, then `RequestDefaultAgent`.",
    )
    .tried("p-dbus-agent", BOTH),
    Entry::fixed(
        What::Command,
        "interactive-pair",
        (BOTH_RULES, For::BlueZ),
        "`bluetoothctl`, then at its prompt: `agent NoInputNoOutput`, `default-agent`, `pair ADDRESS`; leave it open until it has paired.",
    )
    .tried("p-interactive2", BOTH),
    Entry::fixed(
        What::Command,
        "background-default-agent-yes",
        (AGENT, For::BlueZ),
        "Leave `bluetoothctl` open after `agent NoInputNoOutput` and `default-agent`, and type `yes` at its question, where the device or the program begins the pairing.",
    )
    .tried("p-background-yes", BOTH),
    Entry::no_use("oneshot-agent", (BOTH_RULES, For::BlueZ), "`bluetoothctl agent NoInputNoOutput` as one command: the agent ends with it.")
        .tried("p-oneshot", &["5.66"]),
    Entry::no_use("oneshot-pair", (BOTH_RULES, For::BlueZ), "`bluetoothctl pair ADDRESS` as one command, also on a terminal or with `--agent`: no agent is registered.")
        .tried("p-oneshot-pair", BOTH),
    Entry::no_use("background-default-agent", (AGENT, For::BlueZ), "`bluetoothctl` left open while nobody types: it asks \"Accept pairing (yes/no)\" and waits.")
        .tried("p-background-default", BOTH),
    Entry::no_use("bleak-pair", (BOTH_RULES, For::Bleak), "`await client.pair()` without an agent: bleak registers none.")
        .tried("p-bleak-pair", BOTH),
    Entry::no_use("bleak-pair-ctor", (BOTH_RULES, For::Bleak), "`BleakClient(device, pair=True)` without an agent: bleak registers none.")
        .tried("p-bleak-pair-ctor", BOTH),
    Entry::fixed(
        What::Advice,
        "register-agent",
        (AGENT, For::Any),
        "Let something answer the question: an agent inside the program, or a person at the host.",
    ),
    Entry::fixed(
        What::Advice,
        "pair-first",
        (NO_PAIRING, For::Any),
        "Pair before reading or writing that attribute.",
    ),
    Entry::no_use("retry", (AGENT, For::Any), "Another try, or a reset of the device: this host refused its own pairing.")
        .tried("p-none", BOTH),
];
