//! Principals, tenants and resources as the policies see them.

use super::{Moment, PolicyError, Principal, PrincipalKind};
use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, RestrictedExpression as Value,
};
use misy_domain::{Action, TenantId};
use std::collections::{HashMap, HashSet};

/// The names of entity types, parsed once, and what each role inherits from.
pub(super) struct Types {
    action: EntityTypeName,
    tenant: EntityTypeName,
    role: EntityTypeName,
    inherited: HashMap<EntityUid, HashSet<EntityUid>>,
    user: EntityTypeName,
    set_up_token: EntityTypeName,
    program: EntityTypeName,
}

fn type_name(text: &str) -> Result<EntityTypeName, PolicyError> {
    text.parse().map_err(PolicyError::of)
}

/// The thing of a type that has this id.
pub(super) fn uid(of: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(of.clone(), EntityId::new(id))
}

/// Everything that this is in, directly or through others.
pub(super) fn above(known: &Entities, uid: &EntityUid) -> HashSet<EntityUid> {
    known.ancestors(uid).into_iter().flatten().cloned().collect()
}

impl Types {
    pub(super) fn new(roles: &Entities) -> Result<Self, PolicyError> {
        Ok(Self {
            inherited: roles.iter().map(|role| (role.uid(), above(roles, &role.uid()))).collect(),
            action: type_name("Misy::Action")?,
            tenant: type_name("Misy::Tenant")?,
            role: type_name("Misy::Role")?,
            user: type_name("Misy::User")?,
            set_up_token: type_name("Misy::SetUpToken")?,
            program: type_name("Misy::Program")?,
        })
    }

    pub(super) fn action(&self, name: &str) -> EntityUid {
        uid(&self.action, name)
    }

    /// Who asks.
    pub(super) fn of_principal(&self, principal: &Principal<'_>) -> EntityUid {
        let of = match principal.kind {
            PrincipalKind::User { .. } => &self.user,
            PrincipalKind::SetUpToken => &self.set_up_token,
            PrincipalKind::Program { .. } => &self.program,
        };
        uid(of, principal.id)
    }

    /// Everything the policies need to know about both.
    pub(super) fn about(
        &self,
        principal: &Principal<'_>,
        own: &EntityUid,
        tenant: &TenantId,
        resource: &EntityUid,
    ) -> Result<Vec<Entity>, PolicyError> {
        let home = uid(&self.tenant, principal.tenant.as_str());
        let mut entities =
            vec![self.person(principal, own, &home)?, Self::business(&home, principal.is_owner)?];
        let target = uid(&self.tenant, tenant.as_str());
        if target != home {
            // That it is another tenant than the principal's is all that counts: there is one owner.
            entities.push(Self::business(&target, false)?);
        }
        if *resource != target {
            entities.push(Entity::new_no_attrs(resource.clone(), HashSet::from([target])));
        }
        Ok(entities)
    }

    fn business(tenant: &EntityUid, is_owner: bool) -> Result<Entity, PolicyError> {
        let attributes = HashMap::from([("isOwner".to_owned(), Value::new_bool(is_owner))]);
        Entity::new(tenant.clone(), attributes, HashSet::new()).map_err(PolicyError::of)
    }

    fn person(
        &self,
        principal: &Principal<'_>,
        own: &EntityUid,
        home: &EntityUid,
    ) -> Result<Entity, PolicyError> {
        let mut attributes = HashMap::from([("tenant".to_owned(), Value::new_entity_uid(home.clone()))]);
        let mut parents = HashSet::new();
        match principal.kind {
            PrincipalKind::User { scopes } => {
                attributes.insert("granted".to_owned(), actions(principal.granted));
                if let Some(scopes) = scopes {
                    attributes.insert("scopes".to_owned(), actions(scopes));
                }
                for role in principal.roles {
                    let role = uid(&self.role, role.as_str());
                    parents.extend(self.inherited.get(&role).into_iter().flatten().cloned());
                    parents.insert(role);
                }
            }
            PrincipalKind::SetUpToken => {}
            PrincipalKind::Program { permissions } => {
                let permissions = permissions.iter().map(|text| Value::new_string((*text).to_owned()));
                attributes.insert("permissions".to_owned(), Value::new_set(permissions));
                attributes.insert("granted".to_owned(), actions(principal.granted));
            }
        }
        Entity::new(own.clone(), attributes, parents).map_err(PolicyError::of)
    }
}

fn actions(list: &[Action]) -> Value {
    Value::new_set(list.iter().map(|action| Value::new_string(action.as_str().to_owned())))
}

/// The moment.
pub(super) fn context(action: Action, moment: Moment) -> Result<Context, PolicyError> {
    let mut pairs = vec![
        ("action".to_owned(), Value::new_string(action.as_str().to_owned())),
        ("supportAccess".to_owned(), Value::new_bool(moment.support_access)),
        ("agentAccess".to_owned(), Value::new_bool(moment.agent_access)),
        ("reasonGiven".to_owned(), Value::new_bool(moment.reason_given)),
    ];
    if let Some(age) = moment.second_factor_age {
        pairs.push(("secondFactorAge".to_owned(), Value::new_long(age)));
    }
    Context::from_pairs(pairs).map_err(PolicyError::of)
}
