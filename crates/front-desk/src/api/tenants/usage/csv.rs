//! Tables as CSV (RFC 4180), safe to open in a spreadsheet.

use axum::response::{IntoResponse, Response};
use http::header;

/// A table that grows row by row.
pub(crate) struct Table {
    text: String,
}

impl Table {
    pub(crate) fn new(names: &[&str]) -> Self {
        let mut table = Self { text: String::new() };
        table.row(names);
        table
    }

    pub(crate) fn row(&mut self, fields: &[&str]) {
        for (at, field) in fields.iter().enumerate() {
            if at > 0 {
                self.text.push(',');
            }
            self.field(field);
        }
        self.text.push_str("\r\n");
    }

    /// What a spreadsheet would take for a formula becomes a text (OWASP, CSV injection).
    fn field(&mut self, field: &str) {
        let is_number = field.parse::<f64>().is_ok_and(f64::is_finite);
        let is_formula =
            !is_number && field.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
        let quoted = is_formula || field.contains([',', '"', '\r', '\n', ';', '\t']);
        if quoted {
            self.text.push('"');
        }
        if is_formula {
            self.text.push('\'');
        }
        self.text.push_str(&field.replace('"', "\"\""));
        if quoted {
            self.text.push('"');
        }
    }

    pub(crate) fn into_response(self, file: &str) -> Response {
        let headers = [
            (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present".to_owned()),
            (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{file}\"")),
        ];
        (headers, self.text).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_and_no_formula_stays_one() {
        let mut table = Table::new(&["a", "b"]);
        table.row(&["x,\"y\"", "-5"]);
        table.row(&["=HYPERLINK(\"http://evil\")", "@SUM(A1)\r\n"]);
        table.row(&["-2+3+cmd|' /C calc'!A0", ""]);
        let expected = "a,b\r\n\"x,\"\"y\"\"\",-5\r\n\"'=HYPERLINK(\"\"http://evil\"\")\",\"'@SUM(A1)\r\n\"\r\n\
                        \"'-2+3+cmd|' /C calc'!A0\",\r\n";
        assert_eq!(table.text, expected);
    }
}
