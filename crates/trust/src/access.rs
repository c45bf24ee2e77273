//! Who may do what: Cedar policies that an auditor can read (`policies/`), and the one place that asks them.
//!
//! Deny by default. What is in force is compiled into the program, so that nobody changes it at run time; tenants add roles
//! within their own tenant, as data ([`Principal::granted`]).

mod entities;
mod giving;
#[cfg(test)]
mod tests;

use cedar_policy::{
    Authorizer, Decision, Entities, Entity, EntityTypeName, EntityUid, PolicyId, PolicySet, Request, Schema,
};
use entities::Types;
pub use giving::{BeyondOwn, Given, Handled, Powers, Reach, StandsFor, WeighedRoles, first_administrator};
use misy_domain::{Action, BuiltInRole, Permission, TenantId};
use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

const SCHEMA: &str = include_str!("../policies/misy.cedarschema");
const ROLES: &str = include_str!("../policies/roles.json");
/// File by file, as an auditor reads them.
const POLICIES: [(&str, &str); 4] = [
    ("1-boundaries.cedar", include_str!("../policies/1-boundaries.cedar")),
    ("2-owner.cedar", include_str!("../policies/2-owner.cedar")),
    ("3-roles.cedar", include_str!("../policies/3-roles.cedar")),
    ("4-programs.cedar", include_str!("../policies/4-programs.cedar")),
];

/// What somebody is who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrincipalKind<'a> {
    /// A person, or a personal API token of one, narrowed to scopes.
    User {
        /// What a personal API token may do at most.
        scopes: Option<&'a [Action]>,
    },
    /// The token that a registration answers with, until somebody enrols with it.
    SetUpToken,
    /// A server of the tenant.
    Program {
        /// What its token allows.
        permissions: &'a [&'a str],
    },
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub struct Principal<'a> {
    /// What it is.
    pub kind: PrincipalKind<'a>,
    /// The id of the user, key or token.
    pub id: &'a str,
    /// The tenant it belongs to.
    pub tenant: &'a TenantId,
    /// Whether that tenant runs the platform.
    pub is_owner: bool,
    /// Its built-in roles; of a token of a registration those that it enrols somebody with.
    pub roles: &'a [BuiltInRole],
    /// What roles that its tenant made allow; of a program what the secret carries that its token was given for, as it is now.
    pub granted: &'a [Action],
}

/// What is known of the moment.
#[derive(Debug, Clone, Copy, Default)]
pub struct Moment {
    /// Seconds since the second factor was proved, if it was.
    pub second_factor_age: Option<i64>,
    /// The owner was given read-only support access to the tenant, and it still holds.
    pub support_access: bool,
    /// The owner was given access to the agents of the tenant, and it still holds.
    pub agent_access: bool,
    /// Whoever asks says why.
    pub reason_given: bool,
}

/// What the policies say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessDecision {
    /// How it ends.
    pub outcome: AccessOutcome,
    /// The policies that decided; none when nothing allowed it.
    pub policies: Vec<String>,
}

/// How a decision ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccessOutcome {
    /// It may be done.
    Allowed,
    /// It may not, and whoever asks must not learn whether the tenant exists.
    Hidden,
    /// It may be done once the second factor was proved again.
    StepUp,
    /// A person may do it, with a fresh second factor, and nothing that has none.
    NeedsPerson,
    /// The owner may do it after a privileged operation gave access.
    NeedsPrivilege,
    /// It may be done by who says why.
    NeedsReason,
    /// It may not be done.
    Denied,
}

impl AccessDecision {
    /// Whether it may be done.
    pub fn is_allowed(&self) -> bool {
        self.outcome == AccessOutcome::Allowed
    }
}

/// The policies cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the access policies cannot be used: {0}")]
pub struct PolicyError(String);

impl PolicyError {
    fn of(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// The access policies, ready to be asked.
pub struct AccessPolicies {
    authorizer: Authorizer,
    policies: PolicySet,
    types: Types,
    actions: HashMap<Action, Asked>,
    advice: HashMap<PolicyId, &'static str>,
}

/// An action as the policies know it.
struct Asked {
    /// The action with all groups that it is in, so that no decision has to search for them.
    entity: Entity,
    groups: HashSet<EntityUid>,
    resource: EntityTypeName,
}

impl AccessPolicies {
    /// The policies that this program was built with.
    #[allow(
        clippy::expect_used,
        reason = "they are compiled in, and tests load them and check them against their schema"
    )]
    pub fn in_force() -> &'static Self {
        static IN_FORCE: LazyLock<AccessPolicies> =
            LazyLock::new(|| AccessPolicies::load().expect("the access policies fit their schema"));
        &IN_FORCE
    }

    /// Reads and checks the policies.
    fn load() -> Result<Self, PolicyError> {
        let (schema, _) = Schema::from_cedarschema_str(SCHEMA).map_err(PolicyError::of)?;
        let policies = policies()?;
        let advice = policies
            .policies()
            .filter_map(|policy| Some((policy.id().clone(), advice_of(policy.annotation("advice")?)?)))
            .collect();
        let types = Types::new(&Entities::from_json_str(ROLES, None).map_err(PolicyError::of)?)?;
        let known = schema.action_entities().map_err(PolicyError::of)?;
        let mut actions = HashMap::new();
        for action in Action::ALL {
            let uid = types.action(action.as_str());
            let resource = resource_type(&schema, &uid)?;
            let groups = entities::above(&known, &uid);
            let entity = Entity::new_no_attrs(uid, groups.clone());
            actions.insert(*action, Asked { entity, groups, resource });
        }
        Ok(Self { authorizer: Authorizer::new(), policies, types, actions, advice })
    }

    /// Whether a person must have proved the second factor in the last five minutes to do this, even at home.
    pub fn is_sensitive(&self, action: Action) -> bool {
        self.is_among(action, "sensitive")
    }

    /// Whether the owner's people answer for this when they do it to another tenant: with a fresh second factor and a reason,
    /// in both trails, and before the rules that raise alerts.
    pub fn is_accounted(&self, action: Action) -> bool {
        self.is_among(action, "accounted")
    }

    fn is_among(&self, action: Action, group: &str) -> bool {
        let group = self.types.action(group);
        self.actions.get(&action).is_some_and(|asked| asked.groups.contains(&group))
    }

    /// Whether `principal` may do `action` to `tenant`, or to what belongs to it.
    pub fn decide(
        &self,
        principal: &Principal<'_>,
        action: Action,
        tenant: &TenantId,
        moment: Moment,
    ) -> AccessDecision {
        let decision = self.ask(principal, action, tenant, moment);
        if !matches!(decision.outcome, AccessOutcome::StepUp | AccessOutcome::NeedsPerson) {
            return decision;
        }
        // To ask for a person or a second factor that would change nothing helps nobody.
        let fresh = Moment { second_factor_age: Some(0), ..moment };
        let person = Principal { kind: PrincipalKind::User { scopes: scopes(principal) }, ..*principal };
        match self.ask(&person, action, tenant, fresh) {
            with_it if matches!(with_it.outcome, AccessOutcome::Allowed | AccessOutcome::NeedsReason) => {
                decision
            }
            with_it => with_it,
        }
    }

    fn ask(
        &self,
        principal: &Principal<'_>,
        action: Action,
        tenant: &TenantId,
        moment: Moment,
    ) -> AccessDecision {
        match self.request(principal, action, tenant, moment) {
            Ok((request, entities)) => {
                let response = self.authorizer.is_authorized(&request, &self.policies, &entities);
                let diagnostics = response.diagnostics();
                // A policy that fails to evaluate is skipped by Cedar: a forbid that is skipped would open a door.
                if let Some(error) = diagnostics.errors().next() {
                    return denied(vec![format!("error: {error}")]);
                }
                let decided: Vec<&PolicyId> = diagnostics.reason().collect();
                let outcome = match response.decision() {
                    Decision::Allow => AccessOutcome::Allowed,
                    Decision::Deny => self.refusal(&decided),
                };
                let mut policies: Vec<String> = decided.into_iter().map(ToString::to_string).collect();
                policies.sort_unstable();
                AccessDecision { outcome, policies }
            }
            Err(error) => denied(vec![format!("error: {error}")]),
        }
    }

    /// The strictest of what the deciding policies advise.
    fn refusal(&self, policies: &[&PolicyId]) -> AccessOutcome {
        let advises = |what| policies.iter().any(|id| self.advice.get(*id) == Some(&what));
        let unadvised = policies.iter().any(|id| !self.advice.contains_key(*id));
        if advises("hide") {
            AccessOutcome::Hidden
        } else if unadvised || policies.is_empty() {
            AccessOutcome::Denied
        } else if advises("privilege") {
            AccessOutcome::NeedsPrivilege
        } else if advises("person") {
            AccessOutcome::NeedsPerson
        } else if advises("step_up") {
            AccessOutcome::StepUp
        } else {
            AccessOutcome::NeedsReason
        }
    }

    fn request(
        &self,
        principal: &Principal<'_>,
        action: Action,
        tenant: &TenantId,
        moment: Moment,
    ) -> Result<(Request, Entities), PolicyError> {
        let missing = || PolicyError(format!("{action} is not in the schema"));
        let asked = self.actions.get(&action).ok_or_else(missing)?;
        let own = self.types.of_principal(principal);
        // The tenant itself, or what of this kind belongs to it.
        let resource = entities::uid(&asked.resource, tenant.as_str());
        let mut about = self.types.about(principal, &own, tenant, &resource)?;
        about.push(asked.entity.clone());
        let entities = Entities::from_entities(about, None).map_err(PolicyError::of)?;
        let context = entities::context(action, moment)?;
        let request =
            Request::new(own, asked.entity.uid(), resource, context, None).map_err(PolicyError::of)?;
        Ok((request, entities))
    }
}

/// What a built-in role may do within its tenant, its second factor being fresh.
pub fn actions_of(role: BuiltInRole) -> Vec<Action> {
    allowed(&[role], &[])
}

/// What a secret of a tenant can carry, so that tokens of it mean this by `tenant:manage`.
pub fn for_programs() -> Vec<Action> {
    let Ok(tenant) = "some-tenant".parse::<TenantId>() else { return Vec::new() };
    let kind = PrincipalKind::Program { permissions: &[Permission::TenantManage.as_str()] };
    let granted = Action::ALL;
    let program = Principal { kind, id: "key", tenant: &tenant, is_owner: false, roles: &[], granted };
    let may = |action: &Action| {
        AccessPolicies::in_force().decide(&program, *action, &tenant, Moment::default()).is_allowed()
    };
    Action::ALL.iter().copied().filter(may).collect()
}

/// Whether a tenant can allow this to a role of its own.
pub fn is_delegable(action: Action) -> bool {
    allowed(&[], &[action]).contains(&action)
}

/// What somebody of a tenant could do there with these roles and grants.
fn allowed(roles: &[BuiltInRole], granted: &[Action]) -> Vec<Action> {
    // Which tenant is of no matter; an owner's role counts only in the owner's.
    let Ok(tenant) = "some-tenant".parse::<TenantId>() else { return Vec::new() };
    let is_owner = roles.contains(&BuiltInRole::Owner);
    let kind = PrincipalKind::User { scopes: None };
    let principal = Principal { kind, id: "usr", tenant: &tenant, is_owner, roles, granted };
    let fresh = Moment { second_factor_age: Some(0), ..Moment::default() };
    let may =
        |action: &Action| AccessPolicies::in_force().decide(&principal, *action, &tenant, fresh).is_allowed();
    Action::ALL.iter().copied().filter(may).collect()
}

/// The policies in force, file by file, for whoever wants to read them.
pub fn policy_files() -> impl Iterator<Item = (&'static str, &'static str)> {
    [("misy.cedarschema", SCHEMA), ("roles.json", ROLES)].into_iter().chain(POLICIES)
}

fn scopes<'a>(principal: &Principal<'a>) -> Option<&'a [Action]> {
    match principal.kind {
        PrincipalKind::User { scopes } => scopes,
        PrincipalKind::SetUpToken | PrincipalKind::Program { .. } => None,
    }
}

fn denied(policies: Vec<String>) -> AccessDecision {
    AccessDecision { outcome: AccessOutcome::Denied, policies }
}

fn advice_of(text: &str) -> Option<&'static str> {
    ["hide", "privilege", "person", "step_up", "reason"].into_iter().find(|known| *known == text)
}

/// All policies, each under the name that its `@id` gives it.
fn policies() -> Result<PolicySet, PolicyError> {
    let mut all = PolicySet::new();
    for (file, text) in POLICIES {
        let parsed: PolicySet = text.parse().map_err(|error| PolicyError(format!("{file}: {error}")))?;
        for policy in parsed.policies() {
            let name =
                policy.annotation("id").ok_or_else(|| PolicyError(format!("{file}: a policy has no @id")))?;
            all.add(policy.new_id(PolicyId::new(name))).map_err(PolicyError::of)?;
        }
    }
    Ok(all)
}

/// What kind of thing an action is done to.
fn resource_type(schema: &Schema, action: &EntityUid) -> Result<EntityTypeName, PolicyError> {
    let mut types = schema
        .resources_for_action(action)
        .ok_or_else(|| PolicyError(format!("{action} is not in the schema")))?
        .cloned();
    match (types.next(), types.next()) {
        (Some(one), None) => Ok(one),
        _ => Err(PolicyError(format!("{action} must be about one kind of resource"))),
    }
}
