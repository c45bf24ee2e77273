//! Where the bytes of files lie, and how large one may be.

use super::declare::{declare, set};
use anyhow::Context;
use std::path::PathBuf;

declare! {
    "Files that contacts send";
    open files_dir: String = String::new(),
        "where their bytes lie, sealed; several replicas need one directory that all of them see [files in data_dir]";
    open largest_file_bytes: usize = 10 * 1024 * 1024,
        "the largest file that may be sent, up to 15728640, if the tenant's plan allows it [10485760]";
}

/// What one host may have in memory at a time is 16 MiB: see `front_desk::bodies`.
const MOST: usize = 15 * 1024 * 1024;

/// Where the bytes of files lie, and how large one may be.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    /// The directory, unless it is the one in the data directory.
    pub(crate) directory: Option<PathBuf>,
    /// The largest file.
    pub(crate) largest: usize,
}

pub(super) fn check(written: &Written) -> anyhow::Result<Files> {
    let largest = written.largest_file_bytes;
    anyhow::ensure!((1..=MOST).contains(&largest), "largest_file_bytes must be from 1 to {MOST}");
    let directory = set(&written.files_dir).map(std::path::absolute).transpose().context("files_dir")?;
    Ok(Files { directory, largest })
}
