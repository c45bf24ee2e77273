//! From JSON to a context pack, field by field.

use super::{
    BookingPolicy, Branding, Contact, ContextPack, Currency, Escalation, Faq, Invalid, MAX_PACK_BYTES, Money,
    Objection, OpeningHours, Policies, Provider, SalesStrategy, Service, ZoneName,
    read::{Fields, Mistakes, Node},
    shape,
};
use crate::hours::{ClockTime, Exception, ExceptionHours, Interval, Weekly};
use serde_json::Value;
use std::collections::BTreeSet;

const NAME: usize = 120;
const LINE: usize = 300;
const PARAGRAPH: usize = 2_000;
const PAGE: usize = 8_000;
const URL: usize = 2_000;

const PACK_FIELDS: [&str; 18] = [
    "displayName",
    "industry",
    "locale",
    "timezone",
    "currency",
    "contact",
    "siteOrigins",
    "branding",
    "greeting",
    "openingHours",
    "description",
    "services",
    "providers",
    "bookingPolicy",
    "salesStrategies",
    "faq",
    "policies",
    "escalation",
];

/// Reads and checks a whole pack.
pub(super) fn pack(value: &Value) -> Result<ContextPack, Vec<Invalid>> {
    let mistakes = Mistakes::default();
    let size = serde_json::to_vec(value).map_or(usize::MAX, |bytes| bytes.len());
    if size > MAX_PACK_BYTES {
        let message = format!("must be at most {MAX_PACK_BYTES} bytes of JSON, is {size}");
        mistakes.add("", "too_large", message);
        return Err(mistakes.into_inner());
    }
    let root = Node { value, pointer: String::new(), mistakes: &mistakes };
    let read = root.object(&PACK_FIELDS).and_then(|fields| read_pack(&fields));
    match (read, mistakes.into_inner()) {
        (Some(pack), wrong) if wrong.is_empty() => Ok(pack),
        (_, wrong) => Err(wrong),
    }
}

/// Every section is read before the first missing one ends the reading, so that all mistakes are seen.
fn read_pack(fields: &Fields<'_>) -> Option<ContextPack> {
    let display_name = fields.need("displayName").and_then(|node| node.text(NAME));
    let industry = fields.need("industry").and_then(|node| node.text(NAME));
    let locale = fields
        .need("locale")
        .and_then(|node| node.parsed(35, "a language tag such as es-CO", |text| text.parse().ok()));
    let timezone = fields
        .need("timezone")
        .and_then(|node| node.parsed(64, "a time zone such as America/Bogota", ZoneName::parse));
    let currency = fields
        .need("currency")
        .and_then(|node| node.parsed(3, "a currency of three capital letters such as COP", Currency::parse));
    let contact = fields.need("contact").and_then(|node| contact(&node));
    let origin =
        |node: &Node<'_>| node.parsed(URL, "an origin such as https://shop.example", |t| t.parse().ok());
    let site_origins = fields.list("siteOrigins", 20).iter().filter_map(origin).collect();
    let branding = fields.get("branding").and_then(|node| branding(&node));
    let greeting = fields.text("greeting", 600);
    let opening_hours = fields.get("openingHours").and_then(|node| opening_hours(&node));
    let description = fields.text("description", PARAGRAPH);
    let services = items(fields, "services", 300, service);
    let providers = items(fields, "providers", 100, provider);
    let booking_policy = fields.get("bookingPolicy").and_then(|node| booking_policy(&node));
    let sales_strategies = items(fields, "salesStrategies", 100, strategy);
    let faq = items(fields, "faq", 500, faq);
    let policies = fields.get("policies").and_then(|node| policies(&node));
    let escalation = fields.get("escalation").and_then(|node| escalation(&node));
    references(fields, &services, &providers);
    unique(fields, "siteOrigins", "");
    for list in ["services", "providers", "salesStrategies", "faq"] {
        unique(fields, list, "id");
    }
    Some(ContextPack {
        display_name: display_name?,
        industry: industry?,
        locale: locale?,
        timezone: timezone?,
        currency: currency?,
        contact: contact?,
        site_origins,
        branding,
        greeting,
        opening_hours,
        description,
        services,
        providers,
        booking_policy,
        sales_strategies,
        faq,
        policies,
        escalation,
    })
}

fn items<T>(fields: &Fields<'_>, name: &str, most: usize, read: impl Fn(&Node<'_>) -> Option<T>) -> Vec<T> {
    fields.list(name, most).iter().filter_map(read).collect()
}

fn id(fields: &Fields<'_>) -> Option<String> {
    fields.need("id")?.parsed(60, "lower-case letters, digits and single hyphens", shape::slug)
}

fn contact(node: &Node<'_>) -> Option<Contact> {
    let fields = node.object(&["email", "phone", "address"])?;
    let email = fields.need("email").and_then(|node| node.parsed(254, "an e-mail address", shape::email));
    let phone = fields.get("phone").and_then(|node| node.parsed(40, "a telephone number", shape::phone));
    let address = fields.text("address", LINE);
    Some(Contact { email: email?, phone, address })
}

fn branding(node: &Node<'_>) -> Option<Branding> {
    let fields = node.object(&["primaryColor", "logoUrl", "tone"])?;
    let colour = |node: Node<'_>| node.parsed(7, "a colour such as #12807A", shape::colour);
    Some(Branding {
        primary_color: fields.get("primaryColor").and_then(colour),
        logo_url: fields.get("logoUrl").and_then(|node| link(&node)),
        tone: fields.text("tone", 600),
    })
}

fn link(node: &Node<'_>) -> Option<String> {
    node.parsed(URL, "an address that begins with https://", shape::link)
}

fn opening_hours(node: &Node<'_>) -> Option<OpeningHours> {
    let fields = node.object(&["weekly", "exceptions"])?;
    let weekly = fields.need("weekly").and_then(|node| weekly(&node));
    let exceptions = exceptions(&fields);
    Some(OpeningHours { weekly: weekly?, exceptions })
}

fn weekly(node: &Node<'_>) -> Option<Weekly> {
    let fields = node.object(&["mon", "tue", "wed", "thu", "fri", "sat", "sun"])?;
    let day = |name| fields.get(name).map(|node| intervals(&node)).unwrap_or_default();
    Some(Weekly {
        mon: day("mon"),
        tue: day("tue"),
        wed: day("wed"),
        thu: day("thu"),
        fri: day("fri"),
        sat: day("sat"),
        sun: day("sun"),
    })
}

/// Intervals of a day, each forward in time and none before the end of the one before it.
fn intervals(node: &Node<'_>) -> Vec<Interval> {
    let mut end = None;
    let mut read = Vec::new();
    for item in node.list(12) {
        let times: Vec<Option<ClockTime>> = item
            .list(2)
            .iter()
            .map(|time| time.parsed(5, "a time such as 09:30", |text| text.parse().ok()))
            .collect();
        match times[..] {
            [Some(from), Some(to)] if from >= to => item.wrong("order", "must end after it begins; hours past midnight end at 24:00 and go on at 00:00 of the next day"),
            [Some(from), Some(to)] => {
                if end.is_some_and(|end| from < end) {
                    item.wrong("order", "must begin when the one before it has ended");
                }
                end = Some(to);
                read.push(Interval(from, to));
            }
            [_, _] => {}
            _ => item.wrong("format", "must be a start and an end such as [\"09:00\", \"13:30\"]"),
        }
    }
    read
}

fn exceptions(fields: &Fields<'_>) -> Vec<Exception> {
    unique(fields, "exceptions", "date");
    items(fields, "exceptions", 400, |node| {
        let fields = node.object(&["date", "closed", "hours", "reason"])?;
        let date = fields.need("date").and_then(|node| {
            node.parsed(10, "a date such as 2026-12-24", |text| {
                // jiff also reads other forms of ISO 8601; packs use one.
                text.parse::<jiff::civil::Date>().ok().filter(|date| date.to_string() == text)
            })
        });
        let reason = fields.text("reason", NAME);
        let hours = match (fields.get("closed"), fields.get("hours")) {
            (Some(closed), None) => {
                if closed.value.as_bool() != Some(true) {
                    closed.wrong("type", "must be true or absent");
                }
                ExceptionHours::Closed(true)
            }
            (None, Some(hours)) => ExceptionHours::Hours(intervals(&hours)),
            _ => {
                node.wrong("required", "must have either closed or hours");
                return None;
            }
        };
        Some(Exception { date: date?, hours, reason })
    })
}

fn service(node: &Node<'_>) -> Option<Service> {
    let fields = node.object(&[
        "id",
        "name",
        "description",
        "price",
        "durationMinutes",
        "bufferBeforeMinutes",
        "bufferAfterMinutes",
        "benefits",
        "providerIds",
    ])?;
    let id = id(&fields);
    let name = fields.need("name").and_then(|node| node.text(NAME));
    let description = fields.text("description", PARAGRAPH);
    let price = fields.get("price").and_then(|node| money(&node));
    let duration_minutes = fields.get("durationMinutes").and_then(|node| node.whole(1, 7 * 24 * 60));
    let buffer = |name| fields.get(name).and_then(|node| node.whole(0, 24 * 60));
    let (buffer_before_minutes, buffer_after_minutes) =
        (buffer("bufferBeforeMinutes"), buffer("bufferAfterMinutes"));
    let benefits = fields.texts("benefits", 20, LINE);
    let provider_ids = fields.texts("providerIds", 100, 60);
    Some(Service {
        id: id?,
        name: name?,
        description,
        price,
        duration_minutes,
        buffer_before_minutes,
        buffer_after_minutes,
        benefits,
        provider_ids,
    })
}

fn money(node: &Node<'_>) -> Option<Money> {
    let fields = node.object(&["amount", "currency"])?;
    let amount = fields.need("amount").and_then(|node| {
        let hundredths = node.value.as_f64().and_then(shape::hundredths);
        if hundredths.is_none() {
            node.wrong("range", "must be a number from 0 with at most 2 decimals");
        }
        hundredths
    });
    let currency = fields
        .need("currency")
        .and_then(|node| node.parsed(3, "a currency of three capital letters such as COP", Currency::parse));
    Some(Money { hundredths: amount?, currency: currency? })
}

fn provider(node: &Node<'_>) -> Option<Provider> {
    let fields =
        node.object(&["id", "name", "role", "services", "weeklyAvailability", "exceptions", "capacity"])?;
    let id = id(&fields);
    let name = fields.need("name").and_then(|node| node.text(NAME));
    let role = fields.text("role", LINE);
    let services = fields.texts("services", 300, 60);
    let weekly_availability =
        fields.get("weeklyAvailability").and_then(|node| weekly(&node)).unwrap_or_default();
    let exceptions = exceptions(&fields);
    let capacity = fields.get("capacity").and_then(|node| node.whole(1, 500));
    Some(Provider { id: id?, name: name?, role, services, weekly_availability, exceptions, capacity })
}

fn booking_policy(node: &Node<'_>) -> Option<BookingPolicy> {
    let fields = node.object(&["minAdvanceMinutes", "maxAdvanceDays", "cancellationHours", "slotMinutes"])?;
    let whole = |name, from, to| fields.get(name).and_then(|node| node.whole(from, to));
    Some(BookingPolicy {
        min_advance_minutes: whole("minAdvanceMinutes", 0, 365 * 24 * 60),
        max_advance_days: whole("maxAdvanceDays", 1, 730),
        cancellation_hours: whole("cancellationHours", 0, 365 * 24),
        slot_minutes: whole("slotMinutes", 1, 24 * 60),
    })
}

fn strategy(node: &Node<'_>) -> Option<SalesStrategy> {
    let fields = node.object(&["id", "service", "steps", "objections", "paymentLink"])?;
    let id = id(&fields);
    let service = fields.need("service").and_then(|node| node.text(60));
    let steps = fields.texts("steps", 20, PARAGRAPH);
    let objections = items(&fields, "objections", 30, |node| {
        let fields = node.object(&["objection", "answer"])?;
        let objection = fields.need("objection").and_then(|node| node.text(LINE));
        let answer = fields.need("answer").and_then(|node| node.text(PARAGRAPH));
        Some(Objection { objection: objection?, answer: answer? })
    });
    let payment_link = fields.get("paymentLink").and_then(|node| link(&node));
    Some(SalesStrategy { id: id?, service: service?, steps, objections, payment_link })
}

fn faq(node: &Node<'_>) -> Option<Faq> {
    let fields = node.object(&["id", "question", "alternatives", "answer"])?;
    let id = id(&fields);
    let question = fields.need("question").and_then(|node| node.text(LINE));
    let alternatives = fields.texts("alternatives", 30, LINE);
    let answer = fields.need("answer").and_then(|node| node.text(PARAGRAPH));
    Some(Faq { id: id?, question: question?, alternatives, answer: answer? })
}

fn policies(node: &Node<'_>) -> Option<Policies> {
    let fields = node.object(&["returns", "privacy"])?;
    Some(Policies { returns: fields.text("returns", PAGE), privacy: fields.text("privacy", PAGE) })
}

fn escalation(node: &Node<'_>) -> Option<Escalation> {
    let fields = node.object(&["whenToHandOff", "teamEmail"])?;
    let team_email = fields.get("teamEmail");
    Some(Escalation {
        when_to_hand_off: fields.texts("whenToHandOff", 30, LINE),
        team_email: team_email.and_then(|node| node.parsed(254, "an e-mail address", shape::email)),
    })
}

/// No two items of a list have the same text in a field, or are the same text if the field is `""`.
fn unique(fields: &Fields<'_>, list: &str, field: &str) {
    let mut seen = BTreeSet::new();
    let Some(items) = fields.get(list).and_then(|node| node.value.as_array()) else { return };
    for (at, item) in items.iter().enumerate() {
        let value = if field.is_empty() { Some(item) } else { item.get(field) };
        let Some(text) = value.and_then(Value::as_str) else { continue };
        if !seen.insert(text) {
            let step = if field.is_empty() { String::new() } else { format!("/{field}") };
            fields.mistakes.add(
                &format!("{}/{list}/{at}{step}", fields.pointer),
                "duplicate",
                "is used twice",
            );
        }
    }
}

/// What one section says of another must exist. Ids are taken from the JSON, so that a service with another mistake
/// still counts as existing.
fn references(fields: &Fields<'_>, services: &[Service], providers: &[Provider]) {
    let ids = |list: &str| -> BTreeSet<&str> {
        let items = fields.get(list).and_then(|node| node.value.as_array());
        items.into_iter().flatten().filter_map(|item| item.get("id")?.as_str()).collect()
    };
    let (service_ids, provider_ids) = (ids("services"), ids("providers"));
    let lists = |list: &str, field: &str, known: &BTreeSet<&str>| {
        for item in fields.list(list, usize::MAX) {
            let Some(named) = item.value.get(field).and_then(Value::as_array) else { continue };
            for (at, name) in named.iter().enumerate() {
                if let Some(name) = name.as_str().filter(|name| !known.contains(name)) {
                    let pointer = format!("{}/{field}/{at}", item.pointer);
                    fields.mistakes.add(&pointer, "reference", format!("there is no {name}"));
                }
            }
        }
    };
    if !services.is_empty() || !providers.is_empty() {
        lists("services", "providerIds", &provider_ids);
        lists("providers", "services", &service_ids);
    }
    if let Some(strategies) = fields.get("salesStrategies").and_then(|node| node.value.as_array()) {
        for (at, strategy) in strategies.iter().enumerate() {
            let named = strategy.get("service").and_then(Value::as_str);
            if let Some(name) = named.filter(|name| !service_ids.contains(name)) {
                let pointer = format!("{}/{at}/service", fields.at("salesStrategies"));
                fields.mistakes.add(&pointer, "reference", format!("there is no service {name}"));
            }
        }
    }
}
