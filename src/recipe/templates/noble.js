#!/usr/bin/env node
// Do what the working host did, with noble.
//
//     npm install @stoprocent/noble
//     sudo node cure.js [SECONDS]
//
// It connects, does the steps, and prints what the device sends: until Ctrl-C, or for so many seconds.
// Exit status: 0 done, 1 the device refused or hung up, 2 no connection.
//
// The handshake, until @CONTENT@:
//
@TABLE@
'use strict';

const noble = load(['@stoprocent/noble', '@abandonware/noble', 'noble']);

@DATA@
const SEARCH = 30; // seconds
// On Linux noble speaks to the controller itself, and handles can be written at once. Elsewhere the system
// discovers, and finds attributes by UUID.
const BY_HANDLE = process.platform === 'linux' && process.env.NOBLE_BINDINGS !== 'dbus';

let started = Date.now();

function load (names) {
  for (const name of names) {
    try {
      return require(name);
    } catch (error) {
      if (error.code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  console.error('npm install @stoprocent/noble');
  process.exit(2);
}

function say (text) {
  console.log(`${String(Date.now() - started).padStart(8)} ms  ${text}`);
}

function isTheDevice (peripheral) {
  if (process.platform === 'darwin') {
    return NAME !== '' && peripheral.advertisement.localName === NAME;
  }
  return peripheral.address.toLowerCase() === ADDRESS;
}

async function byHandle (peripheral) {
  const values = new Set(STEPS.filter(([what]) => what === 'subscribe').map(([, , value]) => value));
  peripheral.on('handleNotify', (handle, data) => {
    if (values.has(handle)) say(`data      ${data.toString('hex')}`);
  });
  for (const [what, uuid, , handle, value] of STEPS) {
    let read = value;
    if (what === 'read') {
      read = await peripheral.readHandleAsync(handle);
    } else {
      await peripheral.writeHandleAsync(handle, value, what === 'command');
    }
    say(`${what.padEnd(9)} ${uuid} ${read.toString('hex')}`);
  }
}

async function byUuid (peripheral) {
  const wanted = [...new Set(STEPS.map(([, uuid]) => uuid))];
  const found = await peripheral.discoverSomeServicesAndCharacteristicsAsync(SERVICES, wanted);
  for (const [what, uuid, , , value] of STEPS) {
    const characteristic = found.characteristics.find((one) => one.uuid === uuid);
    if (!characteristic) throw new Error(`the device has no characteristic ${uuid}`);
    let read = value;
    if (what === 'subscribe') {
      characteristic.on('data', (data) => say(`data      ${data.toString('hex')}`));
      await characteristic.subscribeAsync();
    } else if (what === 'read') {
      read = await characteristic.readAsync();
    } else {
      await characteristic.writeAsync(value, what === 'command');
    }
    say(`${what.padEnd(9)} ${uuid} ${read.toString('hex')}`);
  }
}

function heard () {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`${ADDRESS} was not heard for ${SEARCH} s`)), 1000 * SEARCH);
    noble.on('discover', (peripheral) => {
      if (isTheDevice(peripheral)) {
        clearTimeout(late);
        resolve(peripheral);
      }
    });
    const scan = () => noble.startScanningAsync([], false).catch(reject);
    const powered = (noble._state || noble.state) === 'poweredOn';
    if (powered) scan();
    noble.on('stateChange', (state) => {
      if (state === 'poweredOn') scan();
    });
  });
}

async function main () {
  const seconds = process.argv.length > 2 ? Number(process.argv[2]) : Infinity;
  let peripheral;
  try {
    peripheral = await heard();
    await noble.stopScanningAsync();
    started = Date.now();
    await peripheral.connectAsync();
  } catch (error) {
    say(`no connection to ${ADDRESS}: ${error.message}`);
    return 2;
  }
  started = Date.now();
  say(`connected to ${ADDRESS}`);
  const ended = new Promise((resolve) => {
    peripheral.once('disconnect', () => resolve('the device hung up'));
  });
  try {
    const steps = BY_HANDLE ? byHandle(peripheral) : byUuid(peripheral);
    const early = await Promise.race([steps, ended]);
    if (early) throw new Error(early);
    say('done      now the device\'s data');
    const waited = Number.isFinite(seconds)
      ? new Promise((resolve) => setTimeout(resolve, 1000 * seconds))
      : new Promise(() => {});
    const late = await Promise.race([waited, ended]);
    if (late) throw new Error(late);
    await peripheral.disconnectAsync();
    return 0;
  } catch (error) {
    say(`ended     ${error.message}`);
    return 1;
  }
}

main().then((status) => process.exit(status));
