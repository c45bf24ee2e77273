//! What a file is, by its own bytes. Whoever sends it has no say in that.

/// A kind of file that is taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    /// Its media type.
    pub(crate) media_type: &'static str,
    /// The endings that names of it have; the first is given to names without.
    pub(crate) endings: &'static [&'static str],
    /// Whether a browser may show it by itself: pictures of kinds in which nothing runs.
    pub(crate) is_shown: bool,
}

const fn shown(media_type: &'static str, endings: &'static [&'static str]) -> Kind {
    Kind { media_type, endings, is_shown: true }
}

const fn kept(media_type: &'static str, endings: &'static [&'static str]) -> Kind {
    Kind { media_type, endings, is_shown: false }
}

/// What is taken. Nothing in which something runs when it is opened in a browser: no HTML, no SVG, no other XML, no script. Nothing
/// that is a program, and no archive, whose inside nobody sees.
const TAKEN: &[Kind] = &[
    shown("image/png", &["png"]),
    shown("image/jpeg", &["jpg", "jpeg"]),
    shown("image/gif", &["gif"]),
    shown("image/webp", &["webp"]),
    kept("image/heif", &["heic", "heif"]),
    kept("audio/mpeg", &["mp3"]),
    kept("audio/m4a", &["m4a"]),
    kept("audio/ogg", &["ogg", "oga", "opus"]),
    kept("audio/opus", &["opus", "ogg"]),
    kept("audio/aac", &["aac"]),
    kept("audio/amr", &["amr"]),
    kept("audio/x-wav", &["wav"]),
    kept("video/mp4", &["mp4"]),
    kept("video/x-m4v", &["m4v", "mp4"]),
    kept("video/webm", &["webm"]),
    kept("video/quicktime", &["mov"]),
    kept("application/pdf", &["pdf"]),
    kept("application/vnd.openxmlformats-officedocument.wordprocessingml.document", &["docx"]),
    kept("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", &["xlsx"]),
    kept("application/vnd.openxmlformats-officedocument.presentationml.presentation", &["pptx"]),
    TEXT,
];
const TEXT: Kind = kept("text/plain", &["txt", "csv", "log", "md", "json"]);

/// Kinds whose files can be text from beginning to end, and are told by a whole line at their beginning.
const TOLD_BY_TEXT: &[&str] =
    &["application/pdf", "text/html", "text/xml", "text/x-shellscript", "application/rtf"];

impl Kind {
    /// The kind of these bytes, if files of it are taken.
    pub(crate) fn of(bytes: &[u8]) -> Option<&'static Self> {
        match infer::get(bytes) {
            // A page of text may begin like another kind, as "BMW;2019" begins like a picture. No picture is text to its end.
            Some(found) if is_text(bytes) && !TOLD_BY_TEXT.contains(&found.mime_type()) => Some(&TEXT),
            Some(found) => Self::named(found.mime_type()),
            None if is_text(bytes) => Some(&TEXT),
            None => None,
        }
    }

    /// The kind of a media type.
    pub(crate) fn named(media_type: &str) -> Option<&'static Self> {
        TAKEN.iter().find(|kind| kind.media_type == media_type)
    }
}

/// Plain words: UTF-8 without control characters, and nothing that begins like markup or a script.
fn is_text(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let is_odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    let begins = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    !text.contains(is_odd) && !["<", "#!", "%!", "{\\rtf"].iter().any(|mark| begins.starts_with(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> Option<&'static str> {
        Kind::of(bytes).map(|kind| kind.media_type)
    }

    #[test]
    fn the_bytes_say_what_a_file_is() {
        for (bytes, media_type) in [
            (&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], "image/png"),
            (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "image/jpeg"),
            (b"GIF89a\x01\0\x01\0", "image/gif"),
            (b"RIFF\x24\0\0\0WEBPVP8 ", "image/webp"),
            (b"RIFF\x24\0\0\0WAVEfmt ", "audio/x-wav"),
            (b"ID3\x03\0\0\0\0\0\0", "audio/mpeg"),
            (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "video/mp4"),
            (b"%PDF-1.7\n", "application/pdf"),
            ("Mañana a las 9\r\n".as_bytes(), "text/plain"),
            (b"BMW;2019;rojo\n", "text/plain"),
            (b"GIF o PNG, como prefiera", "text/plain"),
            (b"MZA: salida a las 9", "text/plain"),
            (b"ID3 es la etiqueta", "text/plain"),
        ] {
            assert_eq!(of(bytes), Some(media_type));
        }
    }

    #[test]
    fn what_runs_somewhere_is_not_taken_whatever_it_is_called() {
        for bytes in [
            &b"<!DOCTYPE html><script>alert(1)</script>"[..],
            b"<script>alert(1)</script>",
            b" \n\xef\xbb\xbf<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
            b"<?xml version='1.0'?><svg/>",
            b"<x:anything/>",
            b"#!/bin/sh\nrm -rf /",
            b"%!PS-Adobe-3.0",
            b"{\\rtf1\\ansi}",
            b"MZ\x90\0\x03\0\0\0",
            b"\x7fELF\x02\x01\x01\0",
            b"PK\x03\x04\x14\0\0\0\0\0",
            b"\x1f\x8b\x08\0\0\0\0\0",
            b"text with a \0",
            b"\xff\xfe\xfd",
        ] {
            assert_eq!(of(bytes), None, "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn every_kind_has_an_ending_and_one_media_type() {
        for (at, kind) in TAKEN.iter().enumerate() {
            assert!(!kind.endings.is_empty());
            assert!(!TAKEN[..at].iter().any(|other| other.media_type == kind.media_type));
            assert!(!kind.is_shown || kind.media_type.starts_with("image/"));
        }
    }
}
