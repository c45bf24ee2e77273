//! A compliance report for people, in their language.

use super::report::{AuditReport, ReportedDeed};
use misy_domain::Language;

struct Texts {
    code: &'static str,
    title: &'static str,
    entries: &'static str,
    access: &'static str,
    privileged: &'static str,
    credentials: &'static str,
    refusals: &'static str,
    integrity: &'static str,
    none: &'static str,
    actor: &'static str,
    count: &'static str,
    refused: &'static str,
    first: &'static str,
    last: &'static str,
    when: &'static str,
    action: &'static str,
    subject: &'static str,
    outcome: &'static str,
    reason: &'static str,
    entry: &'static str,
    sealed: &'static str,
    gaps: &'static str,
    silence: &'static str,
}

const ES: Texts = Texts {
    code: "es",
    title: "Informe de cumplimiento",
    entries: "Registros por tipo",
    access: "Quién tuvo acceso",
    privileged: "Operaciones privilegiadas y de terceros",
    credentials: "Cambios de usuarios, roles, claves y secretos",
    refusals: "Rechazos por motivo",
    integrity: "Integridad",
    none: "Nada en este período.",
    actor: "Quién",
    count: "Veces",
    refused: "Rechazadas",
    first: "Primera vez",
    last: "Última vez",
    when: "Cuándo",
    action: "Acción",
    subject: "Sobre qué",
    outcome: "Resultado",
    reason: "Motivo",
    entry: "Registro",
    sealed: "Este punto de control firmado cubre todos los registros del informe:",
    gaps: "Registros sin lugar en el árbol / lugares sin registro:",
    silence: "El mayor intervalo sin registros:",
};

const EN: Texts = Texts {
    code: "en",
    title: "Compliance report",
    entries: "Entries by kind",
    access: "Who had access",
    privileged: "Privileged operations, and work by others than the tenant",
    credentials: "Changes to users, roles, keys and secrets",
    refusals: "Refusals by reason",
    integrity: "Integrity",
    none: "Nothing in this time.",
    actor: "Who",
    count: "Times",
    refused: "Refused",
    first: "First",
    last: "Last",
    when: "When",
    action: "Action",
    subject: "To what",
    outcome: "Outcome",
    reason: "Reason",
    entry: "Entry",
    sealed: "This signed checkpoint covers every entry of the report:",
    gaps: "Entries without a place in the tree / places without an entry:",
    silence: "The longest time without entries:",
};

const PT: Texts = Texts {
    code: "pt",
    title: "Relatório de conformidade",
    entries: "Registros por tipo",
    access: "Quem teve acesso",
    privileged: "Operações privilegiadas e de terceiros",
    credentials: "Alterações de usuários, funções, chaves e segredos",
    refusals: "Recusas por motivo",
    integrity: "Integridade",
    none: "Nada neste período.",
    actor: "Quem",
    count: "Vezes",
    refused: "Recusadas",
    first: "Primeira vez",
    last: "Última vez",
    when: "Quando",
    action: "Ação",
    subject: "Sobre o quê",
    outcome: "Resultado",
    reason: "Motivo",
    entry: "Registro",
    sealed: "Este ponto de controle assinado cobre todos os registros do relatório:",
    gaps: "Registros sem lugar na árvore / lugares sem registro:",
    silence: "O maior intervalo sem registros:",
};

struct Section {
    title: &'static str,
    columns: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

fn texts(language: Language) -> &'static Texts {
    match language {
        Language::Es => &ES,
        Language::En => &EN,
        Language::Pt => &PT,
    }
}

fn sections(report: &AuditReport, t: &Texts) -> Vec<Section> {
    let deeds = |title, deeds: &[ReportedDeed]| Section {
        title,
        columns: vec![t.when, t.action, t.actor, t.subject, t.outcome, t.entry],
        rows: deeds
            .iter()
            .map(|deed| {
                let subject = deed.subject.clone().unwrap_or_default();
                let (at, action, actor) = (deed.at.to_string(), deed.action.clone(), deed.actor.clone());
                vec![at, action, actor, subject, deed.outcome.clone(), deed.audit_id.clone()]
            })
            .collect(),
    };
    let access = report.access.iter().map(|a| {
        let (entries, refused) = (a.entries.to_string(), a.refused.to_string());
        vec![a.actor.clone(), entries, refused, a.first_at.to_string(), a.last_at.to_string()]
    });
    let refusals =
        report.refusals.iter().map(|r| vec![r.reason.clone(), r.action.clone(), r.entries.to_string()]);
    vec![
        Section {
            title: t.entries,
            columns: vec![t.entry, t.count],
            rows: report.entries.iter().map(|(kind, count)| vec![kind.clone(), count.to_string()]).collect(),
        },
        Section {
            title: t.access,
            columns: vec![t.actor, t.count, t.refused, t.first, t.last],
            rows: access.collect(),
        },
        deeds(t.privileged, &report.privileged),
        deeds(t.credentials, &report.credential_changes),
        Section { title: t.refusals, columns: vec![t.reason, t.action, t.count], rows: refusals.collect() },
    ]
}

/// Lines that say how complete the trail is.
fn integrity(report: &AuditReport, t: &Texts) -> Vec<String> {
    let found = &report.integrity;
    let mut lines =
        vec![format!("{} {} / {}", t.gaps, found.entries_without_leaf, found.leaves_without_entry)];
    lines.extend(found.longest_silence.as_ref().map(|s| format!("{} {} – {}", t.silence, s.from, s.until)));
    lines
}

/// The report as Markdown.
pub(super) fn markdown(report: &AuditReport, language: Language) -> String {
    let t = texts(language);
    let plain = |text: &str| -> String {
        let escape = |c: char| if "|\\`*_<>[]#".contains(c) { format!("\\{c}") } else { c.to_string() };
        text.chars().filter(|c| !c.is_control()).map(escape).collect()
    };
    let row = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut text =
        format!("# {}: {}\n\n{} – {}\n", t.title, plain(&report.tenant_id), report.from, report.until);
    for section in sections(report, t) {
        text += &format!("\n## {}\n\n", section.title);
        if section.rows.is_empty() {
            text += &format!("{}\n", t.none);
            continue;
        }
        text += &row(&section.columns.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        text += &row(&vec!["---".to_owned(); section.columns.len()]);
        for cells in section.rows {
            text += &row(&cells.iter().map(|cell| plain(cell)).collect::<Vec<_>>());
        }
    }
    text += &format!("\n## {}\n\n{}\n\n```\n{}```\n\n", t.integrity, t.sealed, report.integrity.checkpoint);
    text + &integrity(report, t).join("\n\n") + "\n"
}

/// The report as a page without scripts or anything from elsewhere.
pub(super) fn html(report: &AuditReport, language: Language) -> String {
    let t = texts(language);
    let title = format!("{}: {}", t.title, escape(&report.tenant_id));
    let mut text = format!(
        "<!doctype html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\n<body>\n\
         <h1>{title}</h1>\n<p>{} – {}</p>\n",
        t.code, report.from, report.until
    );
    for section in sections(report, t) {
        text += &format!("<h2>{}</h2>\n", section.title);
        if section.rows.is_empty() {
            text += &format!("<p>{}</p>\n", t.none);
            continue;
        }
        let cells = |tag: &str, cells: Vec<String>| {
            let cells: String = cells
                .iter()
                .flat_map(|cell| [format!("<{tag}>"), escape(cell), format!("</{tag}>")])
                .collect();
            format!("<tr>{cells}</tr>\n")
        };
        text += "<table>\n";
        text += &cells("th", section.columns.iter().map(|name| (*name).to_owned()).collect());
        for row in section.rows {
            text += &cells("td", row);
        }
        text += "</table>\n";
    }
    text += &format!(
        "<h2>{}</h2>\n<p>{}</p>\n<pre>{}</pre>\n",
        t.integrity,
        t.sealed,
        escape(&report.integrity.checkpoint)
    );
    for line in integrity(report, t) {
        text += &format!("<p>{}</p>\n", escape(&line));
    }
    text + "</body></html>\n"
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            other => escaped.push(other),
        }
    }
    escaped
}
