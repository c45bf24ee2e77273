//! `GET /files/{fileId}`: the bytes of a file.

use crate::{
    address::{self, Purpose},
    desk::FrontDesk,
    edge::{limited, unreachable},
    files::{kind::Kind, name},
    pipeline::{Access, Received, TenantCall},
    problem::{Code, Problem},
    shares::{Counts, Who},
    tenant_state::TenantState,
};
use axum::{
    body::Body,
    extract::{FromRequest, Request, State},
    response::Response,
};
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use misy_domain::{FileId, Permission, TenantId};
use misy_store::{
    ContactKey, StoreError, TenantKeys,
    files::{self, CHUNK, Reader, StoredFile},
    tenant_tx,
};
use misy_trust::{FileLink, FileLinks, RequestKeyKind};
use serde::Deserialize;
use std::{ops::Range, sync::Arc};
use utoipa::IntoParams;

/// What is read is a document of nobody: nothing in it runs, and it belongs to no origin.
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; sandbox; frame-ancestors 'none'");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// A link, as it stands in a message. Without it the call is one of a token.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LinkQuery {
    /// Whose file it is.
    #[param(value_type = Option<TenantId>)]
    tenant_id: Option<String>,
    /// From when on the link opens nothing, in Unix seconds.
    expires: Option<i64>,
    /// The signature.
    signature: Option<String>,
}

/// Calls of a token that read a file.
pub struct ReadFile;

impl Access for ReadFile {
    const PERMISSION: Option<Permission> = Some(Permission::ChatRead);
}

/// Read a file
///
/// By the link that stands in a message, which is good for a quarter of an hour and needs no headers; or by a token whose
/// session is on the file's conversation, or by a server's token for files of the API channel. Pictures are shown, everything
/// else is downloaded. One `Range` of bytes can be asked for.
#[utoipa::path(
    get, path = "/api/meta-agent/files/{fileId}", tag = "chat", operation_id = "readFile",
    params(
        ("fileId" = FileId, Path, description = "The file"), LinkQuery,
        ("Range" = Option<String>, Header, description = "One range of bytes, such as `bytes=0-1023`"),
    ),
    responses(
        (status = 200, description = "The bytes", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 206, description = "Those of the range", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 403, description = "`link_invalid`: the link is too old; `permission_denied`, `tenant_suspended`", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
        (status = 416, description = "`bad_request`: there are no such bytes", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security((), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn read(State(desk): State<FrontDesk>, request: Request) -> Result<Response, Problem> {
    if request.headers().contains_key(header::AUTHORIZATION) {
        let call = TenantCall::<ReadFile>::from_request(request, &desk).await?;
        call.received.expect_no_body()?;
        let LinkQuery { tenant_id: None, expires: None, signature: None } = call.received.query()? else {
            return Err(Problem::bad_request("Either a token or a link, not both."));
        };
        let reader = match call.claims().sig {
            RequestKeyKind::Token => Reader::Session { site: call.site(), family: call.family() },
            RequestKeyKind::Tenant => Reader::Program,
        };
        return Box::pin(answer(&desk, call.state(), &call.received, reader)).await;
    }
    address::guard(&desk, request.extensions(), Purpose::Links)?;
    let received = Received::read(&desk, request, 0).await?;
    let state = by_link(&desk, &received).await?;
    Box::pin(answer(&desk, &state, &received, Reader::Link)).await
}

/// The tenant, if the request has a link of its own that is still good.
async fn by_link(desk: &FrontDesk, received: &Received) -> Result<Arc<TenantState>, Problem> {
    let query: LinkQuery = received.query()?;
    let (Some(tenant), Some(expires), Some(signature)) = (query.tenant_id, query.expires, query.signature)
    else {
        return Err(Problem::unauthorized(Code::TokenMissing));
    };
    let (tenant, file) = (tenant.parse().map_err(|_| Problem::not_found())?, received.param("fileId")?);
    let state = desk.tenants.get(&tenant).await?.ok_or_else(Problem::not_found)?;
    let link = FileLink { file, expires, epoch: state.epoch() };
    if !FileLinks::of(&state.keys.signing_root, &tenant).is_signed(link, &signature) {
        return Err(Problem::not_found());
    }
    {
        let mut facts = received.record.facts();
        facts.tenant = Some(tenant.clone());
        facts.actor = Some("link".to_owned());
        facts.is_visitor = true;
        // Whoever has the link may show the file wherever they are.
        facts.subject = Some(file.to_string());
    }
    if !state.is_active() {
        return Err(Problem::suspended());
    }
    let now = desk.clock.now();
    if now.as_second() >= expires {
        return Err(Problem::forbidden(Code::LinkInvalid, "The link is too old; read the messages again."));
    }
    let counts = Counts::of(&state, Who::Visitor(received.record.address));
    let otherwise = unreachable(&received.parts.method);
    let decision = desk.limits.check(&tenant, None, &counts.limits(), now, otherwise).await?;
    limited(decision, &received.record)?;
    Ok(state)
}

async fn answer(
    desk: &FrontDesk,
    state: &TenantState,
    received: &Received,
    reader: Reader<'_>,
) -> Result<Response, Problem> {
    let id: FileId = received.param("fileId")?;
    received.record.facts().subject = Some(id.to_string());
    let found = tenant_tx!(desk.database, "files.read", state.keys.tenant(), async |tx| {
        files::find(tx, &state.keys, id, reader).await
    })
    .await?;
    let (file, key) = found.ok_or_else(Problem::not_found)?;
    let range = range(received.header(&header::RANGE), file.size)?;
    let whole = range == (0..file.size);
    let mut headers = headers(&file);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
    if !whole {
        let told = format!("bytes {}-{}/{}", range.start, range.end - 1, file.size);
        headers.insert(header::CONTENT_RANGE, HeaderValue::from_str(&told).map_err(|_| Problem::internal())?);
    }
    let pieces = Pieces { desk: desk.clone(), keys: state.keys.clone(), key, file, range };
    // The first piece is there before anything is promised.
    let first = pieces.next().await?;
    let body = stream::try_unfold(first, async |piece| match piece {
        None => Ok(None),
        Some((bytes, pieces)) => {
            let next = pieces.next().await?;
            Ok::<_, StoreError>(Some((bytes, next)))
        }
    });
    let mut response = Response::new(Body::from_stream(body));
    *response.status_mut() = if whole { StatusCode::OK } else { StatusCode::PARTIAL_CONTENT };
    *response.headers_mut() = headers;
    Ok(response)
}

fn headers(file: &StoredFile) -> HeaderMap {
    let kind = Kind::named(&file.media_type);
    let media_type = kind.map_or("application/octet-stream", |kind| kind.media_type);
    let disposition = name::disposition(kind.is_some_and(|kind| kind.is_shown), file.name.as_deref());
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    // The page of a site shows it, which is of another origin.
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    headers
}

/// What is still to be sent of a file.
struct Pieces {
    desk: FrontDesk,
    keys: Arc<TenantKeys>,
    key: Arc<ContactKey>,
    file: StoredFile,
    range: Range<u64>,
}

impl Pieces {
    /// The next piece, with what comes after it.
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, StoreError> {
        if self.range.is_empty() {
            return Ok(None);
        }
        let (chunk, Range { start, end }) = (CHUNK as u64, self.range.clone());
        let at = start / chunk;
        let StoredFile { file_id, size, .. } = self.file;
        let bytes = self.desk.files.read(&self.keys, &self.key, file_id, size, at).await?;
        let begin = at * chunk;
        let until = end.min(begin + bytes.len() as u64);
        let within = |place: u64| usize::try_from(place - begin).unwrap_or(usize::MAX);
        let piece = bytes.slice(within(start)..within(until));
        self.range.start = until;
        Ok(Some((piece, self)))
    }
}

/// The bytes that are asked for: all of them, unless the header names one range that is there (RFC 9110, section 14). What is no
/// range, or more than one, is passed over, as the standard has it.
fn range(asked: Option<&str>, size: u64) -> Result<Range<u64>, Problem> {
    let whole = 0..size;
    let Some((first, last)) = asked.and_then(|text| text.strip_prefix("bytes=")?.split_once('-')) else {
        return Ok(whole);
    };
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    let range = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(size),
        (Some(first), None) if last.is_empty() => first..size,
        (None, Some(most)) if first.is_empty() => size.saturating_sub(most)..size,
        _ => return Ok(whole),
    };
    if range.is_empty() {
        let detail = "There are no such bytes.";
        return Err(Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, Code::BadRequest, detail));
    }
    Ok(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_given_and_what_is_none_is_passed_over() {
        for (asked, is) in [
            (None, 0..10),
            (Some("bytes=0-"), 0..10),
            (Some("bytes=2-4"), 2..5),
            (Some("bytes=9-9"), 9..10),
            (Some("bytes=2-99999999999999999999999"), 2..10),
            (Some("bytes=-3"), 7..10),
            (Some("bytes=-30"), 0..10),
            (Some("bytes=4-2"), 0..10),
            (Some("bytes=0-1,3-4"), 0..10),
            (Some("bytes=a-b"), 0..10),
            (Some("bytes=+1-2"), 0..10),
            (Some("bytes=-"), 0..10),
            (Some("items=0-1"), 0..10),
        ] {
            assert_eq!(range(asked, 10).unwrap(), is, "{asked:?}");
        }
        for asked in ["bytes=10-", "bytes=10-11", "bytes=-0", "bytes=18446744073709551615-"] {
            assert_eq!(range(Some(asked), 10).unwrap_err().status(), 416, "{asked}");
        }
    }
}
