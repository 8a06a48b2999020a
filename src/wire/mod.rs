//! Records become events: one vocabulary for every capture format, host and stack.
//!
//! Decoding never fails. What is unknown, cut or malformed is data too, and is
//! kept with its code and the reason.
use crate::capture::Direction;
use crate::time::Timestamp;
use std::marker::PhantomData;

/// One record, decoded.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    pub frame: u32,
    pub time: Option<Timestamp>,
    pub adapter: Option<u16>,
    pub direction: Option<Direction>,
    /// The capture kept only the beginning: values and lengths are lower bounds.
    pub cut: bool,
    pub problem: Option<Problem>,
    pub packet: Packet<'a>,
}

/// Why (part of) a packet was not decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Problem {
    /// No decoder knows this code.
    Unknown,
    /// The capture kept too few bytes.
    Cut,
    /// All bytes are here, and they do not fit the specification.
    Malformed,
}

#[derive(Clone, Debug)]
pub enum Packet<'a> {
    Opaque(PhantomData<&'a ()>),
}
