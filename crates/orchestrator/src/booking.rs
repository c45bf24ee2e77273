//! The booking agent with the bookings at hand: it fills the form that `misy_agents` reads, and does what the form comes to.
//!
//! A run does nothing that lasts: it tries what the form comes to, and takes it back. What is done is done in the transaction that makes the
//! turn durable ([`Booking::settle`]), so that nothing is booked of which the contact is not told, and the other way around.

use crate::turns::Loaded;
use misy_agents::{
    Handoff,
    agent::{Agent, Answer, Call, Ended, Failed, Run},
    booking::{
        Ahead, Asked, Effect, Facts, Form, FreeTime, Intent, Look, Said, Settled, Step, quota_phrase, step,
    },
};
use misy_domain::{
    BookingId, BookingState, Channel, Clock, ContactId, ContextPack, ConversationId, Entropy, Part,
    Permission, Timestamp,
    agent::{AgentKind, AgentLimits, Definition, WhenWritten},
    booking::{Offer, Refused, Taken},
};
use misy_store::{
    Database, StoreError, TenantKeys, TenantTx, Vault,
    bookings::{self, Booking as Stored, By, Details, Kept, NewBooking, Off, Own},
    leases::Lease,
    turns::Conversations,
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

/// Where something is done.
struct Place<'a> {
    conversation: ConversationId,
    channel: Channel,
    /// The number of the newest message that the turn answers.
    through: i64,
    pack: &'a ContextPack,
    keys: &'a TenantKeys,
    now: Timestamp,
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
        let mut form = Form::gone_on_with(call.input.form, now);
        form.take(said, pack, now);
        let keys = self.vault.keys(&self.database, call.tenant).await?;
        let keys = keys.ok_or(StoreError::Unsealable("data_keys"))?;
        let (conversation, channel, through) = (call.conversation, call.input.channel, call.through);
        let place = Place { conversation, channel, through, pack, keys: &keys, now };
        for _ in 0..TRIES {
            let mut tx = self.database.tenant_work("booking.look", call.tenant).await?;
            let Some(contact) = bookings::contact_of(&mut tx, call.conversation).await? else {
                return Ok(Ended::Drafted);
            };
            let seen = look(&mut tx, &place, (&mut form, said), contact).await?;
            tx.commit().await?;
            let compiled = call.input.pack.clone();
            let facts = self.workbench.run(call.tenant, move |_| seen.facts(&compiled, now)).await?;
            let before = form.clone();
            let Step { parts, effect, rule } =
                step(&mut form, said, &facts, call.input, call.drafted.language);
            let done = match &effect {
                None => Done::Yes,
                Some(_) => self.try_out(call, &place, contact, &mut form, effect.as_ref()).await?,
            };
            match done {
                Done::Yes => {
                    let settled = Some(Box::new(Settled { form, effect }));
                    let answer = Answer { parts, rules: vec![rule], settled, ..Answer::default() };
                    return Ok(Ended::Answered(answer));
                }
                Done::Full => {
                    let settled =
                        Some(Box::new(Settled { form: Form { done: true, ..before }, effect: None }));
                    return Ok(Ended::Answered(Answer { settled, ..full(call) }));
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

    /// Whether something can be done, and under which id; it is taken back.
    async fn try_out(
        &self,
        call: &Call<'_>,
        place: &Place<'_>,
        contact: ContactId,
        form: &mut Form,
        effect: Option<&Effect>,
    ) -> Result<Done, StoreError> {
        let mut tx = self.database.tenant_work("booking.try", call.tenant).await?;
        let done = self.act(&mut tx, place, contact, form, effect).await?;
        tx.roll_back().await;
        Ok(done)
    }

    /// Does what is settled and keeps the form, in a transaction that is the turn's to end. None where it cannot be done any more.
    pub(crate) async fn settle(
        &self,
        lease: &Lease<Conversations>,
        loaded: &Loaded,
        settled: &Settled,
    ) -> Result<Option<TenantTx>, StoreError> {
        let place = Place {
            conversation: lease.id,
            channel: loaded.work.channel,
            through: loaded.work.answered_through(),
            pack: loaded.pack.pack(),
            keys: &loaded.keys,
            now: self.clock.now(),
        };
        let mut tx = self.database.tenant_work("turn.book", &lease.tenant).await?;
        let Some(contact) = bookings::contact_of(&mut tx, lease.id).await? else { return Ok(None) };
        let mut form = settled.form.clone();
        let done = self.act(&mut tx, &place, contact, &mut form, settled.effect.as_ref()).await?;
        if !matches!(done, Done::Yes) {
            tx.roll_back().await;
            return Ok(None);
        }
        let json = serde_json::to_value(&form).map_err(|_| StoreError::Unsealable("booking_forms"))?;
        bookings::keep_form(&mut tx, place.keys, lease.id, place.through, &json, &*self.entropy).await?;
        Ok(Some(tx))
    }

    async fn act(
        &self,
        tx: &mut TenantTx,
        place: &Place<'_>,
        contact: ContactId,
        form: &mut Form,
        effect: Option<&Effect>,
    ) -> Result<Done, StoreError> {
        let (free, hold) = match effect {
            None => return Ok(Done::Yes),
            Some(Effect::Release) => {
                bookings::release(tx, place.conversation).await?;
                form.held = None;
                return Ok(Done::Yes);
            }
            Some(Effect::CallOff(id)) => {
                let off =
                    bookings::call_off(tx, place.keys, *id, None, By::Contact(contact), place.now).await?;
                return Ok(if matches!(off, Off::Off(_)) { Done::Yes } else { Done::Gone });
            }
            Some(Effect::Hold(free)) => (free, Some(HOLD)),
            Some(Effect::Book(free)) => (free, None),
        };
        let moved = form.booking.filter(|_| form.intent == Intent::Move);
        let booking_id = moved.or(form.held).unwrap_or_else(|| BookingId::new(&*self.clock, &*self.entropy));
        let service = form.service.clone().unwrap_or_default();
        let mut offers = place.pack.offers(&service);
        offers.retain(|offer| offer.provider.id == free.provider);
        let details = match moved {
            None => details(Details::default(), form),
            // What is moved stays what it is, but for what is said now.
            Some(id) => match bookings::find(tx, place.keys, id).await? {
                Some(before) => details(before.details, form),
                None => return Ok(Done::Lost),
            },
        };
        let new = NewBooking {
            booking_id,
            expected: None,
            contact,
            by: By::Contact(contact),
            conversation: Some(place.conversation),
            offers: &offers,
            starts_at: free.starts_at,
            details: &details,
            hold,
            counted_for: CountedFor { channel: Some(place.channel), ..CountedFor::default() },
        };
        Ok(match bookings::put(tx, place.keys, place.pack, &new, place.now, &*self.entropy).await? {
            Kept::Kept(_) => {
                form.held = (moved.is_none() && hold.is_some()).then_some(booking_id);
                Done::Yes
            }
            Kept::QuotaExceeded | Kept::TooManyAhead | Kept::ShareSpent => Done::Full,
            Kept::Refused(_) | Kept::Begun => Done::Gone,
            // What was kept is gone with its contact, or was called off meanwhile: another one is made.
            Kept::NotFound | Kept::IsHeld | Kept::IsBooked => Done::Lost,
        })
    }
}

/// Who it is for: what the form says, and else what is known.
fn details(known: Details, form: &Form) -> Details {
    Details {
        name: form.name.clone().or(known.name),
        phone: form.phone.clone().or(known.phone),
        email: form.email.clone().or(known.email),
        party_size: form.party_size.or(known.party_size),
        note: known.note,
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

/// The service with those who do it, or with the one who is asked for; first with the one who is rather asked for than others.
fn offers<'a>(pack: &'a ContextPack, look: &Look) -> Vec<Offer<'a>> {
    let mut offers = pack.offers(&look.service);
    let is = |offer: &Offer<'_>, id: Option<&str>| id == Some(offer.provider.id.as_str());
    if let Some(provider) = look.provider.as_deref() {
        offers.retain(|offer| is(offer, Some(provider)));
    }
    offers.sort_by_key(|offer| !is(offer, look.rather.as_deref()));
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
    place: &Place<'_>,
    (form, said): (&mut Form, &Said),
    contact: ContactId,
) -> Result<Seen, StoreError> {
    let Place { conversation, pack, keys, now, .. } = *place;
    let ahead: Vec<Ahead> =
        bookings::upcoming(tx, keys, contact, now).await?.into_iter().map(ahead).collect();
    form.settle(said, &ahead, pack);
    let off = called_off(tx, keys, form, &ahead, contact).await?;
    let Some(look) = form.look(pack, &ahead, now) else { return Ok(Seen { ahead, off, look: None }) };
    let offers = offers(pack, &look);
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
        let offers = offers(pack, &look);
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
