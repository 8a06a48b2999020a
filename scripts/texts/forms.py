#!/usr/bin/env python3
"""Prints an HCI capture the way other programs print theirs, for the tests of the text readers.

    scripts/texts/forms.py FORM CAPTURE.btsnoop > OUT.txt

FORM: btstack, noble, noble-date, noble-usb, hcitool, packetlogger (decoded and raw rows),
packetlogger-rows (decoded rows alone), packetlogger-tail (hexadecimal at the end of each row),
packetlogger-nhdr. It shares nothing with hcidiff but the description of the forms. hcidump's own forms come from hcidump itself:
`hcidump -R -r CAPTURE.btsnoop`, with `-t` for times; `scripts/texts/forms.py hcidump CAPTURE.btsnoop -t`.
"""
import datetime
import struct
import subprocess
import sys
import tempfile

EPOCH = 0x00DCDDB30F2F8000


def packets(path):
    """H4 packets of a btsnoop file: microseconds since 1970, received, type, bytes."""
    data = open(path, "rb").read()
    assert data[:8] == b"btsnoop\0"
    link, at = struct.unpack(">I", data[12:16])[0], 16
    kinds = {2: (0, 1), 3: (1, 4), 4: (0, 2), 5: (1, 2), 6: (0, 3), 7: (1, 3), 18: (0, 5), 19: (1, 5)}
    while at + 24 <= len(data):
        original, kept, flags, _, time = struct.unpack(">IIIIQ", data[at:at + 24])
        body = data[at + 24:at + 24 + kept]
        at += 24 + kept
        if link == 1002:
            yield time - EPOCH, flags & 1, body[0], body[1:]
        elif link == 2001 and flags & 0xFFFF in kinds:
            received, kind = kinds[flags & 0xFFFF]
            yield time - EPOCH, received, kind, body


def clock(us, form):
    return datetime.datetime.fromtimestamp(us // 10**6, datetime.timezone.utc).strftime(form)


def spaced(data):
    return " ".join(f"{byte:02X}" for byte in data)


def btstack(all_packets):
    names = {1: "CMD", 2: "ACL", 3: "SCO", 4: "EVT", 5: "ISO"}
    first = all_packets[0][0]
    for us, received, kind, data in all_packets:
        ms = (us - first) // 1000
        time = f"{ms // 3600000:02}:{ms // 60000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"
        print(f"[{time}] {names[kind]} {'<=' if received else '=>'} {spaced(data)} ")
    print(f"[{time}] LOG -- hci.c.4711: a line of BTstack's own")


def delta(ms):
    return f"+{ms}ms" if ms < 1000 else f"+{(ms + 500) // 1000}s"


def noble(all_packets, dated=False):
    last = all_packets[0][0] // 1000
    for us, received, kind, data in all_packets:
        h4 = (bytes([kind]) + data).hex()
        what = "onSocketData" if received else {1: "a command - writing", 2: "write acl data pkt - writing"}[kind]
        if dated:
            stamp = clock(us, "%Y-%m-%dT%H:%M:%S") + f".{us // 1000 % 1000:03}Z"
            print(f"{stamp} noble:hci {what}: {h4}")
            print(f"{stamp} noble:hci \tevent type = {kind}")
        else:
            # One clock for all namespaces, as version 2 of `debug` has it.
            pause = us // 1000 - last
            before = pause // 2 if pause < 1000 else 0
            if us != all_packets[0][0]:
                print(f"  gap a line of another part of the program {delta(before)}")
            print(f"  hci {what}: {h4} {delta(pause - before)}")
            print(f"  hci \tevent type = {kind} +0ms")
        last = us // 1000


def noble_usb(all_packets):
    last = all_packets[0][0] // 1000
    for us, received, kind, data in all_packets:
        now = us // 1000
        if not received:
            print(f"  hci-usb write: {(bytes([kind]) + data).hex()} {delta(now - last)}")
        elif kind == 4:
            # Interrupt transfers carry sixteen bytes each.
            for at in range(0, len(data), 16):
                print(f"  hci-usb HCI event: {data[at:at + 16].hex()} {delta(now - last if at == 0 else 0)}")
        else:
            print(f"  hci-usb ACL Data In: {data.hex()} {delta(now - last)}")
        last = now


def hcitool(all_packets):
    for _, _, kind, data in all_packets:
        if kind == 1:
            code, plen = struct.unpack("<HB", data[:3])
            print(f"< HCI Command: ogf 0x{code >> 10:02x}, ocf 0x{code & 0x3ff:04x}, plen {plen}")
            rest = data[3:]
        elif kind == 4:
            print(f"> HCI Event: 0x{data[0]:02x} plen {data[1]}")
            rest = data[2:]
        else:
            continue
        for at in range(0, len(rest), 20):
            print("  " + spaced(rest[at:at + 20]) + " ")


def hcidump(path, options):
    """hcidump's own text, packet by packet: 5.66 crashes on longer ATT exchanges."""
    data = open(path, "rb").read()
    at = 16
    print("HCI sniffer - Bluetooth packet analyzer ver 5.66")
    print("btsnoop version: 1 datalink type: 1002")
    with tempfile.NamedTemporaryFile(suffix=".btsnoop") as one:
        while at + 24 <= len(data):
            end = at + 24 + struct.unpack(">I", data[at + 4:at + 8])[0]
            one.seek(0)
            one.truncate()
            one.write(data[:16] + data[at:end])
            one.flush()
            text = subprocess.run(["stdbuf", "-oL", "hcidump", *options, "-r", one.name], capture_output=True).stdout
            sys.stdout.write(text.decode("utf-8", "replace").split("\n", 2)[-1])
            at = end


def main():
    form, path = sys.argv[1:3]
    if form == "hcidump":
        hcidump(path, sys.argv[3:])
        return
    all_packets = list(packets(path))
    if form.startswith("packetlogger"):
        from packetlogger_text import print_rows
        print_rows(all_packets, form.partition("-")[2])
    else:
        {
            "btstack": btstack,
            "noble": noble,
            "noble-date": lambda p: noble(p, dated=True),
            "noble-usb": noble_usb,
            "hcitool": hcitool,
        }[form](all_packets)


main()
