//! The pack that a newly provisioned tenant starts with.

use super::{
    BookingPolicy, Branding, Contact, ContextPack, Currency, Escalation, Faq, OpeningHours, Policies,
    ZoneName,
};
use crate::{
    Language, Locale, Origin,
    hours::{ClockTime, Interval, Weekly},
};

/// The words of a language's starter pack; `{name}`, `{email}` and `{site}` are filled in.
struct Words {
    greeting: &'static str,
    tone: &'static str,
    faq: [(&'static str, &'static str, &'static [&'static str], &'static str); 3],
    hand_off: [&'static str; 3],
    privacy: &'static str,
}

pub(super) fn pack(
    name: &str,
    email: &str,
    website: &str,
    industry: &str,
    locale: &Locale,
    timezone: ZoneName,
) -> ContextPack {
    let language = locale.language().unwrap_or(Language::En);
    let words = words(language);
    let fill = |text: &str| text.replace("{name}", name).replace("{email}", email).replace("{site}", website);
    let faq = words.faq.iter().map(|(id, question, alternatives, answer)| Faq {
        id: (*id).to_owned(),
        question: fill(question),
        alternatives: alternatives.iter().map(|text| fill(text)).collect(),
        answer: fill(answer),
    });
    ContextPack {
        display_name: name.to_owned(),
        industry: industry.to_owned(),
        locale: locale.clone(),
        timezone,
        currency: currency(locale),
        contact: Contact { email: email.to_owned(), phone: None, address: None },
        site_origins: Origin::of_url(website).ok().into_iter().collect(),
        branding: Some(Branding { primary_color: None, logo_url: None, tone: Some(words.tone.to_owned()) }),
        greeting: Some(fill(words.greeting)),
        opening_hours: Some(OpeningHours { weekly: office_week(), exceptions: Vec::new() }),
        description: None,
        services: Vec::new(),
        providers: Vec::new(),
        booking_policy: Some(BookingPolicy {
            min_advance_minutes: Some(60),
            max_advance_days: Some(60),
            cancellation_hours: Some(24),
            slot_minutes: Some(30),
        }),
        sales_strategies: Vec::new(),
        faq: faq.collect(),
        policies: Some(Policies { returns: None, privacy: Some(fill(words.privacy)) }),
        escalation: Some(Escalation {
            when_to_hand_off: words.hand_off.iter().map(|text| (*text).to_owned()).collect(),
            team_email: Some(email.to_owned()),
        }),
    }
}

/// Monday to Friday, 9 to 18.
fn office_week() -> Weekly {
    let times = ClockTime::new(9, 0).zip(ClockTime::new(18, 0));
    let day: Vec<Interval> = times.into_iter().map(|(from, to)| Interval(from, to)).collect();
    Weekly {
        mon: day.clone(),
        tue: day.clone(),
        wed: day.clone(),
        thu: day.clone(),
        fri: day,
        sat: Vec::new(),
        sun: Vec::new(),
    }
}

/// The usual currency of a locale's region; US dollars where it is not known. The tenant can change it.
fn currency(locale: &Locale) -> Currency {
    let region = locale.as_str().rsplit('-').next().unwrap_or_default().to_ascii_uppercase();
    let code = match region.as_str() {
        "CO" => *b"COP",
        "CL" => *b"CLP",
        "MX" => *b"MXN",
        "AR" => *b"ARS",
        "PE" => *b"PEN",
        "UY" => *b"UYU",
        "BR" => *b"BRL",
        "ES" | "PT" | "DE" | "FR" | "IT" | "IE" => *b"EUR",
        "GB" => *b"GBP",
        "CA" => *b"CAD",
        "AU" => *b"AUD",
        _ => *b"USD",
    };
    Currency(code)
}

fn words(language: Language) -> Words {
    match language {
        Language::Es => Words {
            greeting: "¡Hola! Soy el asistente virtual de {name}. ¿En qué puedo ayudarle?",
            tone: "Cercano y claro, de usted. Frases cortas.",
            faq: [
                (
                    "contacto",
                    "¿Cómo puedo contactar a {name}?",
                    &["¿Cuál es el correo?", "¿A dónde puedo escribir?"],
                    "Puede escribirnos a {email} o visitar {site}.",
                ),
                (
                    "horario",
                    "¿Cuál es el horario de atención?",
                    &["¿A qué hora abren?", "¿Qué días atienden?"],
                    "Atendemos de lunes a viernes de 9:00 a 18:00.",
                ),
                (
                    "asistente-virtual",
                    "¿Hablo con una persona o con un robot?",
                    &["¿Es un bot?", "¿Es inteligencia artificial?"],
                    "Habla con el asistente virtual de {name}, un sistema automático. Si prefiere, aviso a una persona del equipo.",
                ),
            ],
            hand_off: [
                "La persona pide hablar con alguien del equipo.",
                "Presenta un reclamo o menciona acciones legales.",
                "El asistente no encontró respuesta dos veces seguidas.",
            ],
            privacy: "{name} usa los datos de contacto solo para responder y prestar el servicio. Para consultarlos, corregirlos o borrarlos, escriba a {email}.",
        },
        Language::En => Words {
            greeting: "Hi! I'm the virtual assistant of {name}. How can I help?",
            tone: "Friendly and clear. Short sentences.",
            faq: [
                (
                    "contact",
                    "How can I contact {name}?",
                    &["What is your email?", "Where can I write to you?"],
                    "Write to us at {email} or visit {site}.",
                ),
                (
                    "hours",
                    "What are your opening hours?",
                    &["What time do you open?", "Which days are you open?"],
                    "We are open Monday to Friday from 9 a.m. to 6 p.m.",
                ),
                (
                    "virtual-assistant",
                    "Am I talking to a person or a bot?",
                    &["Are you a robot?", "Is this artificial intelligence?"],
                    "You are talking to the virtual assistant of {name}, an automated system. If you prefer, I can let a person know.",
                ),
            ],
            hand_off: [
                "The customer asks for a person.",
                "The customer complains or mentions legal action.",
                "The assistant found no answer twice in a row.",
            ],
            privacy: "{name} uses contact details only to answer and to provide its service. To see, correct or delete them, write to {email}.",
        },
        Language::Pt => Words {
            greeting: "Olá! Sou o assistente virtual de {name}. Como posso ajudar?",
            tone: "Leve e claro, trata por você. Frases curtas.",
            faq: [
                (
                    "contato",
                    "Como posso falar com {name}?",
                    &["Qual é o e-mail de vocês?", "Para onde posso escrever?"],
                    "Escreva para {email} ou visite {site}.",
                ),
                (
                    "horario",
                    "Qual é o horário de atendimento?",
                    &["Que horas vocês abrem?", "Em que dias atendem?"],
                    "Atendemos de segunda a sexta, das 9h às 18h.",
                ),
                (
                    "assistente-virtual",
                    "Estou falando com uma pessoa ou com um robô?",
                    &["Você é um robô?", "É inteligência artificial?"],
                    "Você fala com o assistente virtual de {name}, um sistema automático. Se preferir, aviso uma pessoa da equipe.",
                ),
            ],
            hand_off: [
                "O cliente pede para falar com uma pessoa.",
                "O cliente faz uma reclamação ou menciona medidas legais.",
                "O assistente não encontrou resposta duas vezes seguidas.",
            ],
            privacy: "{name} usa os dados de contato só para responder e prestar o serviço. Para ver, corrigir ou apagar seus dados, escreva para {email}.",
        },
    }
}
