//! Microcontrollers.
use super::{Instructions, Lack};

pub(super) const ESP32: Instructions = Instructions {
    id: "esp32",
    name: "ESP32 with ESP-IDF",
    short: "On ESP32: enable Bluetooth HCI debug mode in menuconfig, and convert its log (`hcidiff doctor --on esp32`).",
    steps: &[
        "`idf.py menuconfig`: Component config > Bluetooth > Enable Bluetooth HCI debug mode.",
        "In the program call `bt_hci_log_hci_data_show()` and `bt_hci_log_hci_adv_show()` once a second, as tools/bt/README.md of ESP-IDF shows.",
        "`idf.py -p /dev/ttyUSB0 monitor >> all_log.txt`, connect, and wait until it has failed.",
        "`python bt_hci_to_btsnoop.py -p all_log.txt -o board` (with `--has-ts` where the lines have times), from the same folder.",
    ],
    worked: "parsed_logs/parsed_log_board.btsnoop.log exists, and hcidiff lists an attempt in it.",
    beside: &[
        "The board's own log with `esp_log_level_set(\"*\", ESP_LOG_DEBUG)`, in the same file.",
    ],
    again: &[
        (
            Lack::Packets,
            "The buffer is small and is overwritten: enlarge it in menuconfig, and show it more often.",
        ),
        (Lack::Times, "Use an ESP-IDF whose HCI log has times, and convert it with `--has-ts`."),
        (
            Lack::Beginning,
            "Show the buffer from the start of the program on: it is overwritten when it is full.",
        ),
    ],
    sources: &["espressif/esp-idf, tools/bt/README.md"],
};

pub(super) const PROXY: Instructions = Instructions {
    id: "home-assistant-proxy",
    name: "Home Assistant with a Bluetooth proxy (ESPHome, Shelly)",
    short: "With a Bluetooth proxy no HCI passes through Home Assistant: see `hcidiff doctor --on home-assistant-proxy`.",
    steps: &[
        "The HCI of the link is inside the proxy: no capture of Home Assistant's machine has it, and ESPHome writes none.",
        "For a test let Home Assistant use an adapter of its own beside the device: switch the proxy off, and record as `hcidiff doctor --on home-assistant` says.",
        "If only the proxy fails: set its logger to `level: VERY_VERBOSE`, and save `esphome logs proxy.yaml > proxy.log`.",
        "A proxy that you build yourself records as an ESP32 does: `hcidiff doctor --on esp32`.",
    ],
    worked: "the proxy's log has lines of `esp32_ble_client` with the device's address and a connection result.",
    beside: &[
        "Home Assistant's log with `habluetooth`, `bleak_esphome` and `aioesphomeapi` at `debug`: it says which proxy was chosen, and how many of its connection slots were free.",
    ],
    again: &[(
        Lack::Adapter,
        "A capture of Home Assistant's machine cannot show it: record beside the device with an adapter, or use an air sniffer.",
    )],
    sources: &["esphome.io: Bluetooth Proxy", "esphome.io: Logger"],
};

pub(super) const ZEPHYR: Instructions = Instructions {
    id: "zephyr",
    name: "Zephyr and nRF Connect SDK",
    short: "On Zephyr: CONFIG_BT_DEBUG_MONITOR_UART=y, and save what the UART sends (`hcidiff doctor --on zephyr`).",
    steps: &[
        "prj.conf: `CONFIG_BT_DEBUG_MONITOR_UART=y`, `CONFIG_UART_CONSOLE=n` (or `CONFIG_BT_DEBUG_MONITOR_RTT=y`).",
        "`stty -F /dev/ttyUSB0 raw 115200`, at the UART's own speed.",
        "`cat /dev/ttyUSB0 > board.tty`, reset the board, connect, and wait until it has failed.",
    ],
    worked: "`hcidiff board.tty` lists an attempt; `btmon --tty /dev/ttyUSB0` shows the same live.",
    beside: &["The board's log: Zephyr writes it into the same stream."],
    again: &[
        (
            Lack::Packets,
            "The UART is too slow: raise its speed (current-speed in the devicetree), or use RTT.",
        ),
        (Lack::Beginning, "Start `cat` first, then reset the board."),
        (Lack::Bytes, "Send board.tty itself."),
    ],
    sources: &["docs.zephyrproject.org: Bluetooth, monitor"],
};
