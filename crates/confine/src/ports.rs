//! TCP ports as an operator writes them: `554, 8554, 10000-10100`.

use std::{ops::RangeInclusive, str::FromStr};

/// Ports and ranges of ports; empty: none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ports(Vec<RangeInclusive<u16>>);

/// Why a text names no ports.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{part}` is no port and no range of ports: write `554, 8554` or `10000-10100`")]
pub struct PortsError {
    part: String,
}

impl Ports {
    pub fn of(ports: impl IntoIterator<Item = u16>) -> Ports {
        Ports(ports.into_iter().map(|port| port..=port).collect())
    }
    pub fn contains(&self, port: u16) -> bool {
        self.0.iter().any(|range| range.contains(&port))
    }
    pub fn each(&self) -> impl Iterator<Item = u16> + '_ {
        self.0.iter().flat_map(Clone::clone)
    }
    pub fn and(mut self, port: u16) -> Ports {
        self.0.push(port..=port);
        self
    }
}

impl FromStr for Ports {
    type Err = PortsError;

    fn from_str(text: &str) -> Result<Ports, PortsError> {
        let range = |part: &str| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let port = |text: &str| text.trim().parse::<u16>().ok().filter(|port| *port > 0);
            let range = port(first).zip(port(last)).filter(|(first, last)| first <= last);
            range.map(|(first, last)| first..=last).ok_or_else(|| PortsError { part: part.trim().to_owned() })
        };
        text.split(',').filter(|part| !part.trim().is_empty()).map(range).collect::<Result<_, _>>().map(Ports)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_and_ranges_are_read_and_nothing_else_is() {
        let ports: Ports = "554, 8554,10000-10002".parse().unwrap();
        assert_eq!(ports.each().collect::<Vec<_>>(), [554, 8554, 10_000, 10_001, 10_002]);
        assert!(ports.contains(10_001) && !ports.contains(10_003) && !ports.contains(555));
        assert_eq!("".parse(), Ok(Ports::default()));
        for wrong in ["0", "65536", "rtsp", "9-8", "1-2-3", "-1"] {
            assert!(wrong.parse::<Ports>().is_err(), "{wrong}");
        }
    }
}
