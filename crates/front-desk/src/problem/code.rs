//! What kinds of problems there are.

misy_domain::words! {
    /// The kind of a problem. It stays what it is: programs compare it.
    pub enum Code as ProblemCode {
        /// The request cannot be understood.
        BadRequest = "bad_request",
        /// The body is no JSON in UTF-8, nests too deeply, or names a member twice.
        MalformedJson = "malformed_json",
        /// The request line and headers are too large.
        HeadersTooLarge = "headers_too_large",
        /// The body is too large.
        BodyTooLarge = "body_too_large",
        /// The body is no plain JSON.
        UnsupportedMediaType = "unsupported_media_type",
        /// The body took too long to arrive.
        RequestTimeout = "request_timeout",
        /// The path is there, but not with this method; see `Allow`.
        MethodNotAllowed = "method_not_allowed",
        /// Some of what was sent cannot be used; `errors` says what.
        ValidationFailed = "validation_failed",
        /// The contract knows this, and the program cannot do it yet.
        NotSupported = "not_supported",
        /// The envelope of a message and its token or session disagree.
        EnvelopeMismatch = "envelope_mismatch",

        /// A token is required.
        TokenMissing = "token_missing",
        /// The token is not accepted.
        TokenInvalid = "token_invalid",
        /// The token has expired.
        TokenExpired = "token_expired",
        /// The token is no longer accepted.
        TokenRevoked = "token_revoked",
        /// The key is not accepted.
        KeyInvalid = "key_invalid",
        /// The request must be signed.
        SignatureMissing = "signature_missing",
        /// The signature does not match the request.
        SignatureInvalid = "signature_invalid",
        /// The request was signed too long ago or too far ahead; `serverTime` tells the time.
        TimestampOutOfWindow = "timestamp_out_of_window",
        /// The request was seen before.
        ReplayDetected = "replay_detected",
        /// A client certificate of the tenant is required.
        CertificateRequired = "certificate_required",
        /// The client certificate is not accepted.
        CertificateInvalid = "certificate_invalid",
        /// The bootstrap secret is not accepted.
        BootstrapSecretInvalid = "bootstrap_secret_invalid",

        /// Another person holds the conversation.
        ConversationHeld = "conversation_held",
        /// The contact has written something that the caller has not seen.
        ConversationMoved = "conversation_moved",
        /// Whoever answers must take the conversation first.
        ConversationNotHeld = "conversation_not_held",

        /// Somebody must sign in first.
        SessionMissing = "session_missing",
        /// The session is over; sign in again.
        SessionExpired = "session_expired",
        /// The session is not accepted; sign in again.
        SessionInvalid = "session_invalid",
        /// This can be done in a browser's session only, not with a token.
        SessionRequired = "session_required",
        /// The call does not come from a page of this installation.
        CsrfRefused = "csrf_refused",
        /// The address or the password is wrong.
        CredentialsInvalid = "credentials_invalid",
        /// The sign-in took too long or too many attempts; begin again.
        ChallengeInvalid = "challenge_invalid",
        /// The code is wrong or was used before.
        CodeInvalid = "code_invalid",
        /// The link was used before, is too old, or was replaced by a newer one.
        LinkInvalid = "link_invalid",
        /// The passkey is not accepted.
        PasskeyInvalid = "passkey_invalid",
        /// The passkey counts backwards: somebody has a copy of it.
        PasskeyCloned = "passkey_cloned",
        /// There is no passkey.
        NoPasskey = "no_passkey",
        /// There are as many passkeys as there may be.
        TooManyPasskeys = "too_many_passkeys",
        /// A second factor must be proved again, freshly, by a person.
        StepUpRequired = "step_up_required",
        /// The role needs a second factor: enrol one first.
        SecondFactorEnrollmentRequired = "second_factor_enrollment_required",
        /// The session has not proved the second factor that its account has.
        SecondFactorRequired = "second_factor_required",
        /// A password alone enrols no second factor for this account: a link must have set it.
        EnrollmentLinkRequired = "enrollment_link_required",
        /// No authenticator app was proposed that could be confirmed.
        NotProposed = "not_proposed",
        /// It is the last second factor of somebody whose role needs one.
        LastSecondFactor = "last_second_factor",
        /// It is the only way in that is left.
        LastWayIn = "last_way_in",
        /// The token of the registration has enrolled somebody already.
        EnrollmentFinished = "enrollment_finished",

        /// The organisation signs in with its own provider only.
        ProviderRequired = "provider_required",
        /// The provider does not answer as it should.
        ProviderUnavailable = "provider_unavailable",
        /// The provider did not sign the person in.
        SignInDenied = "sign_in_denied",
        /// The provider's answer is not accepted.
        SignInRefused = "sign_in_refused",
        /// The provider says that the person belongs to another tenant.
        TenantClaimMismatch = "tenant_claim_mismatch",
        /// The account is disabled.
        AccountDisabled = "account_disabled",
        /// The account belongs to somebody else at the provider.
        AccountLinked = "account_linked",
        /// There is no account; somebody must invite the person.
        AccountUnknown = "account_unknown",
        /// The account may do more than the provider stands for.
        LinkNotProved = "link_not_proved",
        /// None of the person's groups at the provider has a role.
        NoRole = "no_role",
        /// The provider does not say the person's e-mail address.
        EmailMissing = "email_missing",
        /// The provider has not verified the person's e-mail address.
        EmailNotVerified = "email_not_verified",
        /// Addresses of this domain are not taken.
        EmailDomainNotAllowed = "email_domain_not_allowed",

        /// The caller may not do this.
        PermissionDenied = "permission_denied",
        /// This belongs to a tenant: a privileged operation must give access first.
        PrivilegeRequired = "privilege_required",
        /// This is done to another tenant: the caller must say why.
        ReasonRequired = "reason_required",
        /// Nobody handles a role above their own.
        RoleAboveOwn = "role_above_own",
        /// This origin may not do this.
        OriginNotAllowed = "origin_not_allowed",
        /// The tenant is suspended or closed.
        TenantSuspended = "tenant_suspended",
        /// What is not there, and what is somebody else's alike.
        NotFound = "not_found",

        /// Something stands against it; `detail` says what.
        Conflict = "conflict",
        /// It was changed since it was read.
        Stale = "stale",
        /// There are as many as there may be.
        TooMany = "too_many",
        /// The idempotency key was used for another request.
        IdempotencyMismatch = "idempotency_mismatch",
        /// The owner is registered already.
        OwnerAlreadyRegistered = "owner_already_registered",
        /// The certificate is bound already.
        CertificateBound = "certificate_bound",
        /// Another tenant has proved this domain.
        DomainInUse = "domain_in_use",
        /// The domain is not proved.
        DomainNotProved = "domain_not_proved",
        /// Nobody would be left who may administer the tenant.
        LastAdministrator = "last_administrator",
        /// The user is not active.
        NotActive = "not_active",
        /// The user has come in already.
        NotInvited = "not_invited",
        /// Somebody has the role.
        RoleInUse = "role_in_use",
        /// Somebody else has the time; `alternatives` are free.
        SlotTaken = "slot_taken",
        /// The time is against the rules of the business; `alternatives` are free.
        SlotRefused = "slot_refused",
        /// It is too late to change the booking for nothing: say that you know.
        TooLate = "too_late",

        /// Too many requests; `Retry-After` says when to come back.
        RateLimited = "rate_limited",
        /// What the tenant may use in a month is used up; `quota` says which.
        QuotaExceeded = "quota_exceeded",
        /// Not at this moment; try again.
        Unavailable = "unavailable",
        /// Something went wrong on the server's side.
        Internal = "internal",
    }
}

misy_domain::words! {
    /// What kind of mistake something is that was sent.
    pub enum FieldCode {
        /// It must stand there.
        Required = "required",
        /// It is of another type.
        Type = "type",
        /// It is not known.
        Unknown = "unknown",
        /// It has another form.
        Format = "format",
        /// The number is too small or too large.
        Range = "range",
        /// The text has too few characters.
        TooShort = "too_short",
        /// The text has too many characters.
        TooLong = "too_long",
        /// The list has too many items.
        TooMany = "too_many",
        /// All of it is too large.
        TooLarge = "too_large",
        /// It would take too much to work with it.
        TooCostly = "too_costly",
        /// It stands after what it must stand before.
        Order = "order",
        /// It is there twice.
        Duplicate = "duplicate",
        /// What it names is not there.
        Reference = "reference",
        /// Too many people use this password.
        Common = "common",
        /// The password is made of what is known of the person.
        Personal = "personal",
        /// It is not proved.
        NotProved = "not_proved",
        /// The caller may not say this.
        NotAllowed = "not_allowed",
        /// The contract knows this, and the program cannot do it yet.
        NotSupported = "not_supported",
        /// It is there, and cannot be used.
        Unusable = "unusable",
    }
}
