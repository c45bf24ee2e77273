//! A text as a QR code, as an image that a page may show without asking anybody else to draw it.

use base64::{Engine, engine::general_purpose::STANDARD};
use qrcode::{Color, EcLevel, QrCode};
use std::fmt::Write;

/// Modules of quiet around it (ISO/IEC 18004, section 5.3.8).
const QUIET: usize = 4;

/// The image as a `data:` address; `None` if the text is too long for any QR code.
pub(crate) fn image(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let width = code.width();
    let side = width + 2 * QUIET;
    let mut path = String::new();
    for (at, color) in code.to_colors().into_iter().enumerate() {
        if color == Color::Dark {
            let (x, y) = (at % width + QUIET, at / width + QUIET);
            write!(path, "M{x} {y}h1v1h-1z").ok()?;
        }
    }
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path d=\"{path}\"/></svg>"
    );
    Some(format!("data:image/svg+xml;base64,{}", STANDARD.encode(svg)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_an_authenticator_app_becomes_an_image_and_nothing_of_it_stands_there_as_text() {
        let image = image("otpauth://totp/Misy:ana?secret=GEZDGNBVGY3TQOJQ").unwrap();
        let svg = STANDARD.decode(image.strip_prefix("data:image/svg+xml;base64,").unwrap()).unwrap();
        let svg = String::from_utf8(svg).unwrap();
        assert!(svg.starts_with("<svg") && !svg.contains("GEZD"));
        assert!(super::image(&"a".repeat(5_000)).is_none());
    }
}
