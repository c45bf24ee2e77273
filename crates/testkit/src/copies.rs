//! What somebody finds who has a copy of the whole database and no key.

use crate::store::TestStore;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use sqlx::AssertSqlSafe;

/// How a text may stand in a copy: as it is, in hex, and in base64 wherever it begins in the bytes.
pub fn forms_of(text: &str) -> Vec<String> {
    let hex = text.bytes().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let shifted = (0..3).map(|before| {
        let bytes = [&[0; 2][..before], text.as_bytes()].concat();
        let encoded = STANDARD_NO_PAD.encode(&bytes);
        // What stands beside it has a part in the letters at both ends.
        let first = (before * 8).div_ceil(6);
        encoded[first..bytes.len() * 8 / 6].to_owned()
    });
    [text.to_owned(), hex].into_iter().chain(shifted).collect()
}

/// An id as WhatsApp makes them: the number of the contact stands in it.
pub fn id_with_number(number: &str, own: u8) -> String {
    let length = u8::try_from(number.len()).unwrap_or_default();
    let bytes = [&[0x1c, 0x18, length], number.as_bytes(), &[0x15, 0x02, 0, 0x12, 0x18, own]].concat();
    format!("wamid.{}", STANDARD.encode(bytes))
}

impl TestStore {
    /// Where one of these texts stands in the tables, as the superuser reads them who copies them.
    pub async fn tables_with(&self, texts: &[String]) -> sqlx::Result<Vec<String>> {
        let mut admin = self.connect_as(misy_postgres::SUPERUSER).await?;
        let tables: Vec<String> = sqlx::query_scalar(
            "select c.oid::regclass::text from pg_catalog.pg_class c
             where c.relnamespace in ('misy'::regnamespace, 'platform'::regnamespace) and c.relkind in ('r', 'p')
             order by 1",
        )
        .fetch_all(&mut admin)
        .await?;
        let mut found = Vec::new();
        for table in tables {
            let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(format!(
                "select t::text from {table} t
                 where exists (select from unnest($1::text[]) as w (word) where pg_catalog.strpos(t::text, w.word) > 0)"
            )))
            .bind(texts)
            .fetch_all(&mut admin)
            .await?;
            found.extend(rows.into_iter().map(|row| format!("{table}: {row}")));
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_wherever_it_begins() {
        let number = "573001234567";
        let forms = forms_of(number);
        assert_eq!(forms.len(), 5);
        for before in 0..7 {
            for after in 0..4 {
                let bytes = [&vec![7; before], number.as_bytes(), &vec![9; after]].concat();
                let encoded = STANDARD_NO_PAD.encode(bytes);
                assert!(
                    forms.iter().any(|form| encoded.contains(form.as_str())),
                    "{before} {after}: {encoded}"
                );
            }
        }
    }
}
