//! Where a device is asked, and what of the addresses that it gives is believed: ports and paths, never a host.

use std::str::FromStr;
use url::Url;

/// The entry of every ONVIF device (Core, 5.1.1).
const ENTRY: &str = "/onvif/device_service";

/// The address of a device's first service: `onvif://10.0.0.8`, with a port if it is not 80.
#[derive(Clone, PartialEq, Eq)]
pub struct Device(Url);

/// The text is no address of a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DeviceError {
    #[error("the address cannot be read: it looks like `onvif://10.0.0.8` or `onvif://10.0.0.8:8000`")]
    Unreadable,
    #[error("the address holds a user or a password: give them apart (`--user`, `--password-stdin`)")]
    Credentials,
}

impl DeviceError {
    /// The same in French.
    pub const fn text_fr(self) -> &'static str {
        match self {
            DeviceError::Unreadable => {
                "l'adresse est illisible : elle ressemble à `onvif://10.0.0.8` ou `onvif://10.0.0.8:8000`"
            }
            DeviceError::Credentials => {
                "l'adresse contient un nom ou un mot de passe : donnez-les à part (`--user`, `--password-stdin`)"
            }
        }
    }
}

/// Withheld: a place in the town's network.
impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("‹device address›")
    }
}

impl FromStr for Device {
    type Err = DeviceError;
    fn from_str(text: &str) -> Result<Device, DeviceError> {
        let rest = text.trim().strip_prefix("onvif://").ok_or(DeviceError::Unreadable)?;
        let mut url = Url::parse(&format!("http://{rest}")).map_err(|_| DeviceError::Unreadable)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(DeviceError::Credentials);
        }
        if url.path() == "/" {
            url.set_path(ENTRY);
        }
        url.set_fragment(None);
        Ok(Device(url))
    }
}

impl Device {
    pub fn url(&self) -> &Url {
        &self.0
    }
    /// The same device's service at an address that it gave itself. Devices that do not know their own address say
    /// `0.0.0.0`, or the one behind a router: then the port that the operator named counts, too.
    pub fn service(&self, told: &str) -> Option<Url> {
        let told = Url::parse(told.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
        let mut url = self.0.clone();
        url.set_path(told.path());
        url.set_query(told.query());
        if told.scheme() == "http" && told.host() == self.0.host() {
            url.set_port(told.port()).ok()?;
        }
        Some(url)
    }
    /// The stream at an address that the device gave, looked for at the device itself; without user and password, which
    /// some write into it.
    pub fn stream(&self, told: &str) -> Option<String> {
        let mut url = Url::parse(told.trim()).ok().filter(|url| url.scheme() == "rtsp")?;
        url.set_username("").ok()?;
        url.set_password(None).ok()?;
        url.set_host(self.0.host_str()).ok()?;
        url.set_fragment(None);
        Some(url.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(text: &str) -> Device {
        text.parse().expect("an address")
    }

    #[test]
    fn an_address_has_the_standard_s_port_and_entry_unless_it_says_others() {
        for (text, url) in [
            ("onvif://10.0.0.8", "http://10.0.0.8/onvif/device_service"),
            ("onvif://10.0.0.8:8000/", "http://10.0.0.8:8000/onvif/device_service"),
            ("onvif://[fd00::8]/onvif/other", "http://[fd00::8]/onvif/other"),
        ] {
            assert_eq!(device(text).url().as_str(), url);
        }
        assert_eq!("http://10.0.0.8".parse::<Device>(), Err(DeviceError::Unreadable));
        assert_eq!("onvif://".parse::<Device>(), Err(DeviceError::Unreadable));
        assert_eq!("onvif://a:b@10.0.0.8".parse::<Device>(), Err(DeviceError::Credentials));
    }

    #[test]
    fn no_address_that_a_device_gives_leads_to_another_host() {
        let camera = device("onvif://10.0.0.8:8000");
        for (told, service) in [
            ("http://0.0.0.0/onvif/Media", "http://10.0.0.8:8000/onvif/Media"),
            ("http://192.168.1.9:80/onvif/Media?a=1", "http://10.0.0.8:8000/onvif/Media?a=1"),
            ("http://10.0.0.8/onvif/Media", "http://10.0.0.8/onvif/Media"),
            ("http://10.0.0.8:8899/m", "http://10.0.0.8:8899/m"),
        ] {
            assert_eq!(camera.service(told).map(String::from), Some(service.to_owned()), "{told}");
        }
        assert_eq!(camera.service("file:///etc/passwd"), None);
        for (told, stream) in [
            ("rtsp://0.0.0.0:554/main", "rtsp://10.0.0.8:554/main"),
            ("rtsp://admin:x@evil.example/main?a=b", "rtsp://10.0.0.8/main?a=b"),
        ] {
            assert_eq!(camera.stream(told).as_deref(), Some(stream), "{told}");
        }
        assert_eq!(camera.stream("http://10.0.0.8/main.mjpg"), None);
    }
}
