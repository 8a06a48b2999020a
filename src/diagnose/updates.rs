//! Services over which devices get new firmware.
use crate::packet::att::Uuid;
use crate::timeline::{Connection, Step};

/// Nordic: the control points of the old and of the secure update service, and the buttonless entries.
pub const LEGACY_CONTROL: Uuid = full(0x00001531_1212_efde_1523_785feabcd123);
pub const SECURE_CONTROL: Uuid = nordic(0x8ec9_0001);
pub const BUTTONLESS: [Uuid; 3] =
    [nordic(0x8ec9_0003), nordic(0x8ec9_0004), full(0x8e400001_f315_4f60_9fb8_838830daea50)];
/// MCUmgr's one characteristic.
pub const MCUMGR: Uuid = full(0xda2e7828_fbce_4e01_ae9e_261174997c48);
pub const TELINK: Uuid = full(0x00010203_0405_0607_0809_0a0b0c0d2b12);
pub const SILABS_CONTROL: Uuid = full(0xf7bf3564_fb6d_4e53_88a4_5e37e0326063);
pub const DIALOG_MEMORY: Uuid = full(0x8082caa8_41a6_4021_91c6_56f9b954cc34);

/// Service and characteristics, and whose protocol it is.
const UPDATES: &[(Uuid, &str)] = &[
    (Uuid::Short(0xfe59), "Nordic DFU"),
    (SECURE_CONTROL, "Nordic DFU"),
    (nordic(0x8ec9_0002), "Nordic DFU"),
    (BUTTONLESS[0], "Nordic DFU"),
    (BUTTONLESS[1], "Nordic DFU"),
    (full(0x00001530_1212_efde_1523_785feabcd123), "Nordic legacy DFU"),
    (LEGACY_CONTROL, "Nordic legacy DFU"),
    (full(0x00001532_1212_efde_1523_785feabcd123), "Nordic legacy DFU"),
    (full(0x00010203_0405_0607_0809_0a0b0c0d1912), "Telink OTA"),
    (TELINK, "Telink OTA"),
    (full(0x8d53dc1d_1db7_4cd3_868b_8a527460aa84), "MCUmgr (SMP)"),
    (MCUMGR, "MCUmgr (SMP)"),
    (full(0x1d14d6ee_fd63_4fa1_bfa4_8f47b42119f0), "Silicon Labs OTA"),
    (SILABS_CONTROL, "Silicon Labs OTA"),
    (full(0x984227f3_34fc_4045_a5d0_2c581f81a153), "Silicon Labs OTA"),
];

const fn full(printed: u128) -> Uuid {
    Uuid::Full(printed.to_be_bytes())
}

const fn nordic(first: u32) -> Uuid {
    full(((first as u128) << 96) | 0xf315_4f60_9fb8_8388_30da_ea50)
}

/// Whose update protocol a request of our host belongs to, if it belongs to one.
pub fn protocol(connection: &Connection, step: &Step) -> Option<&'static str> {
    let of = |uuid: Option<Uuid>| {
        UPDATES.iter().find(|(known, _)| Some(*known) == uuid).map(|(_, whose)| *whose)
    };
    let value = connection.remote.get(step.attribute).and_then(|attribute| attribute.uuid);
    let service = connection.remote.service_of(step.attribute).and_then(|service| service.uuid);
    of(value).or_else(|| of(service))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Trace;

    /// A service with one characteristic: 0x0001-0x0006, value 0x0003.
    fn written(service: &[u8], characteristic: &[u8]) -> Option<&'static str> {
        let mut groups = vec![4 + service.len() as u8, 1, 0, 6, 0];
        groups.extend(service);
        let mut characteristics = vec![5 + characteristic.len() as u8, 2, 0, 8, 3, 0];
        characteristics.extend(characteristic);
        let link = Trace::new()
            .up()
            .by_wire(&[0x10, 1, 0, 0xff, 0xff, 0x00, 0x28], 0x11, &groups)
            .by_wire(&[0x08, 1, 0, 6, 0, 0x03, 0x28], 0x09, &characteristics)
            .write(3, &[1]);
        let connection = link.run().connections.remove(0);
        let write = connection.steps.iter().find(|step| step.attribute == 3).expect("the write");
        protocol(&connection, write)
    }

    /// As the vendors print them, and whose they are.
    #[test]
    fn the_numbers_are_those_of_the_vendors() {
        let known: Vec<String> =
            UPDATES.iter().map(|(uuid, whose)| format!("{uuid:?} {whose}")).collect();
        let printed = |uuid: &str| {
            let digits: String = uuid.chars().filter(|c| *c != '-').collect();
            full(u128::from_str_radix(&digits, 16).expect("hexadecimal"))
        };
        for (uuid, whose) in [
            ("8ec90001-f315-4f60-9fb8-838830daea50", "Nordic DFU"),
            ("8ec90002-f315-4f60-9fb8-838830daea50", "Nordic DFU"),
            ("8ec90003-f315-4f60-9fb8-838830daea50", "Nordic DFU"),
            ("8ec90004-f315-4f60-9fb8-838830daea50", "Nordic DFU"),
            ("00001530-1212-efde-1523-785feabcd123", "Nordic legacy DFU"),
            ("00001531-1212-efde-1523-785feabcd123", "Nordic legacy DFU"),
            ("00001532-1212-efde-1523-785feabcd123", "Nordic legacy DFU"),
            ("00010203-0405-0607-0809-0a0b0c0d1912", "Telink OTA"),
            ("00010203-0405-0607-0809-0a0b0c0d2b12", "Telink OTA"),
            ("8d53dc1d-1db7-4cd3-868b-8a527460aa84", "MCUmgr (SMP)"),
            ("da2e7828-fbce-4e01-ae9e-261174997c48", "MCUmgr (SMP)"),
            ("1d14d6ee-fd63-4fa1-bfa4-8f47b42119f0", "Silicon Labs OTA"),
            ("f7bf3564-fb6d-4e53-88a4-5e37e0326063", "Silicon Labs OTA"),
            ("984227f3-34fc-4045-a5d0-2c581f81a153", "Silicon Labs OTA"),
        ] {
            let row = format!("{:?} {whose}", printed(uuid));
            assert!(known.contains(&row), "{uuid}");
        }
        assert_eq!(known.len(), 15, "the fourteen above, and Nordic's service 0xfe59");
        assert_eq!(BUTTONLESS[2], printed("8e400001-f315-4f60-9fb8-838830daea50"));
        assert_eq!(DIALOG_MEMORY, printed("8082caa8-41a6-4021-91c6-56f9b954cc34"));
    }

    #[test]
    fn an_update_is_known_by_its_service_or_its_characteristic() {
        // 8ec90001-f315-4f60-9fb8-838830daea50, least significant byte first.
        let control = [
            0x50, 0xea, 0xda, 0x30, 0x88, 0x83, 0xb8, 0x9f, 0x60, 0x4f, 0x15, 0xf3, 0x01, 0x00,
            0xc9, 0x8e,
        ];
        assert_eq!(written(&[0x59, 0xfe], &[0x19, 0x2a]), Some("Nordic DFU"));
        assert_eq!(written(&[0x0f, 0x18], &control), Some("Nordic DFU"));
        assert_eq!(written(&[0x0f, 0x18], &[0x19, 0x2a]), None);
    }
}
