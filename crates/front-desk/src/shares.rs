//! What a call counts against. A limit that many share says who counts: of what visitors share, each network has a part, so
//! that nobody who proves nothing keeps the others waiting.

use crate::tenant_state::TenantState;
use misy_domain::{
    Channel,
    limit::Quota,
    network::{Network, Width},
    share::{self, Shares, Trace},
};
use misy_store::{
    TenantKeys,
    limits::{Limit, Scope},
};
use std::net::IpAddr;

/// What tenants without a quota have left, as far as sessions and the like go.
const PLENTY: i64 = 1_000_000;
/// Everybody whose address is not known, as one network.
const NOWHERE: &str = "nowhere";

/// Whose call it is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Who {
    /// Somebody on a page of the tenant, who proves nothing: where they are counts.
    Visitor(Option<IpAddr>),
    /// A program with a secret of the tenant.
    Program,
    /// Somebody who manages. What visitors and programs do takes nothing from them.
    Manager,
}

impl Who {
    /// Whose shares somebody takes from, as names that are kept: what they say can be compared and not read.
    pub(crate) fn counts_as(self, keys: &TenantKeys, family: &str) -> Vec<String> {
        let Self::Visitor(address) = self else { return Vec::new() };
        let index = keys.blind_index("sessions", "counts_as");
        let blind =
            |kind: &str, what: &str| format!("{kind} {}", hex::encode(&index.of(what.as_bytes())[..12]));
        let networks = address.into_iter().flat_map(Network::all_of).map(|network| {
            let kind = match network.width() {
                Width::Host => "host",
                Width::Home => "home",
                Width::Region => "region",
            };
            blind(kind, &network.to_string())
        });
        networks.chain([blind("visitor", family)]).collect()
    }
}

/// The limits that one call counts against. There is no other way to make one that many share.
pub(crate) struct Counts<'a> {
    state: &'a TenantState,
    who: Who,
    limits: Vec<(Scope, String, Quota)>,
    /// The limits whose parts have been added.
    shared: Vec<Quota>,
}

impl<'a> Counts<'a> {
    /// Those of all calls of the tenant.
    pub(crate) fn of(state: &'a TenantState, who: Who) -> Self {
        let mut counts = Self { state, who, limits: Vec::with_capacity(8), shared: Vec::new() };
        let subject = if matches!(who, Who::Manager) { "managers" } else { "" };
        counts.shared_by_many(Scope::Tenant, subject, state.quota(Scope::Tenant, ""));
        counts
    }

    /// Those of a message that a vendor tells of, beside the call that tells it.
    pub(crate) fn of_channel(state: &'a TenantState, channel: Channel) -> Self {
        Self { state, who: Who::Program, limits: Vec::with_capacity(1), shared: Vec::new() }
            .shared(Scope::Channel, channel.as_str())
    }

    /// Those of something that many share: a site, a channel.
    pub(crate) fn shared(mut self, scope: Scope, subject: &str) -> Self {
        let quota = self.state.quota(scope, subject);
        self.shared_by_many(scope, subject, quota);
        self
    }

    /// Those of one alone: a key, a chain of tokens.
    pub(crate) fn own(mut self, scope: Scope, subject: &str) -> Self {
        let quota = self.state.quota(scope, subject);
        self.limits.push((scope, subject.to_owned(), quota));
        self
    }

    /// Those of a session, for one chain of tokens: whose it is is not known yet, and who names the session of another chain
    /// takes nothing from it.
    pub(crate) fn session(mut self, session: &str, family: &str) -> Self {
        let quota = self.state.quota(Scope::Session, session);
        self.limits.push((Scope::Session, format!("{session} {family}"), quota));
        self
    }

    /// Those that somebody set for a publishable key, which all visitors of a site share.
    pub(crate) fn of_key(mut self, subject: &str, quota: Quota) -> Self {
        self.shared_by_many(Scope::Key, subject, quota);
        self
    }

    /// The shares that something counts against which leaves rows behind: of a visitor theirs, and those of where they are; of
    /// a program what all programs of the tenant leave together.
    pub(crate) fn leaving(mut self, trace: Trace, family: &str) -> Self {
        let address = match self.who {
            Who::Visitor(address) => address,
            Who::Program if trace != Trace::Message => {
                let whose = format!("{} programs", trace.as_str());
                self.limits.push((Scope::Key, whose, share::OF_PROGRAMS));
                return self;
            }
            Who::Program | Who::Manager => return self,
        };
        let left = match (self.state.messages_left(), trace) {
            (Some(left), _) => left,
            (None, Trace::Message) => return self,
            (None, _) => PLENTY,
        };
        let shares = Shares::of(trace, left);
        let mut push = |whose: &str, quota| {
            self.limits.push((Scope::Key, format!("{} {whose}", trace.as_str()), quota));
        };
        push(family, shares.visitor);
        for network in address.into_iter().flat_map(Network::all_of) {
            push(&network.to_string(), shares.of_network(network.width()));
        }
        self
    }

    /// What the files of a visitor may weigh in a day, in KiB: theirs, and of where they are. Nothing for programs, and nothing
    /// where files have all the room they want.
    pub(crate) fn of_files(state: &'a TenantState, who: Who, family: &str) -> Self {
        let mut counts = Self { state, who, limits: Vec::with_capacity(4), shared: Vec::new() };
        let room = state.file_limits();
        let (Who::Visitor(address), Some(total)) = (who, room.total) else { return counts };
        let shares = Shares::of_room(total, room.largest);
        let mut push = |whose: &str, quota| {
            counts.limits.push((Scope::Key, format!("bytes {whose}"), quota));
        };
        push(family, shares.visitor);
        for network in address.into_iter().flat_map(Network::all_of) {
            push(&network.to_string(), shares.of_network(network.width()));
        }
        counts
    }

    /// As limits.
    pub(crate) fn limits(&self) -> Vec<Limit<'_>> {
        self.limits
            .iter()
            .map(|(scope, subject, quota)| Limit { scope: *scope, subject, quota: *quota })
            .collect()
    }

    fn shared_by_many(&mut self, scope: Scope, subject: &str, quota: Quota) {
        self.limits.push((scope, subject.to_owned(), quota));
        let Who::Visitor(address) = self.who else { return };
        // What counts here counts there too, and there a part is no larger.
        let is_within =
            |wider: &Quota| wider.requests <= quota.requests && wider.interval() >= quota.interval();
        if self.shared.iter().any(is_within) {
            return;
        }
        self.shared.push(quota);
        let mut push = |network: &str, part| {
            self.limits.push((scope, format!("{subject} from {network}"), part));
        };
        match address {
            None => push(NOWHERE, share::of_limit(quota, Width::Region)),
            Some(address) => {
                for network in Network::all_of(address) {
                    push(&network.to_string(), share::of_limit(quota, network.width()));
                }
            }
        }
    }
}
