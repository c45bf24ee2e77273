//! Wrong credentials, as each service answers them.

use super::simulators::Simulator;
use misy_store::key_provider::KeyProviderError;
use misy_testkit::store::test_store;

#[tokio::test]
async fn wrong_credentials_are_denied_at_once() {
    let store = test_store().await.unwrap();
    for simulator in [
        Simulator::vault_with_token("wrong").await,
        Simulator::azure_with_secret(&store.clock, "wrong").await,
        Simulator::aws_with_secret(&store.clock, "wrong").await,
    ] {
        let error = simulator.kms.check(&*store.entropy).await.unwrap_err();
        assert!(matches!(error, KeyProviderError::Denied { .. }), "{}: {error:?}", simulator.kms.name());
        assert!(simulator.asked() <= 2, "{} was asked {} times", simulator.kms.name(), simulator.asked());
    }
}

#[tokio::test]
async fn the_identity_of_a_machine_in_azure_gets_tokens_too() {
    let store = test_store().await.unwrap();
    let simulator = Simulator::azure_managed(&store.clock).await;
    simulator.kms.check(&*store.entropy).await.unwrap();
    // One token for both calls.
    assert_eq!(simulator.asked(), 3);
}
