//! Forms that bring a file (`multipart/form-data`, RFC 7578), read in place: the file stays where the body lies.

use crate::problem::{Code, FieldError, Problem};
use bytes::Bytes;
use http::StatusCode;
use memchr::memmem;

/// Fields of one form.
const MOST_FIELDS: usize = 8;
/// What stands above a field.
const MOST_HEAD: usize = 2 * 1024;
/// The text of a field.
const MOST_TEXT: usize = 1024;

/// A form.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Form {
    texts: Vec<(String, String)>,
    file: Option<FormFile>,
}

/// The file of a form.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FormFile {
    /// What the client calls it. What it says of the type is not looked at.
    pub(crate) name: Option<String>,
    /// Its bytes, within the body.
    pub(crate) bytes: Bytes,
}

impl Form {
    /// Reads a body. The file is the field `file`; all others are texts.
    pub(crate) fn read(content_type: &str, body: &Bytes) -> Result<Self, Problem> {
        let boundary = boundary(content_type).ok_or_else(no_form)?;
        let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
        let delimiters = memmem::Finder::new(&delimiter);
        let mut form = Self::default();
        // The first delimiter stands at the beginning, without a line break before it.
        let mut at = delimiter.len() - 2;
        if !body.starts_with(&delimiter[2..]) {
            return Err(malformed());
        }
        for _ in 0..=MOST_FIELDS {
            match body.get(at..at + 2) {
                Some(b"\r\n") => at += 2,
                Some(b"--") if body.len() == at + 2 || body.get(at + 2..) == Some(b"\r\n") => {
                    return Ok(form);
                }
                _ => return Err(malformed()),
            }
            let head = &body[at..body.len().min(at + MOST_HEAD)];
            let end = memmem::find(head, b"\r\n\r\n").ok_or_else(malformed)?;
            let disposition = Disposition::of(&head[..end]).ok_or_else(malformed)?;
            let begin = at + end + 4;
            let length = delimiters.find(&body[begin..]).ok_or_else(malformed)?;
            form.add(disposition, body.slice(begin..begin + length))?;
            at = begin + length + delimiter.len();
        }
        Err(malformed())
    }

    fn add(&mut self, disposition: Disposition, bytes: Bytes) -> Result<(), Problem> {
        let Disposition { name, file_name } = disposition;
        let pointer = format!("/{name}");
        let is_known = if name == "file" {
            self.file.is_some()
        } else {
            self.texts.iter().any(|(known, _)| *known == name)
        };
        if is_known {
            return Err(Problem::invalid_field(&pointer, "duplicate", "stands there twice"));
        }
        if name == "file" {
            self.file = Some(FormFile { name: file_name, bytes });
            return Ok(());
        }
        if bytes.len() > MOST_TEXT {
            return Err(Problem::invalid_field(&pointer, "too_long", "must have at most 1024 bytes"));
        }
        let text = String::from_utf8(bytes.to_vec()).ok().filter(|text| !text.chars().any(char::is_control));
        let text =
            text.ok_or_else(|| Problem::invalid_field(&pointer, "format", "must be a line of text"))?;
        self.texts.push((name, text));
        Ok(())
    }

    /// Takes a text out.
    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        let at = self.texts.iter().position(|(known, _)| known == name)?;
        Some(self.texts.swap_remove(at).1)
    }

    /// The file, once all texts were taken: what is left over is not known.
    pub(crate) fn file(self) -> Result<FormFile, Problem> {
        if !self.texts.is_empty() {
            let unknown = |(name, _): &(String, String)| {
                FieldError::new(format!("/{name}"), "unknown", "is not known here")
            };
            return Err(Problem::invalid(self.texts.iter().map(unknown).collect()));
        }
        let file = self.file.filter(|file| !file.bytes.is_empty());
        file.ok_or_else(|| Problem::invalid_field("/file", "required", "must be a file with something in it"))
    }
}

/// What stands above a field: its name, and the file's.
struct Disposition {
    name: String,
    file_name: Option<String>,
}

impl Disposition {
    fn of(head: &[u8]) -> Option<Self> {
        let head = std::str::from_utf8(head).ok()?;
        let mut dispositions = head.split("\r\n").filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-disposition").then_some(value)
        });
        let (Some(value), None) = (dispositions.next(), dispositions.next()) else { return None };
        let mut rest = value.trim().strip_prefix("form-data")?;
        let (mut name, mut file_name) = (None, None);
        while let Some(pair) = rest.trim_start().strip_prefix(';') {
            let (key, value) = pair.trim_start().split_once('=')?;
            let (value, after) = quoted(value).or_else(|| token(value))?;
            rest = after;
            let place = match key {
                "name" => &mut name,
                "filename" => &mut file_name,
                // Such as `filename*`, which servers send beside the other (RFC 7578, section 4.2, forbids it; some do).
                _ => continue,
            };
            if place.replace(value).is_some() {
                return None;
            }
        }
        let is_word = |name: &String| {
            (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        let name = name.filter(is_word).filter(|_| rest.trim().is_empty())?;
        Some(Self { name, file_name })
    }
}

/// A value between quotation marks, and what comes after it. Browsers escape what stands in a name by percent signs (HTML,
/// "multipart/form-data encoding algorithm"), servers by a backslash before a quotation mark (RFC 2183).
fn quoted(text: &str) -> Option<(String, &str)> {
    let inner = text.strip_prefix('"')?;
    let end = inner.char_indices().find(|&(at, c)| c == '"' && !inner[..at].ends_with('\\'))?.0;
    let value = inner[..end].replace("\\\"", "\"");
    Some((value.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n"), &inner[end + 1..]))
}

/// A value of one word, as servers send it too.
fn token(text: &str) -> Option<(String, &str)> {
    let (value, after) = text.split_at(text.find(';').unwrap_or(text.len()));
    let value = value.trim_end();
    let is_word = !value.is_empty() && !value.contains(|c: char| c.is_whitespace() || "\"=".contains(c));
    is_word.then(|| (value.to_owned(), after))
}

fn boundary(content_type: &str) -> Option<&str> {
    let (essence, parameters) = content_type.split_once(';')?;
    if !essence.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let mut pairs = parameters.split(';').filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.eq_ignore_ascii_case("boundary"))?;
    let value = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
    let is_one = (1..=70).contains(&value.len())
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"'()+_,-./:=?".contains(&byte));
    is_one.then_some(value)
}

fn no_form() -> Problem {
    let detail = "The body must be multipart/form-data.";
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::UnsupportedMediaType, detail)
}

fn malformed() -> Problem {
    Problem::bad_request("The body is no well-formed form.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TYPE: &str = "multipart/form-data; boundary=XX";

    fn read(body: impl Into<Vec<u8>>) -> Result<Form, Problem> {
        Form::read(TYPE, &Bytes::from(body.into()))
    }

    fn field(head: &str, value: &str) -> String {
        format!("--XX\r\nContent-Disposition: form-data; {head}\r\n\r\n{value}\r\n")
    }

    #[test]
    fn a_form_of_a_browser_is_read_in_place() {
        let body = field("name=\"sessionId\"", "ses_1")
            + &field("name=\"file\"; filename=\"a %22b%22.png\"\r\nContent-Type: text/html", "\r\n--X\r\n")
            + "--XX--\r\n";
        let mut form = read(body).unwrap();
        assert_eq!(form.take("sessionId").as_deref(), Some("ses_1"));
        let file = form.file().unwrap();
        assert_eq!(file.name.as_deref(), Some("a \"b\".png"));
        assert_eq!(&*file.bytes, b"\r\n--X\r\n");
    }

    #[test]
    fn forms_of_servers_are_read_too() {
        for (head, name) in [
            ("name=file; filename=a.png; filename*=utf-8''a.png", "a.png"),
            ("name=\"file\"; filename=\"a \\\"b\\\".png\"", "a \"b\".png"),
            ("name=\"file\"; filename*=utf-8''%C3%B1.png; filename=\"n.png\"", "n.png"),
        ] {
            let file = read(field(head, "x") + "--XX--").unwrap().file().unwrap();
            assert_eq!(file.name.as_deref(), Some(name), "{head}");
        }
    }

    #[test]
    fn what_is_no_form_is_refused() {
        let good = field("name=\"file\"", "x");
        for body in [
            String::new(),
            "--XX".into(),
            "--XX--".to_owned() + "junk",
            good.clone(),
            format!("junk\r\n{good}--XX--"),
            good.replace("form-data", "attachment") + "--XX--",
            field("name=\"file\"; name=\"file\"", "x") + "--XX--",
            field("filename=\"a\"", "x") + "--XX--",
            field("name=\"fi/le\"", "x") + "--XX--",
            field("name=\"file\"; x=\"y", "x") + "--XX--",
            field("name=\"file\"\r\nContent-Disposition: form-data; name=\"a\"", "x") + "--XX--",
            field(&format!("name=\"file\"; filename=\"{}\"", "x".repeat(3_000)), "x") + "--XX--",
            (0..9).map(|n| field(&format!("name=\"f{n}\""), "x")).collect::<String>() + "--XX--",
        ] {
            assert_eq!(read(body.clone()).unwrap_err().status(), 400, "{body}");
        }
        for (body, code) in [
            (good.repeat(2) + "--XX--", "duplicate"),
            (field("name=\"a\"", "x").repeat(2) + "--XX--", "duplicate"),
            (field("name=\"a\"", "x\0") + "--XX--", "format"),
            (field("name=\"a\"", &"x".repeat(1_025)) + "--XX--", "too_long"),
        ] {
            assert_eq!(read(body).unwrap_err().status(), 422, "{code}");
        }
        let empty = read(field("name=\"file\"; filename=\"a\"", "") + "--XX--").unwrap();
        assert_eq!(empty.file().unwrap_err().status(), 422);
        let unknown = read(field("name=\"a\"", "x") + &good + "--XX--").unwrap();
        assert_eq!(unknown.file().unwrap_err().status(), 422);
        for content_type in [
            "",
            "application/json",
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "text/plain; boundary=XX",
        ] {
            assert!(
                Form::read(content_type, &Bytes::from(good.clone() + "--XX--")).is_err(),
                "{content_type}"
            );
        }
    }

    proptest! {
        #[test]
        fn nothing_that_is_sent_makes_it_fall_over(body in "(--XX|\r\n|--|Content-Disposition: form-data; name=\"file\"|;|\"|x|\0){0,20}") {
            let _ = read(body);
        }

        #[test]
        fn whatever_bytes_a_file_has_they_arrive(bytes in proptest::collection::vec(any::<u8>(), 1..300)) {
            prop_assume!(memmem::find(&bytes, b"\r\n--XX").is_none());
            let mut body = b"--XX\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n".to_vec();
            body.extend_from_slice(&bytes);
            body.extend_from_slice(b"\r\n--XX--");
            prop_assert_eq!(&*read(body).unwrap().file().unwrap().bytes, &*bytes);
        }
    }
}
