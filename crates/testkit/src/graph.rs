//! Meta's Graph API as far as WhatsApp, Messenger and Instagram need it, for tests: it checks what it is sent as the vendor does,
//! answers as it does, and signs what it tells.

mod page;

pub use page::Page;

use crate::{
    receiver::{Reaction, Received, Receiver},
    store::{TestStore, TestTenant},
};
use misy_channels::meta::{SIGNATURE_HEADER, app_secret_proof};
use misy_domain::{Channel, ChannelAccountId, Clock, Content, Permissions, Secret, TenantId, Timestamp};
use misy_store::{
    StoreError, TenantKeys,
    channels::{self, Business, Credentials, NewAccount, Reopening},
};
use misy_trust::access::Reach;
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, PoisonError},
};

/// A number as the vendor knows it, and what proves who has it.
#[derive(Debug, Clone)]
pub struct Number {
    /// Its id.
    pub id: String,
    /// The business that it belongs to.
    pub business: String,
    /// What calls carry.
    pub token: String,
    /// The secret of the app.
    pub app_secret: String,
}

impl Default for Number {
    fn default() -> Self {
        Self {
            id: "200000000000002".to_owned(),
            business: "100000000000001".to_owned(),
            token: "EAAexampletoken".to_owned(),
            app_secret: "example_app_secret_000000000000000".to_owned(),
        }
    }
}

/// What the vendor does with a message in the place of taking it.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Refuses it with a code, under a status.
    Refuse(u16, i64),
    /// The same with a subcode.
    RefuseAs(u16, i64, i64),
    /// Does what a receiver can do.
    React(Reaction),
    /// Takes it, and hangs up before the answer is said.
    TakeAndHangUp,
}

/// The vendor, on a port of this machine.
pub struct Graph {
    /// Where it is, with its version.
    pub url: String,
    receiver: Receiver,
    faults: Arc<Mutex<VecDeque<Fault>>>,
    number: Number,
    page: Page,
}

impl Graph {
    /// A vendor that has one number and one page.
    pub async fn start() -> io::Result<Self> {
        Self::with(Number::default()).await
    }

    /// A vendor that has this number.
    pub async fn with(number: Number) -> io::Result<Self> {
        let faults = Arc::<Mutex<VecDeque<Fault>>>::default();
        let page = Page { app_secret: number.app_secret.clone(), ..Page::default() };
        let (queue, known) = (faults.clone(), (number.clone(), page.clone()));
        let receiver = Receiver::start(move |at, received| answer(&known, &queue, at, received)).await?;
        let url = format!("{}/v25.0", receiver.url.trim_end_matches("/misy"));
        Ok(Self { url, receiver, faults, number, page })
    }

    /// The number.
    pub fn number(&self) -> &Number {
        &self.number
    }

    /// The page.
    pub fn page(&self) -> &Page {
        &self.page
    }

    /// Has the next messages meet these.
    pub fn next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).extend(faults);
    }

    /// Waits until so many messages were sent, taken or not.
    pub async fn until(&self, number: usize) -> Vec<Value> {
        let mut all = 0;
        loop {
            let sent = self.sent();
            if sent.len() >= number {
                return sent;
            }
            all += 1;
            self.receiver.until(all).await;
        }
    }

    /// The messages that were sent, taken or not.
    pub fn sent(&self) -> Vec<Value> {
        self.outgoing().into_iter().map(|(_, body)| body).collect()
    }

    /// The same, each with the id that the vendor gives it.
    pub fn outgoing(&self) -> Vec<(String, Value)> {
        let got = self.receiver.got();
        let all = got.iter().enumerate().filter(|(_, one)| is_message(one));
        all.map(|(at, one)| (id_of(at, one), one.json())).collect()
    }

    /// What the vendor was told to show: that something was read, and that an answer is being written.
    pub fn signs(&self) -> Vec<Value> {
        let got = self.receiver.got();
        got.iter()
            .filter(|one| one.target.contains("/messages?") && !is_message(one))
            .map(Received::json)
            .collect()
    }

    /// What the vendor tells, as it stands in a body with its signature: characters beyond ASCII escaped, and slashes too.
    pub fn told(&self, value: &Value) -> (&'static str, String, String) {
        signed(&self.number, value)
    }

    /// The signature of a body as it stands, with the name of its header.
    pub fn signature(&self, body: &str) -> (&'static str, String) {
        (SIGNATURE_HEADER, tag(&self.number, body))
    }

    /// A body that tells of things on the number: `messages` or `statuses`.
    pub fn event(&self, kind: &str, all: &[Value]) -> Value {
        let mut value = json!({
            "messaging_product": "whatsapp",
            "metadata": { "display_phone_number": "15550001111", "phone_number_id": self.number.id },
        });
        value[kind] = json!(all);
        json!({
            "object": "whatsapp_business_account",
            "entry": [{ "id": self.number.business, "changes": [{ "field": "messages", "value": value }] }],
        })
    }
}

/// A text that somebody wrote at a time.
pub fn wrote(from: &str, id: &str, text: &str, at: Timestamp) -> Value {
    json!({ "from": from, "id": id, "timestamp": at.as_second().to_string(), "type": "text", "text": { "body": text } })
}

/// How a message fares that was sent.
pub fn status(sent: &Value, vendor_id: &str, status: &str, code: Option<i64>) -> Value {
    let mut told = json!({
        "id": vendor_id, "status": status, "timestamp": "1700000005", "recipient_id": "15550002222",
        "biz_opaque_callback_data": sent["biz_opaque_callback_data"],
    });
    if let Some(code) = code {
        told["errors"] = json!([{ "code": code, "title": "x" }]);
    }
    told
}

/// The id that the vendor gives the n-th call, from 0.
pub fn vendor_id(at: usize) -> String {
    format!("wamid.OUT{at}")
}

fn signed(number: &Number, value: &Value) -> (&'static str, String, String) {
    let mut body = String::new();
    for letter in value.to_string().chars() {
        match letter {
            '/' => body.push_str("\\/"),
            letter if letter.is_ascii() => body.push(letter),
            letter => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    body.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    (SIGNATURE_HEADER, tag(number, &body), body)
}

fn tag(number: &Number, body: &str) -> String {
    let tag = app_secret_proof(&Secret::new(number.app_secret.clone()), &Secret::new(body.to_owned()));
    format!("sha256={tag}")
}

/// The id that the vendor gives what the n-th call, from 0, sends.
fn id_of(at: usize, received: &Received) -> String {
    if received.json()["messaging_product"].is_null() { page::id_of(at) } else { vendor_id(at) }
}

/// Whether a call sends something, and does not tell that something was read or is being written.
fn is_message(received: &Received) -> bool {
    let body = received.json();
    let is_sign = body["sender_action"].as_str().is_some_and(|action| !action.ends_with("react"));
    received.target.contains("/messages?") && body["status"].is_null() && !is_sign
}

fn error(status: u16, code: i64, subcode: Option<i64>) -> Reaction {
    let error =
        json!({ "error": { "message": format!("(#{code})"), "code": code, "error_subcode": subcode } });
    Reaction::Answer(status, error.to_string())
}

fn ok(value: &Value) -> Reaction {
    Reaction::Answer(200, value.to_string())
}

fn answer(
    (number, page): &(Number, Page),
    faults: &Mutex<VecDeque<Fault>>,
    at: usize,
    received: &Received,
) -> Reaction {
    let token = received.header("authorization").trim_start_matches("Bearer ");
    let secret = match token {
        token if token == number.token => &number.app_secret,
        token if token == page.token => &page.app_secret,
        _ => return error(401, 190, None),
    };
    let (path, query) = received.target.split_once('?').unwrap_or((&received.target, ""));
    let proof = app_secret_proof(&Secret::new(secret.clone()), &Secret::new(token.to_owned()));
    if !query.split('&').any(|pair| pair == format!("appsecret_proof={proof}")) {
        return error(400, 100, None);
    }
    let path = path.trim_start_matches("/v25.0/");
    let reaction = if token == number.token {
        number_answer(number, path, at, received)
    } else {
        page.answer(path, query, at, received)
    };
    // Only what would be taken meets a fault.
    let is_taken = matches!(reaction, Reaction::Answer(200, _)) && is_message(received);
    let fault = is_taken.then(|| faults.lock().unwrap_or_else(PoisonError::into_inner).pop_front());
    match fault.flatten() {
        None => reaction,
        Some(Fault::Refuse(status, code)) => error(status, code, None),
        Some(Fault::RefuseAs(status, code, subcode)) => error(status, code, Some(subcode)),
        Some(Fault::React(other)) => other,
        Some(Fault::TakeAndHangUp) => Reaction::HangUp,
    }
}

fn number_answer(number: &Number, path: &str, at: usize, received: &Received) -> Reaction {
    if path == number.id {
        return ok(
            &json!({ "id": number.id, "display_phone_number": "+1 555 000 1111", "quality_rating": "GREEN" }),
        );
    }
    if path == format!("{}/phone_numbers", number.business) {
        return ok(&json!({ "data": [{ "id": number.id }] }));
    }
    if path == format!("{}/message_templates", number.business) {
        return templates(received);
    }
    if path != format!("{}/messages", number.id) {
        return error(400, 100, Some(33));
    }
    let body = received.json();
    if body["status"] == "read" {
        let is_whole = body["message_id"].is_string() && body["typing_indicator"]["type"] == "text";
        return if is_whole { ok(&json!({ "success": true })) } else { error(400, 100, None) };
    }
    match fault_of(&body) {
        Some(code) => error(400, code, None),
        None => ok(&json!({ "messaging_product": "whatsapp", "messages": [{ "id": vendor_id(at) }] })),
    }
}

/// One template is approved. Whoever makes another waits for that, and cannot make the same again.
fn templates(received: &Received) -> Reaction {
    let body = received.json();
    if body.is_null() {
        let one = json!({ "name": "we_have_an_answer", "language": "es_CO", "status": "APPROVED", "category": "UTILITY",
                          "components": [{ "type": "BODY", "text": "Tenemos una respuesta." }], "id": "1" });
        return ok(&json!({ "data": [one], "paging": {} }));
    }
    let is_whole =
        body["components"].as_array().is_some_and(|all| all.iter().any(|one| one["type"] == "BODY"));
    if !is_whole || body["name"] == "we_have_an_answer" {
        return error(400, 100, None);
    }
    ok(&json!({ "id": "2", "status": "PENDING", "category": body["category"] }))
}

/// What the vendor does not take of a message, by its code.
fn fault_of(body: &Value) -> Option<i64> {
    let kind = body["type"].as_str()?;
    let to = body["to"].as_str();
    let is_addressed = to.is_some_and(|to| to.starts_with('+')) || body["recipient"].is_string();
    let text = body["text"]["body"].as_str().map(|text| text.encode_utf16().count());
    let is_whole = body["messaging_product"] == "whatsapp" && is_addressed && body[kind].is_object();
    if !is_whole {
        return Some(131_008);
    }
    (kind == "text" && !text.is_some_and(|length| (1..=4_096).contains(&length))).then_some(131_009)
}

/// An account as it is connected.
struct Connected<'a> {
    channel: Channel,
    id: &'a str,
    token: &'a str,
    app_secret: &'a str,
    business: Business,
}

impl TestStore {
    /// An account of a tenant for the vendor's number.
    pub async fn number(
        &self,
        tenant: &TestTenant,
        graph: &Graph,
        reopening: Option<Reopening>,
    ) -> Result<ChannelAccountId, StoreError> {
        self.number_of(&tenant.id, &tenant.keys, graph, reopening).await
    }

    /// The same, of any tenant.
    pub async fn number_of(
        &self,
        tenant: &TenantId,
        keys: &TenantKeys,
        graph: &Graph,
        reopening: Option<Reopening>,
    ) -> Result<ChannelAccountId, StoreError> {
        let number = &graph.number;
        let connected = Connected {
            channel: Channel::Whatsapp,
            id: &number.id,
            token: &number.token,
            app_secret: &number.app_secret,
            business: Business {
                business_account_id: number.business.clone(),
                reopening,
                human_agent: false,
            },
        };
        self.connected(tenant, keys, &connected).await
    }

    async fn connected(
        &self,
        tenant: &TenantId,
        keys: &TenantKeys,
        connected: &Connected<'_>,
    ) -> Result<ChannelAccountId, StoreError> {
        let account_id = ChannelAccountId::new(&*self.clock, &*self.entropy);
        let given = Reach::of_operator().give(Permissions::anonymous_chat());
        let given = given.map_err(|_| StoreError::Refused("Nobody could give that."))?;
        let new = NewAccount {
            account_id,
            channel: connected.channel,
            vendor_account_id: connected.id,
            name: "Reception",
            permissions: &given,
            callback_url: None,
            made_by: "usr_1",
        };
        let credentials = Credentials {
            access_token: Secret::new(connected.token.to_owned()),
            app_secret: Secret::new(connected.app_secret.to_owned()),
            old_app_secret: None,
            verify_token: Secret::new("verify".to_owned()),
        };
        let mut tx = self.database.tenant("test.connected", tenant).await?;
        channels::create(&mut tx, keys, &new, self.clock.now(), &*self.entropy).await?;
        channels::set_credentials(&mut tx, keys, account_id, &credentials, &*self.entropy).await?;
        channels::set_business(&mut tx, account_id, &connected.business).await?;
        tx.commit().await?;
        Ok(account_id)
    }

    /// An account of a tenant for the vendor's page: of Messenger, or of the Instagram that is linked to it.
    pub async fn page(
        &self,
        tenant: &TestTenant,
        graph: &Graph,
        channel: Channel,
        human_agent: bool,
    ) -> Result<ChannelAccountId, StoreError> {
        let page = &graph.page;
        let connected = Connected {
            channel,
            id: page.account(channel),
            token: &page.token,
            app_secret: &page.app_secret,
            business: Business { business_account_id: page.id.clone(), reopening: None, human_agent },
        };
        self.connected(&tenant.id, &tenant.keys, &connected).await
    }

    /// Somebody writes to a number at a time, as the vendor tells it.
    pub async fn hears(
        &self,
        tenant: &TestTenant,
        account: ChannelAccountId,
        from: &str,
        id: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.hears_on(tenant, account, Channel::Whatsapp, from, id, at).await
    }

    /// The same on any channel.
    pub async fn hears_on(
        &self,
        tenant: &TestTenant,
        account: ChannelAccountId,
        channel: Channel,
        from: &str,
        id: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let content = Content::text("Hola");
        let conversation = self.pass_on_at(tenant, account, channel, from, id, &content, at).await?;
        let mut tx = self.database.tenant("test.heard", &tenant.id).await?;
        misy_store::deliveries::heard(&mut tx, account, &[conversation]).await?;
        tx.commit().await
    }
}
