"""PacketLogger's rows for a list of packets, as its text exports have them (see forms.py)."""
import datetime
import struct

ATT = {
    0x01: "Error Response", 0x02: "Exchange MTU Request", 0x03: "Exchange MTU Response",
    0x04: "Find Information Request", 0x05: "Find Information Response",
    0x06: "Find By Type Value Request", 0x07: "Find By Type Value Response",
    0x08: "Read By Type Request", 0x09: "Read By Type Response", 0x0A: "Read Request",
    0x0B: "Read Response", 0x0C: "Read Blob Request", 0x0D: "Read Blob Response",
    0x10: "Read By Group Type Request", 0x11: "Read By Group Type Response",
    0x12: "Write Request", 0x13: "Write Response", 0x16: "Prepare Write Request",
    0x17: "Prepare Write Response", 0x18: "Execute Write Request", 0x19: "Execute Write Response",
    0x1B: "Handle Value Notification", 0x1D: "Handle Value Indication",
    0x1E: "Handle Value Confirmation", 0x52: "Write Command",
}
VALUES = {0x12: 3, 0x52: 3, 0x1B: 3, 0x1D: 3, 0x0B: 1}
COMMANDS = {0x0C03: "Reset", 0x200D: "LE Create Connection", 0x0406: "Disconnect"}
BLANK = " " * 17


def grouped(data):
    return " ".join(data[at:at + 2].hex().upper() for at in range(0, len(data), 2))


def dump(data, indent):
    for at in range(0, len(data), 16):
        part = data[at:at + 16]
        letters = "".join(chr(byte) if 32 < byte < 127 else "." for byte in part)
        yield f"{indent}{at:08X}: {grouped(part):<39}  {letters}"


def date(us):
    moment = datetime.datetime.fromtimestamp(us // 10**6, datetime.timezone.utc)
    return moment.strftime("%b %d %H:%M:%S") + f".{us // 1000 % 1000:03}"


def att_text(pdu):
    """The description of an ATT row; values show twenty bytes at most."""
    code, name = pdu[0], ATT.get(pdu[0], "Unknown")
    if code in (0x02, 0x03):
        return f"{name} - MTU: {struct.unpack('<H', pdu[1:3])[0]}"
    if code in VALUES:
        at = VALUES[code]
        handle = f" - Handle:0x{struct.unpack('<H', pdu[1:3])[0]:04X}" if at == 3 else ""
        value = pdu[at:]
        shown = grouped(value[:20]) + ("\u2026" if len(value) > 20 else "")
        return f"{name}{handle} - Value: {shown}"
    if code == 0x0A:
        return f"{name} - Handle:0x{struct.unpack('<H', pdu[1:3])[0]:04X}"
    if code == 0x01:
        asked, handle, error = struct.unpack("<BHB", pdu[1:5])
        return f"{name} - {ATT.get(asked, 'Unknown')} - Handle:0x{handle:04X} - 0x{error:02X}"
    if code in (0x08, 0x10) and len(pdu) == 7:
        start, end, uuid = struct.unpack("<HHH", pdu[1:7])
        return f"{name} - Start Handle:0x{start:04x} - End Handle:0x{end:04x} - UUID:{uuid:04X}"
    if code == 0x04:
        start, end = struct.unpack("<HH", pdu[1:5])
        return f"{name} - Start Handle:0x{start:04x} - End Handle:0x{end:04x}"
    return name


def address(data):
    return ":".join(f"{byte:02X}" for byte in reversed(data))


def event_rows(data):
    """Handle, description and details of an event's decoded row."""
    code, rest = data[0], data[2:]
    details = [f"Parameter Length: {data[1]} (0x{data[1]:02X})"]
    if code == 0x3E and rest[0] == 1:
        status, handle, role, kind = struct.unpack("<BHBB", rest[1:6])
        interval, latency, timeout, accuracy = struct.unpack("<HHHB", rest[12:19])
        kind = "Random" if kind else "Public"
        role_name = "Slave" if role else "Master"
        ms = f"{interval * 1.25:g}"
        details += [
            f"Status: 0x{status:02X} - {'Success' if status == 0 else 'Error'}",
            f"Connection Handle: 0x{handle:04X}", f"Role: 0x{role:04X} ({role_name})",
            f"Peer Address Type: {kind}", f"Peer Address: {address(rest[6:12])}",
            f"Connection Interval: 0X{interval:04X} ({ms} ms)",
            f"Connection Latency: {latency:06X} ({latency} ms)",
            f"Supervision Timeout: 0X{timeout:04X} ({timeout * 10} ms)",
            f"Master Clock Accuracy: 0X{accuracy:02X}",
        ]
        text = f"LE Meta Event - LE Connection Complete - {role_name} - {kind} - {address(rest[6:12])} - Conn Interval: {ms} ms"
        return handle, text, details
    if code == 0x13 and rest[0] == 1:
        handle, count = struct.unpack("<HH", rest[1:5])
        details += ["Number Of Handles: 0x01", f"Connection Handle: 0x{handle:04X}", f"Number Of Packets: 0x{count:04X}"]
        return handle, f"Number Of Completed Packets - Handle: 0x{handle:04X} - Packets: 0x{count:04X}", details
    if code == 0x05:
        status, handle, reason = struct.unpack("<BHB", rest[:4])
        details += [f"Status: 0x{status:02X} - Success", f"Connection Handle: 0x{handle:04X}", f"Reason: 0x{reason:02X}"]
        return handle, "Disconnection Complete", details
    if code in (0x0E, 0x0F):
        opcode = struct.unpack("<H", rest[1:3] if code == 0x0E else rest[2:4])[0]
        status = rest[3] if code == 0x0E and len(rest) > 3 else rest[0]
        details += [f"Status: 0x{status:02X} - {'Success' if status == 0 else 'Error'}",
                    f"Num HCI Command Packets: 0x{rest[0] if code == 0x0E else rest[1]:02X}",
                    f"Opcode: 0x{opcode:04X} (OGF: 0x{opcode >> 10:02X}    OCF: 0x{opcode & 0x3ff:02X}) - {COMMANDS.get(opcode, 'Command')}"]
        name = "Command Complete" if code == 0x0E else "Command Status"
        return 0, f"{name} - {COMMANDS.get(opcode, f'[{opcode:04X}] Command')}", details
    return 0, f"Event 0x{code:02X}", details


def print_rows(packets, form):
    raw, tail = form == "", form == "tail"
    for us, received, kind, data in packets:
        way = "Receive" if received else "Send"

        def row(name, handle, peer, text, details=()):
            end = f"  {data.hex(' ').upper()}" if tail else "  "
            print(f"{date(us)}  {name:<15}  0x{handle:04X}  {peer:<17}  {text}{end}")
            for detail in details:
                print(f"\t{detail}")

        if form == "nhdr":
            handle = struct.unpack("<H", data[:2])[0] & 0xFFF if kind == 2 else 0
            tokens = " ".join(f"{byte:02x}," for byte in data)
            print(f"{date(us)}  LabSensor          0x{handle:04X}  {'RECV' if received else 'SEND'}  {tokens}")
            continue
        name = {1: "HCI Command", 2: f"ACL {way}", 3: f"SCO {way}", 4: "HCI Event", 5: f"ISO {way}"}[kind]
        if kind == 2:
            header, length = struct.unpack("<HH", data[:4])
            handle, flags = header & 0xFFF, header >> 12 & 3
            frame, cid = struct.unpack("<HH", data[4:8]) if flags != 1 and len(data) >= 8 else (0, 0)
            if flags != 1 and frame == length - 4:
                payload = data[8:]
                if cid == 4:
                    details = [att_text(payload), f"Opcode: 0x{payload[0]:02X}"]
                    if payload[0] in VALUES:
                        value = payload[VALUES[payload[0]]:]
                        lines = [grouped(value[at:at + 16]) for at in range(0, len(value), 16)]
                        details.append("Value: " + " \n\t".join(lines))
                    row(f"ATT {way}", handle, "LabSensor", att_text(payload), details)
                elif cid == 6:
                    row(f"SMP {way}", handle, "LabSensor", f"SMP 0x{payload[0]:02X}")
                if not tail or cid not in (4, 6):
                    shown = payload[:16].hex(" ").upper() + (" ..." if len(payload) > 16 else "")
                    text = f"Channel ID: 0x{cid:04X}  Length: 0x{frame:04X} ({frame:02}) [ {shown} ]"
                    row(f"L2CAP {way}", handle, "LabSensor", text, [text, "L2CAP Payload:", *dump(payload, "")])
            if not tail or flags == 1 or frame != length - 4:
                row(name, handle, "LabSensor", f"Data [Handle: 0x{handle:04X}, Packet Boundary Flags: 0x{flags:X}, Length: 0x{length:04X} ({length})]",
                    [f"Data (0x{length:04X} Bytes)"])
        elif kind == 1:
            code = struct.unpack("<H", data[:2])[0]
            row(name, 0, "", COMMANDS.get(code, f"[{code:04X}] Command"), [
                f"Opcode: 0x{code:04X} (OGF: 0x{code >> 10:02X}    OCF: 0x{code & 0x3ff:02X})",
                f"Parameter Length: {data[2]} (0x{data[2]:02X})"])
        elif kind == 4:
            handle, text, details = event_rows(data)
            row(name, handle, "", text, details)
        if raw:
            lines = list(dump(data, ""))
            print(f"{date(us)}  {name:<15}  0x0000  00:00:00:00:00:00  {lines[0]}")
            for line in lines:
                print(f"\t{line}")
