#!/usr/bin/env python3
"""Do what the working host did, with bleak.

    pip install bleak
    python3 cure.py [SECONDS]

It connects, does the steps, and prints what the device sends: until Ctrl-C, or for so many seconds.
Exit status: 0 done, 1 the device refused or hung up, 2 no connection.
"""
# The handshake, until @CONTENT@:
#
@TABLE@
import asyncio
import sys
import time

from bleak import BleakClient, BleakScanner
from bleak.exc import BleakError

@DATA@
SEARCH = 30  # seconds
started = time.monotonic()


def say(text):
    print(f"{1000 * (time.monotonic() - started):8.1f} ms  {text}", flush=True)


def is_the_device(device, advertisement):
    if sys.platform == "darwin":
        return bool(NAME) and NAME in (device.name, advertisement.local_name)
    return device.address.upper() == ADDRESS


def find(client, uuid, handle):
    """The characteristic. One UUID may stand in several places: there the handle tells."""
    found = [c for c in client.services.characteristics.values() if c.uuid == uuid]
    if not found:
        raise BleakError(f"the device has no characteristic {uuid}")
    # Some systems name the declaration, which is one before the value.
    exact = [c for c in found if c.handle in (handle, handle - 1)]
    return (exact or found)[0]


def show(characteristic, data):
    say(f"data     {characteristic.uuid} {bytes(data).hex()}")


async def handshake(client):
    for what, uuid, handle, value in STEPS:
        characteristic = find(client, uuid, handle)
        if what == "subscribe":
            await client.start_notify(characteristic, show)
        elif what == "read":
            value = bytes(await client.read_gatt_char(characteristic))
        else:
            await client.write_gatt_char(characteristic, value, response=what == "write")
        say(f"{what:9} {uuid} {value.hex()}")


async def main():
    global started
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else None
    device = await BleakScanner.find_device_by_filter(is_the_device, timeout=SEARCH)
    if device is None:
        say(f"{ADDRESS} was not heard for {SEARCH} s")
        return 2
    ended = asyncio.Event()
    client = BleakClient(device, disconnected_callback=lambda _: ended.set(), timeout=SEARCH)
    started = time.monotonic()
    try:
        await client.connect()
    except (BleakError, asyncio.TimeoutError, OSError) as error:
        say(f"no connection to {ADDRESS}: {error!r}")
        return 2
    say(f"connected to {ADDRESS}")
    try:
        await handshake(client)
        say("done     now the device's data")
        try:
            await asyncio.wait_for(ended.wait(), seconds)
        except asyncio.TimeoutError:
            return 0
        say("ended    the device hung up")
    except (BleakError, OSError, EOFError) as error:
        say(f"ended    {error!r}")
    finally:
        await client.disconnect()
    return 1


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main()))
    except KeyboardInterrupt:
        pass
