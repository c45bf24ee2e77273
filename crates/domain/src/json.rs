//! How much JSON would take in memory. A value takes up to a hundred times its bytes, so bytes alone bound nothing.

/// How many values a JSON text has, the names of members among them; none of it is read. The same for what is no JSON: some
/// number that is no less than what a reader would build of it.
pub fn values_of(text: &[u8]) -> usize {
    let (mut values, mut in_text, mut is_escaped) = (1, false, false);
    for byte in text {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            b',' | b':' | b'[' | b'{' if !in_text => values += 1,
            _ => {}
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::values_of;

    #[test]
    fn each_value_and_each_name_counts_and_what_stands_in_a_text_does_not() {
        for (text, values) in [
            ("1", 1),
            ("[]", 2),
            (r#"["a",1,null]"#, 4),
            (r#"{"a":1}"#, 3),
            (r#"{"a":{"b":[1,2]}}"#, 7),
            (r#"["[{,:"]"#, 2),
            (r#"["\",[\\",1]"#, 3),
            ("", 1),
        ] {
            assert_eq!(values_of(text.as_bytes()), values, "{text}");
        }
    }

    #[test]
    fn no_reader_builds_more_than_was_counted() {
        for text in [r#"[{"":0},{"":0},{}]"#, r#"{"a":["x",{"b":{}}],"c":"d,[:{"}"#, r#"[[[[1]]],"é\"",[]]"#]
        {
            let value: serde_json::Value = serde_json::from_str(text).unwrap();
            assert!(values_of(text.as_bytes()) >= built(&value), "{text}");
        }
    }

    fn built(value: &serde_json::Value) -> usize {
        match value {
            serde_json::Value::Array(items) => 1 + items.iter().map(built).sum::<usize>(),
            serde_json::Value::Object(members) => {
                1 + members.values().map(|value| 1 + built(value)).sum::<usize>()
            }
            _ => 1,
        }
    }
}
