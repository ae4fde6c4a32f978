//! A digest as a QR code (ISO/IEC 18004), drawn as a vector: whoever holds the paper compares it with a telephone.

use documents::Sha256;
use qrcodegen::{QrCode, QrCodeEcc};
use std::fmt::Write;

/// White around the code, in its squares: what the standard asks.
const QUIET: i32 = 4;

/// An SVG of the digest's 64 digits. The middle level of correction: paper is folded and stamped.
pub fn svg(digest: &Sha256) -> String {
    let code = QrCode::encode_text(&digest.to_string(), QrCodeEcc::Medium);
    let code = code.expect("64 digits fit a QR code");
    let side = code.size() + 2 * QUIET;
    let mut svg = format!(r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}"><path d=""#);
    for y in 0..code.size() {
        let mut x = 0;
        while x < code.size() {
            let run = (x..code.size()).take_while(|x| code.get_module(*x, y)).count() as i32;
            if run > 0 {
                // a line of dark squares at once: seams between squares show in print
                write!(svg, "M{} {}h{run}v1h-{run}z", x + QUIET, y + QUIET).expect("a string takes what is written");
            }
            x += run.max(1);
        }
    }
    svg.push_str(r#""/></svg>"#);
    svg
}
