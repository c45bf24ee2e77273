//! How much of the answers is in memory that their readers have not taken yet: of each tenant, of each network, and in all. Who
//! reads slowly where much is held already loses their connection: it is not the others who go without (adr/0100).

use crate::{connection::Connection, problem::Problem, record::CallRecord};
use axum::{
    body::{Body, HttpBody},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};
use http_body_util::BodyExt;
use misy_domain::{
    TenantId,
    network::{Network, Width},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tracing::info;

/// What may be held.
const MOST: Most =
    Most { all: 256 << 20, of_a_tenant: 64 << 20, of_a_host: 16 << 20, of_a_newcomer: 4 << 20 };
/// Less than this is not weighed: the buffers of a connection hold as much.
const LEAST: usize = 8 * 1024;
/// A reader has so long for a piece before anybody else may have its room.
const PATIENCE: Duration = Duration::from_secs(5);

/// The bytes of all answers.
#[derive(Clone)]
pub(crate) struct Answers {
    most: Most,
    held: Arc<Mutex<Held>>,
}

/// How many bytes may be held. Whoever holds nothing may hold one piece, however large.
#[derive(Clone, Copy)]
struct Most {
    all: usize,
    of_a_tenant: usize,
    /// Wider networks may hold a few times as much.
    of_a_host: usize,
    /// Who holds no more always gets room: a tenant among all, a region among those of its tenant.
    of_a_newcomer: usize,
}

/// Of whom an answer is, and who reads it.
struct Whose {
    tenant: TenantId,
    address: Option<IpAddr>,
    connection: Option<Connection>,
}

/// For whom pieces are held.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Holder {
    Tenant(TenantId),
    Network(Network),
}

#[derive(Default)]
struct Held {
    all: usize,
    /// How many pieces there were: the number of the newest.
    entered: u64,
    /// By their numbers, so the oldest comes first.
    pieces: BTreeMap<u64, Piece>,
    holders: HashMap<Holder, OfHolder>,
    /// Tenants and regions by what they hold.
    by_size: BTreeSet<(usize, Holder)>,
}

#[derive(Default)]
struct OfHolder {
    bytes: usize,
    pieces: BTreeSet<u64>,
}

/// A piece of an answer that is not taken yet.
struct Piece {
    whose: Arc<Whose>,
    bytes: usize,
    since: Instant,
}

/// The room of a piece, until this is dropped.
struct Weight {
    answers: Answers,
    number: u64,
}

/// The bytes of a piece with their room: whoever sends them lets go of both at once.
struct Weighed {
    bytes: Bytes,
    _weight: Weight,
}

impl AsRef<[u8]> for Weighed {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Default for Answers {
    fn default() -> Self {
        Self { most: MOST, held: Arc::default() }
    }
}

impl Answers {
    /// Weighs an answer, whole or piece by piece as it is made. What is known of no tenant is small or lies in memory once.
    pub(crate) fn weigh(
        &self,
        record: &CallRecord,
        connection: Option<Connection>,
        response: Response,
    ) -> Response {
        let Some(tenant) = record.facts().tenant.clone() else { return response };
        let whose = Whose { tenant, address: record.address, connection };
        match response.body().size_hint().exact() {
            Some(length) if length < LEAST as u64 => response,
            Some(_) => self.weigh_whole(whose, response),
            None => self.weigh_pieces(whose, response),
        }
    }

    fn weigh_whole(&self, whose: Whose, response: Response) -> Response {
        let (parts, mut body) = response.into_parts();
        // It is there, so this waits for nothing.
        let bytes = match body.frame().now_or_never().flatten() {
            Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
            _ => return Response::from_parts(parts, body),
        };
        match self.hold(&Arc::new(whose), bytes) {
            Some(bytes) => Response::from_parts(parts, Body::from(bytes)),
            None => Problem::unavailable().into_response(),
        }
    }

    fn weigh_pieces(&self, whose: Whose, response: Response) -> Response {
        let (answers, whose) = (self.clone(), Arc::new(whose));
        response.map(|body| {
            Body::from_stream(body.into_data_stream().map(move |piece| {
                let piece = piece.map_err(io::Error::other)?;
                answers.hold(&whose, piece).ok_or_else(|| io::Error::other("too much of it is held"))
            }))
        })
    }

    /// The piece with its room; `None` if there is none.
    fn hold(&self, whose: &Arc<Whose>, bytes: Bytes) -> Option<Bytes> {
        if bytes.len() < LEAST {
            return Some(bytes);
        }
        let number = self.enter(whose, bytes.len(), Instant::now());
        if number.is_none() {
            metrics::counter!("misy_answers_without_room_total").increment(1);
        }
        let weight = Weight { answers: self.clone(), number: number? };
        Some(Bytes::from_owner(Weighed { bytes, _weight: weight }))
    }

    /// Makes room for a piece, by ending whoever holds theirs for long where it is full. Its number, if there is room now.
    fn enter(&self, whose: &Arc<Whose>, bytes: usize, now: Instant) -> Option<u64> {
        let mut held = self.lock();
        while let Some((oldest, patience)) = held.in_the_way(&self.most, whose, bytes) {
            let oldest = oldest?;
            if now.saturating_duration_since(held.pieces.get(&oldest)?.since) < patience {
                return None;
            }
            let piece = held.remove(oldest)?;
            metrics::counter!("misy_connections_cut_total", "reason" => "slow_reader").increment(1);
            info!(
                tenantId = %piece.whose.tenant, bytes = piece.bytes,
                "a connection ends: its reader takes too long for an answer, and as much is held as may be"
            );
            if let Some(connection) = &piece.whose.connection {
                connection.cut();
            }
        }
        Some(held.add(Piece { whose: whose.clone(), bytes, since: now }))
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Weight {
    fn drop(&mut self) {
        // Of a reader who was ended it is gone already.
        self.answers.lock().remove(self.number);
    }
}

impl Whose {
    fn holders(&self) -> impl Iterator<Item = Holder> {
        std::iter::once(Holder::Tenant(self.tenant.clone())).chain(self.networks())
    }

    fn networks(&self) -> impl Iterator<Item = Holder> {
        self.address.into_iter().flat_map(Network::all_of).map(Holder::Network)
    }
}

impl Holder {
    fn most(&self, most: &Most) -> usize {
        match self {
            Self::Tenant(_) => most.of_a_tenant,
            Self::Network(network) => most.of_a_host.saturating_mul(network.width().times() as usize),
        }
    }

    /// Whether nothing wider holds all of it.
    fn is_widest(&self) -> bool {
        match self {
            Self::Tenant(_) => true,
            Self::Network(network) => network.width() == Width::Region,
        }
    }
}

impl Held {
    fn bytes_of(&self, holder: &Holder) -> usize {
        self.holders.get(holder).map_or(0, |own| own.bytes)
    }

    /// The piece that must go before another has room, if one must, and how long its reader had for it at least.
    fn in_the_way(&self, most: &Most, whose: &Whose, bytes: usize) -> Option<(Option<u64>, Duration)> {
        let has_no_room = |holder: &Holder| {
            let own = self.bytes_of(holder);
            own > 0 && own + bytes > holder.most(most)
        };
        if let Some(full) = whose.networks().find(has_no_room) {
            return Some((self.oldest_of(&full), PATIENCE));
        }
        let is_new = |holder: Holder| self.bytes_of(&holder) + bytes <= most.of_a_newcomer;
        let comes_from_a_new_place = whose.networks().all(is_new);
        let tenant = Holder::Tenant(whose.tenant.clone());
        if has_no_room(&tenant) {
            return Some(if comes_from_a_new_place {
                (self.oldest_of_largest_region(&tenant), Duration::ZERO)
            } else {
                (self.oldest_of(&tenant), PATIENCE)
            });
        }
        if self.all + bytes <= most.all {
            return None;
        }
        let (_, largest) = self.by_size.last()?;
        let is_newcomer = comes_from_a_new_place && is_new(tenant);
        Some((self.oldest_of(largest), if is_newcomer { Duration::ZERO } else { PATIENCE }))
    }

    fn oldest_of(&self, holder: &Holder) -> Option<u64> {
        self.holders.get(holder)?.pieces.first().copied()
    }

    /// The oldest of a tenant's pieces for the region that holds most of them.
    fn oldest_of_largest_region(&self, tenant: &Holder) -> Option<u64> {
        let mut regions: HashMap<Option<Holder>, (usize, u64)> = HashMap::new();
        for number in &self.holders.get(tenant)?.pieces {
            let piece = self.pieces.get(number)?;
            let region = piece.whose.networks().find(Holder::is_widest);
            regions.entry(region).or_insert((0, *number)).0 += piece.bytes;
        }
        regions.into_values().max_by_key(|(bytes, _)| *bytes).map(|(_, oldest)| oldest)
    }

    fn add(&mut self, piece: Piece) -> u64 {
        self.entered += 1;
        let number = self.entered;
        self.all += piece.bytes;
        for holder in piece.whose.holders() {
            self.resize(holder, |own| {
                own.bytes += piece.bytes;
                own.pieces.insert(number);
            });
        }
        self.pieces.insert(number, piece);
        self.tell();
        number
    }

    fn remove(&mut self, number: u64) -> Option<Piece> {
        let piece = self.pieces.remove(&number)?;
        self.all -= piece.bytes;
        for holder in piece.whose.holders() {
            self.resize(holder, |own| {
                own.bytes -= piece.bytes;
                own.pieces.remove(&number);
            });
        }
        self.tell();
        Some(piece)
    }

    /// Changes what is held for somebody, and their place among the others.
    fn resize(&mut self, holder: Holder, change: impl FnOnce(&mut OfHolder)) {
        let is_widest = holder.is_widest();
        let own = self.holders.entry(holder.clone()).or_default();
        let before = own.bytes;
        change(own);
        let now = own.bytes;
        if is_widest {
            self.by_size.remove(&(before, holder.clone()));
        }
        if now == 0 {
            self.holders.remove(&holder);
        } else if is_widest {
            self.by_size.insert((now, holder));
        }
    }

    fn tell(&self) {
        metrics::gauge!("misy_answers_held_bytes")
            .set(f64::from(u32::try_from(self.all).unwrap_or(u32::MAX)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: Most = Most { all: 1_000, of_a_tenant: 400, of_a_host: 100, of_a_newcomer: 50 };

    fn answers() -> Answers {
        Answers { most: MOST, held: Arc::default() }
    }

    fn reader(tenant: &str, address: &str) -> (Arc<Whose>, Connection) {
        let connection = Connection::default();
        let (tenant, address) = (tenant.parse().unwrap(), Some(address.parse().unwrap()));
        (Arc::new(Whose { tenant, address, connection: Some(connection.clone()) }), connection)
    }

    #[test]
    fn a_full_network_ends_its_own_slowest_reader_once_they_had_their_time() {
        let (answers, began) = (answers(), Instant::now());
        let ((slow, cut), (next, kept)) = (reader("andina", "192.0.2.1"), reader("andina", "192.0.2.1"));
        assert!(answers.enter(&slow, 60, began).is_some() && answers.enter(&next, 40, began).is_some());
        assert_eq!(answers.enter(&next, 1, began + PATIENCE / 2), None, "all had too little time yet");
        assert!(!cut.is_cut());
        assert!(answers.enter(&next, 60, began + PATIENCE).is_some());
        assert!(cut.is_cut() && !kept.is_cut());
        assert_eq!(answers.lock().all, 100);
    }

    #[test]
    fn a_tenant_and_a_region_have_their_shares_and_one_piece_may_be_larger() {
        let (answers, began) = (answers(), Instant::now());
        let enter = |tenant: &str, address: &str, bytes| {
            answers.enter(&reader(tenant, address).0, bytes, began).is_some()
        };
        assert!((1..=4).all(|n| enter("andina", &format!("192.0.2.{n}"), 100)));
        assert!(!enter("andina", "198.51.100.1", 51), "the tenant's share is held");
        assert!(!enter("verde", "192.0.2.5", 1), "the region's share is held");
        assert!(enter("verde", "198.51.100.1", 500), "who holds nothing gets one piece");
        assert!(!enter("verde", "203.0.113.1", 51), "it holds all that its tenant may");
    }

    #[test]
    fn when_a_tenants_share_is_held_the_largest_region_gives_way_at_once_to_another() {
        let (answers, began) = (answers(), Instant::now());
        let (small, kept) = reader("andina", "203.0.113.1");
        assert!(answers.enter(&small, 40, began).is_some());
        let readers: Vec<_> = (1..=4).map(|n| reader("andina", &format!("192.0.2.{n}"))).collect();
        assert!(readers.iter().all(|(whose, _)| answers.enter(whose, 90, began).is_some()));
        let cut = || readers.iter().filter(|(_, connection)| connection.is_cut()).count();
        // Whoever is of the largest region waits like the others there.
        assert_eq!(answers.enter(&readers[0].0, 10, began), None);
        assert_eq!(cut(), 0);
        assert!(answers.enter(&reader("andina", "198.51.100.1").0, 50, began).is_some());
        assert!(cut() == 1 && readers[0].1.is_cut() && !kept.is_cut());
    }

    #[test]
    fn when_all_is_held_the_largest_gives_way_at_once_to_who_holds_little() {
        let (answers, began) = (answers(), Instant::now());
        let (largest, cut) = reader("andina", "192.0.2.1");
        assert!(answers.enter(&largest, 400, began).is_some());
        for (tenant, address) in [("verde", "192.0.3.1"), ("roja", "192.0.4.1")] {
            assert!(answers.enter(&reader(tenant, address).0, 300, began).is_some());
        }
        assert_eq!(answers.enter(&reader("azul", "192.0.5.1").0, 51, began), None, "not for much");
        assert!(!cut.is_cut());
        assert!(answers.enter(&reader("azul", "192.0.5.1").0, 50, began).is_some());
        assert!(cut.is_cut());
    }

    #[test]
    fn what_was_taken_counts_no_more() {
        let answers = answers();
        let (whose, connection) = reader("andina", "2001:db8::1");
        let piece = answers.hold(&whose, Bytes::from(vec![7; LEAST])).unwrap();
        assert_eq!((piece.len(), answers.lock().all), (LEAST, LEAST));
        // A part that is left keeps all of it in memory.
        let rest = piece.slice(LEAST - 1..);
        drop(piece);
        assert_eq!(answers.lock().all, LEAST);
        // Whoever was ended leaves nothing behind when it notices.
        assert!(answers.lock().remove(1).is_some());
        drop(rest);
        assert!(!connection.is_cut());
        let held = answers.lock();
        assert!(
            held.all == 0 && held.pieces.is_empty() && held.holders.is_empty() && held.by_size.is_empty()
        );
    }
}
