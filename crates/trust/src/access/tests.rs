use super::*;
use cedar_policy::{ValidationMode, Validator};
use proptest::{prelude::*, sample::subsequence};
use std::{collections::BTreeSet, fmt::Write, sync::LazyLock};

static ANDINA: LazyLock<TenantId> = LazyLock::new(|| "andina".parse().unwrap());
static VERDE: LazyLock<TenantId> = LazyLock::new(|| "verde".parse().unwrap());
static COLOMBIATIC: LazyLock<TenantId> = LazyLock::new(|| "colombiatic".parse().unwrap());
const FRESH: Moment =
    Moment { second_factor_age: Some(10), support_access: false, agent_access: false, reason_given: false };
const PERSON: PrincipalKind<'static> = PrincipalKind::User { scopes: None };
const PROGRAM: PrincipalKind<'static> = PrincipalKind::Program { permissions: &["tenant:manage"] };

/// A server whose secret carries everything that one can.
fn program(tenant: &TenantId) -> Principal<'_> {
    Principal { granted: Action::ALL, ..principal(PROGRAM, tenant, &[]) }
}

fn principal<'a>(kind: PrincipalKind<'a>, tenant: &'a TenantId, roles: &'a [BuiltInRole]) -> Principal<'a> {
    Principal { kind, id: "usr_1", tenant, is_owner: *tenant == *COLOMBIATIC, roles, granted: &[] }
}

fn decide(principal: &Principal<'_>, action: Action, tenant: &TenantId, moment: Moment) -> AccessOutcome {
    AccessPolicies::in_force().decide(principal, action, tenant, moment).outcome
}

#[test]
fn the_policies_fit_the_schema_strictly() {
    let (schema, warnings) = Schema::from_cedarschema_str(SCHEMA).unwrap();
    assert_eq!(warnings.count(), 0);
    let result = Validator::new(schema).validate(&policies().unwrap(), ValidationMode::Strict);
    assert!(result.validation_passed_without_warnings(), "{result}");
}

#[test]
fn the_schema_and_the_program_know_the_same_actions() {
    let (schema, _) = Schema::from_cedarschema_str(SCHEMA).unwrap();
    let known: BTreeSet<String> = Action::ALL.iter().map(|action| action.as_str().to_owned()).collect();
    let groups: BTreeSet<String> =
        schema.action_groups().map(|group| group.id().unescaped().to_owned()).collect();
    let described: BTreeSet<String> = schema
        .actions()
        .map(|action| action.id().unescaped().to_owned())
        .filter(|action| !groups.contains(action))
        .collect();
    assert_eq!(known, described);
}

#[test]
fn every_built_in_role_is_in_the_file_of_roles() {
    for role in BuiltInRole::ALL {
        assert!(ROLES.contains(&format!("\"id\": \"{role}\" }}, \"attrs\"")), "{role}");
    }
}

#[test]
fn nobody_without_a_role_may_do_anything() {
    for action in Action::ALL {
        assert!(
            !decide(&principal(PERSON, &ANDINA, &[]), *action, &ANDINA, FRESH).eq(&AccessOutcome::Allowed)
        );
    }
}

#[test]
fn a_sensitive_action_asks_whoever_may_do_it_for_a_fresh_second_factor_and_refuses_others_at_once() {
    let admin = principal(PERSON, &ANDINA, &[BuiltInRole::Admin]);
    let analyst = principal(PERSON, &ANDINA, &[BuiltInRole::Analyst]);
    for age in [None, Some(301), Some(i64::MAX)] {
        let moment = Moment { second_factor_age: age, ..Moment::default() };
        assert_eq!(decide(&admin, Action::UsersWrite, &ANDINA, moment), AccessOutcome::StepUp);
        assert_eq!(decide(&analyst, Action::UsersWrite, &ANDINA, moment), AccessOutcome::Denied);
    }
    let moment = Moment { second_factor_age: Some(300), ..Moment::default() };
    assert_eq!(decide(&admin, Action::UsersWrite, &ANDINA, moment), AccessOutcome::Allowed);
}

#[test]
fn the_token_of_a_registration_sets_up_what_a_program_could_and_asks_for_a_person_where_one_is_needed() {
    let tenants = principal(PrincipalKind::SetUpToken, &ANDINA, &[BuiltInRole::Admin]);
    let owners = principal(PrincipalKind::SetUpToken, &COLOMBIATIC, &[BuiltInRole::Owner]);
    let program = program(&ANDINA);
    for action in Action::ALL.iter().copied() {
        let outcome = decide(&tenants, action, &ANDINA, FRESH);
        // Never more than a program, whatever is claimed of a second factor.
        if outcome == AccessOutcome::Allowed {
            assert_eq!(decide(&program, action, &ANDINA, FRESH), AccessOutcome::Allowed, "{action}");
        }
        assert_eq!(decide(&tenants, action, &VERDE, FRESH), AccessOutcome::Hidden, "{action}");
    }
    for action in [Action::TenantRead, Action::ContextPackWrite, Action::SitesWrite, Action::KeysWrite] {
        assert_eq!(decide(&tenants, action, &ANDINA, Moment::default()), AccessOutcome::Allowed, "{action}");
    }
    for action in [
        Action::UsersRead,
        Action::UsersWrite,
        Action::RolesWrite,
        Action::SignInWrite,
        Action::SecretsWrite,
        Action::CertificatesWrite,
        Action::TenantClose,
        Action::TenantDelete,
        Action::EncryptionRotate,
    ] {
        assert_eq!(decide(&tenants, action, &ANDINA, FRESH), AccessOutcome::NeedsPerson, "{action}");
    }
    let elsewhere = |action: &Action| decide(&owners, *action, &ANDINA, FRESH) == AccessOutcome::Allowed;
    let elsewhere: Vec<Action> = Action::ALL.iter().copied().filter(elsewhere).collect();
    let set_up = [
        Action::TenantRead,
        Action::TenantsList,
        Action::TenantsCreate,
        Action::LimitsRead,
        Action::UsageRead,
    ];
    assert_eq!(elsewhere, set_up);
    for action in [
        Action::PrivilegeUse,
        Action::PlanWrite,
        Action::TenantDelete,
        Action::TenantsSuspend,
        Action::TenantWrite,
    ] {
        assert_eq!(decide(&owners, action, &ANDINA, FRESH), AccessOutcome::NeedsPerson, "{action}");
    }
    assert_eq!(decide(&owners, Action::ContextPackRead, &ANDINA, FRESH), AccessOutcome::NeedsPrivilege);
    assert_eq!(decide(&tenants, Action::PrivilegeUse, &ANDINA, FRESH), AccessOutcome::Denied);
}

#[test]
fn the_owner_sees_what_is_in_a_tenant_only_after_a_privileged_operation() {
    let owner = principal(PERSON, &COLOMBIATIC, &[BuiltInRole::Owner]);
    let at = |action, moment| decide(&owner, action, &ANDINA, moment);
    assert_eq!(at(Action::ContextPackRead, FRESH), AccessOutcome::NeedsPrivilege);
    assert_eq!(at(Action::UsersRead, FRESH), AccessOutcome::NeedsPrivilege);
    assert_eq!(at(Action::AuditRead, FRESH), AccessOutcome::NeedsPrivilege);
    assert_eq!(at(Action::UsageRead, Moment::default()), AccessOutcome::Allowed);
    let support = Moment { support_access: true, ..FRESH };
    assert_eq!(at(Action::ContextPackRead, support), AccessOutcome::Allowed);
    assert_eq!(at(Action::ContextPackWrite, support), AccessOutcome::NeedsPrivilege);
    let agents = Moment { agent_access: true, ..FRESH };
    assert_eq!(at(Action::ContextPackWrite, agents), AccessOutcome::Allowed);
    assert_eq!(at(Action::UsersRead, agents), AccessOutcome::NeedsPrivilege);
}

#[test]
fn whoever_does_something_to_another_tenant_answers_for_it() {
    let accounted: Vec<Action> =
        Action::ALL.iter().copied().filter(|one| AccessPolicies::in_force().is_accounted(*one)).collect();
    assert!(accounted.len() >= 10, "{accounted:?}");
    let reason = Moment { reason_given: true, ..Moment::default() };
    let both = Moment { reason_given: true, ..FRESH };
    let person = principal(PERSON, &COLOMBIATIC, &[BuiltInRole::Owner]);
    let token = principal(PrincipalKind::SetUpToken, &COLOMBIATIC, &[BuiltInRole::Owner]);
    let admin = principal(PERSON, &COLOMBIATIC, &[BuiltInRole::Admin]);
    for action in Action::ALL.iter().copied() {
        if !accounted.contains(&action) {
            // It depends on no reason.
            for who in [&person, &token, &admin] {
                assert_eq!(
                    decide(who, action, &ANDINA, both),
                    decide(who, action, &ANDINA, FRESH),
                    "{action}"
                );
            }
            continue;
        }
        assert_eq!(decide(&person, action, &ANDINA, Moment::default()), AccessOutcome::StepUp, "{action}");
        assert_eq!(decide(&person, action, &ANDINA, reason), AccessOutcome::StepUp, "{action}");
        assert_eq!(decide(&person, action, &ANDINA, FRESH), AccessOutcome::NeedsReason, "{action}");
        assert_eq!(decide(&person, action, &ANDINA, both), AccessOutcome::Allowed, "{action}");
        assert_eq!(decide(&token, action, &ANDINA, both), AccessOutcome::NeedsPerson, "{action}");
        assert_eq!(decide(&admin, action, &ANDINA, both), AccessOutcome::Hidden, "{action}");
        // Of itself a tenant gives no account to anybody.
        let own = principal(PERSON, &ANDINA, &[BuiltInRole::Admin]);
        assert_ne!(decide(&own, action, &ANDINA, FRESH), AccessOutcome::NeedsReason, "{action}");
    }
}

#[test]
fn a_role_of_the_tenant_gives_nothing_that_is_the_owners() {
    let mut user = principal(PERSON, &ANDINA, &[]);
    user.granted = Action::ALL;
    assert_eq!(decide(&user, Action::UsersWrite, &ANDINA, FRESH), AccessOutcome::Allowed);
    for action in [Action::PlanWrite, Action::TenantsSuspend, Action::TenantsList, Action::PrivilegeUse] {
        assert_eq!(decide(&user, action, &ANDINA, FRESH), AccessOutcome::Denied, "{action}");
    }
}

#[test]
fn a_personal_token_does_what_both_its_scopes_and_its_user_may() {
    let scopes = [Action::SitesRead, Action::KeysRead];
    let kind = PrincipalKind::User { scopes: Some(&scopes) };
    let user = principal(kind, &ANDINA, &[BuiltInRole::Analyst]);
    assert_eq!(decide(&user, Action::SitesRead, &ANDINA, FRESH), AccessOutcome::Allowed);
    assert_eq!(decide(&user, Action::UsageRead, &ANDINA, FRESH), AccessOutcome::Denied);
    assert_eq!(decide(&user, Action::KeysRead, &ANDINA, FRESH), AccessOutcome::Denied);
}

#[test]
fn a_program_manages_no_people() {
    let program = program(&ANDINA);
    assert_eq!(decide(&program, Action::SitesWrite, &ANDINA, FRESH), AccessOutcome::Allowed);
    for action in [
        Action::UsersRead,
        Action::UsersWrite,
        Action::RolesRead,
        Action::RolesWrite,
        Action::SignInRead,
        Action::SignInWrite,
        Action::AdministratorKeysRevoke,
        Action::TenantClose,
        Action::TenantDelete,
        Action::PlanWrite,
        Action::PrivilegeUse,
    ] {
        assert_eq!(decide(&program, action, &ANDINA, FRESH), AccessOutcome::Denied, "{action}");
    }
    let narrow = Principal { granted: &[Action::SitesRead, Action::UsersRead], ..program };
    assert_eq!(decide(&narrow, Action::SitesRead, &ANDINA, FRESH), AccessOutcome::Allowed);
    assert_eq!(decide(&narrow, Action::SitesWrite, &ANDINA, FRESH), AccessOutcome::Denied);
    assert_eq!(decide(&narrow, Action::UsersRead, &ANDINA, FRESH), AccessOutcome::Denied);
    assert!(!for_programs().contains(&Action::UsersRead) && for_programs().contains(&Action::SitesWrite));
    let chat_only = principal(PrincipalKind::Program { permissions: &["chat:write"] }, &ANDINA, &[]);
    assert_eq!(decide(&chat_only, Action::TenantRead, &ANDINA, FRESH), AccessOutcome::Denied);
}

/// Who comes when is nobody's who only looks after the business.
#[test]
fn bookings_are_for_those_who_take_them() {
    use BuiltInRole::{Admin, Agent, Analyst, Auditor, Developer, Manager, PrivacyOfficer};
    for action in [Action::BookingsRead, Action::BookingsWrite] {
        for (role, may) in [
            (Admin, true),
            (Manager, true),
            (Agent, true),
            (Analyst, false),
            (Auditor, false),
            (Developer, false),
            (PrivacyOfficer, false),
        ] {
            let outcome = decide(&principal(PERSON, &ANDINA, &[role]), action, &ANDINA, FRESH);
            assert_eq!(outcome == AccessOutcome::Allowed, may, "{action} of {role}");
        }
        let named = [action];
        let server = Principal { granted: &named, ..principal(PROGRAM, &ANDINA, &[]) };
        assert_eq!(decide(&server, action, &ANDINA, FRESH), AccessOutcome::Allowed);
        let set_up = principal(PrincipalKind::SetUpToken, &ANDINA, &[Admin]);
        assert_ne!(decide(&set_up, action, &ANDINA, FRESH), AccessOutcome::Allowed);
        let owner = principal(PERSON, &COLOMBIATIC, &[BuiltInRole::Owner]);
        let moment = Moment { support_access: true, agent_access: true, reason_given: true, ..FRESH };
        assert_ne!(decide(&owner, action, &ANDINA, moment), AccessOutcome::Allowed);
    }
}

fn moments() -> impl Strategy<Value = Moment> {
    (any::<Option<i64>>(), any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(second_factor_age, support_access, agent_access, reason_given)| Moment {
            second_factor_age,
            support_access,
            agent_access,
            reason_given,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever roles, grants, scopes, permissions and circumstances somebody of a tenant has: never on another tenant. Not
    /// even when an owner's role or a grant of access came to stand in the wrong place.
    #[test]
    fn nobody_of_a_tenant_ever_does_anything_to_another(
        kind in 0..3,
        roles in subsequence(BuiltInRole::ALL.to_vec(), 0..=BuiltInRole::ALL.len()),
        granted in subsequence(Action::ALL.to_vec(), 0..=Action::ALL.len()),
        scopes in proptest::option::of(subsequence(Action::ALL.to_vec(), 0..=Action::ALL.len())),
        action in proptest::sample::select(Action::ALL.to_vec()),
        moment in moments(),
    ) {
        let kind = match kind {
            0 => PrincipalKind::User { scopes: scopes.as_deref() },
            1 => PrincipalKind::SetUpToken,
            _ => PROGRAM,
        };
        let who = Principal { kind, id: "usr_1", tenant: &ANDINA, is_owner: false, roles: &roles, granted: &granted };
        let decision = AccessPolicies::in_force().decide(&who, action, &VERDE, moment);
        prop_assert_eq!(decision.outcome, AccessOutcome::Hidden);
    }

    /// The owner's own people reach a tenant only in the owner's role, and its content only with a grant.
    #[test]
    fn the_owners_people_reach_a_tenant_only_as_the_platform_allows(
        roles in subsequence(BuiltInRole::ALL.to_vec(), 0..=BuiltInRole::ALL.len()),
        granted in subsequence(Action::ALL.to_vec(), 0..=Action::ALL.len()),
        action in proptest::sample::select(Action::ALL.to_vec()),
        moment in moments(),
    ) {
        let who = Principal { kind: PERSON, id: "usr_1", tenant: &COLOMBIATIC, is_owner: true, roles: &roles, granted: &granted };
        let decision = AccessPolicies::in_force().decide(&who, action, &VERDE, moment);
        if decision.is_allowed() {
            prop_assert!(roles.contains(&BuiltInRole::Owner));
            let by_platform = decision.policies.contains(&"owner-runs-the-platform".to_owned());
            prop_assert!(by_platform || moment.support_access || moment.agent_access, "{:?}", decision.policies);
            if AccessPolicies::in_force().is_accounted(action) {
                prop_assert!(moment.reason_given && moment.second_factor_age.is_some_and(|age| age <= 300));
            }
        }
    }
}

/// `docs/ACCESS.md` says who may do what; `MISY_WRITE_ACCESS=1` writes it from the policies.
#[test]
fn the_table_of_who_may_do_what_is_up_to_date() {
    let mut text = String::from(
        "# Who may do what\n\nWritten from the access policies in `crates/trust/policies`; a test fails when it is out of date. ● may; \
         ◐ may with a second factor not older than five minutes; owner: what the role of the owner tenant may do to *another* \
         tenant (● always, ◐ a person with a fresh second factor, ◉ who also gives a reason and is told of in both trails, ○ after \
         a privileged operation). Program: a server with a token that allows `tenant:manage`, if its secret carries the action; \
         set-up: the token of a registration.\n\n",
    );
    let _ = writeln!(
        text,
        "| action | {} | program | set-up | owner, elsewhere |",
        BuiltInRole::ALL[1..].iter().map(|r| r.as_str()).collect::<Vec<_>>().join(" | ")
    );
    let _ = writeln!(text, "| --- |{}", " :-: |".repeat(10));
    for action in Action::ALL {
        let _ = write!(text, "| `{action}` |");
        for role in &BuiltInRole::ALL[1..] {
            let roles = [*role];
            let who = principal(PERSON, &ANDINA, &roles);
            let mark = match (
                decide(&who, *action, &ANDINA, Moment::default()),
                decide(&who, *action, &ANDINA, FRESH),
            ) {
                (AccessOutcome::Allowed, _) => "●",
                (_, AccessOutcome::Allowed) => "◐",
                _ => " ",
            };
            let _ = write!(text, " {mark} |");
        }
        let mark = |outcome| if outcome == AccessOutcome::Allowed { "●" } else { " " };
        let set_up = principal(PrincipalKind::SetUpToken, &ANDINA, &[BuiltInRole::Admin]);
        for who in [program(&ANDINA), set_up] {
            let _ = write!(text, " {} |", mark(decide(&who, *action, &ANDINA, FRESH)));
        }
        let owner = principal(PERSON, &COLOMBIATIC, &[BuiltInRole::Owner]);
        let elsewhere = |moment| decide(&owner, *action, &ANDINA, moment) == AccessOutcome::Allowed;
        let answering = Moment { reason_given: true, ..FRESH };
        let everything = Moment { support_access: true, agent_access: true, ..answering };
        let steps = [(Moment::default(), "●"), (FRESH, "◐"), (answering, "◉"), (everything, "○")];
        let mark =
            steps.into_iter().find_map(|(moment, mark)| elsewhere(moment).then_some(mark)).unwrap_or(" ");
        let _ = writeln!(text, " {mark} |");
    }
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/ACCESS.md");
    if std::env::var_os("MISY_WRITE_ACCESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == text, "docs/ACCESS.md is out of date: run this test with MISY_WRITE_ACCESS=1");
}
