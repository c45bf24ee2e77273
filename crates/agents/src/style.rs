//! Persona by industry, tone and format by channel: the rules are data in `data/style.json`.

use crate::text::tokens::fold;
use misy_domain::{Channel, ContextPack};
use serde::Deserialize;
use std::{collections::BTreeMap, sync::LazyLock};

static RULES: LazyLock<Rules> =
    LazyLock::new(|| serde_json::from_str(include_str!("../data/style.json")).unwrap_or_default());

#[derive(Debug, Default, Deserialize)]
struct Rules {
    personas: Vec<Persona>,
    default: Persona,
    channels: BTreeMap<String, ChannelStyle>,
}

#[derive(Debug, Default, Deserialize)]
struct Persona {
    name: String,
    #[serde(default)]
    words: Vec<String>,
    says: String,
}

/// How text is written on a channel.
#[derive(Debug, Default, Clone, Deserialize)]
pub(crate) struct ChannelStyle {
    pub(crate) format: String,
    pub(crate) tone: String,
    pub(crate) characters: usize,
    pub(crate) bold: bool,
    pub(crate) letter: bool,
    /// Whether what shows messages there shows buttons too; elsewhere choices also stand in the text, with numbers.
    #[serde(default)]
    pub(crate) buttons: bool,
}

/// How contacts are addressed in Spanish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Address {
    /// tú
    Familiar,
    /// usted
    Formal,
}

/// The style of a turn and why.
#[derive(Debug)]
pub(crate) struct Style {
    pub(crate) persona: String,
    pub(crate) tone: String,
    pub(crate) channel: &'static ChannelStyle,
    pub(crate) address: Address,
    pub(crate) rules: Vec<String>,
}

/// Used if the rules know no such channel.
static PLAIN: LazyLock<ChannelStyle> = LazyLock::new(|| ChannelStyle {
    format: "plain".to_owned(),
    tone: "neutral".to_owned(),
    characters: 900,
    ..ChannelStyle::default()
});

/// The style for a pack on a channel.
pub(crate) fn style(pack: &ContextPack, channel: Channel) -> Style {
    let industry = fold(&pack.industry);
    let fits = |word: &String| {
        let word = fold(word);
        industry.split(|c: char| !c.is_alphanumeric() && c != '-').any(|own| own.starts_with(&word))
    };
    let found =
        RULES.personas.iter().find_map(|persona| Some((persona, persona.words.iter().find(|w| fits(w))?)));
    let (persona, why) = match found {
        Some((persona, word)) => {
            (persona, format!("persona: {} because the industry says {word:?}", persona.name))
        }
        None => {
            (&RULES.default, format!("persona: {} because no rule fits the industry", RULES.default.name))
        }
    };
    let own_tone = pack.branding.as_ref().and_then(|branding| branding.tone.as_deref());
    let folded = own_tone.map(fold).unwrap_or_default();
    let familiar = ["de tu", "tuteo", "tutea", "de vos", "voseo"].iter().any(|sign| folded.contains(sign));
    let (address, form) = if familiar { (Address::Familiar, "tú") } else { (Address::Formal, "usted") };
    let channel_style = RULES.channels.get(channel.as_str()).unwrap_or(&PLAIN);
    let mut tone = channel_style.tone.clone();
    if let Some(own) = own_tone {
        tone = format!("{tone}; {own}");
    }
    let rules = vec![
        why,
        format!("tone: {} on {}, addressed as {form} in Spanish", channel_style.tone, channel.as_str()),
        format!("format: {} on {}", channel_style.format, channel.as_str()),
    ];
    Style {
        persona: format!("{}: {}", persona.name, persona.says),
        tone,
        channel: channel_style,
        address,
        rules,
    }
}
