//! bleak-retry-connector: it counts calls, not links.
use super::bleak::failure;
use super::claim::{Asker, FailedAt, Kind, Radio, What};
use super::reader::{Memory, Message, Reader, Said};

pub(super) const READER: Reader =
    Reader { kind: Kind::RetryConnector, marks: &["bleak_retry_connector"], read };

fn read(line: &Message<'_>, _: &Memory) -> Option<Said> {
    (line.author == "bleak_retry_connector").then_some(())?;
    let has = |words: &str| line.text.contains(words);
    let what = if has("Connected after ") {
        What::ProgramConnected
    } else if has("Connection attempt: ") || has(": Connecting (attempt: ") {
        What::ConnectAsked(Asker::Program)
    } else if has("Failed to connect") || has("Timed out trying to connect") {
        What::Failed { how: failure(line.text), by: FailedAt::Program }
    } else {
        return None;
    };
    Some(Said::from(what).over(radio(line.text)))
}

/// `NAME - ADDR -> PATH: …`: the path is `/org/bluez/hciN`, or a proxy's name.
pub(super) fn radio(text: &str) -> Radio {
    let Some((_, path)) = text.split_once(" -> ") else { return Radio::Unsaid };
    let path = path.split(": ").next().unwrap_or(path);
    match super::reader::adapter(path) {
        Some(number) => Radio::Adapter(number),
        None => Radio::Proxy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_an_adapter_or_a_proxy() {
        assert_eq!(radio("N - A -> /org/bluez/hci0: Connecting"), Radio::Adapter(0));
        assert_eq!(radio("N - A -> hall-proxy: Connecting (attempt: 1)"), Radio::Proxy);
        assert_eq!(radio("N - A: Connection attempt: 1"), Radio::Unsaid);
    }
}
