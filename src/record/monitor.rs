//! Packets out of the kernel's monitor channel.
//!
//! Each message of the socket is one packet: opcode, adapter and length (u16, little-endian), then the packet. The
//! kernel says when it was queued (`SO_TIMESTAMP`).
use super::socket;
use crate::capture::{Payload, Record, monitor_kind};
use crate::time::Timestamp;
use nix::cmsg_space;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::sockopt::{RcvBuf, RcvBufForce, ReceiveTimestamp};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt};
use nix::sys::time::{TimeVal, TimeValLike};
use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, SystemTime};

/// Opcode, adapter and length.
const HEADER: usize = 6;

/// The longest packet that HCI can carry, with its header.
const LONGEST: usize = HEADER + 5 + 0xffff;

/// Room that the kernel keeps for packets that were not read yet: some seconds of a busy adapter.
const ROOM: usize = 4 << 20;

/// Most packets that are taken before somebody else has his turn.
const MOST: usize = 4_096;

/// One packet, lent until the next is received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// What it is, as the monitor numbers it.
    pub opcode: u16,
    /// The adapter; 0xffff stands for none.
    pub adapter: u16,
    /// When the kernel queued it.
    pub time: Timestamp,
    /// The packet, without the monitor's header.
    pub bytes: &'a [u8],
    /// Its length, where the message was longer than anybody expected.
    pub length: u32,
}

impl<'a> Packet<'a> {
    /// As a record of a capture.
    pub fn record(&self) -> Record<'a> {
        let (kind, direction) = monitor_kind(self.opcode);
        Record {
            frame: 0,
            offset: 0,
            time: Some(self.time),
            adapter: (self.adapter != 0xffff).then_some(self.adapter),
            direction,
            kind,
            payload: Payload::Bytes(self.bytes),
            original_len: self.length,
            comment: None,
        }
    }
}

/// What [`Monitor::receive`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Open,
    /// The other end is closed. The kernel's channel never is.
    Closed,
}

/// A socket from which packets come.
pub struct Monitor {
    socket: OwnedFd,
    buffer: Vec<u8>,
    control: Vec<u8>,
    /// Messages that were no packets.
    pub strange: u64,
}

impl Monitor {
    /// The kernel's monitor channel, with all adapters. It only listens: no adapter notices anything.
    pub fn open() -> io::Result<Self> {
        Self::of(socket::open()?)
    }

    /// A socket that keeps messages apart and on whose other end somebody writes as the kernel does.
    pub fn of(socket: OwnedFd) -> io::Result<Self> {
        setsockopt(&socket, ReceiveTimestamp, &true)?;
        // More than the system's limit is for those who administrate the network. Less is no trouble.
        if setsockopt(&socket, RcvBufForce, &ROOM).is_err() {
            let _ = setsockopt(&socket, RcvBuf, &ROOM);
        }
        let control = cmsg_space!(TimeVal);
        Ok(Self { socket, buffer: vec![0; LONGEST], control, strange: 0 })
    }

    /// Waits until packets are there, or so much time is over. True for packets.
    pub fn wait(&self, time: Duration) -> io::Result<bool> {
        let timeout = PollTimeout::try_from(time).unwrap_or(PollTimeout::MAX);
        let mut ready = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
        match poll(&mut ready, timeout) {
            Ok(count) => Ok(count > 0),
            Err(Errno::EINTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Lends all packets that are there, one after the other, but no more than a turn has. Returns how many they were,
    /// and `None` once the other end is closed.
    pub fn receive(
        &mut self,
        mut see: impl FnMut(Packet<'_>) -> io::Result<()>,
    ) -> io::Result<Option<usize>> {
        for count in 0..MOST {
            match self.one(&mut see) {
                Ok(State::Open) => {}
                Ok(State::Closed) if count == 0 => return Ok(None),
                Ok(State::Closed) => return Ok(Some(count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Some(count)),
                Err(error) => return Err(error),
            }
        }
        Ok(Some(MOST))
    }

    fn one(&mut self, see: &mut impl FnMut(Packet<'_>) -> io::Result<()>) -> io::Result<State> {
        let mut pieces = [IoSliceMut::new(&mut self.buffer)];
        let received = loop {
            let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_TRUNC;
            let fd = self.socket.as_raw_fd();
            match recvmsg::<()>(fd, &mut pieces, Some(&mut self.control), flags) {
                Ok(received) => break received,
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        };
        let length = received.bytes;
        if length == 0 {
            return Ok(State::Closed);
        }
        let queued = received.cmsgs().ok().and_then(|mut all| {
            all.find_map(|message| match message {
                ControlMessageOwned::ScmTimestamp(time) => Some(Timestamp(time.num_microseconds())),
                _ => None,
            })
        });
        let message = self.buffer.get(..length.min(LONGEST)).unwrap_or_default();
        let Some((header, bytes)) = message.split_first_chunk::<HEADER>() else {
            self.strange += 1;
            return Ok(State::Open);
        };
        let number = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
        see(Packet {
            opcode: number(0),
            adapter: number(2),
            time: queued.unwrap_or_else(now),
            bytes,
            length: u32::try_from(length - HEADER).unwrap_or(u32::MAX),
        })?;
        Ok(State::Open)
    }

    /// How many packets the kernel had no room for since the socket was opened.
    pub fn dropped(&self) -> u64 {
        socket::dropped(&self.socket).map_or(0, u64::from)
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
