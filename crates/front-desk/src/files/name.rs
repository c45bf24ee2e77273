//! What files are called: a name that does no harm wherever it is written down.

use super::kind::Kind;
use http::HeaderValue;

/// Characters of a name.
const LONGEST: usize = 120;

/// A name of a client, made harmless: no path, no character that hides or turns others, and the ending that the file's kind has.
pub(crate) fn clean(name: &str, kind: &Kind) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let harmless: String = last.chars().filter(|c| !is_hidden(*c)).collect();
    let harmless = harmless.trim().trim_matches('.').trim();
    let (stem, ending) = harmless.rsplit_once('.').unwrap_or((harmless, ""));
    let fits = |ending: &str| kind.endings.iter().any(|known| ending.eq_ignore_ascii_case(known));
    let (stem, ending) = if fits(ending) { (stem, ending) } else { (harmless, kind.endings[0]) };
    let stem: String = stem.chars().take(LONGEST - 1 - ending.len()).collect();
    let stem = stem.trim();
    (!stem.is_empty()).then(|| format!("{stem}.{ending}"))
}

/// Controls, and what is not seen or turns the direction of writing: `exe.gpj` could look like `jpg.exe`.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// `Content-Disposition` (RFC 6266) of a file.
pub(crate) fn disposition(is_shown: bool, name: Option<&str>) -> HeaderValue {
    let how = if is_shown { "inline" } else { "attachment" };
    let value = match name {
        None => how.to_owned(),
        Some(name) => {
            let plain = |c: char| if c.is_ascii_alphanumeric() || " -_.()".contains(c) { c } else { '_' };
            let ascii: String = name.chars().map(plain).collect();
            format!("{how}; filename=\"{ascii}\"; filename*=UTF-8''{}", encoded(name))
        }
    };
    HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static("attachment"))
}

fn encoded(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(name: &str) -> Option<String> {
        super::clean(name, Kind::named("image/png").unwrap())
    }

    #[test]
    fn a_name_leads_nowhere_and_hides_nothing() {
        for (name, is) in [
            ("Foto de mañana.png", Some("Foto de mañana.png")),
            ("IMG.PNG", Some("IMG.PNG")),
            ("../../etc/passwd", Some("passwd.png")),
            ("C:\\Users\\ana\\foto.png", Some("foto.png")),
            ("photo.exe", Some("photo.exe.png")),
            ("photo\u{202e}gnp.exe", Some("photognp.exe.png")),
            ("a\r\nSet-Cookie: x=1.png", Some("aSet-Cookie: x=1.png")),
            ("a\0b.png", Some("ab.png")),
            ("..", None),
            ("", None),
            (".png", Some("png.png")),
            (" / ", None),
            ("a/", None),
        ] {
            assert_eq!(clean(name).as_deref(), is, "{name:?}");
        }
        let long = clean(&"ñ".repeat(5_000)).unwrap();
        assert_eq!(long.chars().count(), LONGEST);
    }

    #[test]
    fn a_header_is_one_line_whatever_a_name_is() {
        let value = |name: &str| disposition(false, Some(name)).to_str().unwrap().to_owned();
        assert_eq!(value("a b.png"), "attachment; filename=\"a b.png\"; filename*=UTF-8''a%20b.png");
        assert_eq!(
            value("ñ\";x='.png"),
            "attachment; filename=\"___x__.png\"; filename*=UTF-8''%C3%B1%22%3Bx%3D%27.png"
        );
        assert!(!value("a\r\nb\0").contains(['\r', '\n', '\0']));
        assert_eq!(disposition(true, None), "inline");
    }
}
