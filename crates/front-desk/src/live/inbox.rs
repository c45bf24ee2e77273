//! Live events for the people of a tenant: in which conversations something happened. They hold ids only, and before each it is
//! looked whether whoever follows still may: what happened, they read by calls of their own.

use super::{
    RETRY, networks,
    places::{Holder, Place},
    write_event,
};
use crate::{desk::FrontDesk, management::Standing, tenant_state::News};
use bytes::Bytes;
use futures_util::{Stream, stream};
use misy_domain::ConversationId;
use misy_store::{
    StoreError,
    bell::{InboxListener, InboxNews},
    inbox::{self as inbox_store, Mark},
    tenant_tx,
};
use serde::Serialize;
use serde_json::json;
use std::{
    convert::Infallible,
    net::IpAddr,
    time::{Duration, Instant},
};

/// Streams of one person: a few browsers with a few tabs each.
const MOST: u32 = 20;
/// Streams of all people of a tenant.
const MOST_OF_ALL: u32 = 1_000;
/// A look at a person is good for so long while things happen.
const LOOK_LASTS: Duration = Duration::from_secs(1);
/// How often it is looked whether a person still may follow, when nothing happens.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

struct Inbox {
    desk: FrontDesk,
    standing: Standing,
    listener: InboxListener,
    news: News,
    _place: Place,
    step: Step,
    /// Since when nothing was said.
    quiet_since: Instant,
    /// What the list looked like when it was looked at last.
    mark: Option<Mark>,
}

enum Step {
    Open,
    Follow,
    End,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Changed {
    conversation_ids: Vec<ConversationId>,
}

/// The events of all conversations of a tenant; `None` if the person, the tenant or the network follows in too many places already.
pub(crate) fn events(
    desk: &FrontDesk,
    standing: Standing,
    address: Option<IpAddr>,
) -> Option<impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static> {
    let mut wanted = vec![
        (Holder::Person(standing.tenant.clone(), standing.user), MOST),
        (Holder::People(standing.tenant.clone()), MOST_OF_ALL),
    ];
    wanted.extend(networks(desk, address));
    let place = desk.streams.enter(wanted)?;
    let inbox = Inbox {
        listener: desk.bell.listen_to_all(&standing.tenant),
        news: desk.tenants.watch(&standing.tenant),
        desk: desk.clone(),
        standing,
        _place: place,
        step: Step::Open,
        quiet_since: Instant::now(),
        mark: None,
    };
    Some(stream::unfold(Box::new(inbox), |mut inbox| async move {
        let piece = inbox.next().await?;
        Some((Ok(piece), inbox))
    }))
}

impl Inbox {
    /// The next piece of the stream; `None` at its end.
    async fn next(&mut self) -> Option<Bytes> {
        match self.step {
            Step::Open => {
                self.step = Step::Follow;
                self.mark = Some(Box::pin(self.look_at_list()).await?);
                let mut piece = RETRY.to_owned();
                write_event(&mut piece, "ready", None, &json!({}));
                return Some(piece.into());
            }
            Step::Follow => {}
            Step::End => return None,
        }
        loop {
            let (began, keep_alive) = (Instant::now(), self.desk.settings.keep_alive);
            let (news, since) = tokio::select! {
                biased;
                // First: who was let in may be let in no more.
                () = self.news.changed() => (None, None),
                news = self.listener.heard() => (Some(news), Instant::now().checked_sub(LOOK_LASTS)),
                () = tokio::time::sleep(keep_alive.min(LOOK_AGAIN)) => (None, Some(began)),
                () = self.desk.stopping.cancelled() => return None,
            };
            let since = since.unwrap_or_else(Instant::now);
            let holds = Box::pin(self.standing.holds(&self.desk, since)).await;
            if !holds.map_err(|error| self.give_up(&error)).ok()? {
                return Some(self.ended());
            }
            let mut piece = String::new();
            match news {
                Some(InboxNews::In(conversation_ids)) => {
                    write_event(&mut piece, "changed", None, &Changed { conversation_ids });
                }
                Some(InboxNews::Missed) => write_event(&mut piece, "missed", None, &json!({})),
                None => {
                    if self.quiet_since.elapsed() < keep_alive {
                        continue;
                    }
                    let mark = Some(Box::pin(self.look_at_list()).await?);
                    if self.mark == mark {
                        piece.push_str(": alive\n\n");
                    } else {
                        write_event(&mut piece, "missed", None, &json!({}));
                    }
                    self.mark = mark;
                }
            }
            self.quiet_since = Instant::now();
            return Some(piece.into());
        }
    }

    /// What the list looks like now; `None` if nobody can say.
    async fn look_at_list(&self) -> Option<Mark> {
        let look = tenant_tx!(self.desk.database, "inbox.mark", &self.standing.tenant, async |tx| {
            inbox_store::mark(tx).await
        });
        look.await.map_err(|error| self.give_up(&error)).ok()
    }

    /// Whoever cannot be looked at hears nothing; they come back and read anew.
    fn give_up(&self, error: &StoreError) {
        tracing::warn!(tenantId = %self.standing.tenant, %error, "a live stream of people ends");
    }

    fn ended(&mut self) -> Bytes {
        self.step = Step::End;
        let mut piece = String::new();
        write_event(&mut piece, "ended", None, &json!({}));
        piece.into()
    }
}
