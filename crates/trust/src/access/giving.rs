//! Who may give what to whom: the one check that everything passes which yields a role, a factor or a credential.
//!
//! It is one comparison. What would be given, changed or taken away must lie within what the giver may do. So no
//! sequence of calls, by however many people together, ends with an action that none of them had.
//!
//! What is stored as given has the type [`Given`], and what is changed, replaced or ended the type [`Handled`]. Only the check
//! makes them: a handler that forgets it does not compile.

use super::{AccessPolicies, Moment, Principal, PrincipalKind, actions_of, is_delegable};
use misy_domain::{Action, BuiltInRole, Permission, Permissions, TenantId};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Deref,
    sync::LazyLock,
};

/// What the policies say of each built-in role, asked once: they are compiled in.
static BUILT_IN: LazyLock<BTreeMap<BuiltInRole, BTreeSet<Action>>> = LazyLock::new(|| {
    BuiltInRole::ALL.into_iter().map(|role| (role, actions_of(role).into_iter().collect())).collect()
});

/// What a tenant can allow to a role of its own.
static DELEGABLE: LazyLock<BTreeSet<Action>> =
    LazyLock::new(|| Action::ALL.iter().copied().filter(|action| is_delegable(*action)).collect());

/// What asks a person for a fresh second factor. What only the owner does counts too.
static SENSITIVE: LazyLock<BTreeSet<Action>> = LazyLock::new(|| {
    let Ok(tenant) = "some-tenant".parse::<TenantId>() else { return Action::ALL.iter().copied().collect() };
    let (kind, roles) = (PrincipalKind::User { scopes: None }, [BuiltInRole::Admin]);
    let admin = Principal { kind, id: "usr", tenant: &tenant, is_owner: false, roles: &roles, granted: &[] };
    let policies = AccessPolicies::in_force();
    let at_once = |action: Action| policies.decide(&admin, action, &tenant, Moment::default()).is_allowed();
    Action::ALL.iter().copied().filter(|action| !at_once(*action)).collect()
});

/// What somebody may do to a tenant, or what something would let them do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Powers(BTreeSet<Action>);

/// Somebody wants to give, change or take away what they do not have themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("goes beyond what the giver may do")]
pub struct BeyondOwn;

/// Something that its giver may give: made by the check alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given<T>(T);

impl<T> Given<T> {
    /// What is given.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Given<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Something that somebody may change, replace or end, since they may do all that it stands for: made by the check alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handled<T>(T);

impl<T> Handled<T> {
    /// What is handled.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Handled<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// How far somebody reaches, or whoever holds a credential: what they may do to the tenant, and what tokens of theirs may hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// What they may do to the tenant.
    pub powers: Powers,
    /// What their tokens may hold. `tenant:manage` says nothing here: what it means are the powers.
    pub permissions: Permissions,
}

/// Something that lets whoever holds it do things: a secret, a key, a bound certificate.
pub trait StandsFor {
    /// All that it lets them do.
    fn reach(&self) -> Reach;
}

/// What a key of a page gives.
impl StandsFor for Permissions {
    fn reach(&self) -> Reach {
        Reach { powers: Powers::default(), permissions: self.clone() }
    }
}

impl Reach {
    /// That of the operator, who set up the installation.
    pub fn of_operator() -> Self {
        Self { powers: Powers::of_operator(), permissions: Permissions::all() }
    }

    /// That of several together.
    pub fn of_all<'a, T: StandsFor + 'a>(things: impl IntoIterator<Item = &'a T>) -> Self {
        things.into_iter().map(StandsFor::reach).fold(Self::default(), |all, one| all.and(&one))
    }

    /// Both together.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.powers.0.extend(&other.powers.0);
        self.permissions = self.permissions.iter().chain(other.permissions.iter()).collect();
        self
    }

    /// The check: whether all of the other is within this one.
    pub fn cover(&self, other: &Self) -> Result<(), BeyondOwn> {
        let beyond = |one: Permission| one != Permission::TenantManage && !self.permissions.contains(one);
        if other.permissions.iter().any(beyond) {
            return Err(BeyondOwn);
        }
        self.powers.cover(&other.powers)
    }

    /// Gives what a credential is to carry.
    pub fn give<T: StandsFor>(&self, what: T) -> Result<Given<T>, BeyondOwn> {
        self.cover(&what.reach())?;
        Ok(Given(what))
    }

    /// Handles a credential that is there: to change, to replace or to end it.
    pub fn handle<T: StandsFor>(&self, what: T) -> Result<Handled<T>, BeyondOwn> {
        self.cover(&what.reach())?;
        Ok(Handled(what))
    }
}

/// Roles of a tenant, with what they let somebody do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeighedRoles {
    names: Vec<String>,
    powers: Powers,
    /// Whether the role of the owner is among them, in a tenant that is not the owner.
    misplaced: bool,
}

impl WeighedRoles {
    /// Weighs roles by their names. `granted` is what those of them allow that the tenant made itself.
    pub fn new(tenant_is_owner: bool, names: Vec<String>, granted: &[Action]) -> Self {
        let misplaced = !tenant_is_owner && names.iter().any(|name| name == BuiltInRole::Owner.as_str());
        let powers = Powers::of_roles(&names, granted);
        Self { names, powers, misplaced }
    }

    /// What they let somebody do.
    pub fn powers(&self) -> &Powers {
        &self.powers
    }
}

impl Powers {
    /// What a principal may do to a tenant now. A second factor counts as fresh, so whoever gives must have proved it.
    pub fn of(principal: &Principal<'_>, tenant: &TenantId) -> Self {
        let fresh = Moment { second_factor_age: Some(0), ..Moment::default() };
        let policies = AccessPolicies::in_force();
        let may = |action: &Action| policies.decide(principal, *action, tenant, fresh).is_allowed();
        Self(Action::ALL.iter().copied().filter(may).collect())
    }

    /// What roles let somebody do in their own tenant. `granted` is what those of them allow that the tenant made itself.
    pub fn of_roles(names: &[String], granted: &[Action]) -> Self {
        let built_in = names.iter().filter_map(|name| name.parse::<BuiltInRole>().ok());
        let mut powers: BTreeSet<Action> = built_in.flat_map(|role| &BUILT_IN[&role]).copied().collect();
        powers.extend(granted.iter().filter(|action| DELEGABLE.contains(action)));
        Self(powers)
    }

    /// Powers that were written down.
    pub fn from_actions(actions: impl IntoIterator<Item = Action>) -> Self {
        Self(actions.into_iter().collect())
    }

    /// Those of the operator, who set up the installation.
    pub fn of_operator() -> Self {
        Self::from_actions(Action::ALL.iter().copied())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The actions, in order.
    pub fn iter(&self) -> impl Iterator<Item = Action> + '_ {
        self.0.iter().copied()
    }

    /// Whether this is one of them.
    pub fn contains(&self, action: Action) -> bool {
        self.0.contains(&action)
    }

    /// The check: whether everything in `other` is in these.
    pub fn cover(&self, other: &Self) -> Result<(), BeyondOwn> {
        if other.0.is_subset(&self.0) { Ok(()) } else { Err(BeyondOwn) }
    }

    /// Gives roles. The role of the owner exists in the owner's tenant only.
    pub fn give_roles(&self, roles: WeighedRoles) -> Result<Given<Vec<String>>, BeyondOwn> {
        self.cover(&roles.powers)?;
        if roles.misplaced { Err(BeyondOwn) } else { Ok(Given(roles.names)) }
    }

    /// Gives actions, as a role or a credential lists them.
    pub fn give_actions(&self, actions: Vec<Action>) -> Result<Given<Vec<Action>>, BeyondOwn> {
        self.cover(&Self::from_actions(actions.iter().copied()))?;
        Ok(Given(actions))
    }

    /// Whether one of them asks a person for a fresh second factor.
    pub fn ask_for_second_factor(&self) -> bool {
        !self.0.is_disjoint(&SENSITIVE)
    }
}

/// The roles of a tenant's first administrator: whoever makes a tenant gives them with its enrolment token.
pub fn first_administrator(tenant_is_owner: bool) -> Given<Vec<String>> {
    let roles: &[BuiltInRole] =
        if tenant_is_owner { &[BuiltInRole::Owner, BuiltInRole::Admin] } else { &[BuiltInRole::Admin] };
    Given(roles.iter().map(ToString::to_string).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{
        prelude::*,
        sample::{select, subsequence},
    };

    static ANDINA: LazyLock<TenantId> = LazyLock::new(|| "andina".parse().unwrap());

    fn weighed(is_owner: bool, names: &[&str], granted: &[Action]) -> WeighedRoles {
        WeighedRoles::new(is_owner, names.iter().map(|&name| name.to_owned()).collect(), granted)
    }

    fn person(roles: &[BuiltInRole], granted: &[Action], is_owner: bool) -> Powers {
        let kind = PrincipalKind::User { scopes: None };
        Powers::of(&Principal { kind, id: "usr_1", tenant: &ANDINA, is_owner, roles, granted }, &ANDINA)
    }

    #[test]
    fn only_owners_give_the_role_of_the_owner_and_only_in_their_tenant() {
        let owner = person(&[BuiltInRole::Owner], &[], true);
        let admin = person(&[BuiltInRole::Admin], &[], true);
        assert!(owner.give_roles(weighed(true, &["owner", "admin"], &[])).is_ok());
        assert_eq!(admin.give_roles(weighed(true, &["owner"], &[])), Err(BeyondOwn));
        assert!(admin.give_roles(weighed(true, &["admin"], &[])).is_ok());
        // An administrator handles no owner, whatever else they do to people.
        assert_eq!(admin.cover(weighed(true, &["owner"], &[]).powers()), Err(BeyondOwn));
        assert_eq!(owner.give_roles(weighed(false, &["owner"], &[])), Err(BeyondOwn));
    }

    #[test]
    fn what_only_the_owner_may_do_is_what_tells_an_owner_from_an_administrator() {
        let (owner, admin) =
            (person(&[BuiltInRole::Owner], &[], true), person(&[BuiltInRole::Admin], &[], true));
        let beyond: Vec<Action> = owner.iter().filter(|action| !admin.contains(*action)).collect();
        assert!(beyond.contains(&Action::PrivilegeUse) && beyond.contains(&Action::TenantsList));
        assert!(beyond.iter().all(|action| !is_delegable(*action)));
    }

    #[test]
    fn a_token_gives_no_more_than_its_scopes_and_a_program_nothing_that_is_for_people() {
        let scopes = [Action::SitesRead, Action::UsersWrite];
        let kind = PrincipalKind::User { scopes: Some(&scopes) };
        let roles = [BuiltInRole::Admin];
        let token =
            Principal { kind, id: "usr_1", tenant: &ANDINA, is_owner: false, roles: &roles, granted: &[] };
        assert_eq!(Powers::of(&token, &ANDINA), Powers::from_actions(scopes));
        let program = Principal { kind: PrincipalKind::Program { permissions: &["tenant:manage"] }, ..token };
        assert!(!Powers::of(&program, &ANDINA).contains(Action::UsersWrite));
    }

    #[test]
    fn powers_know_whether_they_need_a_second_factor() {
        for (role, needs) in [
            (BuiltInRole::Admin, true),
            (BuiltInRole::Developer, true),
            (BuiltInRole::Manager, false),
            (BuiltInRole::Auditor, false),
            (BuiltInRole::Analyst, false),
        ] {
            assert_eq!(person(&[role], &[], false).ask_for_second_factor(), needs, "{role}");
        }
        assert!(person(&[BuiltInRole::Owner], &[], true).ask_for_second_factor());
        assert!(Powers::from_actions([Action::PlanWrite]).ask_for_second_factor());
        assert!(!Powers::default().ask_for_second_factor());
    }

    const OWN_ROLES: [&str; 3] = ["alpha", "beta", "gamma"];

    /// A tenant as far as roles go: what its own roles allow, and who has which.
    #[derive(Debug, Clone)]
    struct Tenant {
        is_owner: bool,
        roles: BTreeMap<&'static str, Vec<Action>>,
        people: Vec<Vec<String>>,
        /// What its provider stands for, and the roles that it gives.
        provider: Option<(Powers, Vec<String>)>,
    }

    impl Tenant {
        fn weigh(&self, names: Vec<String>) -> WeighedRoles {
            let granted: Vec<Action> =
                names.iter().filter_map(|name| self.roles.get(name.as_str())).flatten().copied().collect();
            WeighedRoles::new(self.is_owner, names, &granted)
        }

        fn powers(&self, who: usize) -> Powers {
            self.weigh(self.people[who].clone()).powers.clone()
        }

        fn union(&self, people: &[usize]) -> BTreeSet<Action> {
            people.iter().flat_map(|who| self.powers(*who).0).collect()
        }

        /// Carries out what a member does, if the check lets it pass.
        fn step(&mut self, by: usize, step: &Step) {
            let own = self.powers(by);
            match step {
                Step::Define(role, actions) => {
                    let before = self.roles.get(role).cloned().unwrap_or_default();
                    let after = own.give_actions(actions.clone());
                    if own.give_actions(before).is_ok()
                        && let Ok(after) = after
                    {
                        self.roles.insert(role, after.into_inner());
                    }
                }
                Step::Invite(names) => {
                    if let Ok(names) = own.give_roles(self.weigh(names.clone())) {
                        self.people.push(names.into_inner());
                    }
                }
                Step::Change(who, names) => {
                    let who = who % self.people.len();
                    if own.cover(&self.powers(who)).is_ok()
                        && let Ok(names) = own.give_roles(self.weigh(names.clone()))
                    {
                        self.people[who] = names.into_inner();
                    }
                }
                Step::SetProvider(names) => {
                    let before = self.provider.clone().map(|(powers, _)| powers).unwrap_or_default();
                    if own.cover(&before).is_ok()
                        && let Ok(names) = own.give_roles(self.weigh(names.clone()))
                    {
                        self.provider = Some((own, names.into_inner()));
                    }
                }
                Step::ComeByProvider(who) => {
                    let Some((stands_for, names)) = self.provider.clone() else { return };
                    let Ok(names) = stands_for.give_roles(self.weigh(names)) else { return };
                    match who {
                        None => self.people.push(names.into_inner()),
                        Some(who) => {
                            let who = who % self.people.len();
                            if stands_for.cover(&self.powers(who)).is_ok() {
                                self.people[who] = names.into_inner();
                            }
                        }
                    }
                }
            }
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Define(&'static str, Vec<Action>),
        Invite(Vec<String>),
        Change(usize, Vec<String>),
        SetProvider(Vec<String>),
        ComeByProvider(Option<usize>),
    }

    fn names() -> impl Strategy<Value = Vec<String>> {
        let all: Vec<String> = BuiltInRole::ALL
            .iter()
            .map(ToString::to_string)
            .chain(OWN_ROLES.iter().map(|&name| name.to_owned()))
            .collect();
        subsequence(all, 1..=3)
    }

    fn actions() -> impl Strategy<Value = Vec<Action>> {
        subsequence(Action::ALL.to_vec(), 1..=6)
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (select(OWN_ROLES.to_vec()), actions()).prop_map(|(role, list)| Step::Define(role, list)),
            names().prop_map(Step::Invite),
            (any::<usize>(), names()).prop_map(|(who, list)| Step::Change(who, list)),
            names().prop_map(Step::SetProvider),
            any::<Option<usize>>().prop_map(Step::ComeByProvider),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        /// What roles weigh is what the policies let their holder do.
        #[test]
        fn roles_weigh_what_the_policies_let_their_holder_do(
            is_owner in any::<bool>(),
            mut roles in subsequence(BuiltInRole::ALL.to_vec(), 0..=4),
            granted in actions(),
        ) {
            roles.retain(|role| is_owner || *role != BuiltInRole::Owner);
            let names = roles.iter().map(ToString::to_string).collect();
            let weighed = WeighedRoles::new(is_owner, names, &granted);
            prop_assert_eq!(weighed.powers(), &person(&roles, &granted, is_owner));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        /// Whoever they are and whatever they do one after the other: nobody ends with an action that neither they had at
        /// the beginning nor any of those who acted.
        #[test]
        fn no_sequence_of_gifts_ends_with_an_action_that_none_of_the_givers_had(
            is_owner in any::<bool>(),
            roles in proptest::collection::vec(actions(), OWN_ROLES.len()),
            mut people in proptest::collection::vec(names(), 3..6),
            givers in 1..3_usize,
            steps in proptest::collection::vec((any::<usize>(), step()), 1..25),
        ) {
            if !is_owner {
                for names in &mut people {
                    names.retain(|name| name != "owner");
                }
            }
            let roles = OWN_ROLES.into_iter().zip(roles).collect();
            let mut tenant = Tenant { is_owner, roles, people, provider: None };
            let first = tenant.clone();
            let mut circle: Vec<usize> = (0..givers).collect();
            let had = first.union(&circle);
            for (by, step) in &steps {
                let known = tenant.people.len();
                tenant.step(circle[by % circle.len()], step);
                // Whoever was brought in may act too.
                circle.extend(known..tenant.people.len());
            }
            for who in 0..tenant.people.len() {
                let mut limit = had.clone();
                if who < first.people.len() {
                    limit.extend(first.powers(who).0);
                }
                let now = tenant.powers(who).0;
                prop_assert!(now.is_subset(&limit), "{who} gained {:?}", now.difference(&limit).collect::<Vec<_>>());
            }
        }
    }
}
