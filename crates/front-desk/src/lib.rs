//! front-desk
