//! What a visitor is greeted with, from the tenant's context pack.

use misy_domain::{Language, Locale, TenantId};
use misy_store::{StoreError, TenantTx, context_packs};
use moka::sync::Cache;
use serde_json::Value;
use std::sync::Arc;

/// What is shown before anything was said.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Welcome {
    /// The name that contacts know.
    pub display_name: String,
    /// `#RRGGBB`.
    pub primary_color: String,
    /// An https address.
    pub logo_url: Option<String>,
    /// The tenant's own first words.
    pub greeting: Option<String>,
    /// The language that the pack is written in.
    pub locale: Option<Locale>,
    /// The first questions of the FAQ.
    pub suggestions: Vec<String>,
}

const COLOUR: &str = "#2457D6";
const SUGGESTIONS: usize = 3;
/// What all welcomes together may take in memory.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// Welcomes by tenant and version of the pack.
pub(crate) struct Welcomes(Cache<TenantId, (i64, Arc<Welcome>)>);

impl Default for Welcomes {
    fn default() -> Self {
        let weigh = |tenant: &TenantId, (_, welcome): &(i64, Arc<Welcome>)| {
            u32::try_from(tenant.as_str().len() + welcome.bytes()).unwrap_or(u32::MAX)
        };
        Self(Cache::builder().weigher(weigh).max_capacity(MOST_BYTES).build())
    }
}

impl Welcomes {
    /// The welcome of the tenant of the transaction.
    pub(crate) async fn of(&self, tx: &mut TenantTx) -> Result<Arc<Welcome>, StoreError> {
        let tenant = tx.tenant().clone();
        let version = context_packs::current_version(tx).await?;
        if let Some((known, welcome)) = self.0.get(&tenant)
            && known == version
        {
            return Ok(welcome);
        }
        let stored = context_packs::current(tx).await?;
        let pack = stored.map(|stored| stored.pack).unwrap_or_default();
        let welcome = Arc::new(Welcome::of_pack(&pack, &tenant));
        self.0.insert(tenant, (version, welcome.clone()));
        Ok(welcome)
    }
}

impl Welcome {
    fn of_pack(pack: &Value, tenant: &TenantId) -> Self {
        let text = |pointer: &str| pack.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let questions = pack["faq"].as_array().into_iter().flatten();
        Self {
            display_name: text("/displayName").unwrap_or_else(|| tenant.to_string()),
            primary_color: text("/branding/primaryColor").unwrap_or_else(|| COLOUR.to_owned()),
            logo_url: text("/branding/logoUrl"),
            greeting: text("/greeting"),
            locale: text("/locale").and_then(|locale| locale.parse().ok()),
            suggestions: questions
                .filter_map(|faq| faq["question"].as_str().map(str::to_owned))
                .take(SUGGESTIONS)
                .collect(),
        }
    }

    /// What it takes in memory, about.
    fn bytes(&self) -> usize {
        let texts = [&self.display_name, &self.primary_color].into_iter().chain(&self.logo_url);
        let texts = texts.chain(&self.greeting).chain(&self.suggestions);
        size_of::<Self>() + texts.map(|text| size_of::<String>() + text.len()).sum::<usize>()
    }

    /// The language to speak to a visitor who prefers a locale.
    pub(crate) fn language(&self, preferred: Option<&Locale>) -> Language {
        let of = |locale: Option<&Locale>| locale.and_then(Locale::language);
        of(preferred).or_else(|| of(self.locale.as_ref())).unwrap_or(Language::En)
    }

    /// The first words in a language: the tenant's own if they are in it.
    pub(crate) fn greeting_in(&self, language: Language) -> String {
        let own = self.locale.as_ref().and_then(Locale::language) == Some(language);
        if let (true, Some(greeting)) = (own, &self.greeting) {
            return greeting.clone();
        }
        let name = &self.display_name;
        match language {
            Language::Es => format!("¡Hola! Soy el asistente virtual de {name}. ¿En qué puedo ayudarte?"),
            Language::En => format!("Hello! I am the virtual assistant of {name}. How can I help you?"),
            Language::Pt => format!("Olá! Sou o assistente virtual de {name}. Como posso ajudar?"),
        }
    }
}

/// Says that no person answers.
pub(crate) fn ai_disclosure(language: Language) -> &'static str {
    match language {
        Language::Es => {
            "Te responde un asistente con inteligencia artificial. Puede equivocarse; puedes pedir hablar con una persona."
        }
        Language::En => {
            "An AI assistant answers you. It can make mistakes; you may ask for a person at any time."
        }
        Language::Pt => {
            "Quem responde é um assistente com inteligência artificial. Ele pode errar; você pode pedir para falar com uma pessoa."
        }
    }
}
