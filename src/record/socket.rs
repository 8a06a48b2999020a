//! The two calls that no crate has: binding a socket to the kernel's Bluetooth monitor, and asking a socket how many
//! packets it had no room for.
#![allow(
    unsafe_code,
    reason = "the only place in the program: sockets of a family that no crate knows"
)]
use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// `BTPROTO_HCI`, `HCI_DEV_NONE` and `HCI_CHANNEL_MONITOR` of `bluetooth/hci_sock.h`.
const PROTOCOL_HCI: libc::c_int = 1;
const NO_DEVICE: u16 = 0xffff;
const CHANNEL_MONITOR: u16 = 2;

/// `SK_MEMINFO_DROPS` of `linux/sock_diag.h`: its place in what `SO_MEMINFO` answers, and how many numbers that are.
const DROPS: usize = 8;
const NUMBERS: usize = 9;

/// `struct sockaddr_hci`.
#[repr(C)]
struct Address {
    family: libc::sa_family_t,
    device: u16,
    channel: u16,
}

/// Opens the monitor channel: all adapters, and notes about them. This needs CAP_NET_RAW.
pub(super) fn open() -> io::Result<OwnedFd> {
    // SAFETY: no pointers are passed.
    let fd = unsafe {
        libc::socket(libc::AF_BLUETOOTH, libc::SOCK_RAW | libc::SOCK_CLOEXEC, PROTOCOL_HCI)
    };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call above made it, and nobody else knows it.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    let address = Address {
        family: libc::AF_BLUETOOTH as libc::sa_family_t,
        device: NO_DEVICE,
        channel: CHANNEL_MONITOR,
    };
    // SAFETY: the address lives through the call, and its length is its own. The kernel copies it.
    let bound = unsafe {
        libc::bind(
            socket.as_raw_fd(),
            (&raw const address).cast::<libc::sockaddr>(),
            size_of::<Address>() as libc::socklen_t,
        )
    };
    if bound < 0 { Err(io::Error::last_os_error()) } else { Ok(socket) }
}

/// How many packets a socket had no room for since it was opened. `None` where the kernel does not say.
pub(super) fn dropped(socket: &OwnedFd) -> Option<u32> {
    let mut numbers = [0_u32; NUMBERS];
    let mut length = size_of::<[u32; NUMBERS]>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes into the array, which has as many, and then their number.
    let asked = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_MEMINFO,
            (&raw mut numbers).cast::<libc::c_void>(),
            &raw mut length,
        )
    };
    (asked == 0 && length as usize == size_of::<[u32; NUMBERS]>()).then_some(numbers[DROPS])
}
