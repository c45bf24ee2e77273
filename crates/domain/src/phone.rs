//! Telephone numbers that are written in two ways.

/// What a number is known as: the same for both ways in which the vendor writes it. Brazilian mobile numbers come with and without
/// a ninth digit, Mexican ones with and without a `1`. An id that is no number is known as itself.
///
/// It is for finding a contact only: who is answered is written to as the vendor has them.
pub fn known_as(id: &str) -> String {
    let digits = id.strip_prefix('+').unwrap_or(id);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return id.to_owned();
    }
    match (digits.len(), digits.get(..2), digits.as_bytes().get(4)) {
        // 55, two digits of the area, eight of the subscriber: mobile ones began with 6 to 9.
        (12, Some("55"), Some(b'6'..=b'9')) => format!("{}9{}", &digits[..4], &digits[4..]),
        (13, Some("52"), _) if digits.as_bytes().get(2) == Some(&b'1') => format!("52{}", &digits[3..]),
        _ => digits.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_to_write_a_number_are_the_same_person() {
        for (one, other) in [
            ("551187654321", "5511987654321"),
            ("5215512345678", "525512345678"),
            ("+573001112233", "573001112233"),
        ] {
            assert_eq!(known_as(one), known_as(other));
        }
    }

    #[test]
    fn other_numbers_and_ids_stay_what_they_are() {
        // A landline, a mobile number that has its ninth digit, other countries, ids.
        for id in ["551133334444", "5511987654321", "573001112233", "US.10000000000000000001", "", "5", "١٢٣"]
        {
            assert_eq!(known_as(id), id);
        }
        assert_ne!(known_as("551133334444"), known_as("5511933334444"));
    }
}
