//! Live events for the people of a tenant: in which conversations something happened. They hold ids only, and before each it is
//! looked whether whoever follows still may: what happened, they read by calls of their own.

use super::{
    RETRY,
    places::{Holder, Place},
    write_event,
};
use crate::{desk::FrontDesk, management::Standing, tenant_state::News};
use bytes::Bytes;
use futures_util::{Stream, stream};
use misy_domain::ConversationId;
use misy_store::bell::{InboxListener, InboxNews};
use serde::Serialize;
use serde_json::json;
use std::{convert::Infallible, time::Duration};

/// Streams of one person: a few browsers with a few tabs each.
const MOST: u32 = 20;
/// How often it is looked whether a person still may follow, when nothing happens.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// After so many looks without news the stream says that it is alive.
const ALIVE_EVERY: u32 = 7;

struct Inbox {
    desk: FrontDesk,
    standing: Standing,
    listener: InboxListener,
    news: News,
    _place: Place,
    step: Step,
    quiet: u32,
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

/// The events of all conversations of a tenant; `None` if the person follows in too many places already.
pub(crate) fn events(
    desk: &FrontDesk,
    standing: Standing,
) -> Option<impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static> {
    let place = desk.streams.enter(vec![(Holder::Person(standing.tenant.clone(), standing.user), MOST)])?;
    let inbox = Inbox {
        listener: desk.bell.listen_to_all(&standing.tenant),
        news: desk.tenants.watch(&standing.tenant),
        desk: desk.clone(),
        standing,
        _place: place,
        step: Step::Open,
        quiet: 0,
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
                let mut piece = RETRY.to_owned();
                write_event(&mut piece, "ready", None, &json!({}));
                return Some(piece.into());
            }
            Step::Follow => {}
            Step::End => return None,
        }
        loop {
            let news = tokio::select! {
                news = self.listener.heard() => Some(news),
                () = self.news.changed() => None,
                () = tokio::time::sleep(LOOK_AGAIN) => None,
                () = self.desk.stopping.cancelled() => return None,
            };
            match Box::pin(self.standing.holds(&self.desk)).await {
                Ok(true) => {}
                Ok(false) => return Some(self.ended()),
                // Whoever cannot be looked at hears nothing; they come back and read anew.
                Err(error) => {
                    tracing::warn!(tenantId = %self.standing.tenant, %error, "a live stream of people ends");
                    return None;
                }
            }
            let mut piece = String::new();
            match news {
                Some(InboxNews::In(conversation_ids)) => {
                    write_event(&mut piece, "changed", None, &Changed { conversation_ids });
                }
                Some(InboxNews::Missed) => write_event(&mut piece, "missed", None, &json!({})),
                None => {
                    self.quiet += 1;
                    if self.quiet < ALIVE_EVERY {
                        continue;
                    }
                    piece.push_str(": alive\n\n");
                }
            }
            self.quiet = 0;
            return Some(piece.into());
        }
    }

    fn ended(&mut self) -> Bytes {
        self.step = Step::End;
        let mut piece = String::new();
        write_event(&mut piece, "ended", None, &json!({}));
        piece.into()
    }
}
