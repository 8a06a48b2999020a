"""Connect to a device, and where that fails say why.

Run `sudo btmon -w /tmp/btmon.btsnoop` beside it, then: python bleak_explains.py AA:BB:CC:DD:EE:FF
"""
import asyncio
import sys

import hcidiff
from bleak import BleakClient
from bleak.exc import BleakError


async def connect(address: str, capture: str) -> None:
    try:
        async with BleakClient(address) as client:
            print([service.uuid for service in client.services])
    except BleakError:
        print(hcidiff.analyze(capture, peer=address))


if __name__ == "__main__":
    asyncio.run(connect(sys.argv[1], "/tmp/btmon.btsnoop"))
