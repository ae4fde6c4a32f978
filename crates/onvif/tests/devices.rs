//! Answers as devices give them, right and wrong, without a network.

use onvif::{Device, Found, Line, Question, Reply, SignIn, Trouble, Url, World, find};

/// Answers one question after the other, and keeps what was asked.
#[derive(Default)]
struct Says {
    answers: Vec<Reply>,
    asked: Vec<(String, String)>,
}

impl Says {
    fn then(mut self, body: &str) -> Says {
        let body = format!(
            "<e:Envelope xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\"><e:Body>{body}</e:Body></e:Envelope>"
        );
        self.answers.push(Reply { status: 200, date: None, body: body.into_bytes() });
        self
    }
    fn then_as(mut self, status: u16, date: Option<i64>, body: &str) -> Says {
        self.answers.push(Reply { status, date, body: body.as_bytes().to_vec() });
        self
    }
    fn ask(&mut self) -> Result<Found, Trouble> {
        let device: Device = "onvif://10.0.0.8".parse().expect("an address");
        let sign_in = SignIn { user: domain::Sensitive::new("u".into()), password: domain::Sensitive::new("p".into()) };
        self.answers.reverse();
        find(self, &device, Some(&sign_in), World { unix_seconds: 1_000, nonce: &mut || [7; 16] })
    }
}

impl Line for Says {
    fn post(&mut self, to: &Url, question: &Question) -> Result<Reply, Trouble> {
        self.asked.push((to.to_string(), question.body.clone()));
        self.answers.pop().ok_or(Trouble::Unreachable)
    }
}

const FAULT: &str = "<e:Fault><e:Code><e:Value>e:Receiver</e:Value></e:Code></e:Fault>";
const ABOUT: &str = "<r:GetDeviceInformationResponse xmlns:r=\"r\"><r:Manufacturer> A&#9;cme </r:Manufacturer><r:Model>M</r:Model>\
     </r:GetDeviceInformationResponse>";
const MEDIA: &str = "<Capabilities><Media><XAddr>http://10.0.0.8/m</XAddr></Media></Capabilities>";
const HOUR_LATER: &str = "<S><SystemDateAndTime><TimeZone><TZ>CET-1CEST,M3.5.0,M10.5.0/3</TZ></TimeZone><LocalDateTime>\
     <Time><Hour>2</Hour><Minute>16</Minute><Second>50</Second></Time>\
     <Date><Year>1970</Year><Month>1</Month><Day>1</Day></Date></LocalDateTime></SystemDateAndTime></S>";

fn profile(token: &str, source: &str, encoding: &str, width: u32) -> String {
    format!(
        "<Profiles token=\"{token}\"><VideoSourceConfiguration><SourceToken>{source}</SourceToken></VideoSourceConfiguration>\
         <VideoEncoderConfiguration><Encoding>{encoding}</Encoding><Resolution><Width>{width}</Width><Height>9</Height></Resolution>\
         </VideoEncoderConfiguration></Profiles>"
    )
}

fn uri(path: &str) -> String {
    format!("<MediaUri><Uri>rtsp://0.0.0.0/{path}</Uri></MediaUri>")
}

/// A device of the first standard, with these profiles, each with an address.
fn old_device(profiles: &[String]) -> Says {
    let says = Says::default().then(HOUR_LATER).then(FAULT).then(MEDIA).then(ABOUT).then(&profiles.concat());
    (0..profiles.len()).fold(says, |says, number| says.then(&uri(&number.to_string())))
}

#[test]
fn a_device_of_the_first_standard_is_asked_in_its_own_time_and_its_largest_stream_is_the_main_one() {
    let profiles = [
        profile("a", "lens", "JPEG", 9_999),
        profile("b&lt;", "lens", "H264", 640),
        profile("c", "lens", "H264", 1920),
        "<Profiles token=\"metadata\"/>".to_owned(),
    ];
    let mut says = old_device(&profiles[..3]);
    says.answers.insert(4, Reply { status: 200, date: None, body: vec![] });
    says.answers[4] = Says::default().then(&profiles.concat()).answers.remove(0);
    says.answers.remove(5);
    let found = says.ask().expect("its streams");
    assert_eq!((found.maker.as_str(), found.model.as_str(), found.firmware.as_str()), ("Acme", "M", ""));
    // 02:16:50 in Paris is 01:16:50 UTC, 4610 s; ours is 1000
    assert_eq!(found.clock_ahead, Some(3_610));
    assert_eq!(found.streams.len(), 3);
    let main = found.main().expect("a main stream");
    assert_eq!((main.url.as_str(), main.width), ("rtsp://10.0.0.8/2", 1920));
    assert_eq!(found.sub(), None, "browsers play H.264: one stream is enough");
    assert!(!says.asked[0].1.contains("UsernameToken"), "the time is asked without a name");
    assert!(says.asked[1].1.contains(">1970-01-01T01:16:50Z<"), "{}", says.asked[1].1);
    assert!(says.asked[6].1.contains("<trt:ProfileToken>b&lt;</trt:ProfileToken>"), "{}", says.asked[6].1);
    assert!(says.asked.iter().all(|(to, body)| to.starts_with("http://10.0.0.8/") && !body.contains(">p<")));
}

#[test]
fn of_several_lenses_none_is_taken_for_the_camera() {
    let profiles = [profile("a", "left", "H264", 640), profile("b", "right", "H264", 640)];
    let found = old_device(&profiles).ask().expect("its streams");
    assert_eq!(found.main(), Err(Trouble::Lenses));
    let only_jpeg = old_device(&[profile("a", "left", "JPEG", 640)]).ask().expect("its streams");
    assert_eq!(only_jpeg.main(), Err(Trouble::NoStream));
}

#[test]
fn the_head_of_an_answer_tells_the_time_where_the_device_does_not() {
    let rest =
        |says: Says| says.then(FAULT).then(MEDIA).then(ABOUT).then(&profile("a", "l", "H264", 1)).then(&uri("x"));
    let by_head = rest(Says::default().then_as(401, Some(940), "")).ask().expect("its streams");
    assert_eq!(by_head.clock_ahead, Some(-60));
    let nowhere = rest(Says::default().then("<nothing/>")).ask().expect("its streams");
    assert_eq!(nowhere.clock_ahead, None);
    let no_such_day = HOUR_LATER.replace("<Day>1<", "<Day>31<").replace("<Month>1<", "<Month>2<");
    assert_eq!(rest(Says::default().then(&no_such_day)).ask().expect("its streams").clock_ahead, None);
}

#[test]
fn what_refuses_and_what_is_no_device_is_told_apart() {
    let refused =
        "<Fault><Code><Value>e:Sender</Value><Subcode><Value>ter:NotAuthorized</Value></Subcode></Code></Fault>";
    assert_eq!(Says::default().then(HOUR_LATER).then(refused).ask(), Err(Trouble::Refused));
    assert_eq!(Says::default().then(HOUR_LATER).then_as(403, None, "").ask(), Err(Trouble::Refused));
    let fault = "<Fault><faultcode>SOAP-ENV:Server</faultcode></Fault>";
    let other = Says::default().then(HOUR_LATER).then(FAULT).then(fault).ask();
    assert_eq!(other, Err(Trouble::Fault { code: "Server".into() }));
    for strange in [
        "",
        "<!DOCTYPE html><html><body>404</body></html>",
        "<html><body>It works!</body></html>",
        "<e:Envelope xmlns:e=\"e\"><e:Header/></e:Envelope>",
        "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
        &"<a>".repeat(200_000),
        &" ".repeat(onvif::ANSWER_BYTES_MAX + 1),
    ] {
        assert_eq!(Says::default().then_as(200, None, strange).ask(), Err(Trouble::NotOnvif), "{:.40}", strange);
    }
}
