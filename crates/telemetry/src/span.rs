//! Spans.

use misy_domain::{Timestamp, TraceContext};
use opentelemetry::{
    Context, KeyValue, Value,
    global::{self, BoxedTracer},
    trace::{
        SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId, TraceState,
    },
};
use pin_project_lite::pin_project;
use std::{
    pin::Pin,
    sync::OnceLock,
    task::{self, Poll},
    time::{Instant, SystemTime},
};

/// There once spans are recorded.
static TRACER: OnceLock<BoxedTracer> = OnceLock::new();

/// Begins to record spans with the global provider; before it is called there are none.
pub fn record() {
    TRACER.get_or_init(|| global::tracer("misy"));
}

/// All that a span can hold: ids, codes and numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The tenant.
    Tenant,
    /// The site.
    Site,
    /// The session.
    Session,
    /// The conversation.
    Conversation,
    /// The message.
    Message,
    /// The agent.
    Agent,
    /// The request.
    Request,
    /// The pattern of the path.
    Route,
    /// The status of the answer.
    Status,
    /// How it ended.
    Outcome,
    /// Who holds the lease.
    Worker,
    /// The number of the claim.
    Fence,
    /// How often it was tried, this time included.
    Attempts,
    /// How many messages are answered together.
    Asked,
}

impl Field {
    /// Its name, as logs have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tenant => "tenantId",
            Self::Site => "siteId",
            Self::Session => "sessionId",
            Self::Conversation => "conversationId",
            Self::Message => "messageId",
            Self::Agent => "agentName",
            Self::Request => "requestId",
            Self::Route => "http.route",
            Self::Status => "http.response.status_code",
            Self::Outcome => "outcome",
            Self::Worker => "worker",
            Self::Fence => "fence",
            Self::Attempts => "attempts",
            Self::Asked => "asked",
        }
    }
}

/// A step of a trace. It ends when the last clone is dropped.
#[derive(Debug, Clone, Default)]
pub struct Span(Option<Context>);

impl Span {
    /// Nothing is recorded.
    pub const NONE: Self = Self(None);

    /// A request of somebody outside. A trace begins here, whatever they say of their own: that becomes a link, so that no
    /// stranger decides what is recorded or writes into a trace of another.
    pub fn request(operation: &'static str, theirs: Option<TraceContext>) -> Self {
        let builder = || SpanBuilder::from_name(operation).with_kind(SpanKind::Server);
        let span = Self::start(builder, &Context::new());
        if let Some(theirs) = theirs {
            span.link(theirs);
        }
        span
    }

    /// A step of the present one.
    pub fn step(name: &'static str) -> Self {
        Context::map_current(|present| {
            if present.span().span_context().is_sampled() {
                Self::start(|| SpanBuilder::from_name(name), present)
            } else {
                Self::NONE
            }
        })
    }

    /// A step that follows what happened there, at another time or in another process.
    pub fn after(name: &'static str, before: Option<TraceContext>) -> Self {
        Self::following(before, || SpanBuilder::from_name(name))
    }

    /// The same, begun at a time before now.
    pub fn after_since(name: &'static str, before: Option<TraceContext>, began: Instant) -> Self {
        let now = now();
        let began = now.checked_sub(began.elapsed()).unwrap_or(now);
        Self::following(before, || SpanBuilder::from_name(name).with_start_time(began))
    }

    /// A wait that ends now. Clocks of machines differ, so it may seem to begin in the future: then it took no time.
    pub fn waited(name: &'static str, before: Option<TraceContext>, since: Timestamp) -> Self {
        let since = SystemTime::from(since).min(now());
        Self::following(before, || SpanBuilder::from_name(name).with_start_time(since))
    }

    fn following(before: Option<TraceContext>, builder: impl FnOnce() -> SpanBuilder) -> Self {
        let Some(before) = before else { return Self::NONE };
        Self::start(builder, &Context::new().with_remote_span_context(remote(before)))
    }

    fn start(builder: impl FnOnce() -> SpanBuilder, parent: &Context) -> Self {
        let Some(tracer) = TRACER.get() else { return Self::NONE };
        let span = builder().start_with_context(tracer, parent);
        let context = parent.with_span(span);
        if context.span().span_context().is_sampled() { Self(Some(context)) } else { Self::NONE }
    }

    /// Whether it is recorded.
    pub fn is_recorded(&self) -> bool {
        self.0.is_some()
    }

    /// Where it is, for what goes on later; `None` if it is not recorded.
    pub fn context(&self) -> Option<TraceContext> {
        place_of(self.0.as_ref()?)
    }

    /// Where the present step is; `None` if it is not recorded.
    pub fn present() -> Option<TraceContext> {
        TRACER.get()?;
        Context::map_current(place_of)
    }

    /// Holds a fact.
    pub fn set(&self, field: Field, value: impl Into<Value>) -> &Self {
        if let Some(context) = &self.0 {
            context.span().set_attribute(KeyValue::new(field.name(), value));
        }
        self
    }

    /// Holds an id; it is written only if the span is recorded.
    pub fn id(&self, field: Field, id: &impl ToString) -> &Self {
        if self.is_recorded() { self.set(field, id.to_string()) } else { self }
    }

    /// Points to another trace that has to do with it.
    pub fn link(&self, other: TraceContext) {
        if let Some(context) = &self.0 {
            context.span().add_link(remote(other), Vec::new());
        }
    }

    /// It failed; the code never holds what somebody wrote.
    pub fn fail(&self, code: &'static str) {
        if let Some(context) = &self.0 {
            context.span().set_status(Status::error(code));
        }
    }

    /// Does something within it.
    pub fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        let _present = self.0.clone().map(Context::attach);
        work()
    }
}

/// The time of this machine, as the receiver gets it; nothing else depends on it.
#[allow(clippy::disallowed_methods, reason = "an observation is made when it is made")]
fn now() -> SystemTime {
    SystemTime::now()
}

/// What is recorded here is recorded there too: nothing else is stored.
fn remote(place: TraceContext) -> SpanContext {
    let (trace, span) = (place.trace.get().to_be_bytes(), place.span.get().to_be_bytes());
    SpanContext::new(
        TraceId::from_bytes(trace),
        SpanId::from_bytes(span),
        TraceFlags::SAMPLED,
        true,
        TraceState::default(),
    )
}

fn place_of(context: &Context) -> Option<TraceContext> {
    let span = context.span();
    let place = span.span_context();
    if !place.is_sampled() {
        return None;
    }
    let trace = u128::from_be_bytes(place.trace_id().to_bytes()).try_into().ok()?;
    Some(TraceContext { trace, span: u64::from_be_bytes(place.span_id().to_bytes()).try_into().ok()? })
}

pin_project! {
    /// A future that runs within a span.
    #[derive(Debug)]
    pub struct InSpan<F> {
        #[pin]
        work: F,
        span: Span,
    }
}

impl<F: Future> Future for InSpan<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _present = this.span.0.clone().map(Context::attach);
        this.work.poll(context)
    }
}

/// Futures that can run within a span.
pub trait Traced: Sized {
    /// The same within a span.
    fn in_span(self, span: &Span) -> InSpan<Self> {
        InSpan { work: self, span: span.clone() }
    }
}

impl<F: Future> Traced for F {}
