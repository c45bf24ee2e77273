//! How values look in JSON, for the description of the API. Types of several members derive it; those that are one text stand here.

#[doc(hidden)]
pub use utoipa;

use crate::{
    DomainName, EmailAddress, Id, Language, Locale, Origin, Permission, Permissions, SiteId, TenantId,
    action::Action,
    context_pack::{Currency, Money, ZoneName},
    hours::{ClockTime, Interval},
    id::Named,
    words::Words,
};
use std::borrow::Cow;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        KnownFormat, RefOr, SchemaFormat,
        schema::{ArrayBuilder, ArrayItems, ObjectBuilder, Schema, Type},
    },
};

type Schemas = Vec<(String, RefOr<Schema>)>;

/// The schema of an enum of words: its texts, and what each means.
pub fn of_words<W: Words>() -> RefOr<Schema> {
    words(W::ABOUT, W::MEANINGS)
}

fn words(about: &[&str], meanings: &[(&str, &[&str])]) -> RefOr<Schema> {
    let told = |lines: &[&str]| lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
    let mut description = told(about);
    if meanings.iter().any(|(_, meaning)| !meaning.is_empty()) {
        description.push('\n');
        for (text, meaning) in meanings {
            description.push_str(&format!("\n- `{text}`: {}", told(meaning)));
        }
    }
    text(&description).enum_values(Some(meanings.iter().map(|(text, _)| *text))).into()
}

fn text(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).description(Some(description))
}

fn shaped(description: &str, pattern: &str, example: &str) -> ObjectBuilder {
    text(description).pattern(Some(pattern)).examples([example])
}

/// Types that are one text, each with its schema.
macro_rules! texts {
    ($($type:ident: $schema:expr;)*) => {
        $(
            impl PartialSchema for $type {
                fn schema() -> RefOr<Schema> {
                    $schema.into()
                }
            }

            impl ToSchema for $type {
                fn name() -> Cow<'static, str> {
                    Cow::Borrowed(stringify!($type))
                }
            }
        )*
    };
}

const SLUG: &str = "^[a-z](-?[a-z0-9])+$";

texts! {
    TenantId: shaped("The slug of a tenant: chosen once, never changed, never used again.", SLUG, "andina")
        .max_length(Some(40));
    SiteId: shaped("The slug of a site within its tenant.", SLUG, "main").max_length(Some(40));
    Origin: shaped(
        "A web origin as browsers write it: lower case, without path, trailing slash or default port; `http` only on one's own machine.",
        "^https?://[^/?#@ ]+$",
        "https://andina.example",
    );
    Locale: shaped("A language tag (BCP 47): a language and perhaps a region.", "^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", "es-CO")
        .max_length(Some(35));
    EmailAddress: text("An e-mail address.").format(Some(SchemaFormat::KnownFormat(KnownFormat::Email)));
    DomainName: shaped("A domain name in lower case.", "^[a-z0-9.-]+$", "business.example").max_length(Some(253));
    ZoneName: text("An IANA time zone.").examples(["America/Bogota"]);
    Currency: shaped("A currency (ISO 4217).", "^[A-Z]{3}$", "COP");
    ClockTime: shaped("A time of day, to the minute; `24:00` ends a day.", "^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$", "09:30");
    Action: of_words::<Self>();
    Permission: of_words::<Self>();
    Language: text("A language that Misy speaks (ISO 639-1).").enum_values(Some(Self::ALL.map(Self::code)));
}

impl<N: Named> PartialSchema for Id<N> {
    fn schema() -> RefOr<Schema> {
        let (prefix, name) = (N::PREFIX, Self::name());
        // 26 digits of base 32 hold 130 bits: the first has three of its five.
        let pattern = format!("^{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$");
        let of = name.trim_end_matches("Id");
        shaped(&format!("The id of one {of}."), &pattern, &format!("{prefix}_01k9z3v5d2m8q4x7c1b6n0f9gh"))
            .into()
    }
}

impl<N: Named> ToSchema for Id<N> {
    fn name() -> Cow<'static, str> {
        let kind = std::any::type_name::<N>().rsplit("::").next().unwrap_or_default();
        Cow::Owned(format!("{kind}Id"))
    }
}

impl PartialSchema for Permissions {
    fn schema() -> RefOr<Schema> {
        ArrayBuilder::new()
            .items(utoipa::openapi::Ref::from_schema_name(Permission::name()))
            .unique_items(true)
            .into()
    }
}

impl ToSchema for Permissions {
    fn schemas(schemas: &mut Schemas) {
        schemas.push((Permission::name().into_owned(), Permission::schema()));
    }
}

impl PartialSchema for Interval {
    fn schema() -> RefOr<Schema> {
        let time = || Schema::from(ObjectBuilder::new().schema_type(Type::String));
        ArrayBuilder::new()
            .description(Some("From one time to a later one of the same day."))
            .items(ArrayItems::False)
            .prefix_items([time(), time()])
            .examples([serde_json::json!(["09:00", "13:30"])])
            .into()
    }
}

impl ToSchema for Interval {}

impl PartialSchema for Money {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .description(Some("A price in major units, with at most two decimals."))
            .property("amount", ObjectBuilder::new().schema_type(Type::Number).minimum(Some(0)))
            .required("amount")
            .property("currency", utoipa::openapi::Ref::from_schema_name(Currency::name()))
            .required("currency")
            .additional_properties(Some(utoipa::openapi::schema::AdditionalProperties::FreeForm(false)))
            .into()
    }
}

impl ToSchema for Money {
    fn schemas(schemas: &mut Schemas) {
        schemas.push((Currency::name().into_owned(), Currency::schema()));
    }
}
