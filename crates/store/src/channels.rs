//! Channel accounts: where messages come from and go to beside the tenant's own sites; and the threads on them.

mod accounts;
mod expected;
mod names;
mod threads;
mod vendors;

pub(crate) use accounts::disable;
pub use accounts::{
    Account, AccountChange, AccountStatus, NewAccount, change, create, list, lock, read, rotate_secret,
    secrets,
};
pub use expected::{Expected, Told, expected};
pub(crate) use names::name_of;
pub(crate) use threads::identity_place;
pub use threads::{Heard, Passed, Sender, Thread, last_heard};
pub use vendors::{
    Business, Credentials, Reopening, VendorAccount, by_vendor_account, pause, set_business, set_credentials,
    vendor_account,
};
