//! What users of one account may do with a service of another: the imports of theirs that the exports of the other one permit.

use portcullis_core::UnixTime;

use super::{
    account::VerifiedAccount,
    pattern,
    permissions::{EffectivePermissions, Rules},
    policy::{Policy, V1},
    refusal::{Refusal, RefusalKind},
};
use crate::{
    claims::{Activation, Export, ExportKind, Import},
    nkey::AccountKey,
    token::{Token, Version},
};

/// How many entries the translation may become, and how many octets: a tenant who writes imports and permissions must not choose how much memory a
/// request takes.
const MAX_ENTRIES: usize = 4096;
const MAX_OCTETS: usize = 512 * 1024;

/// An import that is in force.
#[derive(Debug)]
struct InForce {
    kind: ExportKind,
    /// The subject as its users know it.
    local: String,
    /// The subject as the exporting account knows it.
    exported: String,
    /// For each `*` in the exported subject, which `*` in the local one it is.
    order: Vec<usize>,
}

/// What a user may do from the exporting account's view, and until when.
#[derive(Debug)]
pub(super) struct Imported {
    pub(super) permissions: EffectivePermissions,
    pub(super) until: Option<UnixTime>,
}

/// Translates a user's permissions into the exporting account's subjects: a service is asked by publishing, a stream is subscribed to.
///
/// # Errors
///
/// If the account imports nothing from the exporting one that is in force.
pub(super) fn translate(
    permissions: &EffectivePermissions,
    importer: &VerifiedAccount,
    exporter: &VerifiedAccount,
    policy: &Policy,
    now: UnixTime,
) -> Result<Imported, Refusal> {
    let imports = importer.token.nats.imports.iter().filter(|import| import.account == Some(*exporter.id()));
    let (mut in_force, mut until) = (Vec::new(), None);
    for import in imports {
        let Some(export) = export_of(import, exporter, importer.id()) else { continue };
        if export.needs_activation && !is_activated(import, export, exporter, policy, now) {
            continue;
        }
        let end = import.activation.as_ref().and_then(|(_, token)| token.registered.expires_at);
        until = [until, end].into_iter().flatten().min();
        in_force.extend(InForce::new(import, export, importer.id()));
    }
    if in_force.is_empty() {
        let why = "the user's account imports nothing from the account whose service this is";
        return Err(Refusal::new(RefusalKind::NotImported, why));
    }
    let of = |kind: ExportKind| in_force.iter().filter(move |import| import.kind == kind);
    require_small(permissions, &in_force)?;
    let translated = EffectivePermissions {
        publish: translate_rules(&permissions.publish, &of(ExportKind::Service)),
        subscribe: translate_rules(&permissions.subscribe, &of(ExportKind::Stream)),
    };
    Ok(Imported { permissions: translated, until })
}

/// Refuses what could become too much. Each entry may become one for each import, with words of both.
fn require_small(permissions: &EffectivePermissions, in_force: &[InForce]) -> Result<(), Refusal> {
    let entries = permissions.entries();
    let exported: usize = in_force.iter().map(|import| import.exported.len()).sum();
    let octets = permissions.octets().saturating_mul(in_force.len()).saturating_add(exported.saturating_mul(entries));
    if in_force.len().saturating_mul(entries) <= MAX_ENTRIES && octets <= MAX_OCTETS {
        return Ok(());
    }
    let why = "the user has too many permissions for as many imports: more than 4096, or than 512 KiB, together";
    Err(Refusal::new(RefusalKind::NotImported, why))
}

/// Returns the export that an import is of.
fn export_of<'e>(import: &Import, exporter: &'e VerifiedAccount, importer: &AccountKey) -> Option<&'e Export> {
    exporter.token.nats.exports.iter().find(|export| {
        export.kind == import.kind
            && pattern::covers(&export.subject, import.exported_subject())
            && with_account(export, import.exported_subject(), importer).is_some()
    })
}

/// Whether the exporting account has permitted an import, and still does.
fn is_activated(import: &Import, export: &Export, exporter: &VerifiedAccount, policy: &Policy, now: UnixTime) -> bool {
    let Some((_, token)) = &import.activation else { return false };
    let times = &token.registered;
    is_issued_by(token, exporter)
        && (token.version != Version::V1 || policy.v1 == V1::Accept)
        && times.issued_at <= now.plus(policy.issued_at_leeway)
        && times.expires_at.is_none_or(|end| now < end)
        && times.not_before.is_none_or(|start| start <= now)
        && !export.revocations.covers(&times.subject, times.issued_at)
}

fn is_issued_by(token: &Token<Activation>, exporter: &VerifiedAccount) -> bool {
    let issuer = &token.registered.issuer;
    match token.nats.issuer_account {
        None => issuer == exporter.id().public_key(),
        Some(account) => account == *exporter.id() && exporter.signs_with(issuer),
    }
}

/// Returns the exported subject, in which one word may have to be the importing account's id; `None` if it is another one.
fn with_account(export: &Export, subject: &str, importer: &AccountKey) -> Option<String> {
    let Some(at) = export.account_token_position.checked_sub(1) else { return Some(subject.to_owned()) };
    // In the importing account, that word is part of the import's own subject.
    (subject.split('.').nth(at) == Some(importer.as_str())).then(|| subject.to_owned())
}

impl InForce {
    fn new(import: &Import, export: &Export, importer: &AccountKey) -> Option<Self> {
        let exported = with_account(export, import.exported_subject(), importer)?;
        // The deprecated `to` of a stream is a prefix; that of a service replaces the subject.
        let local = match (import.kind, &*import.to) {
            (_, "") if !import.local_subject.is_empty() => {
                let (local, order) = numbered(&import.local_subject)?;
                return Some(Self { kind: import.kind, local, exported, order });
            }
            (_, "") | (ExportKind::Service, _) => import.subject.clone(),
            (ExportKind::Stream, prefix) => format!("{prefix}.{}", import.subject),
        };
        let stars = local.split('.').filter(|word| *word == "*").count();
        Some(Self { kind: import.kind, local, exported, order: (0..stars).collect() })
    }

    /// Returns what an entry of the user's permissions stands for in the exporting account; `None` if it is not about this import.
    fn translate(&self, entry: &str) -> Option<String> {
        let both = pattern::intersection(entry, &self.local)?;
        let both: Vec<_> = both.words().collect();
        let local: Vec<_> = self.local.split('.').collect();
        let stars: Vec<_> = (0..local.len()).filter(|at| local[*at] == "*").map(|at| both.get(at).copied()).collect();
        let mut star = 0;
        let mut words = Vec::new();
        for word in self.exported.split('.') {
            match word {
                "*" => {
                    words.push((*stars.get(*self.order.get(star)?)?)?);
                    star += 1;
                }
                // What the `>` at the end of the local subject has become.
                ">" => words.extend(&both[local.len().checked_sub(1)?..]),
                word => words.push(word),
            }
        }
        Some(words.join("."))
    }
}

/// Replaces references such as `$2` by `*`, and returns which wildcard of the local subject is the first of the exported one, and so on; `None` if
/// one is used twice, or left out.
fn numbered(local: &str) -> Option<(String, Vec<usize>)> {
    let mut order = Vec::new();
    let mut stars = 0;
    let words = local.split('.').map(|word| {
        let number = word.strip_prefix('$').and_then(|number| number.parse::<usize>().ok());
        if word == "*" || number.is_some() {
            order.push((number.unwrap_or(stars + 1), stars));
            stars += 1;
            return "*";
        }
        word
    });
    let text = words.collect::<Vec<_>>().join(".");
    order.sort_unstable();
    let is_each_once = order.iter().enumerate().all(|(at, (number, _))| *number == at + 1);
    is_each_once.then(|| (text, order.into_iter().map(|(_, at)| at).collect()))
}

fn translate_rules<'a>(rules: &Rules, imports: &(impl Iterator<Item = &'a InForce> + Clone)) -> Rules {
    let translate = |entries: &[String]| {
        let each = |entry: &String| imports.clone().filter_map(|import| import.translate(entry)).collect::<Vec<_>>();
        entries.iter().flat_map(each).collect()
    };
    Rules { allow: translate(&rules.allow), deny: translate(&rules.deny) }
}
