//! What somebody made that goes on without them: told when they are disabled or removed, and revoked if wanted.

use crate::{desk::FrontDesk, management::AtTenant, problem::Problem};
use misy_domain::{Timestamp, UserId};
use misy_store::{
    TenantTx,
    made::{self, Made, MadeKind},
    users::tokens,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Something that somebody made.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MadeThing)]
pub struct MadeAnswer {
    /// What it is.
    kind: MadeKind,
    /// Its id.
    #[schema(example = "key_01k9z3v5d2m8q4x7c1b6n0f9gh")]
    id: String,
    /// What people call it.
    name: String,
    /// Who made it: the person, or a secret of theirs whose server did.
    made_by: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Whether it was revoked by this call. What was not, goes on.
    revoked: bool,
}

/// What somebody leaves behind who is removed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LeftBehind {
    /// What they made that was in force.
    pub(super) made: Vec<MadeAnswer>,
}

/// What becomes of what somebody made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OfMade {
    /// It goes on.
    Keep,
    /// It is revoked in the same moment, with all tokens that were given for it.
    Revoke,
}

/// Whether what somebody made is revoked too.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MadeQuery {
    /// What becomes of the secrets, keys, certificates and channel accounts that the person made, and of those that were made with such a secret:
    /// `keep` (unless given) or `revoke`. Personal tokens end in any case.
    made: Option<OfMade>,
}

impl MadeQuery {
    /// What a person made that is in force, and with `made=revoke` is so no more.
    pub(super) async fn settle(
        &self,
        desk: &FrontDesk,
        call: &AtTenant,
        tx: &mut TenantTx,
        user: UserId,
    ) -> Result<Vec<MadeAnswer>, Problem> {
        let now = desk.clock.now();
        let made = made::by(tx, user, now).await?;
        let revokes = self.made == Some(OfMade::Revoke);
        let ends = |one: &Made| revokes || one.kind == MadeKind::PersonalToken;
        tokens::revoke_all(tx, user, now).await?;
        for one in made.iter().filter(|one| ends(one)) {
            // Somebody may have let it do more since than its maker may.
            if let Some(thing) = made::lock(tx, one).await? {
                made::revoke(tx, &call.handle(desk, thing)?, now).await?;
            }
        }
        let answers = made.into_iter().map(|one| MadeAnswer {
            revoked: ends(&one),
            kind: one.kind,
            id: one.id,
            name: one.name,
            made_by: one.made_by,
            created_at: one.created_at,
        });
        Ok(answers.collect())
    }
}
