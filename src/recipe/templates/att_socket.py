#!/usr/bin/env python3
"""Do what the working host did, over an L2CAP socket on the attribute channel.

Run it as root or with CAP_NET_RAW, with bluetoothd running or stopped (then
`hciconfig hci0 up` first):

    sudo python3 cure.py [SECONDS]

It connects, does the steps, and prints what the device sends: until Ctrl-C, or for so many seconds.
Exit status: 0 done, 1 the device refused or hung up, 2 no connection.
"""
# The handshake, until @CONTENT@:
#
@TABLE@
import ctypes
import os
import select
import socket
import struct
import sys
import time

@DATA@
AF_BLUETOOTH = 31  # not every Python has a name for it
ATT_CID = 4
LE_PUBLIC, LE_RANDOM = 1, 2
TRIES = 3

ERROR, MTU_REQUEST, MTU_RESPONSE = 0x01, 0x02, 0x03
READ, WRITE, PREPARE, EXECUTE, COMMAND = 0x0A, 0x12, 0x16, 0x18, 0x52
NOTIFICATION, INDICATION, CONFIRMATION = 0x1B, 0x1D, 0x1E
REQUEST_NOT_SUPPORTED = 0x06

libc = ctypes.CDLL(None, use_errno=True)
started = time.monotonic()
mtu = 23


class HungUp(Exception):
    """The link ended, or the device did not answer."""


def say(text):
    print(f"{1000 * (time.monotonic() - started):8.1f} ms  {text}", flush=True)


def socket_address(address, kind):
    """struct sockaddr_l2: family, PSM, address, channel, kind of address."""
    octets = bytes.fromhex(address.replace(":", ""))[::-1]
    return struct.pack("<HH6sHBx", AF_BLUETOOTH, 0, octets, ATT_CID, kind)


def connect():
    """A connected socket. Python's own bind and connect know neither channel nor kind of address."""
    link = socket.socket(AF_BLUETOOTH, socket.SOCK_SEQPACKET, 0)
    for call, address in (
        (libc.bind, socket_address("00:00:00:00:00:00", LE_PUBLIC)),
        (libc.connect, socket_address(ADDRESS, LE_RANDOM if RANDOM else LE_PUBLIC)),
    ):
        if call(link.fileno(), address, len(address)) < 0:
            error = ctypes.get_errno()
            link.close()
            raise OSError(error, os.strerror(error))
    return link


def receive(link, until):
    """The next packet, or None where none came until then."""
    if not select.select([link], [], [], max(0.0, until - time.monotonic()))[0]:
        return None
    try:
        packet = link.recv(1024)
    except OSError as error:
        raise HungUp(error.strerror) from error
    if not packet:
        raise HungUp("the device hung up")
    return packet


def by_itself(link, packet):
    """Answers what the device asks or sends by itself; False for an answer to a request."""
    opcode = packet[0]
    if opcode == NOTIFICATION or opcode == INDICATION:
        (handle,) = struct.unpack_from("<H", packet, 1)
        say(f"data     {handle:#06x} {packet[3:].hex()}")
        if opcode == INDICATION:
            link.send(bytes([CONFIRMATION]))
    elif opcode == MTU_REQUEST:
        link.send(struct.pack("<BH", MTU_RESPONSE, MTU_FIRST or MTU_LAST or 23))
    elif opcode in (0x04, 0x06, 0x08, READ, 0x0C, 0x0E, 0x10, WRITE, PREPARE, EXECUTE, 0x20):
        handle = packet[1:3] if len(packet) >= 3 else b"\0\0"
        link.send(bytes([ERROR, opcode]) + handle + bytes([REQUEST_NOT_SUPPORTED]))
    else:
        return False
    return True


def ask(link, request):
    """Sends a request and waits for its answer."""
    link.send(request)
    until = time.monotonic() + 30
    while True:
        packet = receive(link, until)
        if packet is None:
            raise HungUp("no answer for 30 s")
        if packet[0] == request[0] + 1:
            return packet
        if packet[0] == ERROR and len(packet) >= 5 and packet[1] == request[0]:
            raise HungUp(f"refused: request {packet[1]:#04x}, error {packet[4]:#04x}")
        by_itself(link, packet)


def exchange_mtu(link, wanted):
    global mtu
    (answered,) = struct.unpack_from("<H", ask(link, struct.pack("<BH", MTU_REQUEST, wanted)), 1)
    mtu = max(23, min(wanted, answered))
    say(f"mtu      {mtu}")


def write(link, handle, value):
    """In one request where the MTU has room for it, else in parts."""
    if len(value) <= mtu - 3:
        ask(link, struct.pack("<BH", WRITE, handle) + value)
        return
    for offset in range(0, len(value), mtu - 5):
        part = value[offset : offset + mtu - 5]
        ask(link, struct.pack("<BHH", PREPARE, handle, offset) + part)
    ask(link, bytes([EXECUTE, 1]))


def handshake(link):
    if MTU_FIRST:
        exchange_mtu(link, MTU_FIRST)
    for what, handle, value in STEPS:
        if what == "write":
            write(link, handle, value)
        elif what == "command":
            link.send(struct.pack("<BH", COMMAND, handle) + value)
        else:
            value = ask(link, struct.pack("<BH", READ, handle))[1:]
        say(f"{what:8} {handle:#06x} {value.hex()}")
    if MTU_LAST:
        exchange_mtu(link, MTU_LAST)


def main():
    global started
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else None
    for left in reversed(range(TRIES)):
        started = time.monotonic()
        try:
            link = connect()
            break
        except OSError as error:
            say(f"no connection to {ADDRESS}: {error}")
            if not left:
                return 2
    started = time.monotonic()
    say(f"connected to {ADDRESS}")
    try:
        handshake(link)
        say("done     now the device's data")
        until = time.monotonic() + seconds if seconds is not None else None
        while until is None or time.monotonic() < until:
            packet = receive(link, time.monotonic() + 1 if until is None else until)
            if packet:
                by_itself(link, packet)
    except HungUp as error:
        say(f"ended    {error}")
        return 1
    except KeyboardInterrupt:
        pass
    finally:
        link.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
