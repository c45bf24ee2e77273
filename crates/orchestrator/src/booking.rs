//! The booking agent with the bookings at hand: it fills the form that `misy_agents` reads, and does what the form comes to.
//!
//! All of it can be done twice. What is booked has an id that stands in the form before; a turn that is run again goes on from the same
//! form, and finds done what it had done.

use misy_agents::{
    Handoff,
    agent::{Agent, Answer, Call, Ended, Failed, Run},
    booking::{Ahead, Asked, Effect, Facts, Form, FreeTime, Intent, Look, Said, Step, quota_phrase, step},
};
use misy_domain::{
    BookingId, BookingState, Clock, ContactId, ContextPack, ConversationId, Entropy, Part, Permission,
    Timestamp,
    agent::{AgentKind, AgentLimits, Definition, WhenWritten},
    booking::{Offer, Refused, Taken},
};
use misy_store::{
    Database, StoreError, TenantKeys, TenantTx, Vault,
    bookings::{self, Booking as Stored, Details, Kept, NewBooking, Own},
    usage::CountedFor,
};
use misy_workbench::{CompiledPack, Unfinished, Workbench};
use std::{borrow::Cow, collections::BTreeMap, sync::Arc, time::Duration};
use tracing::warn;

/// For how long a time is kept while the contact decides.
const HOLD: Duration = Duration::from_mins(10);
/// What a step asked to be done is refused at most so often in one turn: each time other times are offered.
const TRIES: usize = 2;

/// The agent.
pub(crate) struct Booking {
    database: Database,
    vault: Vault,
    workbench: Workbench,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    definition: Definition,
}

/// Why there is no answer now. The turn is run again.
#[derive(Debug, thiserror::Error)]
enum Unanswered {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Unfinished(#[from] Unfinished),
}

/// What came of an effect.
enum Done {
    /// It is done.
    Yes,
    /// The time cannot be had any more.
    Gone,
    /// What was to be changed is no more.
    Lost,
    /// The tenant, or the contact, has as many bookings as they may.
    Full,
}

impl Booking {
    pub(crate) fn new(
        database: Database,
        vault: Vault,
        workbench: Workbench,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let definition = Definition {
            key: Cow::Borrowed("booking"),
            kind: AgentKind::Connected,
            permission: Some(Permission::AgentsBooking),
            version: 1,
            limits: AgentLimits { tokens: 0, deadline: Duration::from_secs(20), attempts: 3 },
            when_written: WhenWritten::Finish,
        };
        Self { database, vault, workbench, clock, entropy, definition }
    }

    async fn answer(&self, call: &Call<'_>, said: &Said) -> Result<Ended, Unanswered> {
        let pack = call.input.pack.pack();
        let now = call.input.now;
        let mut form = call.input.form.filter(|form| form.is_open(now)).cloned().unwrap_or_else(|| {
            // Who it was for is still known.
            let known = call.input.form.cloned().unwrap_or_default();
            Form { name: known.name, phone: known.phone, email: known.email, ..Form::default() }
        });
        form.take(said, pack, now);
        let keys = self.vault.keys(&self.database, call.tenant).await?;
        let keys = keys.ok_or(StoreError::Unsealable("data_keys"))?;
        for _ in 0..TRIES {
            let mut tx = self.database.tenant_work("booking.look", call.tenant).await?;
            let Some(contact) = bookings::contact_of(&mut tx, call.conversation).await? else {
                return Ok(Ended::Drafted);
            };
            let seen =
                look(&mut tx, &keys, pack, (&mut form, said), (call.conversation, contact), now).await?;
            tx.commit().await?;
            let compiled = call.input.pack.clone();
            let facts = self.workbench.run(call.tenant, move |_| seen.facts(&compiled, now)).await?;
            let before = form.clone();
            let step = step(&mut form, said, &facts, call.input, call.drafted.language);
            let mut tx = self.database.tenant_work("booking.do", call.tenant).await?;
            let done = self.act(&mut tx, call, &keys, contact, &mut form, step.effect.as_ref()).await?;
            match done {
                Done::Yes => {
                    self.keep(&mut tx, call, &keys, &form).await?;
                    tx.commit().await?;
                    return Ok(Ended::Answered(answer(step)));
                }
                Done::Full => {
                    form = Form { done: true, ..before };
                    self.keep(&mut tx, call, &keys, &form).await?;
                    tx.commit().await?;
                    return Ok(Ended::Answered(full(call)));
                }
                // Somebody was faster. Nothing of it is kept, and other times are offered.
                Done::Gone => form = before,
                // What was kept was called off. Another one is kept, and asked for before it is booked: its id must be known to the turn
                // that books it.
                Done::Lost => form = Form { held: None, booking: None, asked: Asked::Nothing, ..before },
            }
        }
        Ok(Ended::Drafted)
    }

    async fn keep(
        &self,
        tx: &mut TenantTx,
        call: &Call<'_>,
        keys: &TenantKeys,
        form: &Form,
    ) -> Result<(), StoreError> {
        let json = serde_json::to_value(form).map_err(|_| StoreError::Unsealable("booking_forms"))?;
        bookings::keep_form(tx, keys, call.conversation, call.through, &json, &*self.entropy).await
    }

    async fn act(
        &self,
        tx: &mut TenantTx,
        call: &Call<'_>,
        keys: &TenantKeys,
        contact: ContactId,
        form: &mut Form,
        effect: Option<&Effect>,
    ) -> Result<Done, StoreError> {
        let now = call.input.now;
        let (at, hold) = match effect {
            None => return Ok(Done::Yes),
            Some(Effect::Release) => {
                bookings::release(tx, call.conversation).await?;
                form.held = None;
                return Ok(Done::Yes);
            }
            Some(Effect::CallOff(id)) => {
                bookings::call_off(tx, keys, *id, None, now).await?;
                return Ok(Done::Yes);
            }
            Some(Effect::Hold { at }) => (*at, Some(HOLD)),
            Some(Effect::Book { at }) => (*at, None),
        };
        let moved = form.booking.filter(|_| form.intent == Intent::Move);
        let booking_id = moved.or(form.held).unwrap_or_else(|| BookingId::new(&*self.clock, &*self.entropy));
        let pack = call.input.pack.pack();
        let service = form.service.clone().unwrap_or_default();
        let offers = offers(pack, &service, form.provider.as_deref());
        let details = Details {
            name: form.name.clone(),
            phone: form.phone.clone(),
            email: form.email.clone(),
            party_size: form.party_size,
            note: None,
        };
        let new = NewBooking {
            booking_id,
            expected: None,
            contact,
            conversation: Some(call.conversation),
            offers: &offers,
            starts_at: at,
            details: &details,
            hold,
            counted_for: CountedFor { channel: Some(call.input.channel), ..CountedFor::default() },
        };
        Ok(match bookings::put(tx, keys, pack, &new, now, &*self.entropy).await? {
            Kept::Kept(_) => {
                form.held = (moved.is_none() && hold.is_some()).then_some(booking_id);
                Done::Yes
            }
            Kept::QuotaExceeded | Kept::TooManyAhead => Done::Full,
            Kept::Refused(_) => Done::Gone,
            // What was kept is gone with its contact, or was called off meanwhile: another one is made.
            Kept::NotFound => Done::Lost,
        })
    }
}

impl Agent for Booking {
    fn definition(&self) -> &Definition {
        &self.definition
    }

    fn run<'a>(&'a self, call: Call<'a>) -> Run<'a> {
        Box::pin(async move {
            let pack = call.input.pack.pack();
            let Some(said) = &call.drafted.said else { return Ok(Ended::Drafted) };
            // A business that takes no bookings here says how else to make one.
            if !pack.services.iter().any(|service| !pack.offers(&service.id).is_empty()) {
                return Ok(Ended::Drafted);
            }
            self.answer(&call, said).await.map_err(|error| {
                warn!(%error, "the booking agent could not look at the bookings");
                Failed
            })
        })
    }
}

/// The service with those who do it, or with the one who is asked for.
fn offers<'a>(pack: &'a ContextPack, service: &str, provider: Option<&str>) -> Vec<Offer<'a>> {
    let mut offers = pack.offers(service);
    if let Some(provider) = provider.filter(|id| offers.iter().any(|offer| offer.provider.id == *id)) {
        offers.retain(|offer| offer.provider.id == provider);
    }
    offers
}

/// What was read for the next step.
struct Seen {
    ahead: Vec<Ahead>,
    off: Option<Ahead>,
    /// Which free times are looked for, and what is taken.
    look: Option<(Look, BTreeMap<String, Vec<Taken>>)>,
}

/// Reads what has to be known for the next step.
async fn look(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    pack: &ContextPack,
    (form, said): (&mut Form, &Said),
    (conversation, contact): (ConversationId, ContactId),
    now: Timestamp,
) -> Result<Seen, StoreError> {
    let ahead: Vec<Ahead> =
        bookings::upcoming(tx, keys, contact, now).await?.into_iter().map(ahead).collect();
    form.settle(said, &ahead, pack);
    let off = called_off(tx, keys, form, &ahead, contact).await?;
    let Some(look) = form.look(pack, &ahead, now) else { return Ok(Seen { ahead, off, look: None }) };
    let offers = offers(pack, &look.service, look.provider.as_deref());
    let own = Own { booking: look.except, conversation: Some(conversation) };
    let taken = bookings::taken(tx, &offers, (look.from, look.until), own, now).await?;
    Ok(Seen { ahead, off, look: Some((look, taken)) })
}

impl Seen {
    /// What follows from it. It takes as long as the business has providers and starts.
    fn facts(self, pack: &CompiledPack, now: Timestamp) -> Facts {
        let Self { ahead, off, look } = self;
        let Some((look, taken)) = look else { return Facts { ahead, off, ..Facts::default() } };
        let pack = pack.pack();
        let offers = offers(pack, &look.service, look.provider.as_deref());
        let free = pack.free(&offers, &taken, (look.from, look.until), now).into_iter();
        let free =
            free.map(|free| FreeTime { starts_at: free.slot.from, provider: free.provider_id }).collect();
        let refused = look.wanted.and_then(|wanted| refused(pack, &offers, wanted, now));
        Facts { ahead, off, free, refused }
    }
}

/// The booking that the form names, where it was called off.
async fn called_off(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    form: &Form,
    ahead: &[Ahead],
    contact: ContactId,
) -> Result<Option<Ahead>, StoreError> {
    let Some(id) = form.booking.filter(|id| ahead.iter().all(|one| one.booking_id != *id)) else {
        return Ok(None);
    };
    let named = bookings::find(tx, keys, id).await?;
    let is_off = |one: &Stored| one.contact_id == contact && one.state == BookingState::Cancelled;
    Ok(named.filter(is_off).map(self::ahead))
}

/// Why a time cannot be had by the rules alone, whatever is taken.
fn refused(pack: &ContextPack, offers: &[Offer<'_>], wanted: Timestamp, now: Timestamp) -> Option<Refused> {
    let mut why: Option<Refused> = None;
    for offer in offers {
        match pack.book(offer, &[]).judge(wanted, now) {
            Ok(_) => return None,
            Err(refused) => why = Some(why.map_or(refused, |before| before.nearer(refused))),
        }
    }
    why
}

fn ahead(stored: Stored) -> Ahead {
    Ahead {
        booking_id: stored.booking_id,
        service: stored.service_id,
        service_name: stored.service_name,
        provider: stored.provider_id,
        provider_name: stored.provider_name,
        starts_at: stored.starts_at,
        name: stored.details.name,
        party_size: stored.details.party_size,
    }
}

fn answer(step: Step) -> Answer {
    Answer { parts: step.parts, rules: vec![step.rule], ..Answer::default() }
}

/// A person goes on where no more can be booked.
fn full(call: &Call<'_>) -> Answer {
    let summary = "The contact wants to book, and no more bookings can be made now.".to_owned();
    Answer {
        parts: vec![Part::text(quota_phrase(call.drafted.language))],
        rules: vec!["booking: no more can be booked now".to_owned()],
        handoff: Some(Handoff { reason: "booking_limit".to_owned(), summary }),
        ..Answer::default()
    }
}
