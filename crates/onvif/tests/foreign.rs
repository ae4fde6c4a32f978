//! A device that shares no code with ours, over real HTTP and with its passwords enforced.

use domain::{Codec, Sensitive};
use onvif::{Device, Found, HttpLine, SignIn, Trouble, World, find};
use oxvif::mock::MockServer;

fn ask(address: &str, password: &str) -> Result<Found, Trouble> {
    let device: Device = address.parse().expect("an address");
    let sign_in = SignIn { user: Sensitive::new("admin".into()), password: Sensitive::new(password.into()) };
    let now = jiff::Timestamp::now().as_second();
    let mut count = 0;
    let mut nonce = || {
        count += 1;
        [count; 16]
    };
    find(&mut HttpLine::new(Some(&sign_in)), &device, Some(&sign_in), World { unix_seconds: now, nonce: &mut nonce })
}

#[test]
fn a_device_of_another_s_making_gives_its_streams() {
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let server = runtime.block_on(MockServer::builder().enforce_auth(true).start()).expect("a free port");
    let address = server.device_url().replacen("http://", "onvif://", 1);
    let found = ask(&address, "admin").expect("its streams");
    assert!(!found.maker.is_empty() && !found.model.is_empty() && !found.firmware.is_empty(), "{found:?}");
    assert!(found.clock_ahead.is_some_and(|ahead| ahead.abs() <= 2), "{found:?}");
    assert_eq!(found.streams.iter().filter(|stream| stream.codec() == Some(Codec::H264)).count(), 3, "{found:?}");
    for stream in &found.streams {
        let at = stream.url.strip_prefix("rtsp://127.0.0.1:554/mock/");
        assert!(at.is_some() && stream.width > 0 && stream.height > 0 && !stream.source.is_empty(), "{stream:?}");
    }
    assert_eq!(found.main(), Err(Trouble::Lenses), "it has more than one lens");
    assert_eq!(ask(&address, "wrong"), Err(Trouble::Refused));
}
