//! The line of a PDU of the link layer.
use super::Words;
use crate::packet::air::{Advertising, Control, Pdu};
use crate::packet::units::Interval;
use std::fmt::Write;

macro_rules! say {
    ($words:expr, $($text:tt)*) => { { let _ = write!($words.out, $($text)*); } };
}

impl Words<'_> {
    pub(super) fn on_air(&mut self, pdu: &Pdu<'_>) {
        match pdu {
            Pdu::Advertising(pdu) | Pdu::Auxiliary(_, pdu) => self.advertising_pdu(pdu),
            Pdu::Control(pdu) => self.control(pdu),
            Pdu::Empty => {}
            Pdu::Encrypted { len, .. } | Pdu::Isochronous { len } => say!(self, "{len} bytes"),
        }
    }

    fn advertising_pdu(&mut self, pdu: &Advertising<'_>) {
        match *pdu {
            Advertising::AdvInd { adv_a, adv_data: data }
            | Advertising::AdvNonconnInd { adv_a, adv_data: data }
            | Advertising::AdvScanInd { adv_a, adv_data: data }
            | Advertising::ScanRsp { adv_a, scan_rsp_data: data } => {
                say!(self, "{adv_a}");
                self.name_in(data);
            }
            Advertising::AdvDirectInd { adv_a, target_a } => say!(self, "{adv_a} for {target_a}"),
            Advertising::ScanReq { scan_a, adv_a } => say!(self, "{scan_a} asks {adv_a}"),
            Advertising::ConnectInd {
                init_a,
                adv_a,
                access_address,
                win_offset,
                interval,
                latency,
                timeout,
                ..
            } => {
                say!(self, "{init_a} to {adv_a}, access address {access_address:#010x}");
                self.interval(interval);
                say!(self, ", latency {latency}");
                self.timeout(timeout);
                say!(self, ", window offset {win_offset}");
            }
            Advertising::AdvExtInd { payload } | Advertising::AuxConnectRsp { payload } => {
                if let Some(address) = payload.adv_a() {
                    say!(self, "{address}");
                    self.name_in(payload.data());
                } else if let Some(channel) = payload.aux_channel() {
                    say!(self, "goes on on channel {channel}");
                }
            }
            Advertising::Other { code, parameters } => {
                say!(self, "{code:#03x}, {} bytes", parameters.len());
            }
        }
    }

    fn control(&mut self, pdu: &Control<'_>) {
        match *pdu {
            Control::ConnectionUpdateInd {
                interval,
                latency,
                timeout,
                instant,
                win_offset,
                ..
            } => {
                say!(self, "{} ms, latency {latency}", Interval(interval).ms());
                self.timeout(timeout);
                say!(self, ", window offset {win_offset}, instant {instant}");
            }
            Control::TerminateInd { error_code } | Control::RejectInd { error_code } => {
                say!(self, "{error_code}");
            }
            Control::RejectExtInd { reject_opcode, error_code } => {
                self.control_name(reject_opcode);
                say!(self, ", {error_code}");
            }
            Control::UnknownRsp { unknown_type } => self.control_name(unknown_type),
            Control::VersionInd { version, company, subversion } => {
                say!(self, "version {version}, subversion {subversion:#06x}");
                self.company(company);
            }
            Control::ConnectionParamReq {
                interval_min, interval_max, latency, timeout, ..
            }
            | Control::ConnectionParamRsp {
                interval_min, interval_max, latency, timeout, ..
            } => {
                say!(
                    self,
                    "{} to {} ms, latency {latency}",
                    Interval(interval_min).ms(),
                    Interval(interval_max).ms()
                );
                self.timeout(timeout);
            }
            Control::Other { code, parameters } => {
                say!(self, "{code:#04x}, {} bytes", parameters.len());
            }
            _ => pdu.fields(self),
        }
    }

    fn control_name(&mut self, opcode: u8) {
        match Control::name_of(opcode) {
            Some(name) => self.out.push_str(name),
            None => say!(self, "{opcode:#04x}"),
        }
    }
}
