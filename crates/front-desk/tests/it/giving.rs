//! Nobody gives, changes or takes away more than they have themselves: case by case, and by chance.

use crate::{
    oidc::back_door,
    people::Browser,
    support::{App, Tenant},
    users::joined,
};
use http::Method;
use misy_domain::{Action, BuiltInRole};
use misy_store::roles;
use misy_trust::access::Powers;
use serde_json::{Value, json};

async fn patch(app: &App, by: &mut Browser, path: &str, body: &Value) -> crate::support::Answer {
    by.call_on(&app.router, Method::PATCH, path, Some(body)).await
}

/// Somebody with a role of the tenant's own that allows this.
pub(crate) async fn with_role(
    app: &App,
    boss: &mut Browser,
    andina: &Tenant,
    name: &str,
    actions: &[Action],
) -> (Browser, String) {
    boss.step_up(app).await;
    let role = json!({ "roleId": name, "actions": actions });
    boss.post(app, &andina.path("/roles"), &role).await.expect(201);
    let (mut browser, id) = joined(app, boss, andina, &format!("{name}@andina.example"), &[name]).await;
    browser.enroll_app(app).await;
    (browser, id)
}

#[tokio::test]
async fn roles_above_ones_own_are_neither_given_nor_stripped_nor_changed() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut boss = app.administrator(&andina, "boss@andina.example").await;
    let people = [Action::UsersRead, Action::UsersWrite, Action::RolesRead, Action::RolesWrite];
    let (mut luis, luis_id) = with_role(&app, &mut boss, &andina, "people", &people).await;
    let (_, ana) = joined(&app, &mut boss, &andina, "ana@andina.example", &["analyst"]).await;
    let reception = json!({ "roleId": "reception", "actions": ["users:read", "audit:read"] });
    boss.post(&app, &andina.path("/roles"), &reception).await.expect(201);
    let (_, eva) = joined(&app, &mut boss, &andina, "eva@andina.example", &["reception"]).await;
    luis.step_up(&app).await;
    // Not even the two roles that change nothing, for who does not have what they allow.
    for roles in [json!(["agent"]), json!(["analyst"]), json!(["reception"]), json!(["people", "manager"])] {
        let body = json!({ "email": "new@andina.example", "name": "New", "roles": roles });
        luis.post(&app, &andina.path("/users"), &body).await.refused(403, "role_above_own");
        let own = andina.path(&format!("/users/{luis_id}"));
        patch(&app, &mut luis, &own, &json!({ "roles": roles })).await.refused(403, "role_above_own");
    }
    // Whoever has more is not touched: not stripped, disabled, removed, signed out or given a link.
    for id in [&ana, &eva] {
        let path = andina.path(&format!("/users/{id}"));
        for body in [json!({ "roles": ["people"] }), json!({ "disabled": true }), json!({ "name": "X" })] {
            patch(&app, &mut luis, &path, &body).await.refused(403, "role_above_own");
        }
        luis.order(&app, Method::DELETE, &path).await.refused(403, "role_above_own");
        luis.order(&app, Method::DELETE, &format!("{path}/sessions")).await.refused(403, "role_above_own");
        for call in ["password-reset", "second-factor-reset", "invitation"] {
            let answer = luis.order(&app, Method::POST, &format!("{path}/{call}")).await;
            answer.refused(403, "role_above_own");
        }
    }
    // A role that allows more is not narrowed, emptied of its meaning or deleted; nor widened, by who has what it allows.
    let path = andina.path("/roles/reception");
    patch(&app, &mut luis, &path, &json!({ "actions": ["users:read"] }))
        .await
        .refused(403, "permission_denied");
    patch(&app, &mut luis, &path, &json!({ "name": "X" })).await.refused(403, "permission_denied");
    luis.order(&app, Method::DELETE, &path).await.refused(403, "permission_denied");
    let own = andina.path("/roles/people");
    patch(&app, &mut luis, &own, &json!({ "actions": ["audit:read"] }))
        .await
        .refused(403, "permission_denied");
    // What they have, they give.
    let body = json!({ "email": "new@andina.example", "name": "New", "roles": ["people"] });
    luis.post(&app, &andina.path("/users"), &body).await.expect(201);
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap() % sides
    }

    fn some<T: Clone>(&mut self, of: &[T], most: usize) -> Vec<T> {
        let mut picked = Vec::new();
        for _ in 0..=self.roll(most) {
            picked.push(of[self.roll(of.len())].clone());
        }
        picked
    }

    fn actions(&mut self, of: &[Action]) -> Vec<Action> {
        let mut actions = self.some(of, 6);
        actions.sort_unstable();
        actions.dedup();
        actions
    }

    /// Names of roles: mostly such as a caller of the circle may give, now and then any.
    fn roles(&mut self, own: &[String]) -> Vec<String> {
        let mut all: Vec<String> = own.to_vec();
        all.push("agent".into());
        if self.roll(3) == 0 {
            all.extend(BuiltInRole::ALL.iter().map(ToString::to_string));
        }
        let mut roles = self.some(&all, 1);
        roles.sort_unstable();
        roles.dedup();
        roles
    }
}

/// What can be misused, and what an agent may do.
const AT_HAND: [Action; 12] = [
    Action::UsersRead,
    Action::UsersWrite,
    Action::RolesWrite,
    Action::SignInRead,
    Action::SignInWrite,
    Action::TenantRead,
    Action::ContextPackRead,
    Action::DecisionsRead,
    Action::TurnsRead,
    Action::TurnsWrite,
    Action::ConversationsRead,
    Action::ConversationsWrite,
];

/// Everybody of the tenant and what they may do.
async fn powers(app: &App, andina: &Tenant) -> Vec<(String, Powers)> {
    let mut admin = app.store.connect_as("postgres").await.unwrap();
    let sql = "select user_id, roles from misy.users where tenant_id = $1 order by 1";
    let people: Vec<(String, Vec<String>)> =
        sqlx::query_as(sql).bind(&andina.id).fetch_all(&mut admin).await.unwrap();
    let mut all = Vec::new();
    let mut tx = app.store.database.tenant("test.powers", &andina.tenant_id()).await.unwrap();
    for (id, names) in people {
        let weighed = roles::weigh(&mut tx, false, names).await.unwrap();
        all.push((id, weighed.powers().clone()));
    }
    tx.commit().await.unwrap();
    all
}

fn of<'a>(all: &'a [(String, Powers)], id: &str) -> &'a Powers {
    &all.iter().find(|(known, _)| known == id).unwrap().1
}

/// A circle of people with random roles does random things. Nobody ends with an action that neither they had before nor
/// anybody of the circle; and no session, link or reset that the circle comes by is of somebody who may do more.
#[allow(clippy::too_many_lines, reason = "one game, told from its beginning to its end")]
async fn play(seed: u64) -> usize {
    let mut dice = Dice(seed);
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut boss = back_door::boss(&app, &andina).await;
    let mut circle = Vec::new();
    let mut own = Vec::new();
    let delegable: Vec<Action> =
        Action::ALL.iter().copied().filter(|action| misy_trust::access::is_delegable(*action)).collect();
    for name in ["alpha", "beta"] {
        let mut actions = dice.actions(&delegable);
        actions.extend(AT_HAND);
        actions.sort_unstable();
        actions.dedup();
        circle.push(with_role(&app, &mut boss, &andina, name, &actions).await);
        own.push(name.to_owned());
    }
    let mut addresses = vec!["boss@andina.example".to_owned(), "alpha@andina.example".to_owned()];
    for (name, roles) in [("eva", ["manager"]), ("ada", ["agent"]), ("zoe", ["auditor"])] {
        let address = format!("{name}@andina.example");
        boss.step_up(&app).await;
        joined(&app, &mut boss, &andina, &address, &roles).await;
        addresses.push(address);
    }
    let provider = back_door::provider().await;
    let first = powers(&app, &andina).await;
    let had = circle.iter().flat_map(|(_, id)| of(&first, id).iter().collect::<Vec<_>>());
    let had = Powers::from_actions(had);
    let mut reached = Vec::new();
    let mut carried_out = 0;
    for turn in 0..45 {
        let known = powers(&app, &andina).await;
        let somebody = known[dice.roll(known.len())].0.clone();
        let at = dice.roll(circle.len());
        // Half of the time a caller gives of what they have, else of everything.
        let own_actions: Vec<Action> = of(&known, &circle[at].1).iter().collect();
        let pool = if dice.roll(2) == 0 || own_actions.is_empty() { &delegable } else { &own_actions };
        let by = &mut circle[at].0;
        let me = by.get(&app, "/auth/me").await;
        if me.status != 200 {
            continue;
        }
        // Whoever a provider brought in has no app, and gives nothing.
        if by.totp.is_some() && me.body["secondFactorAgeSeconds"].as_i64().is_none_or(|age| age > 200) {
            by.step_up(&app).await;
        }
        let answer = match dice.roll(9) {
            0 => {
                let name = format!("own-{turn}");
                let body = json!({ "roleId": name, "actions": dice.actions(pool) });
                let answer = by.post(&app, &andina.path("/roles"), &body).await;
                if answer.status == 201 {
                    own.push(name);
                }
                answer.status
            }
            1 => {
                let role = own[dice.roll(own.len())].clone();
                let body = json!({ "actions": dice.actions(pool) });
                patch(&app, by, &andina.path(&format!("/roles/{role}")), &body).await.status
            }
            2 | 3 => {
                let body = json!({ "roles": dice.roles(&own) });
                patch(&app, by, &andina.path(&format!("/users/{somebody}")), &body).await.status
            }
            4 => {
                let address = format!("new-{turn}@andina.example");
                let body = json!({ "email": address, "name": "New", "roles": dice.roles(&own) });
                let answer = by.post(&app, &andina.path("/users"), &body).await;
                if answer.status == 201 {
                    addresses.push(address);
                    reached.push((turn, answer.body["user"]["userId"].as_str().unwrap().to_owned()));
                }
                answer.status
            }
            5 => {
                let mut body = back_door::trusting(&provider, &andina.id, "andina.example");
                body["provisioning"] = json!(true);
                body["defaultRoles"] = json!(dice.roles(&[]));
                by.call_on(&app.router, Method::PUT, &andina.path("/sign-in"), Some(&body)).await.status
            }
            6 | 7 => {
                let address = if dice.roll(4) == 0 {
                    format!("came-{turn}@andina.example")
                } else {
                    addresses[dice.roll(addresses.len())].clone()
                };
                let (_, mut browser) = back_door::try_as(&app, &provider, &andina.id, &address).await;
                let me = browser.get(&app, "/auth/me").await;
                if me.status == 200 {
                    let id = me.body["user"]["userId"].as_str().unwrap().to_owned();
                    reached.push((turn, id.clone()));
                    circle.push((browser, id));
                }
                me.status
            }
            _ => {
                let call = ["password-reset", "second-factor-reset", "invitation"][dice.roll(3)];
                let path = andina.path(&format!("/users/{somebody}/{call}"));
                let answer = by.order(&app, Method::POST, &path).await;
                if answer.status.is_success() {
                    reached.push((turn, somebody));
                }
                answer.status
            }
        };
        carried_out += usize::from(answer.is_success());
        let now = powers(&app, &andina).await;
        for (turn, id) in reached.drain(..) {
            assert!(had.cover(of(&now, &id)).is_ok(), "seed {seed}, turn {turn}: {id} was reached");
        }
    }
    for (id, now) in powers(&app, &andina).await {
        let before = first.iter().find(|(known, _)| *known == id).map(|(_, powers)| powers.clone());
        let limit = Powers::from_actions(had.iter().chain(before.unwrap_or_default().iter()));
        assert!(limit.cover(&now).is_ok(), "seed {seed}: {id} has {now:?}");
    }
    carried_out
}

#[tokio::test]
async fn no_sequence_of_calls_ends_with_an_action_that_none_of_the_callers_had() {
    let mut carried_out = 0;
    for seed in [7, 2_026] {
        carried_out += play(seed).await;
    }
    println!("{carried_out} calls were carried out");
    assert!(carried_out >= 8, "what is refused always proves nothing: {carried_out}");
}
