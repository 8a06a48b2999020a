#!/usr/bin/env python3
"""Do what the working host did, with Bumble.

    pip install bumble
    python3 cure.py TRANSPORT [SECONDS]

TRANSPORT is Bumble's name of the controller: usb:0, hci-socket:0 (as root, `hciconfig hci0 down` first),
serial:/dev/ttyUSB0,1000000. It connects, does the steps, and prints what the device sends: until Ctrl-C,
or for so many seconds. Exit status: 0 done, 1 the device refused or hung up, 2 no connection.
"""
# The handshake, until @CONTENT@:
#
@TABLE@
import asyncio
import sys
import time

from bumble.core import BaseBumbleError
from bumble.device import ConnectionParametersPreferences, Device
from bumble.hci import Address, Phy
from bumble.transport import open_transport

@DATA@
OWN_ADDRESS = "C0:DE:00:00:00:01"  # random static
SEARCH = 30  # seconds
started = time.monotonic()


def say(text):
    print(f"{1000 * (time.monotonic() - started):8.1f} ms  {text}", flush=True)


def listen(client, handle):
    """Shows what the device sends from this value."""

    def show(data):
        say(f"data     {handle:#06x} {bytes(data).hex()}")

    for subscribers in (client.notification_subscribers, client.indication_subscribers):
        subscribers.setdefault(handle, set()).add(show)


async def handshake(client):
    for handle in SUBSCRIBED:
        listen(client, handle)
    if MTU_FIRST:
        say(f"mtu      {await client.request_mtu(MTU_FIRST)}")
    for what, handle, value in STEPS:
        if what == "read":
            value = bytes(await client.read_value(handle))
        else:
            await client.write_value(handle, value, with_response=what == "write")
        say(f"{what:8} {handle:#06x} {value.hex()}")
    if MTU_LAST:
        say(f"mtu      {await client.request_mtu(MTU_LAST)}")


async def main():
    global started
    if len(sys.argv) < 2:
        print(__doc__)
        return 2
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else None
    kind = Address.RANDOM_DEVICE_ADDRESS if RANDOM else Address.PUBLIC_DEVICE_ADDRESS
    async with await open_transport(sys.argv[1]) as controller:
        own = Address(OWN_ADDRESS, Address.RANDOM_DEVICE_ADDRESS)
        device = Device.with_hci("cure", own, controller.source, controller.sink)
        await device.power_on()
        wanted = ConnectionParametersPreferences(
            connection_interval_min=INTERVAL, connection_interval_max=INTERVAL
        )
        try:
            connection = await device.connect(
                Address(ADDRESS, kind),
                connection_parameters_preferences={Phy.LE_1M: wanted},
                timeout=SEARCH,
            )
        except (BaseBumbleError, asyncio.TimeoutError) as error:
            say(f"no connection to {ADDRESS}: {error!r}")
            return 2
        started = time.monotonic()
        say(f"connected to {ADDRESS}")
        ended = asyncio.Event()
        connection.on("disconnection", lambda _: ended.set())
        try:
            await handshake(connection.gatt_client)
            say("done     now the device's data")
            try:
                await asyncio.wait_for(ended.wait(), seconds)
            except asyncio.TimeoutError:
                await connection.disconnect()
                return 0
            say("ended    the device hung up")
        except (BaseBumbleError, asyncio.CancelledError, asyncio.TimeoutError) as error:
            say(f"ended    {error!r}")
        return 1


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main()))
    except KeyboardInterrupt:
        pass
