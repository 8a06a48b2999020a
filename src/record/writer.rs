//! Packets become a btsnoop file of which no moment leaves half a record.
use super::Packet;
use crate::capture::WriteError;
use crate::capture::btsnoop::{self, Datalink};
use std::io::{self, Write};

/// Bytes that are gathered before they are written, if nobody asks for them earlier.
const GATHERED: usize = 64 << 10;

/// Where a recording goes.
pub trait Sink: Write {
    /// Takes back what was written behind so many bytes. A pipe cannot do that.
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

/// Writes packets as `btmon -w` does: btsnoop of the Linux monitor.
pub struct Writer<S: Sink> {
    sink: S,
    /// Whole records that were not written yet.
    gathered: btsnoop::Writer<Vec<u8>>,
    /// Bytes that were written, all of whole records.
    length: u64,
    records: u64,
}

impl<S: Sink> Writer<S> {
    /// Begins a file.
    pub fn new(sink: S) -> io::Result<Self> {
        let gathered = btsnoop::Writer::new(Vec::new(), Datalink::Monitor).map_err(plain)?;
        let mut writer = Self { sink, gathered, length: 0, records: 0 };
        writer.flush()?;
        Ok(writer)
    }

    /// Appends a packet. `lost`: how many the kernel had no room for before it.
    pub fn push(&mut self, packet: &Packet<'_>, lost: u64) -> io::Result<()> {
        self.gathered.lost(lost);
        self.gathered.push(&packet.record()).map_err(plain)?;
        self.records += 1;
        if self.gathered.get_ref().len() >= GATHERED { self.flush() } else { Ok(()) }
    }

    /// Writes what was gathered. Where that fails, what stands in the file ends with a whole record.
    pub fn flush(&mut self) -> io::Result<()> {
        let bytes = self.gathered.get_mut();
        let written = self.sink.write_all(bytes).and_then(|()| self.sink.flush());
        match written {
            Ok(()) => {
                self.length += bytes.len() as u64;
                bytes.clear();
                Ok(())
            }
            Err(error) => {
                // The first error tells more than that of the repair.
                let _ = self.sink.cut(self.length);
                Err(error)
            }
        }
    }

    /// Bytes so far, with those that are gathered.
    pub fn length(&self) -> u64 {
        self.length + self.gathered.get_ref().len() as u64
    }

    /// Records so far.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// What it was written into.
    pub fn sink(&mut self) -> &mut S {
        &mut self.sink
    }
}

fn plain(error: WriteError) -> io::Error {
    match error {
        WriteError::Io(error) => error,
        WriteError::Unfit(why) => io::Error::other(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{Input, OpenOptions, open};
    use crate::time::Timestamp;

    /// A disk with so much room.
    struct Disk {
        bytes: Vec<u8>,
        room: usize,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let len = bytes.len().min(self.room - self.bytes.len());
            if len == 0 && !bytes.is_empty() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.bytes.extend(&bytes[..len]);
            Ok(len)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Sink for Disk {
        fn cut(&mut self, length: u64) -> io::Result<()> {
            self.bytes.truncate(length as usize);
            Ok(())
        }
    }

    fn packet(bytes: &[u8]) -> Packet<'_> {
        let time = Timestamp(1_750_412_876_530_123);
        Packet { opcode: 3, adapter: 1, time, bytes, length: bytes.len() as u32 }
    }

    #[test]
    fn a_full_disk_keeps_whole_records_alone() {
        for room in 200..320 {
            let mut writer = Writer::new(Disk { bytes: Vec::new(), room }).unwrap();
            let mut written = 0;
            let full = loop {
                writer.push(&packet(&[0x13, 5, 1, 0x40, 0, 1, 0]), 0).unwrap();
                match writer.flush() {
                    Ok(()) => written += 1,
                    Err(error) => break error,
                }
            };
            assert_eq!(full.kind(), io::ErrorKind::StorageFull);
            let bytes = std::mem::take(&mut writer.sink().bytes);
            assert_eq!(bytes.len(), 16 + written * 31);
            let mut opened = open(&Input::bytes("disk", bytes), &OpenOptions::default()).unwrap();
            while let Some(record) = opened.source.next().unwrap() {
                assert_eq!((record.adapter, record.bytes().len()), (Some(1), 7));
                written -= 1;
            }
            assert_eq!((written, opened.source.warnings()), (0, Vec::new()));
        }
    }

    #[test]
    fn lost_packets_are_counted_in_the_file() {
        let mut writer = Writer::new(Disk { bytes: Vec::new(), room: 9_999 }).unwrap();
        for lost in [0, 0, 3, 3, 10] {
            writer.push(&packet(&[0x13, 0]), lost).unwrap();
        }
        writer.flush().unwrap();
        let bytes = std::mem::take(&mut writer.sink().bytes);
        let mut opened = open(&Input::bytes("disk", bytes), &OpenOptions::default()).unwrap();
        while opened.source.next().unwrap().is_some() {}
        assert_eq!((opened.source.lost(), writer.records()), (10, 5));
    }
}
