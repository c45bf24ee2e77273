//! A booking as a calendar takes it (RFC 5545). Times are in UTC, so no calendar has to know the zone.

use crate::Timestamp;

/// What a calendar is told of a booking.
#[derive(Debug, Clone, Copy)]
pub struct Appointment<'a> {
    /// Stays the same when it is moved or called off.
    pub uid: &'a str,
    /// Counts its changes up.
    pub sequence: i64,
    /// What it is.
    pub summary: &'a str,
    /// Where.
    pub location: Option<&'a str>,
    /// When it begins.
    pub from: Timestamp,
    /// When it ends.
    pub until: Timestamp,
    /// When it was made or changed.
    pub changed_at: Timestamp,
    /// Whether it was called off.
    pub cancelled: bool,
}

/// A calendar with one booking.
pub fn ics(appointment: &Appointment<'_>) -> String {
    let stamp = |at: Timestamp| at.strftime("%Y%m%dT%H%M%SZ").to_string();
    let method = if appointment.cancelled { "CANCEL" } else { "PUBLISH" };
    let status = if appointment.cancelled { "CANCELLED" } else { "CONFIRMED" };
    let mut lines = vec![
        "BEGIN:VCALENDAR".to_owned(),
        "VERSION:2.0".to_owned(),
        "PRODID:-//Misy//Booking//EN".to_owned(),
        format!("METHOD:{method}"),
        "BEGIN:VEVENT".to_owned(),
        format!("UID:{}", escaped(appointment.uid)),
        format!("SEQUENCE:{}", appointment.sequence),
        format!("DTSTAMP:{}", stamp(appointment.changed_at)),
        format!("DTSTART:{}", stamp(appointment.from)),
        format!("DTEND:{}", stamp(appointment.until)),
        format!("SUMMARY:{}", escaped(appointment.summary)),
    ];
    lines.extend(appointment.location.map(|location| format!("LOCATION:{}", escaped(location))));
    lines.push(format!("STATUS:{status}"));
    lines.extend(["END:VEVENT", "END:VCALENDAR"].map(str::to_owned));
    lines.iter().flat_map(|line| [folded(line), "\r\n".to_owned()]).collect()
}

/// A text value (section 3.3.11). A line break is written as `\n`, so no text can begin a line of its own.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// Lines have 75 octets at most; what goes on begins with a space (section 3.1).
fn folded(line: &str) -> String {
    let (mut out, mut length) = (String::with_capacity(line.len()), 0);
    for c in line.chars() {
        if length + c.len_utf8() > 75 {
            out.push_str("\r\n ");
            length = 1;
        }
        out.push(c);
        length += c.len_utf8();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn appointment(summary: &str) -> Appointment<'_> {
        Appointment {
            uid: "bkg_1@misy",
            sequence: 2,
            summary,
            location: None,
            from: "2026-12-02T20:00:00Z".parse().unwrap(),
            until: "2026-12-02T20:45:00Z".parse().unwrap(),
            changed_at: "2026-12-01T14:10:00Z".parse().unwrap(),
            cancelled: false,
        }
    }

    #[test]
    fn a_booking_is_one_event_in_utc() {
        let text = ics(&appointment("Asesoría inicial"));
        for line in [
            "METHOD:PUBLISH\r\n",
            "UID:bkg_1@misy\r\nSEQUENCE:2\r\n",
            "DTSTART:20261202T200000Z\r\nDTEND:20261202T204500Z\r\n",
            "SUMMARY:Asesoría inicial\r\n",
            "STATUS:CONFIRMED\r\n",
        ] {
            assert!(text.contains(line), "{line:?} in {text}");
        }
        let called_off = ics(&Appointment { cancelled: true, ..appointment("A") });
        assert!(called_off.contains("METHOD:CANCEL") && called_off.contains("STATUS:CANCELLED"));
    }

    #[test]
    fn no_text_begins_a_line_of_its_own_and_no_line_is_too_long() {
        let hostile = format!("a,b;c\\d\r\nATTENDEE:mailto:x@y.example\n{}", "ñ".repeat(200));
        let text = ics(&appointment(&hostile));
        assert!(text.contains("SUMMARY:a\\,b\\;c\\\\d\\nATTENDEE:mailto:x@y.example\\n"), "{text}");
        for line in text.split("\r\n") {
            assert!(line.len() <= 75 && !line.starts_with("ATTENDEE"), "{line:?}");
        }
        assert_eq!(text.replace("\r\n ", "").matches("\r\n").count(), 14);
    }
}
