//! Links to files, which stand in messages as they are read: made anew each time and good for a quarter of an hour.

use crate::{desk::FrontDesk, tenant_state::TenantState};
use misy_domain::{FileId, Message, Part};
use misy_trust::{FileLink, FileLinks};

/// How long a link is good, in seconds: longer than clocks of replicas differ, and no longer than a page needs to show it.
const LIVES: i64 = 15 * 60;

/// Puts a link to each file of the messages.
pub(crate) fn add(desk: &FrontDesk, state: &TenantState, messages: &mut [Message]) {
    let mut links = None;
    let media = messages.iter_mut().flat_map(|message| &mut message.parts).filter_map(Part::media_mut);
    for media in media {
        if let Some(file) = media.file_id {
            let links = links.get_or_insert_with(|| Links::of(desk, state));
            media.url = Some(links.url(file));
        }
    }
}

/// Whether there is something to add a link to.
pub(crate) fn are_needed(messages: &[Message]) -> bool {
    messages
        .iter()
        .flat_map(|message| &message.parts)
        .any(|part| part.media().is_some_and(|media| media.file_id.is_some()))
}

/// Makes links.
struct Links<'a> {
    base: &'a str,
    tenant: &'a str,
    signer: FileLinks,
    expires: i64,
    epoch: i64,
}

impl<'a> Links<'a> {
    fn of(desk: &'a FrontDesk, state: &'a TenantState) -> Self {
        Self {
            base: &desk.settings.public_url,
            tenant: state.keys.tenant().as_str(),
            signer: FileLinks::of(&state.keys.signing_root, state.keys.tenant()),
            expires: desk.clock.unix_seconds() + LIVES,
            epoch: state.epoch(),
        }
    }

    fn url(&self, file: FileId) -> String {
        let Self { base, tenant, expires, .. } = self;
        let signature = self.signer.sign(FileLink { file, expires: *expires, epoch: self.epoch });
        format!(
            "{base}/api/meta-agent/files/{file}?tenantId={tenant}&expires={expires}&signature={signature}"
        )
    }
}
