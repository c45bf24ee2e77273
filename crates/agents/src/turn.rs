//! One turn of a conversation.

use crate::{
    Candidate, CompiledPack, Decision, Intent, Outcome,
    answer::{Desk, Draft},
    booking::{self, Form, Said, Settled},
    budget::{Budget, Spent},
    catalogue::{Way, built_in},
    choice,
    escalation::{Reason, category, over_limit},
    meaning::{self, Head, Judge, Reading},
    reply::{
        phrases::say,
        write::{self, Block, quoted},
    },
    style::{Address, style},
    text::language::{Prior, detect},
    understanding::{Understanding, context::understand_after, model::Model},
};
use misy_domain::{
    Channel, Language, Locale, MessageId, Permission, Permissions, Reply, Role, Source, Timestamp,
    decision::{MOST_CANDIDATES, Stage},
    message::Reference,
};

/// A message of the contact that waits for an answer.
#[derive(Debug, Clone, Copy)]
pub struct InboundText<'a> {
    /// Its id.
    pub message_id: MessageId,
    /// What it says; untrusted.
    pub text: &'a str,
    /// What the button stands for that it presses, if it does.
    pub pressed: Option<&'a Reference>,
}

/// A message that was already answered.
#[derive(Debug, Clone)]
pub struct HistoryItem {
    /// Who wrote it.
    pub role: Role,
    /// What it says.
    pub text: String,
    /// The agent that wrote it, if one did.
    pub agent_name: Option<String>,
    /// What it offered to choose from.
    pub offered: Vec<Offered>,
}

/// Something that a message offered to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// What stood on it.
    pub title: String,
    /// The approved answer that it stands for, by its id, if it stands for one.
    pub faq: Option<String>,
}

/// Everything a turn may know.
#[derive(Debug, Clone, Copy)]
pub struct TurnInput<'a> {
    /// The tenant's knowledge.
    pub pack: &'a CompiledPack,
    /// Where the contact writes.
    pub channel: Channel,
    /// The locale the client gave when it opened the session.
    pub locale: Option<&'a Locale>,
    /// The language of the conversation so far.
    pub session_language: Option<Language>,
    /// All messages that wait, oldest first.
    pub messages: &'a [InboundText<'a>],
    /// What was said before, oldest first; the last 20 are enough.
    pub history: &'a [HistoryItem],
    /// What was settled so far of a booking, if something was.
    pub form: Option<&'a Form>,
    /// What the session's token allows.
    pub permissions: &'a Permissions,
    /// Whether a person has taken over.
    pub handed_off: bool,
    /// How many turns in a row ended without an answer.
    pub unanswered_in_a_row: u8,
    /// The present.
    pub now: Timestamp,
}

/// A person is asked to take over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handoff {
    /// Why, as a code: `asked`, `complaint`, `legal`, `safety`, `security`, `charge`, `rule`, `unanswered`, `denied`,
    /// `budget`.
    pub reason: String,
    /// What the person should know, in the pack's language; may quote the contact.
    pub summary: String,
}

/// What a turn came to.
#[derive(Debug, Clone, PartialEq)]
pub struct TurnOutcome {
    /// What to send, in order; empty when the assistant stays silent.
    pub replies: Vec<Reply>,
    /// Whether a person is asked for.
    pub handoff: Option<Handoff>,
    /// The language that the conversation is in now.
    pub language: Language,
    /// To be given to the next turn.
    pub unanswered_in_a_row: u8,
    /// What the messages settle of a booking, where the turn is for that.
    pub said: Option<Said>,
    /// What becomes of a booking together with the turn, if something does.
    pub settled: Option<Box<Settled>>,
    /// Why.
    pub decision: Decision,
    /// Whether the turn ended because its budget was spent: then nothing was answered, and a person is asked.
    pub spent: Option<Spent>,
}

/// What a turn reads at most, in characters.
pub(crate) const LONGEST: usize = 6_000;

/// Decides and answers one turn within a budget.
///
/// Pure and deterministic: the same input and the same steps give the same outcome.
pub fn decide_turn(input: &TurnInput<'_>, budget: &Budget<'_>) -> TurnOutcome {
    decide_with(Model::get(), input, budget)
}

/// Decides as a model has learnt to, which need not be the one that is compiled in.
pub(crate) fn decide_with(model: &Model, input: &TurnInput<'_>, budget: &Budget<'_>) -> TurnOutcome {
    budget.begin(Stage::Understand);
    let text = text_of(input.messages);
    let prior = Prior {
        session: input.session_language,
        locale: input.locale.and_then(Locale::language),
        pack: input.pack.language(),
    };
    let language = detect(&text, prior);
    let style = style(input.pack.pack(), input.channel);
    let before = contact_said(input.history);
    let understood = understand_after(model, input.pack, &text, before, language, input.now, budget);
    let mut spent = understood.as_ref().err().copied();
    let (mut seen, topic) = understood.unwrap_or_else(|_| (Understanding::default(), None));
    let first = Desk { pack: input.pack, seen: &seen, style: &style, language, now: input.now, text: &text };
    let silent = input.handed_off || spent.is_some();
    let chosen = choice::of(input).filter(|_| !silent);
    // What is asked in so many words needs no reading of what it means.
    let form = input.form.filter(|form| form.is_open(input.now) && !silent && !seen.wants_person);
    let said = (!silent && !seen.wants_person).then(|| booking::read(&first, input, form));
    let goes_on = form.zip(said.as_ref()).is_some_and(|(form, said)| said.continues(form));
    let plain =
        if silent || chosen.is_some() || seen.wants_person || goes_on { None } else { first.plainly() };
    let limit = over_limit(input.pack, &seen);
    let mut reading = None;
    if !silent && chosen.is_none() && !seen.wants_person && plain.is_none() && limit.is_none() && !goes_on {
        match meaning::read(Judge::learnt(), input.pack, &seen, budget) {
            Ok(read) => reading = read,
            Err(out) => spent = Some(out),
        }
    }
    if let Some(reading) = &reading {
        seen.read_by_meaning(reading, Head::get());
    }
    let desk = Desk { pack: input.pack, seen: &seen, style: &style, language, now: input.now, text: &text };
    budget.begin(Stage::Route);
    let (limits, rules) = (Vec::new(), style.rules.clone());
    let candidates = candidates(&desk, reading.as_ref());
    let mut turn = Turn { input, desk: &desk, limits, rules, said, candidates, spent, budget };
    turn.rules.insert(0, format!("language: {language}"));
    if topic.is_some() {
        turn.rules.push("context: goes on from what the contact asked before".to_owned());
    }
    turn.limits.extend(spent.map(|spent| format!("budget: {spent}")));
    if input.handed_off {
        return turn.handed_off();
    }
    if spent.is_some() {
        let rule = "handoff: the budget of the turn is spent".to_owned();
        return turn.hand_off(&[], Reason { code: "budget", phrase: "handoff_budget", rule });
    }
    let mut ranked = seen.ranked();
    if let Some(at) = chosen {
        put_first(&mut ranked, "support");
        return turn.chosen(&ranked, at);
    }
    if seen.wants_person {
        put_first(&mut ranked, "handoff");
        return turn.hand_off(&ranked, Reason::asked());
    }
    if goes_on && limit.is_none() {
        turn.rules.push("booking: goes on with what was settled before".to_owned());
        put_first(&mut ranked, "booking");
        return turn.route(&ranked);
    }
    if let Some((agent, draft)) = plain {
        put_first(&mut ranked, agent);
        return turn.plainly(&ranked, agent, draft);
    }
    if let Some(reason) = limit {
        put_first(&mut ranked, "handoff");
        return turn.hand_off(&ranked, reason);
    }
    turn.rules.push(how_understood(input.pack, reading.as_ref()));
    if seen.whole.analysis.tokens.is_empty() {
        put_first(&mut ranked, "smalltalk");
    }
    turn.route(&ranked)
}

/// Which way a message was understood, with how probable the likeliest answers are.
fn how_understood(pack: &CompiledPack, reading: Option<&Reading>) -> String {
    let Some(reading) = reading else { return "understood: by words".to_owned() };
    let likely = reading.order().into_iter().take(3).filter(|at| reading.probabilities[*at] >= 0.05);
    let likely: Vec<String> = likely
        .map(|at| format!("{} {:.2}", pack.pack().faq[at].id, reading.probabilities[at]))
        .chain([format!("none {:.2}", reading.none())])
        .collect();
    format!("understood: by words and meaning, answers {}", likely.join(", "))
}

/// What the message may ask for. By words alone only the first is weighed.
fn candidates(desk: &Desk<'_>, reading: Option<&Reading>) -> Vec<Candidate> {
    let faq = |at: usize, probability| candidate("faq", &desk.pack.pack().faq[at].id, probability);
    let whole = &desk.seen.whole;
    let weighed: Vec<Candidate> = match reading {
        Some(reading) => reading.order().into_iter().map(|at| faq(at, reading.probabilities[at])).collect(),
        None => whole.faqs.first().map(|hit| faq(hit.at, whole.faq_confidence)).into_iter().collect(),
    };
    weighed.into_iter().filter(|one| one.probability > 0.0).take(MOST_CANDIDATES).collect()
}

fn candidate(kind: &str, id: &str, probability: f64) -> Candidate {
    let probability = if probability.is_finite() { rounded(probability.clamp(0.0, 1.0)) } else { 0.0 };
    Candidate { kind: kind.to_owned(), id: id.to_owned(), probability }
}

fn rounded(probability: f64) -> f64 {
    (probability * 1000.0).round() / 1000.0
}

/// What is asked for in so many words is no question of probability.
fn put_first(ranked: &mut Vec<(&'static str, f64)>, agent: &'static str) {
    ranked.retain(|(other, _)| *other != agent);
    ranked.insert(0, (agent, 1.0));
}

/// What waits, as one text.
fn text_of(messages: &[InboundText<'_>]) -> String {
    let lines = messages.iter().enumerate();
    let chars =
        lines.flat_map(|(at, message)| (at > 0).then_some('\n').into_iter().chain(message.text.chars()));
    chars.take(LONGEST).collect()
}

/// What the contact said before, newest first.
fn contact_said(history: &[HistoryItem]) -> impl Iterator<Item = &str> {
    history.iter().rev().filter(|item| item.role == Role::Contact).map(|item| item.text.as_str())
}

struct Turn<'a> {
    input: &'a TurnInput<'a>,
    desk: &'a Desk<'a>,
    limits: Vec<String>,
    rules: Vec<String>,
    said: Option<Said>,
    candidates: Vec<Candidate>,
    spent: Option<Spent>,
    budget: &'a Budget<'a>,
}

impl Turn<'_> {
    /// Gives the turn to the most probable agent that the session may use.
    fn route(&mut self, ranked: &[(&'static str, f64)]) -> TurnOutcome {
        let (wanted, score) = ranked.first().copied().unwrap_or(("support", 0.0));
        self.rules.push(format!("route: {wanted} with {score:.2}"));
        let mut agent = wanted;
        let of_price =
            ["price_ask", "quote_ask", "haggle"].iter().any(|cue| self.desk.seen.whole.analysis.has(cue));
        if matches!(wanted, "sales" | "out_of_scope") && self.desk.seen.meant.is_some() && !of_price {
            self.rules.push("route: support, as the pack clearly has the answer".to_owned());
            agent = "support";
        }
        let wanted = agent;
        if let Some(permission) = needed(wanted).filter(|needed| !self.input.permissions.contains(*needed)) {
            self.limits.push(format!("permission {permission} is missing"));
            if wanted == "support" || !self.input.permissions.contains(Permission::AgentsSupport) {
                let rule = format!("route: {wanted} is denied, a person takes over");
                return self.hand_off(ranked, Reason { code: "denied", phrase: "denied", rule });
            }
            self.rules.push(format!("route: {wanted} is denied, support answers instead"));
            agent = "support";
        }
        self.budget.begin(Stage::Draft);
        let built_in = built_in(agent);
        let draft = match built_in.way {
            Way::Says(says) => says(self.desk),
            Way::Knows(says) => {
                let draft = says(self.desk);
                match draft.answered.then_some(draft).or_else(|| self.desk.offered()) {
                    Some(draft) => draft,
                    None => return self.unanswered(ranked),
                }
            }
            Way::HandsOver => return self.hand_off(ranked, category(self.desk.seen)),
            Way::Rests => Draft::default(),
        };
        let unanswered = if built_in.passes_by { self.input.unanswered_in_a_row } else { 0 };
        self.finish(ranked, agent, draft, None, unanswered)
    }

    /// An answer to what was asked in so many words, by the agent that it is for if the session may use it.
    fn plainly(&mut self, ranked: &[(&'static str, f64)], agent: &'static str, draft: Draft) -> TurnOutcome {
        let allowed = |name: &&str| needed(name).is_none_or(|needed| self.input.permissions.contains(needed));
        let Some(agent) = [agent, "support"].into_iter().find(allowed) else { return self.route(ranked) };
        self.rules.push(format!("route: {agent}, asked in so many words"));
        let named = draft.sources.iter().map(|source| candidate(&source.kind, &source.id, 1.0));
        self.candidates = named.take(MOST_CANDIDATES).collect();
        self.finish(ranked, agent, draft, None, 0)
    }

    /// The answer that the contact chose from what was offered, if the session may use the agent.
    fn chosen(&mut self, ranked: &[(&'static str, f64)], at: usize) -> TurnOutcome {
        let mut draft = Draft::default();
        self.desk.faq(&mut draft, at);
        draft.rules.insert(0, "choice: the contact chose from what was offered".to_owned());
        self.plainly(ranked, "support", draft)
    }

    /// No answer is sure enough: asks which is meant where that can be told, and otherwise says that the pack has none. When that
    /// happens again, a person is asked for.
    fn unanswered(&mut self, ranked: &[(&'static str, f64)]) -> TurnOutcome {
        let unanswered = self.input.unanswered_in_a_row.saturating_add(1);
        if unanswered >= 2 && self.input.pack.after_two_unanswered() {
            let rule = format!("handoff: {unanswered} turns without an answer");
            return self.hand_off(ranked, Reason { code: "unanswered", phrase: "unknown_handoff", rule });
        }
        let draft = self.desk.which().unwrap_or_else(|| {
            let mut draft = Draft::default();
            self.desk.phrase(&mut draft, "unknown");
            draft.rules.push("answer: nothing in the pack is sure enough".to_owned());
            draft
        });
        self.finish(ranked, "support", draft, None, unanswered)
    }

    fn hand_off(&mut self, ranked: &[(&'static str, f64)], reason: Reason) -> TurnOutcome {
        let mut draft = Draft { answered: true, ..Draft::default() };
        self.desk.phrase(&mut draft, reason.phrase);
        draft.blocks.extend(self.desk.closed_now().map(Block::Text));
        self.rules.push(reason.rule);
        let summary = self.summary(reason.code);
        let handoff = Handoff { reason: reason.code.to_owned(), summary };
        self.finish(ranked, "handoff", draft, Some(handoff), 0)
    }

    /// What the person who takes over should know, as sentences in the pack's language.
    fn summary(&self, code: &str) -> String {
        let own = self.input.pack.language();
        let say = |name: &str, text: &str| {
            let business = self.input.pack.pack().display_name.as_str();
            say(name, own, Address::Formal, 0, &[("business", business), ("text", text)])
        };
        let mut sentences = vec![say(&format!("summary_{code}"), "")];
        let last = self.input.messages.last().map(|message| message.text).unwrap_or_default();
        if let Some(earlier) = contact_said(self.input.history).find(|earlier| !earlier.trim().is_empty()) {
            sentences.push(say("summary_before", &quoted(earlier, 120)));
        }
        sentences.push(say("summary_wrote", &quoted(last, 300)));
        if self.desk.language != own {
            sentences.push(say(&format!("summary_in_{}", self.desk.language), ""));
        }
        sentences.join(" ")
    }

    /// A person has the conversation: one note after the hand-off, then silence.
    fn handed_off(&mut self) -> TurnOutcome {
        let spoken = self.input.history.iter().rev().find(|item| item.role != Role::Contact);
        let noted = spoken.is_none_or(|item| item.agent_name.as_deref() != Some("handoff"));
        let mut draft = Draft { answered: true, ..Draft::default() };
        let agent = if noted {
            self.rules.push("handed off: stays silent".to_owned());
            "none"
        } else {
            self.rules.push("handed off: says once that a person will reply".to_owned());
            self.desk.phrase(&mut draft, "waiting");
            "waiting"
        };
        let ranked = self.desk.seen.ranked();
        self.finish(&ranked, agent, draft, None, self.input.unanswered_in_a_row)
    }

    fn finish(
        &mut self,
        ranked: &[(&'static str, f64)],
        agent: &str,
        draft: Draft,
        handoff: Option<Handoff>,
        unanswered_in_a_row: u8,
    ) -> TurnOutcome {
        self.budget.begin(Stage::Draft);
        let (desk, style) = (self.desk, self.desk.style);
        let mut rules = std::mem::take(&mut self.rules);
        rules.extend(draft.rules);
        let (open, close) = (desk.say("letter_open", &[]), desk.say("letter_close", &[]));
        let parts = if draft.blocks.is_empty() {
            Vec::new()
        } else {
            write::parts(&draft.blocks, style.channel, &open, &close)
        };
        let parts = choice::offer(parts, desk.pack, &draft.choices);
        let mut named =
            ranked.iter().map(|(name, score)| Intent { name: (*name).to_owned(), score: rounded(*score) });
        let intent = named.next().unwrap_or(Intent { name: agent.to_owned(), score: 0.0 });
        let outcome = if parts.is_empty() {
            Outcome::Silent
        } else if self.input.handed_off || handoff.is_some() {
            Outcome::Handoff
        } else if !draft.choices.is_empty() {
            Outcome::Ask
        } else if draft.answered {
            Outcome::Answer
        } else {
            Outcome::Unknown
        };
        let decision = Decision {
            outcome,
            candidates: std::mem::take(&mut self.candidates),
            language: desk.language,
            intent,
            alternatives: named.take(2).filter(|other| other.score >= 0.05).collect(),
            agent: agent.to_owned(),
            persona: style.persona.clone(),
            tone: style.tone.clone(),
            format: style.channel.format.clone(),
            rules,
            sources: draft.sources.clone(),
            limits: std::mem::take(&mut self.limits),
            labels: labels(&draft.sources),
            agent_kind: None,
            agent_version: None,
            tokens: None,
            stages: Vec::new(),
        };
        let reply = Reply { parts, sources: draft.sources, agent_name: agent.to_owned() };
        let replies = if reply.parts.is_empty() { Vec::new() } else { vec![reply] };
        let spent = self.spent;
        let said = self.said.take().filter(|_| agent == "booking");
        TurnOutcome {
            replies,
            handoff,
            language: desk.language,
            unanswered_in_a_row,
            said,
            settled: None,
            decision,
            spent,
        }
    }
}

/// Where the texts of a turn come from and what they may do.
fn labels(sources: &[Source]) -> Vec<String> {
    let mut labels = vec!["contact: untrusted, read as data".to_owned(), "phrases: system".to_owned()];
    if !sources.is_empty() {
        labels.push("context pack: tenant".to_owned());
    }
    labels
}

/// The permission that an agent needs.
fn needed(agent: &str) -> Option<Permission> {
    built_in(agent).definition.permission
}
