//! What the system says of this host's Bluetooth: adapters, who uses them, what blocks them. Nothing is changed.
use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::Path;

/// What whoever wants to record here should know: adapters, who uses them, what blocks them. Sentences without a stop.
pub fn says(root: &Path) -> Vec<String> {
    let mut says = Vec::new();
    let adapters = adapters(root);
    if adapters.is_empty() {
        says.push(
            "there is no Bluetooth adapter here now. One that comes is recorded, too; a program that works without \
             one uses another radio (a Bluetooth proxy, another machine)"
                .into(),
        );
    } else {
        let named = adapters.iter().map(|(name, bus)| match bus {
            Some(bus) => format!("{name} ({bus})"),
            None => name.clone(),
        });
        let users = users(root);
        let users: Vec<String> =
            users.iter().map(|(number, name)| format!("{name} (process {number})")).collect();
        let used = match users.as_slice() {
            [] => "no other program that this one can see uses Bluetooth".into(),
            users => format!("used by {}", users.join(", ")),
        };
        says.push(format!("adapters: {}; {used}", named.collect::<Vec<_>>().join(", ")));
    }
    says.extend(blocked(root).into_iter().map(|(name, hard)| match hard {
        true => format!("rfkill blocks {name}: a switch or key of the machine does it"),
        false => format!("rfkill blocks {name}: `rfkill unblock bluetooth` lifts that"),
    }));
    says
}

/// Adapters, with the bus that each is on where that is known: `hci0` on `usb`.
pub fn adapters(root: &Path) -> Vec<(String, Option<String>)> {
    let folder = root.join("sys/class/bluetooth");
    let bus = |name: &str| {
        let link = fs::read_link(folder.join(name).join("device/subsystem")).ok()?;
        Some(link.file_name()?.to_string_lossy().into_owned())
    };
    let mut found: Vec<_> = names(&folder)
        .into_iter()
        .filter(|name| is_adapter(name))
        .map(|name| {
            let bus = bus(&name);
            (name, bus)
        })
        .collect();
    found.sort_by_key(|(name, _)| (name.len(), name.clone()));
    found
}

/// `hci0`, and not `hci0:64`, which is a connection.
fn is_adapter(name: &str) -> bool {
    let number = name.strip_prefix("hci").unwrap_or("");
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// Radios that rfkill blocks, and whether a switch of the machine does it: no program can lift that.
pub fn blocked(root: &Path) -> Vec<(String, bool)> {
    let folder = root.join("sys/class/rfkill");
    let mut found = Vec::new();
    for entry in names(&folder) {
        let value = |file: &str| {
            let value = fs::read_to_string(folder.join(&entry).join(file)).unwrap_or_default();
            value.trim().to_owned()
        };
        let hard = value("hard") == "1";
        if value("type") == "bluetooth" && (hard || value("soft") == "1") {
            found.push((value("name"), hard));
        }
    }
    found.sort();
    found
}

/// Programs that have Bluetooth sockets of the kernel open, with their numbers. Who may not look at others' files sees
/// only his own.
pub fn users(root: &Path) -> BTreeMap<u32, String> {
    let proc = root.join("proc");
    let table = fs::read_to_string(proc.join("net/hci")).unwrap_or_default();
    let inode =
        |line: &str| line.split_whitespace().nth(5).map(|inode| format!("socket:[{inode}]"));
    let sockets: HashSet<String> = table.lines().skip(1).filter_map(inode).collect();
    let mut users = BTreeMap::new();
    if sockets.is_empty() {
        return users;
    }
    let own = std::process::id();
    for number in names(&proc).iter().filter_map(|name| name.parse::<u32>().ok()) {
        let folder = proc.join(number.to_string());
        let uses = names(&folder.join("fd")).iter().any(|fd| {
            fs::read_link(folder.join("fd").join(fd))
                .is_ok_and(|link| sockets.contains(&*link.to_string_lossy()))
        });
        if uses && number != own {
            let name = fs::read_to_string(folder.join("comm")).unwrap_or_default();
            users.insert(number, name.trim().to_owned());
        }
    }
    users
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn put(root: &Path, files: &[(&str, &str)]) {
        for (path, text) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    #[test]
    fn adapters_have_numbers_and_a_bus() {
        let root = tempfile::tempdir().unwrap();
        assert!(adapters(root.path()).is_empty());
        for name in ["hci10", "hci2", "hci2:64", "hcix", "hci"] {
            fs::create_dir_all(root.path().join("sys/class/bluetooth").join(name)).unwrap();
        }
        fs::create_dir_all(root.path().join("sys/class/bluetooth/hci2/device")).unwrap();
        let link = root.path().join("sys/class/bluetooth/hci2/device/subsystem");
        symlink("../../../../bus/usb", link).unwrap();
        let found = adapters(root.path());
        assert_eq!(found, [("hci2".into(), Some("usb".into())), ("hci10".into(), None)]);
    }

    #[test]
    fn only_blocked_bluetooth_counts() {
        let root = tempfile::tempdir().unwrap();
        put(
            root.path(),
            &[
                ("sys/class/rfkill/rfkill0/type", "wlan\n"),
                ("sys/class/rfkill/rfkill0/soft", "1\n"),
                ("sys/class/rfkill/rfkill1/type", "bluetooth\n"),
                ("sys/class/rfkill/rfkill1/name", "hci0\n"),
                ("sys/class/rfkill/rfkill1/soft", "1\n"),
                ("sys/class/rfkill/rfkill1/hard", "0\n"),
                ("sys/class/rfkill/rfkill2/type", "bluetooth\n"),
                ("sys/class/rfkill/rfkill2/name", "hci1\n"),
                ("sys/class/rfkill/rfkill2/soft", "0\n"),
                ("sys/class/rfkill/rfkill2/hard", "1\n"),
                ("sys/class/rfkill/rfkill3/type", "bluetooth\n"),
                ("sys/class/rfkill/rfkill3/soft", "0\n"),
            ],
        );
        assert_eq!(blocked(root.path()), [("hci0".into(), false), ("hci1".into(), true)]);
        let says = says(root.path());
        assert!(says[0].starts_with("there is no Bluetooth adapter here now."));
        assert!(says[1].contains("`rfkill unblock bluetooth`") && says[2].contains("a switch"));
    }

    #[test]
    fn who_has_a_socket_open_uses_bluetooth() {
        let root = tempfile::tempdir().unwrap();
        let table = "sk       RefCnt Rmem   Wmem   User   Inode  Parent\n\
                     00000000 2      0      0      0      4711   0     \n";
        put(
            root.path(),
            &[
                ("proc/net/hci", table),
                ("proc/512/comm", "bluetoothd\n"),
                ("proc/512/fd/x", ""),
                ("proc/513/comm", "other\n"),
                ("proc/513/fd/x", ""),
            ],
        );
        symlink("socket:[4711]", root.path().join("proc/512/fd/7")).unwrap();
        symlink("socket:[4712]", root.path().join("proc/513/fd/7")).unwrap();
        assert_eq!(users(root.path()), BTreeMap::from([(512, "bluetoothd".into())]));
        fs::create_dir_all(root.path().join("sys/class/bluetooth/hci0")).unwrap();
        assert_eq!(says(root.path()), ["adapters: hci0; used by bluetoothd (process 512)"]);
    }
}
