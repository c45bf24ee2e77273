//! Reading what this program stored: a row by itself, and rows of many, of which one that cannot be read keeps nobody from the
//! others.

use crate::StoreError;
use metrics::counter;
use std::fmt::Display;

/// What was stored by this program has the shape that this program gave it.
pub(crate) fn stored<T, E>(parsed: Result<T, E>) -> Result<T, StoreError>
where
    E: std::error::Error + Send + Sync + 'static,
{
    parsed.map_err(|error| StoreError::Database(sqlx::Error::Decode(Box::new(error))))
}

/// Reads rows that belong to many, or that one page shows together. A row that cannot be read is set aside: told of in the
/// log and counted, and left where it is. Only whoever writes past this program makes such a row.
pub(crate) fn readable<R, T, E: Display>(
    what: &'static str,
    rows: impl IntoIterator<Item = R>,
    read: impl Fn(R) -> Result<T, E>,
) -> Vec<T> {
    let read = |row| {
        read(row)
            .inspect_err(|error| {
                counter!("misy_unreadable_rows_total", "what" => what).increment(1);
                tracing::error!(what, %error, "a row cannot be read and is passed over");
            })
            .ok()
    };
    rows.into_iter().filter_map(read).collect()
}

/// The same where each row is read by its own rule.
pub(crate) fn readable_rows<R, T>(what: &'static str, rows: impl IntoIterator<Item = R>) -> Vec<T>
where
    T: TryFrom<R, Error = StoreError>,
{
    readable(what, rows, T::try_from)
}
