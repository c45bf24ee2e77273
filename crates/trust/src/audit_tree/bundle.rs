//! What an export proves, found out offline.
//!
//! An export is lines of JSON: `header`, every `key`, the `checkpoint`s with the last one at the end, `left` (the subtrees
//! before the first exported leaf), an `entry` for each leaf, `right` (the subtrees behind the last exported leaf), `end`. The
//! whole of it is judged: each leaf is computed anew from its entry, the root from the leaves, and every checkpoint within
//! the exported leaves is compared with the root that the tree had at its size.

use super::{
    Frontier, Hash,
    checkpoint::{Checkpoint, PublicKey, verify_note},
    entry, leaf_hash, subtrees,
    succession::{Successor, Voucher, follow, follow_first},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The format that this program writes and reads.
pub const FORMAT: &str = "misy-audit-export/1";
/// More would help nobody.
const MOST_FINDINGS: usize = 100;

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
enum Line {
    Header { format: String, tenant_id: String, origin: String, first_leaf: u64, tree_size: u64 },
    Key { key: String, predecessor: Option<String>, signature: Option<String> },
    Checkpoint { note: String },
    Left { hashes: Vec<String> },
    Entry { leaf_index: u64, leaf_hash: String, entry: Map<String, Value> },
    Right { hashes: Vec<String> },
    End { entries: u64 },
}

struct Header {
    tenant_id: String,
    origin: String,
    first_leaf: u64,
    tree_size: u64,
}

/// Judges an export line by line.
#[derive(Default)]
pub struct Verifier {
    pinned: Vec<PublicKey>,
    since: Option<(String, Checkpoint)>,
    header: Option<Header>,
    keys: Vec<Successor>,
    notes: Vec<String>,
    /// Roots that checkpoints claim, by size.
    claimed: BTreeMap<u64, Vec<Hash>>,
    frontier: Frontier,
    entries: u64,
    compared: usize,
    ended: bool,
    lines: u64,
    findings: Vec<String>,
}

/// What was found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// What is wrong; nothing if the export proves what it should.
    pub findings: Vec<String>,
    /// How many entries were computed anew.
    pub entries: u64,
    /// How many checkpoints were compared with the root at their size.
    pub checkpoints_compared: usize,
    /// The trail.
    pub origin: String,
    /// How many entries the trail has at the last checkpoint.
    pub tree_size: u64,
    /// Whether signatures were checked with keys from elsewhere than the export itself.
    pub keys_are_pinned: bool,
}

impl Verifier {
    /// With keys that the verifier holds; without any, the first one of the export is believed. Either way, so are those
    /// that a key before them vouches for.
    pub fn new(pinned: Vec<PublicKey>) -> Self {
        Self { pinned, ..Self::default() }
    }

    /// The trail must be a continuation of this checkpoint, which the verifier has kept.
    #[must_use]
    pub fn since(mut self, note: &str) -> Self {
        match Checkpoint::read(note) {
            Ok(checkpoint) => {
                self.claimed.entry(checkpoint.size).or_default().push(checkpoint.root);
                self.since = Some((note.to_owned(), checkpoint));
            }
            Err(error) => self.find(format!("the earlier checkpoint {error}")),
        }
        self
    }

    fn find(&mut self, finding: String) {
        if self.findings.len() < MOST_FINDINGS {
            self.findings.push(finding);
        }
    }

    /// Takes the next line.
    pub fn line(&mut self, text: &str) {
        self.lines += 1;
        if self.ended {
            self.find(format!("line {}: stands behind the end", self.lines));
        }
        match serde_json::from_str(text) {
            Ok(line) => self.take(line),
            Err(error) => self.find(format!("line {}: is no line of an export: {error}", self.lines)),
        }
    }

    fn take(&mut self, line: Line) {
        match line {
            Line::Header { format, tenant_id, origin, first_leaf, tree_size } => {
                if format != FORMAT || self.header.is_some() || self.lines != 1 {
                    self.find(format!("line {}: a header of {format} does not belong here", self.lines));
                }
                if !origin.ends_with(&format!("/audit/{tenant_id}")) {
                    self.find(format!("the header names the tenant {tenant_id} and the origin {origin}"));
                }
                self.header = Some(Header { tenant_id, origin, first_leaf, tree_size });
            }
            Line::Key { key, predecessor, signature } => match key.parse::<PublicKey>() {
                Ok(key) => {
                    let decoded = |text: String| STANDARD.decode(text).ok();
                    let voucher = predecessor.and_then(decoded).zip(signature.and_then(decoded));
                    let voucher = voucher.map(|(predecessor, signature)| Voucher { predecessor, signature });
                    self.keys.push(Successor { key: key.bytes().to_vec(), voucher });
                }
                Err(error) => self.find(format!("line {}: {error}", self.lines)),
            },
            Line::Checkpoint { note } => match Checkpoint::read(&note) {
                Ok(checkpoint) => {
                    self.claimed.entry(checkpoint.size).or_default().push(checkpoint.root);
                    self.notes.push(note);
                }
                Err(error) => self.find(format!("line {}: {error}", self.lines)),
            },
            Line::Left { hashes } => {
                let first = self.header.as_ref().map_or(0, |header| header.first_leaf);
                match decode(&hashes).and_then(|roots| Frontier::new(first, roots)) {
                    Some(frontier) if self.entries == 0 => self.frontier = frontier,
                    _ => {
                        self.find(format!("line {}: these subtrees do not lead to leaf {first}", self.lines));
                    }
                }
            }
            Line::Entry { leaf_index, leaf_hash, entry } => self.entry(leaf_index, &leaf_hash, &entry),
            Line::Right { hashes } => self.right(&hashes),
            Line::End { entries } => {
                if entries != self.entries {
                    self.find(format!("{} entries are there, and the end says {entries}", self.entries));
                }
                self.ended = true;
            }
        }
    }

    fn entry(&mut self, index: u64, hash: &str, members: &Map<String, Value>) {
        if index != self.frontier.size() {
            self.find(format!("leaf {} is missing: leaf {index} stands there", self.frontier.size()));
        }
        let tenant = self.header.as_ref().map(|header| header.tenant_id.as_str());
        if members.get("tenantId").and_then(Value::as_str) != tenant {
            self.find(format!("the entry of leaf {index} is of another tenant"));
        }
        self.compare();
        self.entries += 1;
        match entry::canonical(members) {
            Ok(bytes) => {
                let computed = leaf_hash(&bytes);
                if STANDARD.encode(computed) != hash {
                    self.find(format!("the entry of leaf {index} is not the one that was sealed"));
                }
                self.frontier.append(computed, |_, _| {});
            }
            Err(error) => self.find(format!("the entry of leaf {index}: {error}")),
        }
    }

    fn right(&mut self, hashes: &[String]) {
        self.compare();
        let end = self.header.as_ref().map_or(0, |header| header.tree_size);
        let places = subtrees(self.frontier.size()..end);
        match decode(hashes) {
            Some(roots) if roots.len() == places.len() => {
                for (place, root) in places.iter().zip(roots) {
                    if !self.frontier.append_subtree(place.level, root) {
                        self.find(format!("line {}: a subtree does not fit", self.lines));
                    }
                }
            }
            _ => self.find(format!("line {}: these subtrees do not lead to {end} leaves", self.lines)),
        }
    }

    /// Compares the root of this moment with what checkpoints of this size say.
    fn compare(&mut self) {
        let size = self.frontier.size();
        for claimed in self.claimed.remove(&size).unwrap_or_default() {
            self.compared += 1;
            if claimed != self.frontier.root() {
                self.find(format!("the first {size} entries are not those of the checkpoint of that size"));
            }
        }
    }

    /// The judgement on all of it.
    pub fn judge(mut self) -> Judgement {
        self.compare();
        if !self.ended {
            self.find("the export ends before its end".into());
        }
        let Some(header) = self.header.take() else {
            self.find("the export has no header".into());
            return self.judgement(String::new(), 0);
        };
        if self.frontier.size() != header.tree_size {
            let size = self.frontier.size();
            self.find(format!("{size} of {} leaves are accounted for", header.tree_size));
        }
        self.signatures(&header);
        if let Some((_, checkpoint)) = self.since.take()
            && self.claimed.contains_key(&checkpoint.size)
        {
            self.find(match checkpoint.size {
                size if size > header.tree_size => {
                    format!("the earlier checkpoint has {size} entries, more than the export's trail: it was cut off")
                }
                size => format!(
                    "the export begins at leaf {} and cannot be compared with the earlier checkpoint of {size}",
                    header.first_leaf
                ),
            });
        }
        self.judgement(header.origin, header.tree_size)
    }

    /// The keys that the verifier holds, or the first one of the export; and those that follow them.
    fn trusted(&mut self, header: &Header) -> Vec<PublicKey> {
        let issuer = header.origin.split("/audit/").next().unwrap_or_default();
        let keys = std::mem::take(&mut self.keys);
        let trusted = if self.pinned.is_empty() {
            let (trusted, unknown) = follow_first(issuer, &keys);
            for key in unknown {
                self.find(format!("no key before it vouches for the key {}", STANDARD.encode(key)));
            }
            trusted
        } else {
            let own = self.pinned.iter().filter(|key| key.name() == header.origin);
            follow(issuer, own.map(|key| key.bytes().to_vec()).collect(), &keys).0
        };
        trusted.iter().map(|key| PublicKey::new(&header.origin, key)).collect()
    }

    fn signatures(&mut self, header: &Header) {
        let keys = self.trusted(header);
        let mut notes = std::mem::take(&mut self.notes);
        let last = notes.last().and_then(|note| Checkpoint::read(note).ok());
        if last.is_none_or(|last| last.size != header.tree_size) {
            self.find(format!("no checkpoint of {} entries closes the export", header.tree_size));
        }
        notes.extend(self.since.iter().map(|(note, _)| note.clone()));
        for (place, note) in notes.iter().enumerate() {
            let origin = Checkpoint::read(note).map(|checkpoint| checkpoint.origin);
            if origin.as_deref() != Ok(&header.origin) {
                self.find(format!("checkpoint {}: is of another trail", place + 1));
            } else if let Err(error) = verify_note(note, &keys) {
                self.find(format!("checkpoint {}: {error}", place + 1));
            }
        }
    }

    fn judgement(self, origin: String, tree_size: u64) -> Judgement {
        Judgement {
            findings: self.findings,
            entries: self.entries,
            checkpoints_compared: self.compared,
            origin,
            tree_size,
            keys_are_pinned: !self.pinned.is_empty(),
        }
    }
}

fn decode(hashes: &[String]) -> Option<Vec<Hash>> {
    hashes.iter().map(|text| STANDARD.decode(text).ok()?.try_into().ok()).collect()
}
