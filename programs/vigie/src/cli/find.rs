//! `vigie camera find`, and the streams behind an `onvif://` address, so that nobody has to know their own.
//!
//! Asked from here and not by the recorder: the process that sees pictures needs no HTTP and no XML for it (decision 0066).

use super::{Context, Outcome, unexpected};
use crate::world::SystemRandom;
use domain::{Codec, Random};
use keeper::wire::Credentials;
use onvif::{Device, Found, HttpLine, SignIn, Stream, Trouble, World};
use std::{process::ExitCode, time::SystemTime};

/// Differences of clocks that are worth a word: answers take up to a second.
const CLOCK_SECONDS: i64 = 2;

/// Whether an address is one to ask for streams, and not a stream's.
pub fn is_device(address: &str) -> bool {
    address.trim().starts_with("onvif://")
}

pub fn run(context: &Context<'_>, address: &str, credentials: Option<&Credentials>) -> Outcome {
    match ask(context, address, credentials)? {
        Ok(found) => {
            show(context, &found);
            found.streams.iter().for_each(|stream| show_stream(context, stream));
            Ok(ExitCode::SUCCESS)
        }
        Err(trouble) => {
            told(context, &trouble);
            Ok(ExitCode::FAILURE)
        }
    }
}

/// The addresses to record: the main stream's, and that of the one for browsers without H.265.
pub struct Chosen {
    pub main: String,
    pub sub: Option<String>,
}

/// Shows and chooses a device's streams. `None`: why not was told.
pub fn streams(
    context: &Context<'_>,
    address: &str,
    credentials: Option<&Credentials>,
) -> Result<Option<Chosen>, Box<dyn std::error::Error>> {
    let chosen = ask(context, address, credentials)?.and_then(|found| {
        show(context, &found);
        let main = found.main()?;
        show_stream(context, main);
        let sub = found.sub().map(|sub| {
            println!("  {}", context.pick("et, pour les navigateurs sans H.265 :", "and, for browsers without H.265:"));
            show_stream(context, sub);
            sub.url.clone()
        });
        Ok(Chosen { main: main.url.clone(), sub })
    });
    if let Err(trouble) = &chosen {
        told(context, trouble);
    }
    Ok(chosen.ok())
}

fn ask(
    context: &Context<'_>,
    address: &str,
    credentials: Option<&Credentials>,
) -> Result<Result<Found, Trouble>, Box<dyn std::error::Error>> {
    let device: Device = address
        .parse()
        .map_err(|error: onvif::DeviceError| context.pick(error.text_fr().to_owned(), error.to_string()))?;
    let sign_in = credentials.map(|one| SignIn { user: one.user.clone(), password: one.password.clone() });
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_err(|_| unexpected())?;
    let random = SystemRandom::new();
    let mut nonce = || {
        let mut bytes = [0; 16];
        random.fill(&mut bytes);
        bytes
    };
    let world = World { unix_seconds: i64::try_from(now.as_secs())?, nonce: &mut nonce };
    let mut line = HttpLine::new(sign_in.as_ref());
    Ok(onvif::find(&mut line, &device, sign_in.as_ref(), world))
}

fn told(context: &Context<'_>, trouble: &Trouble) {
    eprintln!("{}", context.pick(trouble.text_fr(), trouble.to_string()));
}

fn show(context: &Context<'_>, found: &Found) {
    let (maker, model, firmware) = (&found.maker, &found.model, &found.firmware);
    println!("{maker} {model}, {} {firmware}", context.pick("microprogramme", "firmware"));
    if let Some(ahead) = found.clock_ahead.filter(|ahead| ahead.abs() > CLOCK_SECONDS) {
        let seconds = ahead.abs();
        println!(
            "  {}",
            match ahead > 0 {
                true => context.pick(
                    format!("son horloge avance de {seconds} s sur celle de cette machine : réglez-la sur un serveur de temps"),
                    format!("its clock is {seconds} s ahead of this machine's: set it by a time server"),
                ),
                false => context.pick(
                    format!("son horloge retarde de {seconds} s sur celle de cette machine : réglez-la sur un serveur de temps"),
                    format!("its clock is {seconds} s behind this machine's: set it by a time server"),
                ),
            }
        );
    }
    if found.offers_analysis {
        println!(
            "  {}",
            context.pick(
                "elle sait analyser ses propres images. Vigie ne le lui demande jamais ; vérifiez dans ses pages que c'est désactivé \
                 (CE, 30 janvier 2026, n° 506370)",
                "it can analyse its own pictures. Vigie never asks for that; check in its pages that it is off (CE, 30 January \
                 2026, no. 506370)"
            )
        );
    }
}

fn show_stream(context: &Context<'_>, stream: &Stream) {
    let Stream { name, encoding, width, height, url, .. } = stream;
    let rate =
        stream.rate.map(|rate| format!(", {rate:.0} {}", context.pick("images/s", "pictures/s"))).unwrap_or_default();
    let kept = match stream.codec() {
        Some(Codec::H264 | Codec::H265) => "",
        None => context.pick(" · n'est pas enregistrable", " · cannot be recorded"),
    };
    println!("  {encoding} {width}×{height}{rate}{kept} · {name}\n    {url}");
}
