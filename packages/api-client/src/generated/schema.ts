// Made from docs/openapi.json by `npm run api-client`. Changes here are lost.

export interface components {
    schemas: {
        /** @description Something that may be done, and what it takes. */
        Ability: {
            /** @description What. */
            action: components["schemas"]["Action"];
            /** @description It takes a privileged operation first: `privilege_required`. */
            needsPrivilege: boolean;
            /** @description It takes a reason: `reason_required`. */
            needsReason: boolean;
            /** @description It takes a second factor that was proved in the last five minutes: `step_up_required`. */
            needsSecondFactor: boolean;
        };
        /** @description Somebody who was invited. */
        Acceptance: {
            /** @description What the user is called, if the invitation has it wrong. */
            name?: string | null;
            /** @description The password: 12 to 128 characters, at least 15 where the role needs no second factor. */
            password: string;
            /**
             * @description From the link.
             * @example inv_…
             */
            token: string;
        };
        /**
         * @description Whether an account takes and sends messages.
         *
         *     - `active`: It does.
         *     - `paused`: It takes them, and what is to be delivered waits.
         *     - `disabled`: It does neither; what is to be delivered waits.
         * @enum {string}
         */
        AccountStatus: "active" | "paused" | "disabled";
        /**
         * @description One kind of management call, written `area:verb`.
         *
         *     - `tenant:read`: Read the record of the tenant.
         *     - `tenant:write`: Change the record of the tenant.
         *     - `tenant:close`: Close the tenant.
         *     - `tenant:delete`: Delete the tenant.
         *     - `tenant:reopen`: Open the tenant again that was closed.
         *     - `plan:write`: Change the tenant's plan and limits.
         *     - `tenants:list`: List all tenants of the platform.
         *     - `tenants:create`: Make a tenant.
         *     - `tenants:suspend`: Suspend a tenant.
         *     - `tenants:activate`: Activate a tenant.
         *     - `privilege:use`: Run a privileged operation.
         *     - `privilege:read`: Read what privileged operations were run.
         *     - `privilege:end`: End access that a privileged operation gave, before its time.
         *     - `context-pack:read`: Read the context pack.
         *     - `context-pack:write`: Replace the context pack.
         *     - `bookings:read`: Read bookings, and who they are for.
         *     - `bookings:write`: Make, move and cancel bookings.
         *     - `sites:read`: Read sites.
         *     - `sites:write`: Make, change and delete sites.
         *     - `keys:read`: Read keys.
         *     - `keys:write`: Make and revoke keys.
         *     - `administrator-keys:revoke`: Revoke a key of an administrator.
         *     - `secrets:read`: Read which secrets there are.
         *     - `secrets:write`: Rotate and revoke secrets.
         *     - `tokens:revoke`: Revoke tokens.
         *     - `certificates:read`: Read client certificates.
         *     - `certificates:write`: Bind and revoke client certificates.
         *     - `limits:read`: Read limits.
         *     - `audit:read`: Read the audit trail, its proofs and reports.
         *     - `audit:export`: Export the audit trail.
         *     - `decisions:read`: Read why an agent answered as it did.
         *     - `turns:read`: Read which turns wait.
         *     - `turns:write`: Let turns that wait go on.
         *     - `usage:read`: Read what was used.
         *     - `users:read`: Read users and their sessions.
         *     - `users:write`: Invite, change and remove users.
         *     - `roles:read`: Read roles.
         *     - `roles:write`: Make, change and delete roles.
         *     - `sign-in:read`: Read how people sign in.
         *     - `sign-in:write`: Set how people sign in.
         *     - `encryption:read`: Read where the rotation of keys stands.
         *     - `encryption:rotate`: Rotate keys.
         *     - `channels:read`: Read channel accounts and what was delivered.
         *     - `channels:write`: Make, change and disable channel accounts.
         *     - `files:remove`: Remove files that contacts sent.
         *     - `conversations:read`: Read what is said in conversations.
         *     - `conversations:write`: Take conversations, answer in them, give them back and close them.
         *     - `conversations:assign`: Say who answers in a conversation, also when somebody else holds it.
         *     - `alerts:read`: Read alerts and their rules.
         *     - `alerts:write`: Acknowledge alerts and change their rules.
         *     - `work:read`: Read which work was given up.
         *     - `work:write`: Revive and drop work that was given up.
         * @enum {string}
         */
        Action: "tenant:read" | "tenant:write" | "tenant:close" | "tenant:delete" | "tenant:reopen" | "plan:write" | "tenants:list" | "tenants:create" | "tenants:suspend" | "tenants:activate" | "privilege:use" | "privilege:read" | "privilege:end" | "context-pack:read" | "context-pack:write" | "bookings:read" | "bookings:write" | "sites:read" | "sites:write" | "keys:read" | "keys:write" | "administrator-keys:revoke" | "secrets:read" | "secrets:write" | "tokens:revoke" | "certificates:read" | "certificates:write" | "limits:read" | "audit:read" | "audit:export" | "decisions:read" | "turns:read" | "turns:write" | "usage:read" | "users:read" | "users:write" | "roles:read" | "roles:write" | "sign-in:read" | "sign-in:write" | "encryption:read" | "encryption:rotate" | "channels:read" | "channels:write" | "files:remove" | "conversations:read" | "conversations:write" | "conversations:assign" | "alerts:read" | "alerts:write" | "work:read" | "work:write";
        /**
         * @description How an agent comes to its answer.
         *
         *     - `built_in`: It computes the answer from the context pack, at once and at no cost.
         *     - `connected`: It asks something outside: a model, a tool or a person.
         * @enum {string}
         */
        AgentKind: "built_in" | "connected";
        /** @description An alert. */
        Alert: {
            /**
             * Format: date-time
             * @description When somebody took note.
             */
            acknowledgedAt?: string | null;
            /** @description Who. */
            acknowledgedBy?: string | null;
            /** @description Who caused it. */
            actor?: string | null;
            /** @description Its id. */
            alertId: components["schemas"]["AlertId"];
            /** @description Figures. */
            detail: {
                [key: string]: unknown;
            };
            /**
             * Format: date-time
             * @description When it was raised.
             */
            raisedAt: string;
            /**
             * @description The rule that raised it.
             * @example privilege_burst
             */
            rule: string;
            /** @description How bad it is. */
            severity: components["schemas"]["Severity"];
            /** @description What it is about. */
            subject?: string | null;
        };
        /**
         * @description The id of one Alert.
         * @example alr_01k9z3v5d2m8q4x7c1b6n0f9gh
         */
        AlertId: string;
        /** @description What a person writes to the contact. */
        AnswerRequest: {
            /** @description The client's own id of the message, 1 to 128 characters: sent again, it is the same message. */
            clientMessageId?: string | null;
            /** @description What it says, 1 to 4000 characters. */
            text: string;
        };
        /** @description Where the session stands now that the app is its second factor, with the codes for when the app is lost. */
        AppConfirmed: components["schemas"]["SignedIn"] & components["schemas"]["RecoveryCodes"];
        /** @description What an authenticator answered. */
        Assertion: {
            /** @description As it was given when the ceremony began. */
            ceremony: string;
            /** @description The credential, as `PublicKeyCredential.toJSON()` gives it. */
            credential: components["schemas"]["CredentialProof"];
        };
        /** @description What an authenticator says of a passkey that it holds, in base64url. */
        AssertionResponse: {
            /** @description What the authenticator did. */
            authenticatorData: string;
            /** @description What the browser saw. */
            clientDataJSON: string;
            /** @description Over both. */
            signature: string;
            /** @description Whose it is. */
            userHandle?: string | null;
        };
        /** @description Whom a conversation is given to. */
        AssignRequest: {
            userId?: components["schemas"]["UserId"] | null;
        };
        /** @description A person who holds a conversation. */
        Assignee: {
            /**
             * @description What they are called.
             * @example Ana
             */
            name: string;
            /** @description The user. */
            userId: components["schemas"]["UserId"];
        };
        /** @description What an authenticator says of a new passkey, in base64url. */
        AttestationResponse: {
            /** @description The key, and what it says of itself. */
            attestationObject: string;
            /** @description Part of the attestation object. */
            authenticatorData?: string | null;
            /** @description What the browser saw. */
            clientDataJSON: string;
            /** @description Part of the attestation object. */
            publicKey?: string | null;
            /**
             * Format: int64
             * @description Part of the attestation object.
             */
            publicKeyAlgorithm?: number | null;
            /** @description How it is reached. */
            transports?: string[] | null;
        };
        /** @description A checkpoint. */
        AuditCheckpoint: {
            /** @description The signed note (C2SP tlog-checkpoint). */
            note: string;
            /** @description The root of the tree over them, base64. */
            rootHash: string;
            /**
             * Format: date-time
             * @description When it was signed.
             */
            signedAt: string;
            /**
             * Format: int64
             * @description How many entries.
             * @example 4711
             */
            treeSize: number;
        };
        /** @description An entry of the audit trail. */
        AuditEntry: {
            /**
             * @description What was done.
             * @example createSite
             */
            action: string;
            /** @description Who did it; `tenant/key` when it was somebody of another tenant. */
            actor: string;
            /** @description The agent. */
            agentName?: string | null;
            /**
             * Format: date-time
             * @description When it happened.
             */
            at: string;
            /** @description Its id. */
            auditId: components["schemas"]["AuditId"];
            /** @description Anything else worth knowing. */
            detail?: {
                [key: string]: unknown;
            } | null;
            /**
             * Format: int64
             * @description How long it took, in microseconds.
             */
            durationMicros?: number | null;
            /** @description What it tells of. */
            kind: components["schemas"]["AuditKind"];
            /** @description Where the request came from. */
            origin?: string | null;
            /**
             * @description `ok`, or the code of the refusal.
             * @example ok
             */
            outcome: string;
            requestId?: components["schemas"]["RequestId"] | null;
            /** @description The session. */
            sessionId?: string | null;
            siteId?: components["schemas"]["SiteId"] | null;
            /**
             * Format: int32
             * @description HTTP status.
             */
            status?: number | null;
            /** @description What it was done to. */
            subject?: string | null;
            /** @description Whose trail it stands in. */
            tenantId: components["schemas"]["TenantId"];
        };
        /**
         * @description The id of one Audit.
         * @example aud_01k9z3v5d2m8q4x7c1b6n0f9gh
         */
        AuditId: string;
        /** @description A key that signs checkpoints. */
        AuditKey: {
            /** @description `Ed25519`. */
            algorithm: string;
            /**
             * Format: date-time
             * @description When it was made.
             */
            createdAt: string;
            /** @description Its id. */
            keyId: components["schemas"]["KeyId"];
            /** @description The public key before it, in base64; the first key has none. */
            predecessor?: string | null;
            /** @description 32 bytes in base64. What names it in a note follows from it and the trail's origin (C2SP signed-note). */
            publicKey: string;
            /**
             * Format: date-time
             * @description From when on it signs no more.
             */
            retiresAt?: string | null;
            /** @description That key's signature of this one, in base64: see docs/AUDIT.md. */
            signature?: string | null;
        };
        /** @description The keys that sign checkpoints. */
        AuditKeys: {
            /**
             * @description The name of the installation; a trail's origin is `<issuer>/audit/<tenantId>`.
             * @example misy-01k9z3v5d2m8q4x7c1b6n0f9gh
             */
            issuer: string;
            /** @description All keys there ever were, the oldest first. */
            keys: components["schemas"]["AuditKey"][];
        };
        /**
         * @description What an entry tells of.
         *
         *     - `call`: A request and its outcome.
         *     - `change`: What was changed.
         *     - `turn`: What an agent did.
         *     - `system`: Cross-tenant work.
         * @enum {string}
         */
        AuditKind: "call" | "change" | "turn" | "system";
        /** @description A compliance report. */
        AuditReport: {
            /** @description Who had access. */
            access: components["schemas"]["ReportedAccess"][];
            /** @description Changes to people, roles, keys, secrets, certificates. */
            credentialChanges: components["schemas"]["ReportedDeed"][];
            /** @description Entries of each kind. */
            entries: {
                [key: string]: number;
            };
            /**
             * Format: date-time
             * @description From when on.
             */
            from: string;
            /**
             * Format: date-time
             * @description When it was put together.
             */
            generatedAt: string;
            /** @description What proves all of it. */
            integrity: components["schemas"]["Integrity"];
            /** @description Privileged operations, and work by others than the tenant. */
            privileged: components["schemas"]["ReportedDeed"][];
            /** @description Refusals by reason. */
            refusals: components["schemas"]["ReportedRefusals"][];
            /** @description The tenant. */
            tenantId: components["schemas"]["TenantId"];
            /**
             * Format: date-time
             * @description Until when.
             */
            until: string;
        };
        /** @description Which authenticators will do. */
        AuthenticatorSelection: {
            /** @description Within the device or outside of it. */
            authenticatorAttachment?: string | null;
            /** @description The same, as older browsers call it. */
            requireResidentKey?: boolean | null;
            /** @description Whether it must know whose passkey it is. */
            residentKey?: string | null;
            /** @description Whether it asks for a finger, a face or a number. */
            userVerification?: string | null;
        };
        /**
         * @description How a plan is paid.
         *
         *     - `fixed`: A price for the month; what goes beyond the quota is refused.
         *     - `pay_per_use`: A price for the month and one for each unit beyond what it includes.
         * @enum {string}
         */
        Billing: "fixed" | "pay_per_use";
        /** @description A booking. */
        Booking: {
            /** @description Its id. */
            bookingId: components["schemas"]["BookingId"];
            /** @description Whose it is. */
            contactId: components["schemas"]["ContactId"];
            /**
             * Format: date-time
             * @description When it was made.
             */
            createdAt: string;
            /** @description Who it is for. */
            details: components["schemas"]["BookingDetails"];
            /**
             * Format: date-time
             * @description When it ends.
             */
            endsAt: string;
            /**
             * Format: date-time
             * @description Until when the time is kept for somebody who decides.
             */
            heldUntil?: string | null;
            /**
             * @description The provider, by its id in the context pack.
             * @example dra-valentina-rojas
             */
            providerId: string;
            /** @description What the provider was called when it was booked. */
            providerName: string;
            /**
             * @description The service, by its id in the context pack.
             * @example limpieza-dental
             */
            serviceId: string;
            /** @description What the service was called when it was booked. */
            serviceName: string;
            /**
             * Format: date-time
             * @description When it begins.
             */
            startsAt: string;
            /** @description Where it stands. */
            state: components["schemas"]["BookingState"];
            /**
             * Format: date-time
             * @description When it was changed last.
             */
            updatedAt: string;
            /**
             * Format: int64
             * @description Grows with each change; the `ETag`.
             */
            version: number;
        };
        /** @description Who a booking is for. It is sealed under the key of the contact. */
        BookingDetails: {
            /**
             * @description Their e-mail address.
             * @default null
             */
            email: string | null;
            /**
             * @description Their name.
             * @default null
             */
            name: string | null;
            /**
             * @description What else the business should know.
             * @default null
             */
            note: string | null;
            /**
             * Format: int32
             * @description For how many people, 1 to 1000.
             * @default null
             */
            partySize: number | null;
            /**
             * @description Their telephone number.
             * @default null
             */
            phone: string | null;
        };
        /**
         * @description The id of one Booking.
         * @example bkg_01k9z3v5d2m8q4x7c1b6n0f9gh
         */
        BookingId: string;
        /** @description A booking that somebody of the tenant makes. */
        BookingOfContact: {
            /** @description What is booked. */
            booking: components["schemas"]["NewBookingBody"];
            contactId?: components["schemas"]["ContactId"] | null;
        };
        /** @description What changes of a booking. */
        BookingPatch: {
            details?: components["schemas"]["BookingDetails"] | null;
            /** @description The provider. */
            providerId?: string | null;
            /**
             * Format: date-time
             * @description When it begins.
             */
            startsAt?: string | null;
        };
        /** @description The rules of bookings. */
        BookingPolicy: {
            /**
             * Format: int32
             * @description Until how many hours before the start it can be cancelled.
             */
            cancellationHours?: number | null;
            /**
             * Format: int32
             * @description How far ahead.
             */
            maxAdvanceDays?: number | null;
            /**
             * Format: int32
             * @description The least time before the start.
             */
            minAdvanceMinutes?: number | null;
            /**
             * Format: int32
             * @description Starts fall on multiples of this.
             */
            slotMinutes?: number | null;
        };
        /**
         * @description Where a booking stands.
         *
         *     - `held`: The time is kept for somebody who decides; it is free again after a few minutes.
         *     - `booked`: It is booked.
         *     - `cancelled`: It was called off, or a hold ran out.
         * @enum {string}
         */
        BookingState: "held" | "booked" | "cancelled";
        /**
         * @description What of a certificate is remembered.
         *
         *     - `key`: Its public key, which a renewal with the same key keeps.
         *     - `certificate`: All of it.
         * @enum {string}
         */
        BoundBy: "key" | "certificate";
        /** @description How the business looks and speaks. */
        Branding: {
            /** @description An https address. */
            logoUrl?: string | null;
            /** @description `#RRGGBB`. */
            primaryColor?: string | null;
            /** @description How agents should sound, in the tenant's own words. */
            tone?: string | null;
        };
        /** @description How the assistant looks. */
        BrandingAnswer: {
            /** @description The name that contacts know. */
            displayName: string;
            /** @description An https address. */
            logoUrl?: string | null;
            /**
             * @description `#RRGGBB`.
             * @example #12807A
             */
            primaryColor: string;
        };
        /** @description A button. */
        Button: {
            /**
             * @description Its id, for `action`.
             * @example faq-parking
             */
            id: string;
            ref?: components["schemas"]["Reference"] | null;
            /** @description What stands on it. */
            title: string;
            /** @description Where it leads; such a button is not pressed. */
            url?: string | null;
        };
        /** @description A bound client certificate. */
        Certificate: {
            /** @description What the fingerprint is of: `key` (its `SubjectPublicKeyInfo`) or `certificate`. */
            boundBy: components["schemas"]["BoundBy"];
            /** @description Its id. */
            certificateId: components["schemas"]["CertificateId"];
            /**
             * Format: date-time
             * @description When it was bound.
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description From when on it is refused.
             */
            expiresAt?: string | null;
            /** @description SHA-256 in hex. */
            fingerprint: string;
            /**
             * @description Who bound it: a user, or a secret whose server did.
             * @example usr_01k9z3v5d2m8q4x7c1b6n0f9gh
             */
            madeBy: string;
            /** @description What people call it. */
            name: string;
            /**
             * Format: date-time
             * @description Since when it is refused.
             */
            revokedAt?: string | null;
            secretKeyId?: components["schemas"]["KeyId"] | null;
            siteId?: components["schemas"]["SiteId"] | null;
            /** @description Whose it says it is. */
            subject?: string | null;
        };
        /**
         * @description The id of one Certificate.
         * @example crt_01k9z3v5d2m8q4x7c1b6n0f9gh
         */
        CertificateId: string;
        /** @description A person as it is after a change. */
        ChangedUser: components["schemas"]["User"] & {
            /** @description Of who was disabled: what they made that was in force. */
            made?: components["schemas"]["MadeThing"][] | null;
        };
        /**
         * @description A channel of conversation.
         *
         *     - `web`: The chat on the tenant's own site.
         *     - `whatsapp`: WhatsApp Business.
         *     - `instagram`: Instagram direct messages.
         *     - `messenger`: Facebook Messenger.
         *     - `email`: E-mail.
         *     - `api`: A program of the tenant.
         *     - `crm`: The tenant's customer relationship system.
         * @enum {string}
         */
        Channel: "web" | "whatsapp" | "instagram" | "messenger" | "email" | "api" | "crm";
        /** @description An account on a channel; its secret is shown once, when it is made. */
        ChannelAccount: {
            /** @description Its id. */
            accountId: components["schemas"]["ChannelAccountId"];
            /**
             * @description Where messages to the contacts are delivered, with `api`.
             * @example https://crm.andina.example/misy
             */
            callbackUrl?: string | null;
            /** @description `api`, `whatsapp`, `messenger` or `instagram`. */
            channel: components["schemas"]["Channel"];
            /**
             * Format: date-time
             * @description When it was made.
             */
            createdAt: string;
            /**
             * @description Why the program itself paused or disabled it: `gone`, when the receiver answered that it is no more;
             *     `vendor_unauthorised` or `vendor_blocked`, when the vendor lets it send nothing.
             */
            disabledReason?: string | null;
            instagram?: components["schemas"]["MetaAccount"] | null;
            /**
             * @description Who made it.
             * @example usr_01k9z3v5d2m8q4x7c1b6n0f9gh
             */
            madeBy: string;
            messenger?: components["schemas"]["MetaAccount"] | null;
            /** @description What people call it. */
            name: string;
            /**
             * Format: date-time
             * @description Until when deliveries are signed with the secret before, too.
             */
            oldSecretUntil?: string | null;
            /** @description What its conversations may use. */
            permissions: components["schemas"]["Permissions"];
            /** @description What deliveries are signed with, once: `whsec_` and base64, as Standard Webhooks has it. */
            secret?: string | null;
            /** @description `active`; `paused`: it takes messages, and what is to be delivered waits; or `disabled`: it takes none either. */
            status: components["schemas"]["AccountStatus"];
            /**
             * Format: date-time
             * @description When it was changed last.
             */
            updatedAt: string;
            /**
             * Format: int64
             * @description Grows with each change; the `ETag`.
             */
            version: number;
            whatsapp?: components["schemas"]["WhatsappNumber"] | null;
        };
        /**
         * @description The id of one ChannelAccount.
         * @example cha_01k9z3v5d2m8q4x7c1b6n0f9gh
         */
        ChannelAccountId: string;
        /** @description What of an account is to be changed. */
        ChannelAccountPatch: {
            /** @description Where messages to the contacts are delivered, over https. */
            callbackUrl?: string | null;
            instagram?: components["schemas"]["MetaAccountPatch"] | null;
            messenger?: components["schemas"]["MetaAccountPatch"] | null;
            /** @description What people call it. */
            name?: string | null;
            /** @description What its conversations may use. */
            permissions?: components["schemas"]["Permission"][] | null;
            /**
             * @description `active`, `paused` or `disabled`.
             * @example disabled
             */
            status?: string | null;
            whatsapp?: components["schemas"]["WhatsappNumberPatch"] | null;
        };
        /** @description A secret that was made, shown once. */
        ChannelSecret: {
            /**
             * Format: date-time
             * @description Until when they are signed with the one before, too.
             */
            oldSecretUntil: string;
            /**
             * @description What deliveries are signed with from now on.
             * @example whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
             */
            secret: string;
        };
        /** @description How a secret takes over from the one before. */
        ChannelSecretRotation: {
            /**
             * Format: int32
             * @description How long deliveries are signed with the secret before, too: 0 to 2592000; a day unless given.
             */
            overlapSeconds?: number | null;
        };
        /** @description Whether an account works, as its vendor says. */
        ChannelTest: {
            /**
             * Format: int64
             * @description The vendor's own code.
             */
            code?: number | null;
            /**
             * @description Why not, for example `vendor_unauthorised`.
             * @example vendor_unauthorised
             */
            reason?: string | null;
            /** @description Whether the vendor lets the account in. */
            works: boolean;
        };
        /** @description A tenant that is closed, with notice of what that means. */
        ClosedTenant: components["schemas"]["Tenant"] & {
            /** @description What goes. */
            notice: components["schemas"]["PurgeNotice"];
        };
        /** @description Why and how a tenant is closed. */
        Closing: {
            /**
             * Format: int32
             * @description For how many days the tenant can be activated again before its data go: 1 to 365. For the owner; the
             *     installation's own number unless given.
             */
            graceDays?: number | null;
            /** @description Why; stands in the events and the audit trail of the tenant. */
            reason?: string | null;
        };
        /**
         * @description Which factor is proved.
         * @enum {string}
         */
        CodeKind: "totp" | "recovery_code";
        /**
         * @description How something is that the program needs.
         *
         *     - `ok`: It answers.
         *     - `unavailable`: It does not answer.
         * @enum {string}
         */
        Condition: "ok" | "unavailable";
        /** @description That a trail is an earlier one with entries added (RFC 9162, section 2.1.4). */
        ConsistencyProof: {
            /**
             * Format: int64
             * @description Entries of the earlier tree.
             */
            from: number;
            /** @description Its root, base64. */
            fromRootHash: string;
            /** @description The proof, base64. */
            hashes: string[];
            /**
             * Format: int64
             * @description Entries of the later tree.
             */
            to: number;
            /** @description Its root, base64. */
            toRootHash: string;
        };
        /** @description How to reach the business. */
        Contact: {
            /** @description Postal address in one line. */
            address?: string | null;
            /** @description E-mail address. */
            email: string;
            /** @description Telephone number as people write it. */
            phone?: string | null;
        };
        /**
         * @description The id of one Contact.
         * @example con_01k9z3v5d2m8q4x7c1b6n0f9gh
         */
        ContactId: string;
        /** @description What an agent may know about a tenant. */
        ContextPack: {
            bookingPolicy?: components["schemas"]["BookingPolicy"] | null;
            branding?: components["schemas"]["Branding"] | null;
            /** @description How to reach the business. */
            contact: components["schemas"]["Contact"];
            /** @description The currency of prices. */
            currency: components["schemas"]["Currency"];
            /** @description What the business is, in a paragraph. */
            description?: string | null;
            /** @description The name that contacts know. */
            displayName: string;
            escalation?: components["schemas"]["Escalation"] | null;
            /** @description Approved answers. */
            faq?: components["schemas"]["Faq"][];
            /** @description The first words of a session. */
            greeting?: string | null;
            /** @description What the business does, in a few words; it decides the persona. */
            industry: string;
            /** @description The language and region of the texts in the pack. */
            locale: components["schemas"]["Locale"];
            openingHours?: components["schemas"]["OpeningHours"] | null;
            policies?: components["schemas"]["Policies"] | null;
            /** @description Who or what can be booked. */
            providers?: components["schemas"]["Provider"][];
            /** @description How it sells. */
            salesStrategies?: components["schemas"]["SalesStrategy"][];
            /** @description What it sells. */
            services?: components["schemas"]["Service"][];
            /** @description The web origins of the business. */
            siteOrigins?: components["schemas"]["Origin"][];
            /** @description The zone that every time in the pack is local to. */
            timezone: components["schemas"]["ZoneName"];
        };
        /** @description The pack that is in force now. */
        ContextPackVersion: {
            /**
             * Format: int64
             * @description Its version.
             * @example 2
             */
            version: number;
        };
        /** @description A conversation as the people of the tenant see it. */
        Conversation: {
            /**
             * Format: date-time
             * @description When something was said last.
             */
            activeAt: string;
            assignee?: components["schemas"]["Assignee"] | null;
            /** @description Where from. */
            channel: components["schemas"]["Channel"];
            /** @description Who writes. */
            contactId: components["schemas"]["ContactId"];
            /** @description Its id. */
            conversationId: components["schemas"]["ConversationId"];
            /** @description Whether the contact was erased: nobody reads what was said. */
            erased: boolean;
            /**
             * @description Why a person was asked for, as a code.
             * @example asked
             */
            handoffReason?: string | null;
            language?: components["schemas"]["Language"] | null;
            /**
             * Format: int64
             * @description How many messages there are: the sequence of the newest.
             */
            messages: number;
            newest?: components["schemas"]["MessagePreview"] | null;
            /** @description Who answers. */
            state: components["schemas"]["HandlingState"];
            /**
             * Format: int64
             * @description Grows with each change of who answers; the `ETag`.
             */
            version: number;
            /**
             * Format: date-time
             * @description Since when it waits for a person.
             */
            waitingSince?: string | null;
        };
        /** @description A conversation with what whoever takes it should know. */
        ConversationDetail: {
            /** @description The conversation. */
            conversation: components["schemas"]["Conversation"];
            /** @description What happened, made of the last messages. */
            summary: components["schemas"]["ConversationSummary"];
            /**
             * Format: date-time
             * @description Until when the channel takes any answer; after that it waits until the contact writes again. Nothing where there is no such limit.
             */
            windowClosesAt?: string | null;
        };
        /**
         * @description The id of one Conversation.
         * @example cnv_01k9z3v5d2m8q4x7c1b6n0f9gh
         */
        ConversationId: string;
        /**
         * @description Where a conversation stands.
         *
         *     - `active`: Agents answer.
         *     - `handoff`: A person was asked to take over.
         *     - `closed`: It is over.
         * @enum {string}
         */
        ConversationStatus: "active" | "handoff" | "closed";
        /** @description What happened in a conversation. */
        ConversationSummary: {
            /** @description What the contact said last, oldest first. */
            asked: string[];
            /** @description Why a person was asked for, in sentences; quotes the contact. */
            handoff?: string | null;
            /** @description Titles of what the assistant answered from. */
            sources: string[];
        };
        /** @description `PublicKeyCredentialCreationOptionsJSON`. */
        CreationOptions: {
            /** @description Whether the authenticator says what it is. */
            attestation?: string | null;
            /** @description In which forms it may say that. */
            attestationFormats?: string[];
            authenticatorSelection?: components["schemas"]["AuthenticatorSelection"] | null;
            /** @description In base64url. */
            challenge: string;
            /** @description Passkeys that are there already. */
            excludeCredentials?: components["schemas"]["CredentialDescriptor"][];
            /** @description Extensions. */
            extensions?: {
                [key: string]: unknown;
            } | null;
            /** @description Where to look for an authenticator. */
            hints?: string[];
            /** @description Algorithms that are taken, the best first. */
            pubKeyCredParams: components["schemas"]["CredentialParameters"][];
            /** @description This installation. */
            rp: components["schemas"]["RelyingParty"];
            /**
             * Format: int32
             * @description In milliseconds.
             */
            timeout?: number | null;
            /** @description Whose passkey it becomes. */
            user: components["schemas"]["PasskeyUser"];
        };
        /** @description A passkey that is known. */
        CredentialDescriptor: {
            /** @description In base64url. */
            id: string;
            /** @description How it is reached. */
            transports?: string[];
            /** @description What it is. */
            type: components["schemas"]["CredentialType"];
        };
        /** @description An algorithm. */
        CredentialParameters: {
            /**
             * Format: int64
             * @description Its number (COSE).
             */
            alg: number;
            /** @description What it is for. */
            type: components["schemas"]["CredentialType"];
        };
        /** @description `AuthenticationResponseJSON`: what `PublicKeyCredential.toJSON()` gives of a proof. */
        CredentialProof: {
            /** @description Within the device or outside of it. */
            authenticatorAttachment?: string | null;
            /** @description What extensions say. */
            clientExtensionResults?: {
                [key: string]: unknown;
            } | null;
            /** @description In base64url. */
            id: string;
            /** @description The same. */
            rawId: string;
            /** @description What the authenticator says. */
            response: components["schemas"]["AssertionResponse"];
            /** @description What it is. */
            type: components["schemas"]["CredentialType"];
        };
        /**
         * @description The kind of a credential.
         *
         *     - `public-key`: A key pair.
         * @enum {string}
         */
        CredentialType: "public-key";
        /**
         * @description A currency (ISO 4217).
         * @example COP
         */
        Currency: string;
        /** @description Why a turn went the way it went: kept with the turn and shown to the tenant. */
        Decision: {
            /**
             * @description The agent that answered: `support`, `sales`, `booking`, `marketing`, `handoff`, `smalltalk`, `out_of_scope`, `waiting`
             *     when it only says that a person will reply, or `none` when it stays silent.
             */
            agent: string;
            agentKind?: components["schemas"]["AgentKind"] | null;
            /**
             * Format: int32
             * @description The version of the agent.
             */
            agentVersion?: number | null;
            /** @description Readings that were not taken, or were taken for a second question, best first. */
            alternatives: components["schemas"]["Intent"][];
            /** @description What may have been meant, best first, eight at most. */
            candidates: components["schemas"]["DecisionCandidate"][];
            /** @description How its text is written, from the channel. */
            format: string;
            /** @description What the contact wants, as understood. */
            intent: components["schemas"]["Intent"];
            /** @description Where the text that was used comes from and how far it is trusted. */
            labels: string[];
            /** @description The language of the reply. */
            language: components["schemas"]["Language"];
            /** @description Limits that were met, such as a permission that is missing. */
            limits: string[];
            /** @description How the turn ended for the contact. */
            outcome: components["schemas"]["DecisionOutcome"];
            /** @description How the agent presents itself, from the industry. */
            persona: string;
            /** @description The rules that were applied, in order, each as `rule: what it did`. */
            rules: string[];
            /** @description What the answer comes from, the main one first. */
            sources: components["schemas"]["Source"][];
            /** @description The stages of the turn, in order. */
            stages?: components["schemas"]["StageTime"][];
            /**
             * Format: int64
             * @description The AI tokens that the run of the agent took.
             */
            tokens?: number | null;
            /** @description How it sounds, from the pack and the channel. */
            tone: string;
        };
        /** @description Something that may have been meant. */
        DecisionCandidate: {
            /** @description Its id. */
            id: string;
            /** @description What it is, such as `faq` or `service`. */
            kind: string;
            /**
             * Format: double
             * @description Between 0 and 1. What is left of all candidates to 1 is the probability that none was meant.
             */
            probability: number;
        };
        /**
         * @description How a turn ended for the contact.
         *
         *     - `answer`: With an answer.
         *     - `ask`: With a question back: something to choose from.
         *     - `unknown`: With the word that nobody here knows the answer.
         *     - `handoff`: With a person who is asked to take over, or has taken over.
         *     - `silent`: With nothing that is said.
         * @enum {string}
         */
        DecisionOutcome: "answer" | "ask" | "unknown" | "handoff" | "silent";
        /** @description How a delivery stands. */
        Delivery: {
            /**
             * Format: int32
             * @description How often it was tried without an end.
             */
            attempts: number;
            /** @description The conversation. */
            conversationId: string;
            /**
             * Format: date-time
             * @description When the message was said.
             */
            createdAt: string;
            /**
             * @description Its id: the `webhook-id` of each attempt.
             * @example dlv_01k9z3v5d2m8q4x7c1b6n0f9gh
             */
            deliveryId: string;
            /**
             * @description The code of the last failure.
             * @example callback_refused
             */
            lastError?: string | null;
            /** @description The message. */
            messageId: string;
            /**
             * Format: date-time
             * @description When it is tried again; nothing while another is to leave before it.
             */
            nextAttemptAt?: string | null;
            /**
             * Format: date-time
             * @description When it left.
             */
            sentAt?: string | null;
            /**
             * Format: int64
             * @description The place of the message in the conversation.
             */
            sequence: number;
            /**
             * @description `queued`, `sent`, `delivered`, `read`, or `failed` when it was given up.
             * @example sent
             */
            status: string;
            /** @description The id that the receiver gave it. */
            vendorMessageId?: string | null;
        };
        /** @description How a message fares on its way out. */
        DeliveryOfMessage: {
            /**
             * @description Why it has not left: `window_closed` where it waits until the contact writes again.
             * @example window_closed
             */
            error?: string | null;
            /** @description The message. */
            messageId: components["schemas"]["MessageId"];
            /**
             * @description `queued`, `sent`, `delivered`, `read`, or `failed` when it was given up.
             * @example queued
             */
            status: string;
        };
        /**
         * @description A domain name in lower case.
         * @example business.example
         */
        DomainName: string;
        /**
         * @description Whether a domain is proved.
         *
         *     - `pending`: The file was not found yet.
         *     - `proved`: The file was found.
         * @enum {string}
         */
        DomainStatus: "pending" | "proved";
        /** @description A domain of e-mail addresses. */
        EmailDomain: {
            /**
             * Format: date-time
             * @description When it was named.
             */
            createdAt: string;
            /** @description The domain. */
            domain: components["schemas"]["DomainName"];
            /**
             * @description The file that proves it; to be served without redirects, but perhaps one to `www.`.
             * @example https://business.example/.well-known/misy-domain-verification.txt
             */
            file: string;
            /**
             * @description A line that the file must have.
             * @example misy-domain-verification=…
             */
            line: string;
            /**
             * Format: date-time
             * @description When it was proved.
             */
            provedAt?: string | null;
            /** @description Whether it is proved. */
            status: components["schemas"]["DomainStatus"];
        };
        /** @description How a tenant's data are sealed. */
        Encryption: {
            /** @description The keys, by purpose and version. */
            keys: components["schemas"]["KeyVersion"][];
            /** @description Rotations of the data key, the newest first. */
            rotations: components["schemas"]["KeyRotation"][];
        };
        /** @description The first administrator. */
        EnrollRequest: {
            /**
             * @description Its address.
             * @example ana@business.example
             */
            email: string;
            /**
             * @description The language it prefers.
             * @example es-CO
             */
            locale?: string | null;
            /**
             * @description What it is called.
             * @example Ana Rojas
             */
            name: string;
            /** @description Its password: 12 to 128 characters. */
            password: string;
            /**
             * @description `enrollment.token` of the registration.
             * @example adm_…
             */
            token: string;
        };
        /** @description How the first administrator comes in. */
        Enrollment: {
            /**
             * Format: date-time
             * @description Until when it is good.
             */
            expiresAt: string;
            /**
             * @description Enrols the first administrator, once (`POST /auth/enroll`); a bearer token for automation too.
             * @example adm_…
             */
            token: string;
            /** @description The page that hands over the token. */
            url: string;
        };
        /** @description What is so after all tokens were revoked. */
        Epoch: {
            /**
             * Format: int32
             * @description The credential epoch: tokens of an older one are refused.
             * @example 2
             */
            epoch: number;
        };
        /** @description When a person takes over. */
        Escalation: {
            /** @description Who is told. */
            teamEmail?: string | null;
            /** @description The cases, in the tenant's own words. */
            whenToHandOff?: string[];
        };
        /** @description A quota that is used up. */
        ExceededQuota: {
            /** @description What was used up. */
            kind: components["schemas"]["Metered"];
            /**
             * Format: int64
             * @description How many a month.
             * @example 5000
             */
            limit: number;
            /**
             * Format: date-time
             * @description When it is there again.
             */
            resetsAt: string;
        };
        /** @description What an exception says. */
        ExceptionHours: {
            /** @description Closed all day; the flag is always true. */
            closed: boolean;
        } | {
            /** @description Open at these hours only. */
            hours: components["schemas"]["Interval"][];
        };
        /** @description A date that differs from its weekday. */
        ExceptionalDay: components["schemas"]["ExceptionHours"] & {
            /**
             * Format: date
             * @description The local date.
             */
            date: string;
            /** @description Why, for the reader. */
            reason?: string | null;
        };
        /**
         * @description How entries are written.
         * @enum {string}
         */
        ExportFormat: "ndjson" | "ocsf" | "rfc5424";
        /** @description An approved answer. */
        Faq: {
            /** @description The same question in other words. */
            alternatives?: string[];
            /** @description The answer. */
            answer: string;
            /** @description Unique in the pack. */
            id: string;
            /** @description The question. */
            question: string;
        };
        /**
         * @description What kind of mistake something is that was sent.
         *
         *     - `required`: It must stand there.
         *     - `type`: It is of another type.
         *     - `unknown`: It is not known.
         *     - `format`: It has another form.
         *     - `range`: The number is too small or too large.
         *     - `too_short`: The text has too few characters.
         *     - `too_long`: The text has too many characters.
         *     - `too_many`: The list has too many items.
         *     - `too_large`: All of it is too large.
         *     - `too_costly`: It would take too much to work with it.
         *     - `order`: It stands after what it must stand before.
         *     - `duplicate`: It is there twice.
         *     - `reference`: What it names is not there.
         *     - `common`: Too many people use this password.
         *     - `personal`: The password is made of what is known of the person.
         *     - `not_proved`: It is not proved.
         *     - `not_allowed`: The caller may not say this.
         *     - `not_supported`: The contract knows this, and the program cannot do it yet.
         *     - `unusable`: It is there, and cannot be used.
         * @enum {string}
         */
        FieldCode: "required" | "type" | "unknown" | "format" | "range" | "too_short" | "too_long" | "too_many" | "too_large" | "too_costly" | "order" | "duplicate" | "reference" | "common" | "personal" | "not_proved" | "not_allowed" | "not_supported" | "unusable";
        /** @description One mistake in what was sent. */
        FieldError: {
            /** @description What kind of mistake, for programs. */
            code: components["schemas"]["FieldCode"];
            /**
             * @description The same in words.
             * @example is required
             */
            message: string;
            /**
             * @description Where, as a JSON pointer (RFC 6901) into the body, or `?name` for a parameter of the query.
             * @example /text
             */
            pointer: string;
        };
        /** @description A file that is stored. */
        FileAnswer: {
            /** @description Its id, for `attachments` of a message. What no message carries is removed after a day. */
            fileId: components["schemas"]["FileId"];
            /**
             * @description What it is, by its bytes.
             * @example image/png
             */
            mediaType: string;
            /** @description What it is called. */
            name?: string | null;
            /**
             * Format: int64
             * @description Its length in bytes.
             */
            size: number;
        };
        /**
         * @description The id of one File.
         * @example fil_01k9z3v5d2m8q4x7c1b6n0f9gh
         */
        FileId: string;
        /** @description What files may take, and what they take. */
        FileRoom: {
            /**
             * Format: int64
             * @description How many files that is.
             * @example 3
             */
            files: number;
            /**
             * Format: int64
             * @description Bytes of one file at most.
             * @example 5242880
             */
            largestBytes: number;
            /**
             * Format: int64
             * @description Bytes of all files at most; absent when there is no limit.
             */
            totalBytes?: number | null;
            /**
             * Format: int64
             * @description Bytes that all files take now.
             * @example 1204
             */
            usedBytes: number;
        };
        /** @description A publishable key. */
        FirstKey: {
            /**
             * @description The key.
             * @example pk_live_…
             */
            key: string;
            /** @description Its id. */
            keyId: components["schemas"]["KeyId"];
        };
        /** @description The tenant secret, shown once. */
        FirstSecret: {
            /** @description Its id, for `X-Misy-Key`. */
            keyId: components["schemas"]["KeyId"];
            /** @description 32 bytes in base64url. */
            secret: string;
        };
        /** @description A site of a new tenant. */
        FirstSite: {
            /** @description Where it may be used from. */
            origins: string[];
            /** @description Its slug. */
            siteId: components["schemas"]["SiteId"];
        };
        /** @description A time that can be booked. */
        FreeTime: {
            /**
             * Format: date-time
             * @description When it ends.
             */
            endsAt: string;
            /**
             * @description With whom.
             * @example dra-valentina-rojas
             */
            providerId: string;
            /**
             * Format: date-time
             * @description When it begins.
             */
            startsAt: string;
        };
        /** @description Free times, in order. */
        FreeTimes: {
            /** @description At most 200; go on from the last one for more. */
            items: components["schemas"]["FreeTime"][];
            /**
             * @description The IANA zone that the hours of the business are local to.
             * @example America/Santiago
             */
            timezone: string;
        };
        /**
         * @description The id of one Grant.
         * @example grt_01k9z3v5d2m8q4x7c1b6n0f9gh
         */
        GrantId: string;
        /**
         * @description Who answers in a conversation.
         *
         *     - `assistant`: The assistant does.
         *     - `waiting`: It waits for a person to take it.
         *     - `person`: A person does.
         *     - `closed`: It is over until the contact writes again.
         * @enum {string}
         */
        HandlingState: "assistant" | "waiting" | "person" | "closed";
        /** @description How the program is. */
        Health: {
            /** @description Each part that was looked at. */
            parts?: components["schemas"]["PartHealth"][];
            /** @description How the program is. */
            status: components["schemas"]["Condition"];
        };
        /** @description That an entry is in the trail (RFC 9162, section 2.1.3). */
        InclusionProof: {
            /** @description The signed checkpoint of this size, if there is one. */
            checkpoint?: string | null;
            /** @description The entry in the form that its leaf hashes. */
            entry: {
                [key: string]: unknown;
            };
            /** @description The path from the leaf to the root, base64. */
            hashes: string[];
            /** @description SHA-256(0x00 ‖ entry), base64. */
            leafHash: string;
            /**
             * Format: int64
             * @description Its place in the tree.
             */
            leafIndex: number;
            /** @description Its root, base64. */
            rootHash: string;
            /**
             * Format: int64
             * @description How many entries the tree has.
             */
            treeSize: number;
        };
        /** @description What proves a report, and what it lacks. */
        Integrity: {
            /** @description The signed checkpoint that covers every entry of the report. */
            checkpoint: string;
            /**
             * Format: int64
             * @description Entries of the time that have no place in the tree yet.
             */
            entriesWithoutLeaf: number;
            /**
             * Format: int64
             * @description Places of the tree whose entry is gone.
             */
            leavesWithoutEntry: number;
            longestSilence?: components["schemas"]["Silence"] | null;
        };
        /** @description A reading of what the contact wants. */
        Intent: {
            /** @description Its name, such as `support` or `booking`. */
            name: string;
            /**
             * Format: double
             * @description Between 0 and 1.
             */
            score: number;
        };
        /**
         * @description From one time to a later one of the same day.
         * @example [
         *       "09:00",
         *       "13:30"
         *     ]
         */
        Interval: [
            string,
            string
        ];
        /** @description Somebody to be invited. */
        Invitation: {
            /**
             * @description Its address.
             * @example luz@business.example
             */
            email: string;
            /**
             * @description The language it prefers.
             * @example es-CO
             */
            locale?: string | null;
            /**
             * @description What it is called.
             * @example Luz Díaz
             */
            name: string;
            /**
             * @description Names of its roles.
             * @example [
             *       "manager"
             *     ]
             */
            roles: string[];
        };
        /** @description Somebody who was invited, with the link. */
        InvitedUser: {
            /** @description How it comes in; goes out by mail too, where mail is set up. */
            invitation: components["schemas"]["OneTimeLink"];
            /** @description The person. */
            user: components["schemas"]["User"];
        };
        /** @description What a month costs. */
        Invoice: {
            /** @description `fixed` or `pay_per_use`. */
            billing: components["schemas"]["Billing"];
            /**
             * @description ISO 4217.
             * @example USD
             */
            currency: string;
            /** @description Whether the month is over, so that nothing is added any more. */
            isFinal: boolean;
            /** @description What is charged. */
            lines: components["schemas"]["InvoiceLine"][];
            /**
             * @description The month.
             * @example 2026-11
             */
            month: string;
            /** @description The plan that the tenant has now. */
            plan: components["schemas"]["Plan"];
            /** @description The tenant. */
            tenantId: components["schemas"]["TenantId"];
            /**
             * @description The sum of the lines.
             * @example 1003.20
             */
            total: string;
        };
        /**
         * @description What a line of an invoice is about.
         *
         *     - `plan`: The plan's price for the month.
         *     - `messages`: Messages beyond what the plan includes.
         *     - `bookings`: Bookings beyond what the plan includes.
         *     - `ai_tokens`: AI tokens beyond what the plan includes.
         * @enum {string}
         */
        InvoiceItem: "plan" | "messages" | "bookings" | "ai_tokens";
        /** @description One thing that is charged. */
        InvoiceLine: {
            /**
             * @description What it comes to, rounded to hundredths once.
             * @example 13.20
             */
            amount: string;
            /**
             * Format: int64
             * @description What is charged for.
             * @example 22000
             */
            billable: number;
            /**
             * Format: int64
             * @description How much of it the plan includes.
             * @example 1000000
             */
            included: number;
            /** @description What is charged. */
            item: components["schemas"]["InvoiceItem"];
            /**
             * Format: int64
             * @description How much was used.
             * @example 1022000
             */
            quantity: number;
            /**
             * @description The price of one.
             * @example 0.000600
             */
            unitPrice: string;
        };
        /** @description A key; the key itself is shown once, when it is made. */
        Key: {
            /**
             * Format: date-time
             * @description When it was made.
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description From when on it is refused.
             */
            expiresAt?: string | null;
            /** @description The key itself, once. */
            key?: string | null;
            /** @description Its id. */
            keyId: components["schemas"]["KeyId"];
            /** @description What it is for. */
            kind: components["schemas"]["KeyKind"];
            /**
             * @description Who made it: a user, a secret whose server did, the token of a registration, or who registered the tenant.
             * @example usr_01k9z3v5d2m8q4x7c1b6n0f9gh
             */
            madeBy: string;
            /** @description Whether it is for use. */
            mode: components["schemas"]["KeyMode"];
            /** @description What people call it. */
            name: string;
            /** @description Narrows the origins of the site. */
            origins?: string[] | null;
            /** @description What it can give at most. */
            permissions: components["schemas"]["Permissions"];
            /**
             * @description Its first characters.
             * @example pk_live_Yb3k
             */
            prefix: string;
            /**
             * Format: int32
             * @description Its own limit.
             */
            requestsPerMinute?: number | null;
            /**
             * Format: date-time
             * @description Since when it is refused.
             */
            revokedAt?: string | null;
            siteId?: components["schemas"]["SiteId"] | null;
        };
        /**
         * @description The id of one Key.
         * @example key_01k9z3v5d2m8q4x7c1b6n0f9gh
         */
        KeyId: string;
        /**
         * @description What a key is for.
         *
         *     - `publishable`: Stands in a web page and opens anonymous chats.
         *     - `secret`: Stays on a server of the tenant.
         *     - `administrator`: An administrator's bearer token.
         * @enum {string}
         */
        KeyKind: "publishable" | "secret" | "administrator";
        /**
         * @description Whether a key is for use.
         *
         *     - `live`: For use.
         *     - `test`: For trying out.
         * @enum {string}
         */
        KeyMode: "live" | "test";
        /**
         * @description What a key of a tenant is for.
         *
         *     - `data`: It seals what is stored.
         *     - `signing_root`: Keys that sign requests come from it.
         *     - `blind_index`: It finds what is sealed.
         * @enum {string}
         */
        KeyPurpose: "data" | "signing_root" | "blind_index";
        /** @description A rotation of the data key. */
        KeyRotation: {
            /**
             * Format: date-time
             * @description When it was asked for.
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description When the older keys were retired.
             */
            finishedAt?: string | null;
            /** @description What keeps it from going on. */
            lastError?: string | null;
            /** @description Who asked for it. */
            requestedBy: string;
            /** @description Its id. */
            rotationId: components["schemas"]["RotationId"];
            /**
             * Format: int64
             * @description Rows that are under the new key since.
             */
            rowsDone: number;
            /**
             * Format: int64
             * @description Rows under older keys when it began. Of each column 50,000 rows are looked at.
             */
            rowsTotal: number;
            /** @description Whether it goes on. */
            status: components["schemas"]["RotationStatus"];
            /**
             * Format: int32
             * @description The version of the new data key.
             * @example 2
             */
            toVersion: number;
            /**
             * Format: date-time
             * @description When it went on last.
             */
            updatedAt: string;
        };
        /** @description A set of public keys (RFC 7517). */
        KeySet: {
            /** @description The keys. */
            keys: components["schemas"]["PublicKey"][];
        };
        /** @description A version of a key. The key itself is never shown. */
        KeyVersion: {
            /**
             * Format: date-time
             * @description When it was made.
             */
            createdAt: string;
            /** @description What it is for. */
            purpose: components["schemas"]["KeyPurpose"];
            /**
             * Format: date-time
             * @description Since when nothing is sealed under it.
             */
            retiredAt?: string | null;
            /** @description How many rows are sealed directly under it, by table; only for data keys. Of each column 50,000 rows are looked at. */
            rows: {
                [key: string]: number;
            };
            /**
             * Format: int32
             * @description Its number; of the data keys the highest one seals.
             * @example 2
             */
            version: number;
        };
        /**
         * @description A language that Misy speaks (ISO 639-1).
         * @enum {string}
         */
        Language: "es" | "en" | "pt";
        /** @description What somebody leaves behind who is removed. */
        LeftBehind: {
            /** @description What they made that was in force. */
            made: components["schemas"]["MadeThing"][];
        };
        /** @description A limit: so many requests in a period, all of which may come at once. */
        Limit: {
            /**
             * Format: int32
             * @description The period.
             * @example 60
             */
            periodSeconds: number;
            /**
             * Format: int32
             * @description Requests in a period.
             * @example 30
             */
            requests: number;
            /** @description `tenant`, `site`, `key`, `session` (messages), `channel` (messages) or `agent`. */
            scope: components["schemas"]["LimitScope"];
            /** @description The one site, key … it is for; without it, each of the scope. */
            subject?: string;
        };
        /**
         * @description What a limit is about.
         *
         *     - `tenant`: All requests of a tenant.
         *     - `site`: Those of one site.
         *     - `key`: Those made with one key or one chain of tokens.
         *     - `session`: Those of one session.
         *     - `channel`: Those on one channel.
         *     - `agent`: Turns of one agent.
         * @enum {string}
         */
        LimitScope: "tenant" | "site" | "key" | "session" | "channel" | "agent";
        /** @description The limits of a tenant. */
        Limits: {
            /** @description What files may take, by the plan. */
            files: components["schemas"]["FileRoom"];
            /** @description What holds for each scope as a whole, set or by the plan. */
            inForce: components["schemas"]["Limit"][];
            /** @description Those that were set. */
            limits: components["schemas"]["Limit"][];
            /** @description Monthly quotas that were set. */
            quotas: components["schemas"]["Quota"][];
            /** @description What holds for the month, set or by the plan. */
            quotasInForce: components["schemas"]["QuotaStanding"][];
        };
        /**
         * @description A language tag (BCP 47): a language and perhaps a region.
         * @example es-CO
         */
        Locale: string;
        /**
         * @description What kind of thing was made.
         *
         *     - `secret`: A tenant secret.
         *     - `key`: A publishable key.
         *     - `certificate`: A bound client certificate.
         *     - `channel_account`: A channel account, which hands on what is said to contacts.
         *     - `personal_token`: A personal API token.
         * @enum {string}
         */
        MadeKind: "secret" | "key" | "certificate" | "channel_account" | "personal_token";
        /** @description Something that somebody made. */
        MadeThing: {
            /**
             * Format: date-time
             * @description When it was made.
             */
            createdAt: string;
            /**
             * @description Its id.
             * @example key_01k9z3v5d2m8q4x7c1b6n0f9gh
             */
            id: string;
            /** @description What it is. */
            kind: components["schemas"]["MadeKind"];
            /** @description Who made it: the person, or a secret of theirs whose server did. */
            madeBy: string;
            /** @description What people call it. */
            name: string;
            /** @description Whether it was revoked by this call. What was not, goes on. */
            revoked: boolean;
        };
        /** @description A message as it stands in history and in live events. */
        Message: {
            accountId?: components["schemas"]["ChannelAccountId"] | null;
            action?: components["schemas"]["PressedAction"] | null;
            /** @description The agent that wrote it. */
            agentName?: string | null;
            /** @description What the person is called who wrote it, where it was one of the tenant. */
            authorName?: string | null;
            /** @description The id that the client gave. */
            clientMessageId?: string | null;
            /**
             * Format: date-time
             * @description When it became durable.
             */
            createdAt: string;
            /** @description The messages of the contact that it answers. */
            inReplyTo?: components["schemas"]["MessageId"][];
            /** @description Unique. */
            messageId: components["schemas"]["MessageId"];
            /** @description What it says. */
            parts: components["schemas"]["Part"][];
            /** @description Who speaks. */
            role: components["schemas"]["MessageRole"];
            /**
             * Format: int64
             * @description Its place in the conversation, from 1 without gaps.
             */
            sequence: number;
            sessionId?: components["schemas"]["SessionId"] | null;
            /** @description Where the answer comes from. */
            sources?: components["schemas"]["Source"][];
        };
        /**
         * @description The id of one Message.
         * @example msg_01k9z3v5d2m8q4x7c1b6n0f9gh
         */
        MessageId: string;
        /** @description A page of messages. */
        MessagePage: {
            /** @description Oldest first. */
            items: components["schemas"]["Message"][];
            /** @description Where the next page begins, if there is one. */
            nextCursor?: string | null;
        };
        /** @description The beginning of a message. */
        MessagePreview: {
            /** @description Who said it. */
            role: components["schemas"]["MessageRole"];
            /** @description What it says, on one line; empty where it has no words. */
            text: string;
        };
        /** @description The message is durable. */
        MessageReceipt: {
            /** @description Its id. */
            messageId: components["schemas"]["MessageId"];
            /**
             * Format: int64
             * @description Its place in the conversation.
             * @example 7
             */
            sequence: number;
        };
        /** @description A message in its envelope. */
        MessageRequest: {
            action?: components["schemas"]["NewAction"] | null;
            /** @description Files that were uploaded in this session, 1 to 9. Each can be sent once. */
            attachments?: components["schemas"]["FileId"][] | null;
            channel?: components["schemas"]["Channel"] | null;
            /** @description The client's own id of the message, 1 to 128 characters: sent again, it is the same message. */
            clientMessageId?: string | null;
            /** @description What is known about where it was written, at most 4 KiB. Kept with the message, sealed. */
            metadata?: {
                [key: string]: unknown;
            } | null;
            /**
             * @description The session.
             * @example ses_01k9z3v5d2m8q4x7c1b6n0f9gh
             */
            sessionId: string;
            siteId?: components["schemas"]["SiteId"] | null;
            tenantId?: components["schemas"]["TenantId"] | null;
            /** @description What it says, 1 to 4000 characters. Needed where nothing is attached or pressed. */
            text?: string | null;
        };
        /**
         * @description Who speaks.
         * @enum {string}
         */
        MessageRole: "contact" | "agent" | "human" | "system";
        /** @description What a page or an account has of its own. */
        MetaAccount: {
            /** @description Whether people answer up to seven days after the contact wrote. */
            humanAgent: boolean;
            /**
             * @description The id of the page with `messenger`, of the account with `instagram`.
             * @example 300000000000003
             */
            id: string;
            /**
             * @description The page that it belongs to.
             * @example 300000000000003
             */
            pageId?: string | null;
            /** @description What the vendor is to say when it asks whether the address is the right one. Shown once. */
            verifyToken?: string | null;
            /**
             * @description The address that the app has to call: give it to the vendor as callback.
             * @example https://api.example.com/api/meta-agent/channels/messenger/cha_01k9z3v5d2m8q4x7c1b6n0f9gh/webhook
             */
            webhookUrl: string;
        };
        /** @description What of a page or an account is to be changed. */
        MetaAccountPatch: {
            /** @description What calls carry from now on. */
            accessToken?: string | null;
            /** @description What the vendor signs with from now on; the one before counts for another day. */
            appSecret?: string | null;
            /** @description Whether the vendor has approved that people answer up to seven days later. */
            humanAgent?: boolean | null;
        };
        /**
         * @description What is metered, and limited by the month.
         *
         *     - `messages`: Messages that contacts wrote and that were stored.
         *     - `bookings`: Bookings that were made.
         *     - `ai_tokens`: Tokens that went into language models and came out of them.
         * @enum {string}
         */
        Metered: "messages" | "bookings" | "ai_tokens";
        /** @description A price in major units, with at most two decimals. */
        Money: {
            amount: number;
            currency: components["schemas"]["Currency"];
        };
        /** @description What the caller may do to a tenant. */
        MyAccess: {
            /** @description All that may be done. What is not here is refused. */
            items: components["schemas"]["Ability"][];
            /** @description The tenant. */
            tenantId: components["schemas"]["TenantId"];
        };
        /** @description What was pressed. */
        NewAction: {
            /**
             * @description Its id.
             * @example faq-parking
             */
            id: string;
            messageId?: components["schemas"]["MessageId"] | null;
            /** @enum {string} */
            type: "button";
        };
        /** @description A booking to be made. */
        NewBookingBody: {
            /** @description Who it is for. */
            details?: components["schemas"]["BookingDetails"];
            /** @description The provider; anybody who does the service unless given. */
            providerId?: string | null;
            /**
             * @description The service, by its id in the context pack.
             * @example limpieza-dental
             */
            serviceId: string;
            /**
             * Format: date-time
             * @description When it begins.
             */
            startsAt: string;
        };
        /** @description A client certificate to be bound: the certificate itself or the SHA-256 of its key or of all of it. */
        NewCertificate: {
            boundBy?: components["schemas"]["BoundBy"] | null;
            /** @description The certificate in PEM. Never send its private key. */
            certificate?: string | null;
            /**
             * Format: date-time
             * @description From when on it is refused, whatever the certificate says.
             */
            expiresAt?: string | null;
            /** @description Instead: SHA-256 in hex, with or without colons. */
            fingerprint?: string | null;
            /** @description What people call it. */
            name: string;
            secretKeyId?: components["schemas"]["KeyId"] | null;
            siteId?: components["schemas"]["SiteId"] | null;
        };
        /** @description An account to be made. */
        NewChannelAccount: {
            /**
             * @description Where messages to the contacts are delivered, over https. With `api`, and only there.
             * @example https://crm.andina.example/misy
             */
            callbackUrl?: string | null;
            /**
             * @description `api`: a program of the tenant, which writes and takes messages over HTTP; `whatsapp`, `messenger` or
             *     `instagram`. Others are not supported yet.
             */
            channel: components["schemas"]["Channel"];
            instagram?: components["schemas"]["NewMetaAccount"] | null;
            messenger?: components["schemas"]["NewMetaAccount"] | null;
            /** @description What people call it. */
            name: string;
            /**
             * @description What its conversations may use; the agents that anonymous visitors of a site may use, unless given.
             * @example [
             *       "agents:support"
             *     ]
             */
            permissions?: components["schemas"]["Permission"][] | null;
            whatsapp?: components["schemas"]["NewWhatsappNumber"] | null;
        };
        /** @description What somebody wrote. */
        NewChannelMessage: {
            action?: components["schemas"]["NewAction"] | null;
            /**
             * @description Who wrote it, by the id that the program has for them: 1 to 256 characters. The same again is the same contact.
             * @example customer-4711
             */
            contactId: string;
            /**
             * @description What the contact prefers to read; counts when they write for the first time.
             * @example es-CO
             */
            locale?: string | null;
            /**
             * @description The program's own id of the message, 1 to 256 characters: sent again, it is the same message.
             * @example ticket-9-reply-3
             */
            messageId: string;
            /** @description What is known about where it was written, at most 4 KiB. Kept with the message, sealed. */
            metadata?: Record<string, unknown> | null;
            /** @description What it says, as 1 to 10 parts, in the place of `text`: text, image, audio, video, file, location, contact or reaction. */
            parts?: components["schemas"]["Part"][] | null;
            /**
             * Format: date-time
             * @description When it was written, as the program knows it. The order is that of arrival.
             */
            sentAt?: string | null;
            /** @description What it says, 1 to 4000 characters. */
            text?: string | null;
        };
        /** @description `RegistrationResponseJSON`: what `PublicKeyCredential.toJSON()` gives of a new passkey. */
        NewCredential: {
            /** @description Within the device or outside of it. */
            authenticatorAttachment?: string | null;
            /** @description What extensions say. */
            clientExtensionResults?: {
                [key: string]: unknown;
            } | null;
            /** @description In base64url. */
            id: string;
            /** @description The same. */
            rawId: string;
            /** @description What the authenticator says. */
            response: components["schemas"]["AttestationResponse"];
            /** @description What it is. */
            type: components["schemas"]["CredentialType"];
        };
        /** @description A domain to be proved. */
        NewDomain: {
            /**
             * @description The domain: what stands after the `@` of its addresses.
             * @example business.example
             */
            domain: string;
        };
        /** @description A file that is sent: a form in which `sessionId` says whose it is; from a server `accountId` and `contactId`. */
        NewFileForm: {
            accountId?: components["schemas"]["ChannelAccountId"] | null;
            /** @description From a server: who sends it, by the id that the program has for them, 1 to 256 characters. */
            contactId?: string | null;
            /**
             * Format: binary
             * @description The file. Its name is made harmless; its type is what its bytes say, not what the client says.
             */
            file: string;
            sessionId?: components["schemas"]["SessionId"] | null;
        };
        /** @description A publishable key to be made. */
        NewKey: {
            /**
             * Format: date-time
             * @description From when on it is refused.
             */
            expiresAt?: string | null;
            mode?: components["schemas"]["KeyMode"] | null;
            /** @description What people call it. */
            name?: string | null;
            /** @description Narrows the origins of the site. */
            origins?: string[] | null;
            /**
             * @description What it can give at most: anonymous chat unless given, never `tenant:manage`, and of a program no more than its secret
             *     carries.
             */
            permissions?: components["schemas"]["Permission"][] | null;
            /**
             * Format: int32
             * @description Its own limit.
             */
            requestsPerMinute?: number | null;
            /** @description The site it is for. */
            siteId: components["schemas"]["SiteId"];
        };
        /** @description Limits that differ from the plan's. */
        NewLimits: {
            /** @description In the place of all that were set. */
            limits: components["schemas"]["Limit"][];
            /** @description Monthly quotas in the place of all that were set; without it they stay as they are. */
            quotas?: components["schemas"]["Quota"][] | null;
        };
        /** @description A page of Messenger, or an account of Instagram that is linked to a page, to be connected. */
        NewMetaAccount: {
            /** @description What calls carry: the token of the page. Never shown again. */
            accessToken: string;
            /** @description The secret of the app that the token belongs to. Never shown again. */
            appSecret: string;
            /**
             * @description Whether the vendor has approved the feature Human Agent for the app: then people answer up to seven days after the contact
             *     wrote, and not 24 hours only. Agents never do.
             */
            humanAgent?: boolean;
            /**
             * @description With `messenger` the id of the page, with `instagram` the id of the professional account: digits.
             * @example 300000000000003
             */
            id: string;
        };
        /** @description A new passkey. */
        NewPasskeyRequest: {
            /** @description As it was given when the ceremony began. */
            ceremony: string;
            /** @description The credential, as `PublicKeyCredential.toJSON()` gives it. */
            credential: components["schemas"]["NewCredential"];
            /**
             * @description What its holder calls it.
             * @example Telephone
             */
            name: string;
        };
        /** @description A role to be made. */
        NewRole: {
            /** @description What it allows, of what its maker may do. */
            actions: components["schemas"]["Action"][];
            /** @description What it is for. */
            description?: string | null;
            /** @description What people call it; the id unless given. */
            name?: string | null;
            /**
             * @description Its id: a letter, then letters, digits, `-` and `_`; at most 40 characters, and not that of a built-in role.
             * @example reception
             */
            roleId: string;
        };
        /** @description A tenant secret to be made. */
        NewSecret: {
            /**
             * @description What `tenant:manage` means in them: management actions that its maker may do, and none about people. Unless given those
             *     of the newest secret that its maker may do; none if `permissions` are given without `tenant:manage`.
             * @example [
             *       "context-pack:write"
             *     ]
             */
            actions?: components["schemas"]["Action"][] | null;
            /** @description What people call it. */
            name?: string | null;
            /** @description Whether it counts only on connections with a client certificate of the tenant; no unless given. */
            needsCertificate?: boolean | null;
            /**
             * Format: int32
             * @description How long the older secrets go on: 0 to 2592000; a day unless given.
             */
            overlapSeconds?: number | null;
            /**
             * @description What tokens may hold that are given for it; unless given what the newest secret carries.
             * @example [
             *       "chat:read",
             *       "chat:write"
             *     ]
             */
            permissions?: components["schemas"]["Permission"][] | null;
        };
        /** @description A site to be made. */
        NewSite: {
            /** @description What people call it; the slug unless given. */
            name?: string | null;
            /**
             * @description Where it may be used from: 1 to 20 origins.
             * @example [
             *       "https://shop.andina.example"
             *     ]
             */
            origins: string[];
            /** @description What a token of it may hold at most; everything unless given. */
            permissions?: components["schemas"]["Permission"][] | null;
            /** @description Its slug, unique in the tenant. */
            siteId: components["schemas"]["SiteId"];
        };
        /** @description A number of WhatsApp to be connected. */
        NewWhatsappNumber: {
            /** @description What calls carry. Never shown again. */
            accessToken: string;
            /** @description The secret of the app that the token belongs to. Never shown again. */
            appSecret: string;
            /**
             * @description The id of the WhatsApp business account that it belongs to.
             * @example 100000000000001
             */
            businessAccountId: string;
            /**
             * @description The id of the number: digits, and not the number itself.
             * @example 200000000000002
             */
            phoneNumberId: string;
            reopening?: components["schemas"]["WhatsappReopening"] | null;
        };
        /** @description A template to be made. The vendor decides whether it is approved. */
        NewWhatsappTemplate: {
            /**
             * @description `MARKETING`, `UTILITY` or `AUTHENTICATION`.
             * @example UTILITY
             */
            category: string;
            /**
             * @description What it is made of, as the vendor has it.
             * @example [
             *       {
             *         "type": "BODY",
             *         "text": "We have an answer for you."
             *       }
             *     ]
             */
            components: Record<string, unknown>[];
            /**
             * @description Its language.
             * @example es_CO
             */
            language: string;
            /**
             * @description Its name: lower-case letters, digits and underscores.
             * @example we_have_an_answer
             */
            name: string;
        };
        /** @description A note. The contact never sees it. */
        Note: {
            author?: components["schemas"]["Assignee"] | null;
            /**
             * Format: date-time
             * @description When it was written.
             */
            createdAt: string;
            /** @description Its id. */
            noteId: components["schemas"]["NoteId"];
            /** @description What it says. */
            text: string;
        };
        /**
         * @description The id of one Note.
         * @example nte_01k9z3v5d2m8q4x7c1b6n0f9gh
         */
        NoteId: string;
        /** @description A note that is to be written. */
        NoteRequest: {
            /** @description What it says, 1 to 4000 characters. */
            text: string;
        };
        /** @description Something a contact says against buying. */
        Objection: {
            /** @description What to say. */
            answer: string;
            /** @description In the contact's words. */
            objection: string;
        };
        /**
         * @description What becomes of what somebody made.
         * @enum {string}
         */
        OfMade: "keep" | "revoke";
        /** @description A service. */
        OfferedService: components["schemas"]["Service"] & {
            /** @description Whether it can be booked: it has a length and somebody who does it. */
            isBookable: boolean;
        };
        /**
         * @description Which tenants an operation is for.
         * @enum {string}
         */
        On: "tenant" | "owner" | "both";
        /** @description A link that is good once, shown once. */
        OneTimeLink: {
            /**
             * Format: date-time
             * @description Until when it is good.
             */
            expiresAt: string;
            /** @description The token in it. */
            token: string;
            /** @description The page to open. */
            url: string;
        };
        /** @description When the business is open. */
        OpeningHours: {
            /** @description Dates that differ. */
            exceptions?: components["schemas"]["ExceptionalDay"][];
            /** @description The usual week. */
            weekly: components["schemas"]["WeeklyHours"];
        };
        /**
         * @description One kind of privileged operation.
         * @enum {string}
         */
        Operation: "system_access" | "support_access" | "suspend_tenant" | "activate_tenant" | "revoke_all_tokens" | "reset_second_factor" | "set_global_setting";
        /**
         * @description A web origin as browsers write it: lower case, without path, trailing slash or default port; `http` only on one's own machine.
         * @example https://andina.example
         */
        Origin: string;
        /** @description A page of a list. */
        Page_Alert: {
            /** @description The items. */
            items: {
                /**
                 * Format: date-time
                 * @description When somebody took note.
                 */
                acknowledgedAt?: string | null;
                /** @description Who. */
                acknowledgedBy?: string | null;
                /** @description Who caused it. */
                actor?: string | null;
                /** @description Its id. */
                alertId: components["schemas"]["AlertId"];
                /** @description Figures. */
                detail: {
                    [key: string]: unknown;
                };
                /**
                 * Format: date-time
                 * @description When it was raised.
                 */
                raisedAt: string;
                /**
                 * @description The rule that raised it.
                 * @example privilege_burst
                 */
                rule: string;
                /** @description How bad it is. */
                severity: components["schemas"]["Severity"];
                /** @description What it is about. */
                subject?: string | null;
            }[];
            /** @description Where the next page begins, if there is one. */
            nextCursor?: string | null;
        };
        /** @description A page of a list. */
        Page_AuditCheckpoint: {
            /** @description The items. */
            items: {
                /** @description The signed note (C2SP tlog-checkpoint). */
                note: string;
                /** @description The root of the tree over them, base64. */
                rootHash: string;
                /**
                 * Format: date-time
                 * @description When it was signed.
                 */
                signedAt: string;
                /**
                 * Format: int64
                 * @description How many entries.
                 * @example 4711
                 */
                treeSize: number;
            }[];
            /** @description Where the next page begins, if there is one. */
            nextCursor?: string | null;
        };
        /** @description A page of a list. */
        Page_AuditEntry: {
            /** @description The items. */
            items: {
                /**
                 * @description What was done.
                 * @example createSite
                 */
                action: string;
                /** @description Who did it; `tenant/key` when it was somebody of another tenant. */
                actor: string;
                /** @description The agent. */
                agentName?: string | null;
                /**
                 * Format: date-time
                 * @description When it happened.
                 */
                at: string;
                /** @description Its id. */
                auditId: components["schemas"]["AuditId"];
                /** @description Anything else worth knowing. */
                detail?: {
                    [key: string]: unknown;
                } | null;
                /**
                 * Format: int64
                 * @description How long it took, in microseconds.
                 */
                durationMicros?: number | null;
                /** @description What it tells of. */
                kind: components["schemas"]["AuditKind"];
                /** @description Where the request came from. */
                origin?: string | null;
                /**
                 * @description `ok`, or the code of the refusal.
                 * @example ok
                 */
                outcome: string;
                requestId?: components["schemas"]["RequestId"] | null;
                /** @description The session. */
                sessionId?: string | null;
                siteId?: components["schemas"]["SiteId"] | null;
                /**
                 * Format: int32
                 * @description HTTP status.
                 */
                status?: number | null;
                /** @description What it was done to. */
                subject?: string | null;
                /** @description Whose trail it stands in. */
                tenantId: components["schemas"]["TenantId"];
            }[];
            /** @description Where the next page begins, if there is one. */
            nextCursor?: string | null;
        };
        /** @description A page of a list. */
        Page_Booking: {
            /** @description The items. */
            items: {
                /** @description Its id. */
                bookingId: components["schemas"]["BookingId"];
                /** @description Whose it is. */
                contactId: components["schemas"]["ContactId"];
                /**
                 * Format: date-time
                 * @description When it was made.
                 */
                createdAt: string;
                /** @description Who it is for. */
                details: components["schemas"]["BookingDetails"];
                /**
                 * Format: date-time
                 * @description When it ends.
                 */
                endsAt: string;
                /**
                 * Format: date-time
                 * @description Until when the time is kept for somebody who decides.
                 */
                heldUntil?: string | null;
                /**
                 * @description The provider, by its id in the context pack.
                 * @example dra-valentina-rojas
                 */
                providerId: string;
                /** @description What the provider was called when it was booked. */
                providerName: string;
                /**
                 * @description The service, by its id in the context pack.
                 * @example limpieza-dental
                 */
                serviceId: string;
                /** @description What the service was called when it was booked. */
                serviceName: string;
                /**
                 * Format: date-time
                 * @description When it begins.
                 */
                startsAt: string;
                /** @description Where it stands. */
                state: components["schemas"]["BookingState"];
                /**
                 * Format: date-time
                 * @description When it was changed last.
                 */
                updatedAt: string;
                /**
                 * Format: int64
                 * @description Grows with each change; the `ETag`.
                 */
                version: number;
            }[];
            /** @description Where the next page begins, if there is one. */
            nextCursor?: string | null;
        };
        /** @description A page of a list. */
        Page_Certificate: {
            /** @description The items. */
            items: {
                /** @description What the fingerprint is of: `key` (its `SubjectPublicKeyInfo`) or `certificate`. */
                boundBy: components["schemas"]["BoundBy"];
                /** @description Its id. */
                certificateId: components["schemas"]["CertificateId"];
                /**
                 * Format: date-time
                 * @description When it was bound.
                 */
                createdAt: string;
                /**
                 * Format: date-time
                 * @description From when on it is refused.
                 */
                expiresAt?: string | null;
                /** @description SHA-256 in hex. */
                fingerprint: string;
                /**
                 * @description Who bound it: a user, or a secret whose server did.
                 * @example usr_01k9z3v5d2m8q4x7c1b6n0f9gh
                 */
                madeBy: string;
                /** @description What people call it. */
                name: string;
                /**
                 * Format: date-time
                 * @description Since when it is refused.
                 */
                revokedAt?: string | null;
                secretKeyId?: components["schemas"]["KeyId"] | null;
                siteId?: components["schemas"]["SiteId"] | null;
                /** @description Whose it says it is. */
                subject?: string | null;
            }[];
            /** @description Where the next page begins, if there is one. */
            nextCursor?: string | null;
        };
        /** @description A page of a list. */
        Page_ChannelAccount: {
            /** @description The items. */
            items: {
                /** @description Its id. */
                accountId: components["schemas"]["ChannelAccountId"];
                /**
                 * @description Where messages to the contacts are delivered, with `api`.
                 * @example https://crm.andina.example/misy
                 */
                callbackUrl?: string | null;
                /** @description `api`, `whatsapp`, `messenger` or `instagram`. */
                channel: components["schemas"]["Channel"];
                /**
                 * Format: date-time
                 * @description When it was made.
                 */
                createdAt: string;
                /**
                 * @description Why the program itself paused or disabled it: `gone`, when the receiver answered that it is no more;
                 *     `vendor_unauthorised` or `vendor_blocked`, when the vendor lets it send nothing.
                 */
                disabledReason?: string | null;
                instagram?: components["schemas"]["MetaAccount"] | null;
                /**
                 * @description Who made it.
                 * @example usr_01k9z3v5d2m8q4x7c1b6n0f9gh
                 */
                madeBy: string;
                messenger?: components["schemas"]["MetaAccount"] | null;
                /** @description What people call it. */
                name: string;
                /**
                 * Format: date-time
                 * @description Until when deliveries are signed with the secret before, too.
                 */
                oldSecretUntil?: string | null;
                /** @description What its conversations may use. */
                permissions: components["schemas"]["Permissions"];
                /** @description What deliveries are signed with, once: `whsec_` and base64, as Standard Webhooks has it. */
                secret?: string | null;
                /** @description `active`; `paused`: it takes messages, and what is to be delivered waits; or `disabled`: it takes none either. */
                status: components["schemas"]["AccountStatus"];
                /**
                 * Format: date-time
                 * @description When it was changed last.
                 */
                updatedAt: string;
                /**
                 * Format: int64
                 * @description Grows with each change; the `ETag`.
                 */
                version: number;
                whatsapp?: components["schemas"]["WhatsappNumber"] | null;
            }[];
            /** @description Where the next page begins, if there is one. */
            nextCursor?: string | null;
        };
        /** @description A page of a list. */
        Page_Conversation: {
            /** @description The items. */
            items: {
                /**
                 * Format: date-time
                 * @description When something was said last.
                 */
                activeAt: string;
                assignee?: components["schemas"]["Assignee"] | null;
                /** @description Where from. */
                channel: components["schemas"]["Channel"];
                /** @description Who writes. */
                contactId: components["schemas"]["ContactId"];
                /** @description Its id. */
                conversationId: components["schemas"]["ConversationId"];
                /** @description Whether the contact was erased: nobody reads what was said. */
                erased: boolean;
                /**
                 * @description Why a person was asked for, as a code.
                 * @example asked
                 */
                handoffReason?: string | null;
                language?: components["schemas"]["Language"] | null;
                /**
                 * Format: int64
                 * @description How many messages there are: the sequence of the newest.
                 */
                messages: number;
                newest?: components["schemas"]["MessagePreview"] | null;
                /** @description Who answers. */
                state: components["schemas"]["HandlingState"];
                /**
                 * Format: int64
                 * @description Grows with each change of who answers; the `ETag`.
                 */
                version: number;
                /**
                 * Format: date-time
                 * @description Since when it waits for a person.
                 */
                waitingSince?: string | null;
            }[];
            /** @description Where the next page begins, if there is one. */
            nextCursor?: string | null;
        };
        /** @description A page of a list. */
        Page_Delivery: {
            /** @description The items. */
            items: {
                /**
                 * Format: int32
                 * @description How often it was tried without an end.
                 */
                attempts: number;
                /** @description The conversation. */
                conversationId: string;
                /**
                 * Format: date-time
                 * @description When the message was said.
                 */
                createdAt: string;
                /**
                 * @description Its id: the `webhook-id` of each attempt.
                 * @example dlv_01k9z3v5d2m8q4x7c1b6n0f9gh
                 */
                deliveryId: string;
                /**
                 * @description The code of the last failure.
                 * @example callback_refused
                 */
                lastError?: string | null;
                /** @description The message. */
                messageId: string;
                /**
                 * Format: date-time
                 * @description When it is tried again; nothing while another is to leave before it.
                 */
                nextAttemptAt?: string | null;
                /**
                 * Format: date-time
                 * @description When it left.
                 */
                sentAt?: string | null;
                /**
                 * Format: int64
                 * @description The place of the message in the conversation.
                 */
                sequence: number;
                /**
                 * @description `queued`, `sent`, `delivered`, `read`, or `failed` when it was given up.
                 * @example sent
                 */
                status: string;
                /** @description The id that the receiver gave it. */
                vendorMessageId?: string | null;
            }[];
            /** @description Where the next page begins, if there is one. */
            nextCursor?: string | null;
        };
        /** @description A page of a list. */
        Page_EmailDomain: {
            /** @description The items. */
            items: {
                /**
                 * Format: date-time
                 * @description When it was named.
                 */
                createdAt: string;
                /** @description The domain. */
                domain: components["schemas"]["DomainName"];
                /**
                 * @description The file that proves it; to be served without redirects, but perhaps one to `www.`.
                 * @example https://business.example/.well-known/misy-domain-verification.txt
                 */
                file: string;
                /**
                 * @description A line that the file must have.
                 * @example misy-domain-verification=…
                 */
                line: string;
                /**
                 * Format: date-time
                 * @description When it was proved.
                 */
                provedAt?: string | null;
                /** @description Whether it is proved. */
                status: components["schemas"]["DomainStatus"];
            }[];
            /** @description Where the next page begins, if there is one. */
            nextCursor?: string | null;
        };
        /** @description A page of a list. */
        Page_Key: {
            /** @description The items. */
            items: {
                /**
                 * Format: date-time
                 * @description When it was made.
                 */
                createdAt: string;
                /**
                 * Format: date-time
                 * @description From when on it is refused.
                 */
                expiresAt?: string | null;
                /** @description The key itself, once. */
                key?: string | null;
                /** @description Its id. */
                keyId: components["schemas"]["KeyId"];
                /** @description What it is for. */
                kind: components["schemas"]["KeyKind"];
                /**
                 * @description Who made it: a user, a secret whose server did, the token of a registration, or who registered the tenant.
                 * @example usr_01k9z3v5d2m8q4x7c1b6n0f9gh
                 */
                madeBy: string;
                /** @description Whether it is for use. */
                mode: components["schemas"]["KeyMode"];
                /** @description What people call it. */
                name: string;
                /** @description Narrows the origins of the site. */
                origins?: string[] | null;
                /** @description What it can give at most. */
                permissions: components["schemas"]["Permissions"];
                /**
                 * @description Its first characters.
                 * @example pk_live_Yb3k
                 */
                prefix: string;
                /**
                 * Format: int32
                 * @description Its own limit.
                 */
                requestsPerMinute?: number | null;
                /**
                 * Format: date-time
                 * @description Since when it is refused.
                 */
                revokedAt?: string | null;
                siteId?: components["schemas"]["SiteId"] | null;
            }[];
            /** @description Where the next page begins, if there is one. */
            nextCursor?: string | null;
        };
        /** @description A page of a list. */
        Page_Note: {
            /** @description The items. */
            items: {
                author?: components["schemas"]["Assignee"] | null;
                /**
                 * Format: date-time
                 * @description When it was written.
                 */
                createdAt: string;
                /** @description Its id. */
                noteId: components["schemas"]["NoteId"];
                /** @description What it says. */
                text: string;
            }[];
            /** @description Where the next page begins, if there is one. */
            nextCursor?: string | null;
        };
        /** @description A page of a list. */
        Page_PersonalToken: {
            /** @description The items. */
            items: {
                /**
                 * Format: date-time
                 * @description When it was made.
                 */
                createdAt: string;
                /**
                 * Format: date-time
                 * @description From when on it is refused.
                 */
                expiresAt: string;
                /**
                 * Format: date-time
                 * @description When it was used last, to the minute.
                 */
                lastUsedAt?: string | null;
                /** @description What people call it. */
                name: string;
                /** @description Its first characters. */
                prefix: string;
                /**
                 * Format: date-time
                 * @description Since when it is refused.
                 */
                revokedAt?: string | null;
                /** @description What it may do, if its user may. */
                scopes: components["schemas"]["Action"][];
                /**
                 * @description The token itself, once.
                 * @example pat_…
                 */
                token?: string | null;
                /** @description Its id. */
                tokenId: components["schemas"]["KeyId"];
            }[];
            /** @description Where the next page begins, if there is one. */
            nextCursor?: string | null;
        };
        /** @description A page of a list. */
        Page_PrivilegeUse: {
            /** @description The items. */
            items: {
                /**
                 * @description The person of the owner, as `tenant/user`.
                 * @example colombiatic/usr_01k9z3v5d2m8q4x7c1b6n0f9gh
                 */
                actor: string;
                /**
                 * Format: date-time
                 * @description When that access was ended before its time.
                 */
                endedAt?: string | null;
                /** @description By whom. */
                endedBy?: string | null;
                /**
                 * Format: date-time
                 * @description Until when the access lasts that it gave.
                 */
                expiresAt?: string | null;
                /** @description Its id. */
                grantId: components["schemas"]["GrantId"];
                /**
                 * @description What was done: an operation of the catalogue, or the name of an ordinary call that is answered for, such as `suspendTenant`.
                 * @example system_access
                 */
                operation: string;
                /** @description Why. */
                reason: string;
                /** @description To what. */
                resource: string;
                /** @description The tenant it touches. */
                tenantId: components["schemas"]["TenantId"];
                /**
                 * Format: date-time
                 * @description When.
                 */
                usedAt: string;
            }[];
            /** @description Where the next page begins, if there is one. */
            nextCursor?: string | null;
        };
        /** @description A page of a list. */
        Page_Secret: {
            /** @description The items. */
            items: {
                /**
                 * @description What `tenant:manage` means in them.
                 * @example [
                 *       "context-pack:read",
                 *       "context-pack:write"
                 *     ]
                 */
                actions: components["schemas"]["Action"][];
                /**
                 * Format: date-time
                 * @description When it was made.
                 */
                createdAt: string;
                /**
                 * Format: date-time
                 * @description From when on it is refused.
                 */
                expiresAt?: string | null;
                /** @description Its id, for `X-Misy-Key`. */
                keyId: components["schemas"]["KeyId"];
                /**
                 * @description Who made it: a user, a secret whose server did, or who registered the tenant.
                 * @example usr_01k9z3v5d2m8q4x7c1b6n0f9gh
                 */
                madeBy: string;
                /** @description What people call it. */
                name: string;
                /** @description Whether it counts only on connections with a client certificate of the tenant. */
                needsCertificate: boolean;
                /** @description What tokens may hold that are given for it; `tenant:manage` if there is some action. */
                permissions: components["schemas"]["Permissions"];
                /**
                 * Format: date-time
                 * @description Since when it is refused.
                 */
                revokedAt?: string | null;
                /** @description The secret itself, once: 32 bytes in base64url. */
                secret?: string | null;
            }[];
            /** @description Where the next page begins, if there is one. */
            nextCursor?: string | null;
        };
        /** @description A page of a list. */
        Page_Site: {
            /** @description The items. */
            items: {
                /**
                 * Format: date-time
                 * @description When it was made.
                 */
                createdAt: string;
                /** @description What people call it. */
                name: string;
                /**
                 * @description Where it may be used from.
                 * @example [
                 *       "https://andina.example"
                 *     ]
                 */
                origins: string[];
                /** @description What a token of it may hold at most. */
                permissions: components["schemas"]["Permissions"];
                /** @description Its slug. */
                siteId: components["schemas"]["SiteId"];
                /**
                 * Format: date-time
                 * @description When it was changed last.
                 */
                updatedAt: string;
                /**
                 * Format: int64
                 * @description Grows with each change; the `ETag`.
                 */
                version: number;
            }[];
            /** @description Where the next page begins, if there is one. */
            nextCursor?: string | null;
        };
        /** @description A page of a list. */
        Page_Tenant: {
            /** @description The items. */
            items: {
                /** @description What it does. */
                businessIndustry: string;
                /**
                 * Format: date-time
                 * @description When it was closed.
                 */
                closedAt?: string | null;
                /** @description Whom to write to. */
                contactEmail: string;
                /**
                 * Format: date-time
                 * @description When it was registered.
                 */
                createdAt: string;
                /** @description Whether it is the owner of the platform. */
                isOwner: boolean;
                /**
                 * @description Its language tag.
                 * @example es-CL
                 */
                locale: string;
                /** @description What it pays for. */
                plan: components["schemas"]["Plan"];
                /**
                 * Format: date-time
                 * @description When all of it goes but its audit trail, if it is not activated before.
                 */
                purgeAt?: string | null;
                /**
                 * Format: int32
                 * @description How long a session lives.
                 */
                sessionTtlSeconds: number;
                /** @description Where it stands in its life. */
                status: components["schemas"]["TenantStatus"];
                /**
                 * Format: date-time
                 * @description Since when the owner of the platform holds it, closed or not.
                 */
                suspendedAt?: string | null;
                /** @description Its slug. */
                tenantId: components["schemas"]["TenantId"];
                /**
                 * @description The name of the business.
                 * @example Clínica Andina
                 */
                tenantName: string;
                /** @description The kind of tenant. */
                tenantType: components["schemas"]["TenantType"];
                /**
                 * @description Its IANA time zone.
                 * @example America/Santiago
                 */
                timezone: string;
                /**
                 * Format: date-time
                 * @description When it was changed last.
                 */
                updatedAt: string;
                /**
                 * Format: int64
                 * @description Grows with each change; the `ETag`.
                 */
                version: number;
                /** @description Its main web page. */
                websiteUrl: string;
            }[];
            /** @description Where the next page begins, if there is one. */
            nextCursor?: string | null;
        };
        /** @description A page of a list. */
        Page_TenantEvent: {
            /** @description The items. */
            items: {
                /** @description Who: the id of a user or key; `tenant/key` when it was somebody of another tenant. */
                actor: string;
                /**
                 * Format: date-time
                 * @description When.
                 */
                at: string;
                /** @description What happened. */
                event: components["schemas"]["TenantEventKind"];
                /**
                 * Format: int64
                 * @description Its place in the life of the tenant, from 1.
                 */
                number: number;
                /**
                 * Format: date-time
                 * @description Of `closed`: when the data go.
                 */
                purgeAt?: string | null;
                /** @description Why, if somebody said so. */
                reason?: string | null;
            }[];
            /** @description Where the next page begins, if there is one. */
            nextCursor?: string | null;
        };
        /** @description A page of a list. */
        Page_Usage: {
            /** @description The items. */
            items: {
                /**
                 * Format: int64
                 * @description How much.
                 * @example 1204
                 */
                amount: number;
                /**
                 * Format: int64
                 * @description How many single events that is the sum of.
                 * @example 1204
                 */
                events: number;
                /**
                 * @description The day, key, site or channel; empty when that is not known.
                 * @example 2026-11-22
                 */
                group: string;
                /** @description What was used. */
                kind: components["schemas"]["Metered"];
            }[];
            /** @description Where the next page begins, if there is one. */
            nextCursor?: string | null;
        };
        /** @description A page of a list. */
        Page_User: {
            /** @description The items. */
            items: {
                /**
                 * Format: date-time
                 * @description When it was invited or enrolled.
                 */
                createdAt: string;
                /**
                 * @description Its address.
                 * @example ana@business.example
                 */
                email: string;
                /** @description Whether it has a second factor. */
                hasSecondFactor: boolean;
                /**
                 * Format: date-time
                 * @description When it signed in last.
                 */
                lastSignInAt?: string | null;
                /** @description The language it prefers. */
                locale?: string | null;
                /** @description What it is called. */
                name: string;
                /**
                 * @description Names of its roles.
                 * @example [
                 *       "manager"
                 *     ]
                 */
                roles: string[];
                /** @description Whether they may come in. */
                status: components["schemas"]["UserStatus"];
                /**
                 * Format: date-time
                 * @description When it was changed last.
                 */
                updatedAt: string;
                /** @description Its id. */
                userId: components["schemas"]["UserId"];
                /**
                 * Format: int64
                 * @description Grows with each change; the `ETag`.
                 */
                version: number;
            }[];
            /** @description Where the next page begins, if there is one. */
            nextCursor?: string | null;
        };
        /** @description A page of a list. */
        Page_UserSession: {
            /** @description The items. */
            items: {
                /**
                 * @description Roughly where from.
                 * @example 192.0.2.0/24
                 */
                addressPrefix?: string | null;
                /**
                 * Format: date-time
                 * @description When the user signed in.
                 */
                createdAt: string;
                /** @description Whether it is the one that asks. */
                current: boolean;
                /**
                 * Format: date-time
                 * @description When it ends whatever happens.
                 */
                expiresAt: string;
                /**
                 * Format: date-time
                 * @description When it was used last, to the minute.
                 */
                lastSeenAt: string;
                /** @description How the user proved itself. */
                methods: string[];
                /** @description Its id. */
                sessionId: components["schemas"]["SignInId"];
                /** @description What the browser says it is. */
                userAgent?: string | null;
            }[];
            /** @description Where the next page begins, if there is one. */
            nextCursor?: string | null;
        };
        /** @description A page of a list. */
        Page_WaitingTurn: {
            /** @description The items. */
            items: {
                /**
                 * @description The agent that waits.
                 * @example support
                 */
                agentName: string;
                /** @description The conversation. */
                conversationId: components["schemas"]["ConversationId"];
                /**
                 * Format: int64
                 * @description The number of the wait, which waking it names: a conversation may wait again for something else.
                 * @example 17
                 */
                wait: number;
                /** @description What it waits for. */
                waitsFor: components["schemas"]["WaitsFor"];
                /**
                 * Format: date-time
                 * @description Since when.
                 */
                waitsSince: string;
                /**
                 * Format: date-time
                 * @description When it goes on at the latest, with or without an outcome.
                 */
                waitsUntil: string;
            }[];
            /** @description Where the next page begins, if there is one. */
            nextCursor?: string | null;
        };
        /** @description A page of a list. */
        Page_Work: {
            /** @description The items. */
            items: {
                /**
                 * Format: int32
                 * @description How often it was tried.
                 * @example 8
                 */
                attempts: number;
                /**
                 * Format: date-time
                 * @description When it was given up.
                 */
                deadAt: string;
                /**
                 * @description What it is: `conversation`, `delivery`, `mail` or `key_rotation`.
                 * @example conversation
                 */
                kind: string;
                /**
                 * @description The code of the last failure.
                 * @example context_pack_invalid
                 */
                lastError?: string | null;
                /**
                 * @description What that means, and what to do.
                 * @example The context pack cannot be used. Put a valid one, then revive it.
                 */
                meaning: string;
                /**
                 * @description The id of the conversation, delivery, mail or rotation.
                 * @example cnv_01k9z3v5d2m8q4x7c1b6n0f9gh
                 */
                workId: string;
            }[];
            /** @description Where the next page begins, if there is one. */
            nextCursor?: string | null;
        };
        /**
         * @description A piece of a message. Which members it has depends on its type; a reader that does not know a type shows its `text`,
         *     `title`, `caption` or `name`.
         */
        Part: {
            /** @description Of `buttons` and of a card: what can be pressed. */
            buttons?: components["schemas"]["Button"][] | null;
            /** @description What is said about the file. */
            caption?: string | null;
            /** @description Of a `system` part: what happened. */
            event?: string | null;
            fileId?: components["schemas"]["FileId"] | null;
            /**
             * Format: double
             * @description Of a place.
             */
            latitude?: number | null;
            /**
             * Format: double
             * @description Of a place.
             */
            longitude?: number | null;
            /**
             * @description What the file is.
             * @example image/png
             */
            mediaType?: string | null;
            /** @description Of a place, a person, a file or a template. */
            name?: string | null;
            /**
             * Format: int64
             * @description The length of the file in bytes.
             */
            size?: number | null;
            /** @description Text in a subset of Markdown. */
            text?: string;
            /** @description Of a card or a form. */
            title?: string | null;
            /**
             * @description `text`, `image`, `audio`, `video`, `file`, `location`, `contact`, `buttons`, `list`, `card`, `carousel`, `template`,
             *     `form`, `reaction`, `system` or `unsupported`.
             * @example text
             */
            type: string;
            /** @description The same, where it lies elsewhere. */
            url?: string | null;
        } & {
            [key: string]: unknown;
        };
        /** @description How a part is. */
        PartHealth: {
            /**
             * @description Which.
             * @example postgresql
             */
            name: string;
            /** @description How it is. */
            status: components["schemas"]["Condition"];
        };
        /** @description A passkey. */
        Passkey: {
            /**
             * Format: date-time
             * @description When it was added.
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description When it was used last.
             */
            lastUsedAt?: string | null;
            /**
             * @description What its holder calls it.
             * @example Telephone
             */
            name: string;
            /** @description Its id. */
            passkeyId: components["schemas"]["PasskeyId"];
            /** @description Whether it is on several devices of its holder. */
            synchronised: boolean;
        };
        /** @description The passkey is there, and where the session stands now. */
        PasskeyAdded: components["schemas"]["SignedIn"] & {
            /** @description Its id. */
            passkeyId: components["schemas"]["PasskeyId"];
            /** @description Codes for when it is lost, with the first second factor of an account; shown once. */
            recoveryCodes?: string[] | null;
        };
        /**
         * @description The id of one Passkey.
         * @example psk_01k9z3v5d2m8q4x7c1b6n0f9gh
         */
        PasskeyId: string;
        /** @description All passkeys of somebody. */
        PasskeyList: {
            /** @description From the oldest. */
            items: components["schemas"]["Passkey"][];
            /** @description Always null: there are at most ten. */
            nextCursor?: string | null;
        };
        /** @description What of a passkey is to be changed. */
        PasskeyPatch: {
            /** @description What its holder calls it. */
            name: string;
        };
        /** @description Who has given a password. */
        PasskeySecondFactorRequest: {
            /**
             * @description As it was given for the password.
             * @example chl_…
             */
            challenge: string;
        };
        /** @description Whose a passkey is. */
        PasskeyUser: {
            /** @description What they are called. */
            displayName: string;
            /** @description In base64url. */
            id: string;
            /** @description Their address. */
            name: string;
        };
        /** @description A new password. */
        PasswordChange: {
            /** @description The old one; not needed with a fresh second factor. */
            currentPassword?: string | null;
            /** @description The new one: 12 to 128 characters, at least 15 without a second factor. */
            newPassword: string;
        };
        /** @description Who forgot a password. */
        PasswordForgotten: {
            /**
             * @description The address of the account.
             * @example ana@business.example
             */
            email: string;
            tenantId?: components["schemas"]["TenantId"] | null;
        };
        /** @description A new password by a link. */
        PasswordReset: {
            /** @description The new password. */
            password: string;
            /**
             * @description From the link.
             * @example rst_…
             */
            token: string;
        };
        /**
         * @description One thing that a token may do, written `area:action`.
         *
         *     - `chat:read`: Read the messages and events of one's own session.
         *     - `chat:write`: Open sessions and write messages.
         *     - `files:upload`: Upload attachments.
         *     - `agents:support`: Be answered by the support agent.
         *     - `agents:sales`: Be answered by the sales agent.
         *     - `agents:booking`: Be answered by the booking agent.
         *     - `agents:marketing`: Be answered by the marketing agent.
         *     - `tenant:manage`: The tenant's own management calls, except people, roles and privileged operations.
         * @enum {string}
         */
        Permission: "chat:read" | "chat:write" | "files:upload" | "agents:support" | "agents:sales" | "agents:booking" | "agents:marketing" | "tenant:manage";
        Permissions: components["schemas"]["Permission"][];
        /** @description A personal API token; the token itself is shown once, when it is made. */
        PersonalToken: {
            /**
             * Format: date-time
             * @description When it was made.
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description From when on it is refused.
             */
            expiresAt: string;
            /**
             * Format: date-time
             * @description When it was used last, to the minute.
             */
            lastUsedAt?: string | null;
            /** @description What people call it. */
            name: string;
            /** @description Its first characters. */
            prefix: string;
            /**
             * Format: date-time
             * @description Since when it is refused.
             */
            revokedAt?: string | null;
            /** @description What it may do, if its user may. */
            scopes: components["schemas"]["Action"][];
            /**
             * @description The token itself, once.
             * @example pat_…
             */
            token?: string | null;
            /** @description Its id. */
            tokenId: components["schemas"]["KeyId"];
        };
        /** @description A personal API token to be made. */
        PersonalTokenRequest: {
            /**
             * Format: date-time
             * @description From when on it is refused: at most a year from now.
             */
            expiresAt: string;
            /** @description What people call it. */
            name: string;
            /** @description What it may do: actions such as `sites:read`, of those that its user may do now. It never does more than its user may. */
            scopes: components["schemas"]["Action"][];
        };
        /**
         * @description What a tenant pays for.
         *
         *     - `FREE`: Free of charge, with small limits.
         *     - `PRO`: Paid.
         *     - `ENTERPRISE`: By contract.
         * @enum {string}
         */
        Plan: "FREE" | "PRO" | "ENTERPRISE";
        /** @description The fine print. */
        Policies: {
            /** @description Personal data. */
            privacy?: string | null;
            /** @description Returns, refunds, warranty. */
            returns?: string | null;
        };
        /** @description What a contact pressed. */
        PressedAction: {
            /** @description Its id. */
            id: string;
            /** @description The message that it stood in. */
            messageId: components["schemas"]["MessageId"];
            ref?: components["schemas"]["Reference"] | null;
            /** @description What stood on it. */
            title: string;
            /**
             * @description `button`.
             * @example button
             */
            type: string;
        };
        /** @description What can be done. */
        PrivilegeCatalogue: {
            /** @description The operations. */
            items: components["schemas"]["PrivilegedOperation"][];
        };
        /** @description A privileged operation. */
        PrivilegeRequest: {
            /**
             * Format: int32
             * @description How long access shall last; an hour unless given, at most four.
             */
            durationMinutes?: number | null;
            /** @description What to do, of the catalogue. */
            operation: components["schemas"]["Operation"];
            /**
             * @description Why; stands in both trails, where the tenant reads it. 10 to 500 characters.
             * @example Ticket 4711: the agent quotes last year's prices
             */
            reason: string;
            /**
             * @description To what, of what the catalogue says.
             * @example all_agents
             */
            resource: string;
            /** @description For `set_global_setting`: what is decided. */
            value?: {
                [key: string]: unknown;
            } | null;
        };
        /** @description A privileged operation that was carried out. */
        PrivilegeUse: {
            /**
             * @description The person of the owner, as `tenant/user`.
             * @example colombiatic/usr_01k9z3v5d2m8q4x7c1b6n0f9gh
             */
            actor: string;
            /**
             * Format: date-time
             * @description When that access was ended before its time.
             */
            endedAt?: string | null;
            /** @description By whom. */
            endedBy?: string | null;
            /**
             * Format: date-time
             * @description Until when the access lasts that it gave.
             */
            expiresAt?: string | null;
            /** @description Its id. */
            grantId: components["schemas"]["GrantId"];
            /**
             * @description What was done: an operation of the catalogue, or the name of an ordinary call that is answered for, such as `suspendTenant`.
             * @example system_access
             */
            operation: string;
            /** @description Why. */
            reason: string;
            /** @description To what. */
            resource: string;
            /** @description The tenant it touches. */
            tenantId: components["schemas"]["TenantId"];
            /**
             * Format: date-time
             * @description When.
             */
            usedAt: string;
        };
        /** @description An operation of the catalogue. */
        PrivilegedOperation: {
            /**
             * Format: int32
             * @description The longest it can last.
             */
            mostMinutes: number;
            /** @description Whether it is for a tenant, for the owner tenant (and then about the whole installation), or for both. */
            on: components["schemas"]["On"];
            /** @description Its name. */
            operation: components["schemas"]["Operation"];
            /** @description What it can be done to. */
            resources: string[];
            /**
             * Format: int32
             * @description How long access lasts unless asked otherwise, in minutes; 0 for what is done at once.
             */
            usualMinutes: number;
        };
        /** @description The body of a problem. */
        Problem: {
            /** @description Times that are free in the place of the one that cannot be had. */
            alternatives?: components["schemas"]["FreeTime"][];
            /** @description The kind, for programs. */
            code: components["schemas"]["ProblemCode"];
            /**
             * @description What is to be said about this one.
             * @example The token has expired.
             */
            detail: string;
            /** @description The mistakes in what was sent. */
            errors?: components["schemas"]["FieldError"][];
            quota?: components["schemas"]["ExceededQuota"] | null;
            /** @description To be quoted when asking for help; stands in the logs and the audit trail. */
            requestId: components["schemas"]["RequestId"];
            /**
             * Format: date-time
             * @description The server's time, when yours differs too much.
             */
            serverTime?: string | null;
            /**
             * Format: int32
             * @description HTTP status.
             * @example 401
             */
            status: number;
            /**
             * @description The kind in words.
             * @example Token expired
             */
            title: string;
            /**
             * @description Names the kind of problem; as stable as `code`.
             * @example urn:misy:problem:token_expired
             */
            type: string;
        };
        /**
         * @description The kind of a problem. It stays what it is: programs compare it.
         *
         *     - `bad_request`: The request cannot be understood.
         *     - `malformed_json`: The body is no JSON in UTF-8, nests too deeply, or names a member twice.
         *     - `headers_too_large`: The request line and headers are too large.
         *     - `body_too_large`: The body is too large.
         *     - `unsupported_media_type`: The body is no plain JSON.
         *     - `request_timeout`: The body took too long to arrive.
         *     - `method_not_allowed`: The path is there, but not with this method; see `Allow`.
         *     - `validation_failed`: Some of what was sent cannot be used; `errors` says what.
         *     - `not_supported`: The contract knows this, and the program cannot do it yet.
         *     - `envelope_mismatch`: The envelope of a message and its token or session disagree.
         *     - `token_missing`: A token is required.
         *     - `token_invalid`: The token is not accepted.
         *     - `token_expired`: The token has expired.
         *     - `token_revoked`: The token is no longer accepted.
         *     - `key_invalid`: The key is not accepted.
         *     - `signature_missing`: The request must be signed.
         *     - `signature_invalid`: The signature does not match the request.
         *     - `timestamp_out_of_window`: The request was signed too long ago or too far ahead; `serverTime` tells the time.
         *     - `replay_detected`: The request was seen before.
         *     - `certificate_required`: A client certificate of the tenant is required.
         *     - `certificate_invalid`: The client certificate is not accepted.
         *     - `bootstrap_secret_invalid`: The bootstrap secret is not accepted.
         *     - `conversation_held`: Another person holds the conversation.
         *     - `conversation_moved`: The contact has written something that the caller has not seen.
         *     - `conversation_not_held`: Whoever answers must take the conversation first.
         *     - `session_missing`: Somebody must sign in first.
         *     - `session_expired`: The session is over; sign in again.
         *     - `session_invalid`: The session is not accepted; sign in again.
         *     - `session_required`: This can be done in a browser's session only, not with a token.
         *     - `csrf_refused`: The call does not come from a page of this installation.
         *     - `credentials_invalid`: The address or the password is wrong.
         *     - `challenge_invalid`: The sign-in took too long or too many attempts; begin again.
         *     - `code_invalid`: The code is wrong or was used before.
         *     - `link_invalid`: The link was used before, is too old, or was replaced by a newer one.
         *     - `passkey_invalid`: The passkey is not accepted.
         *     - `passkey_cloned`: The passkey counts backwards: somebody has a copy of it.
         *     - `no_passkey`: There is no passkey.
         *     - `too_many_passkeys`: There are as many passkeys as there may be.
         *     - `step_up_required`: A second factor must be proved again, freshly, by a person.
         *     - `second_factor_enrollment_required`: The role needs a second factor: enrol one first.
         *     - `second_factor_required`: The session has not proved the second factor that its account has.
         *     - `enrollment_link_required`: A password alone enrols no second factor for this account: a link must have set it.
         *     - `not_proposed`: No authenticator app was proposed that could be confirmed.
         *     - `last_second_factor`: It is the last second factor of somebody whose role needs one.
         *     - `last_way_in`: It is the only way in that is left.
         *     - `enrollment_finished`: The token of the registration has enrolled somebody already.
         *     - `provider_required`: The organisation signs in with its own provider only.
         *     - `provider_unavailable`: The provider does not answer as it should.
         *     - `sign_in_denied`: The provider did not sign the person in.
         *     - `sign_in_refused`: The provider's answer is not accepted.
         *     - `tenant_claim_mismatch`: The provider says that the person belongs to another tenant.
         *     - `account_disabled`: The account is disabled.
         *     - `account_linked`: The account belongs to somebody else at the provider.
         *     - `account_unknown`: There is no account; somebody must invite the person.
         *     - `link_not_proved`: The account may do more than the provider stands for.
         *     - `no_role`: None of the person's groups at the provider has a role.
         *     - `email_missing`: The provider does not say the person's e-mail address.
         *     - `email_not_verified`: The provider has not verified the person's e-mail address.
         *     - `email_domain_not_allowed`: Addresses of this domain are not taken.
         *     - `permission_denied`: The caller may not do this.
         *     - `privilege_required`: This belongs to a tenant: a privileged operation must give access first.
         *     - `reason_required`: This is done to another tenant: the caller must say why.
         *     - `role_above_own`: Nobody handles a role above their own.
         *     - `origin_not_allowed`: This origin may not do this.
         *     - `tenant_suspended`: The tenant is suspended or closed.
         *     - `not_found`: What is not there, and what is somebody else's alike.
         *     - `conflict`: Something stands against it; `detail` says what.
         *     - `stale`: It was changed since it was read.
         *     - `too_many`: There are as many as there may be.
         *     - `idempotency_mismatch`: The idempotency key was used for another request.
         *     - `owner_already_registered`: The owner is registered already.
         *     - `certificate_bound`: The certificate is bound already.
         *     - `domain_in_use`: Another tenant has proved this domain.
         *     - `domain_not_proved`: The domain is not proved.
         *     - `last_administrator`: Nobody would be left who may administer the tenant.
         *     - `not_active`: The user is not active.
         *     - `not_invited`: The user has come in already.
         *     - `role_in_use`: Somebody has the role.
         *     - `slot_taken`: Somebody else has the time; `alternatives` are free.
         *     - `slot_refused`: The time is against the rules of the business; `alternatives` are free.
         *     - `too_late`: It is too late to change the booking for nothing: say that you know.
         *     - `rate_limited`: Too many requests; `Retry-After` says when to come back.
         *     - `quota_exceeded`: What the tenant may use in a month is used up; `quota` says which.
         *     - `unavailable`: Not at this moment; try again.
         *     - `internal`: Something went wrong on the server's side.
         * @enum {string}
         */
        ProblemCode: "bad_request" | "malformed_json" | "headers_too_large" | "body_too_large" | "unsupported_media_type" | "request_timeout" | "method_not_allowed" | "validation_failed" | "not_supported" | "envelope_mismatch" | "token_missing" | "token_invalid" | "token_expired" | "token_revoked" | "key_invalid" | "signature_missing" | "signature_invalid" | "timestamp_out_of_window" | "replay_detected" | "certificate_required" | "certificate_invalid" | "bootstrap_secret_invalid" | "conversation_held" | "conversation_moved" | "conversation_not_held" | "session_missing" | "session_expired" | "session_invalid" | "session_required" | "csrf_refused" | "credentials_invalid" | "challenge_invalid" | "code_invalid" | "link_invalid" | "passkey_invalid" | "passkey_cloned" | "no_passkey" | "too_many_passkeys" | "step_up_required" | "second_factor_enrollment_required" | "second_factor_required" | "enrollment_link_required" | "not_proposed" | "last_second_factor" | "last_way_in" | "enrollment_finished" | "provider_required" | "provider_unavailable" | "sign_in_denied" | "sign_in_refused" | "tenant_claim_mismatch" | "account_disabled" | "account_linked" | "account_unknown" | "link_not_proved" | "no_role" | "email_missing" | "email_not_verified" | "email_domain_not_allowed" | "permission_denied" | "privilege_required" | "reason_required" | "role_above_own" | "origin_not_allowed" | "tenant_suspended" | "not_found" | "conflict" | "stale" | "too_many" | "idempotency_mismatch" | "owner_already_registered" | "certificate_bound" | "domain_in_use" | "domain_not_proved" | "last_administrator" | "not_active" | "not_invited" | "role_in_use" | "slot_taken" | "slot_refused" | "too_late" | "rate_limited" | "quota_exceeded" | "unavailable" | "internal";
        /** @description What begins a proof with a passkey. */
        ProofCeremony: {
            /** @description To be sent back with the authenticator's answer, once, within five minutes. */
            ceremony: string;
            /** @description For `PublicKeyCredential.parseRequestOptionsFromJSON`: `publicKey` of `navigator.credentials.get`. */
            options: components["schemas"]["RequestOptions"];
        };
        /** @description A person, room or table area that can be booked. */
        Provider: {
            /**
             * Format: int32
             * @description How many bookings it takes at once; usually one.
             */
            capacity?: number | null;
            /** @description Dates that differ. */
            exceptions?: components["schemas"]["ExceptionalDay"][];
            /** @description Unique in the pack. */
            id: string;
            /** @description The name that contacts know. */
            name: string;
            /** @description What it is or does. */
            role?: string | null;
            /** @description Ids of the services. */
            services?: string[];
            /** @description The usual week. */
            weeklyAvailability?: components["schemas"]["WeeklyHours"];
        };
        /** @description What a challenge is about that a provider's sign-in ended with. */
        ProviderChallenge: {
            /**
             * @description The account that is joined to the provider's person when the factor is proved.
             * @example ana@business.example
             */
            account: string;
            /** @description With what it can be proved. */
            factors: components["schemas"]["SecondFactor"][];
            /**
             * @description The issuer that says who it is.
             * @example https://login.business.example
             */
            provider: string;
        };
        /** @description Who or what can be booked. */
        Providers: {
            /** @description In the order of the context pack. There are at most 100, so this list has no further page. */
            items: components["schemas"]["Provider"][];
            /** @description Always `null`. */
            nextCursor?: string | null;
        };
        /** @description A public key (RFC 7517, RFC 8037). Which members it has depends on `kty`. */
        PublicKey: {
            /** @description The algorithm it signs with. */
            alg: string;
            /** @description The curve, of `EC` and `OKP`. */
            crv?: string | null;
            /** @description The exponent, of `RSA`. */
            e?: string | null;
            /** @description Its id, which tokens name. */
            kid: string;
            /** @description What it is: `RSA`, `EC` or `OKP`. */
            kty: string;
            /** @description The modulus, of `RSA`. */
            n?: string | null;
            /** @description Always `sig`. */
            use: string;
            /** @description A coordinate, of `EC` and `OKP`. */
            x?: string | null;
            /** @description The other coordinate, of `EC`. */
            y?: string | null;
        };
        /** @description What of a closed tenant goes, and when. */
        PurgeNotice: {
            /** @description What stays: the audit trail, and that the id was taken. */
            keeps: string[];
            /**
             * Format: date-time
             * @description When; until then the owner can activate the tenant with all that it had.
             */
            purgeAt?: string | null;
            /**
             * @description How many rows of what are there now. It says nothing where there are too many to be counted in time.
             * @example {
             *       "conversations": 12,
             *       "messages": 240
             *     }
             */
            removes: {
                [key: string]: number;
            };
        };
        /** @description A monthly quota. */
        Quota: {
            /** @description `messages`, `bookings` or `ai_tokens`. */
            kind: components["schemas"]["Metered"];
            /**
             * Format: int64
             * @description So many in a month of UTC.
             * @example 200000
             */
            monthly: number;
        };
        /** @description A monthly quota that holds, and how much of it is used. */
        QuotaStanding: {
            /** @description `messages`, `bookings` or `ai_tokens`. */
            kind: components["schemas"]["Metered"];
            /**
             * Format: int64
             * @description So many in a month; absent when there is no limit.
             */
            monthly?: number | null;
            /**
             * Format: date-time
             * @description When it begins anew.
             */
            resetsAt: string;
            /**
             * Format: int64
             * @description What was used of it this month.
             * @example 1204
             */
            used: number;
        };
        /** @description Codes for when the app is lost, shown once. */
        RecoveryCodes: {
            /**
             * @description Each is good once. They are in the place of all older ones.
             * @example [
             *       "4k7mp-x2c9q"
             *     ]
             */
            recoveryCodes: string[];
        };
        /** @description What a choice stands for. */
        Reference: {
            /** @description The id within the context pack. */
            id: string;
            /** @description `faq`, `service`, … */
            kind: string;
        };
        /** @description Refused calls of one day and reason. */
        Refusal: {
            /**
             * Format: int64
             * @description How many.
             * @example 17
             */
            count: number;
            /**
             * @description The day in UTC.
             * @example 2026-11-22
             */
            day: string;
            /** @description The `code` of the problem. */
            reason: components["schemas"]["ProblemCode"];
        };
        /** @description Refused calls of a tenant. */
        RefusalsAnswer: {
            /** @description By day and reason, the newest first; at most 10 000. */
            items: components["schemas"]["Refusal"][];
        };
        /** @description A business that wants to be a tenant. */
        Registration: {
            /**
             * @description What it does.
             * @example Dental clinic
             */
            businessIndustry: string;
            /**
             * @description Whom to write to.
             * @example contacto@clinicaandina.example
             */
            contactEmail: string;
            /**
             * @description Its language tag; `es-CO` unless given.
             * @example es-CL
             */
            locale?: string | null;
            /**
             * @description Where its first site may be used from; the origin of the web page unless given.
             * @example [
             *       "https://clinicaandina.example"
             *     ]
             */
            origins?: string[] | null;
            plan?: components["schemas"]["Plan"] | null;
            tenantId?: components["schemas"]["TenantId"] | null;
            /**
             * @description The name of the business.
             * @example Clínica Andina
             */
            tenantName: string;
            /**
             * @description Its IANA time zone; `America/Bogota` unless given.
             * @example America/Santiago
             */
            timezone?: string | null;
            /**
             * @description Its main web page.
             * @example https://clinicaandina.example
             */
            websiteUrl: string;
        };
        /** @description A new tenant with its credentials, shown once. */
        RegistrationAnswer: {
            /** @description For its first administrator. */
            enrollment: components["schemas"]["Enrollment"];
            /** @description For pages of the site. */
            publishableKey: components["schemas"]["FirstKey"];
            /** @description Its first site. */
            site: components["schemas"]["FirstSite"];
            /** @description Where it stands in its life. */
            status: components["schemas"]["TenantStatus"];
            /** @description Its slug. */
            tenantId: components["schemas"]["TenantId"];
            /** @description For its servers. */
            tenantSecret: components["schemas"]["FirstSecret"];
            /** @description The kind of tenant. */
            tenantType: components["schemas"]["TenantType"];
            /** @description For trying out. */
            testKey: components["schemas"]["FirstKey"];
        };
        /** @description What begins the registration of a passkey. */
        RegistrationCeremony: {
            /** @description To be sent back with the authenticator's answer, once, within five minutes. */
            ceremony: string;
            /** @description For `PublicKeyCredential.parseCreationOptionsFromJSON`: `publicKey` of `navigator.credentials.create`. */
            options: components["schemas"]["CreationOptions"];
        };
        /** @description Who asks for a passkey. */
        RelyingParty: {
            /** @description Its domain. */
            id: string;
            /** @description What it is called. */
            name: string;
        };
        /**
         * @description How a report is written.
         * @enum {string}
         */
        ReportFormat: "json" | "html" | "markdown";
        /** @description Who had access. */
        ReportedAccess: {
            /** @description Who. */
            actor: string;
            /**
             * Format: int64
             * @description How often.
             */
            entries: number;
            /**
             * Format: date-time
             * @description The first time.
             */
            firstAt: string;
            /**
             * Format: date-time
             * @description The last time.
             */
            lastAt: string;
            /**
             * Format: int64
             * @description How often it was refused.
             */
            refused: number;
        };
        /** @description Something that was done. */
        ReportedDeed: {
            /** @description What. */
            action: string;
            /** @description By whom. */
            actor: string;
            /**
             * Format: date-time
             * @description When.
             */
            at: string;
            /** @description Its entry, to be proved. */
            auditId: components["schemas"]["AuditId"];
            /** @description What came of it. */
            outcome: string;
            /** @description To what. */
            subject?: string | null;
        };
        /** @description Refusals of one reason. */
        ReportedRefusals: {
            /** @description The operation. */
            action: string;
            /**
             * Format: int64
             * @description How many.
             */
            entries: number;
            /** @description The code. */
            reason: string;
        };
        /**
         * @description The id of one Request.
         * @example req_01k9z3v5d2m8q4x7c1b6n0f9gh
         */
        RequestId: string;
        /** @description `PublicKeyCredentialRequestOptionsJSON`. */
        RequestOptions: {
            /** @description Passkeys that will do; any, if there are none. */
            allowCredentials?: components["schemas"]["CredentialDescriptor"][];
            /** @description In base64url. */
            challenge: string;
            /** @description Extensions. */
            extensions?: {
                [key: string]: unknown;
            } | null;
            /** @description Where to look for an authenticator. */
            hints?: string[];
            /** @description This installation. */
            rpId: string;
            /**
             * Format: int32
             * @description In milliseconds.
             */
            timeout?: number | null;
            /** @description Whether the authenticator asks for a finger, a face or a number. */
            userVerification: string;
        };
        /** @description Which token. Without either, the one that the call is made with. */
        RevokeRequest: {
            tenantId?: components["schemas"]["TenantId"] | null;
            /** @description The token itself; all of its chain are revoked. */
            token?: string | null;
            tokenId?: components["schemas"]["TokenId"] | null;
        };
        /** @description A role. */
        Role: {
            /**
             * @description What it allows.
             * @example [
             *       "context-pack:read",
             *       "decisions:read"
             *     ]
             */
            actions: components["schemas"]["Action"][];
            /** @description Whether every tenant has it; such a role cannot be changed. */
            builtIn: boolean;
            /**
             * Format: date-time
             * @description When it was made.
             */
            createdAt?: string | null;
            /** @description What it is for. */
            description: string;
            /** @description What people call it. */
            name: string;
            /**
             * @description Its id; chosen once.
             * @example reception
             */
            roleId: string;
            /**
             * Format: date-time
             * @description When it was changed last.
             */
            updatedAt?: string | null;
            /**
             * Format: int64
             * @description Grows with each change; the `ETag`.
             */
            version: number;
        };
        /** @description A claim that lists groups, and the roles they give. */
        RoleClaim: {
            /**
             * @description Its name in the ID token.
             * @example cognito:groups
             */
            name: string;
            /**
             * @description Roles by group.
             * @example {
             *       "clinic-admins": [
             *         "admin"
             *       ],
             *       "front-desk": [
             *         "agent"
             *       ]
             *     }
             */
            roles: {
                [key: string]: string[];
            };
        };
        /** @description What changes of a role. */
        RolePatch: {
            /** @description What it allows, in the place of what it did. */
            actions?: components["schemas"]["Action"][] | null;
            /** @description What it is for. */
            description?: string | null;
            /** @description What people call it. */
            name?: string | null;
        };
        /** @description All roles of a tenant. */
        Roles: {
            /** @description Built-in ones first. There are at most 100 others, so this list has no further page. */
            items: components["schemas"]["Role"][];
            /** @description Always `null`. */
            nextCursor?: string | null;
        };
        /**
         * @description The id of one Rotation.
         * @example rot_01k9z3v5d2m8q4x7c1b6n0f9gh
         */
        RotationId: string;
        /**
         * @description Whether a rotation goes on.
         *
         *     - `running`: There is something left to be sealed anew.
         *     - `finished`: Everything is sealed anew.
         * @enum {string}
         */
        RotationStatus: "running" | "finished";
        /** @description A page of a conversation. */
        SaidPage: {
            /** @description How those of them fare that leave on a channel. */
            deliveries: components["schemas"]["DeliveryOfMessage"][];
            /** @description Oldest first. */
            items: components["schemas"]["Message"][];
            /** @description Where the page begins that was said before this one, or with `after` the one that was said next. */
            nextCursor?: string | null;
        };
        /** @description How one service is sold. */
        SalesStrategy: {
            /** @description Unique in the pack. */
            id: string;
            /** @description What contacts say against it, and the answers. */
            objections?: components["schemas"]["Objection"][];
            /** @description An https address where it can be paid. */
            paymentLink?: string | null;
            /** @description The service's id. */
            service: string;
            /** @description What the seller does, in order. */
            steps?: string[];
        };
        /**
         * @description A kind of second factor.
         *
         *     - `totp`: A code of an authenticator app.
         *     - `recovery_code`: One of the codes that were shown when the first factor was enrolled.
         *     - `passkey`: A passkey.
         * @enum {string}
         */
        SecondFactor: "totp" | "recovery_code" | "passkey";
        /** @description A passkey after a password. */
        SecondFactorAssertion: {
            /** @description As it was given when the ceremony began. */
            ceremony: string;
            /**
             * @description As it was given for the password.
             * @example chl_…
             */
            challenge: string;
            /** @description The credential, as `PublicKeyCredential.toJSON()` gives it. */
            credential: components["schemas"]["CredentialProof"];
        };
        /** @description The second factor. */
        SecondFactorRequest: {
            /**
             * @description What the sign-in answered.
             * @example chl_…
             */
            challenge: string;
            /**
             * @description The code.
             * @example 123456
             */
            code: string;
            /** @description Which factor: `totp` or `recovery_code`. */
            factor: components["schemas"]["CodeKind"];
        };
        /** @description The password was right; now the second factor. */
        SecondFactorRequired: {
            /**
             * @description To be sent with the second factor.
             * @example chl_…
             */
            challenge: string;
            /**
             * Format: date-time
             * @description Until when the challenge is good.
             */
            expiresAt: string;
            /**
             * @description Which factors the account has.
             * @example [
             *       "totp",
             *       "recovery_code"
             *     ]
             */
            factors: components["schemas"]["SecondFactor"][];
            /** @description What is to be done. */
            status: components["schemas"]["SecondFactorStatus"];
        };
        /**
         * @description The password was right, and a second factor is needed.
         *
         *     - `second_factor_required`: Go on with `POST /auth/second-factor`.
         * @enum {string}
         */
        SecondFactorStatus: "second_factor_required";
        /** @description A tenant secret; the secret itself is shown once, when it is made. */
        Secret: {
            /**
             * @description What `tenant:manage` means in them.
             * @example [
             *       "context-pack:read",
             *       "context-pack:write"
             *     ]
             */
            actions: components["schemas"]["Action"][];
            /**
             * Format: date-time
             * @description When it was made.
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description From when on it is refused.
             */
            expiresAt?: string | null;
            /** @description Its id, for `X-Misy-Key`. */
            keyId: components["schemas"]["KeyId"];
            /**
             * @description Who made it: a user, a secret whose server did, or who registered the tenant.
             * @example usr_01k9z3v5d2m8q4x7c1b6n0f9gh
             */
            madeBy: string;
            /** @description What people call it. */
            name: string;
            /** @description Whether it counts only on connections with a client certificate of the tenant. */
            needsCertificate: boolean;
            /** @description What tokens may hold that are given for it; `tenant:manage` if there is some action. */
            permissions: components["schemas"]["Permissions"];
            /**
             * Format: date-time
             * @description Since when it is refused.
             */
            revokedAt?: string | null;
            /** @description The secret itself, once: 32 bytes in base64url. */
            secret?: string | null;
        };
        /** @description What of a tenant secret is to be changed. */
        SecretPatch: {
            /**
             * @description What `tenant:manage` means in them from now on: what is added, the caller must be allowed.
             * @example [
             *       "context-pack:read"
             *     ]
             */
            actions?: components["schemas"]["Action"][] | null;
            /** @description Whether it counts only on connections with a client certificate of the tenant. */
            needsCertificate?: boolean | null;
            /**
             * @description What its tokens may hold from now on.
             * @example [
             *       "chat:read",
             *       "chat:write"
             *     ]
             */
            permissions?: components["schemas"]["Permission"][] | null;
        };
        /** @description What somebody saw of a conversation before they decided. */
        SeenRequest: {
            /**
             * Format: int64
             * @description The sequence of the newest message that they saw. If the contact has written since, nothing is done:
             *     `conversation_moved`. Without it they count as having seen everything.
             */
            seen?: number | null;
        };
        /** @description Something the business sells. */
        Service: {
            /** @description Why one would want it. */
            benefits?: string[];
            /**
             * Format: int32
             * @description Minutes that its provider needs after it.
             */
            bufferAfterMinutes?: number | null;
            /**
             * Format: int32
             * @description Minutes that its provider needs before it.
             */
            bufferBeforeMinutes?: number | null;
            /** @description What it is. */
            description?: string | null;
            /**
             * Format: int32
             * @description How long it takes; with providers it can be booked.
             */
            durationMinutes?: number | null;
            /** @description Unique in the pack. */
            id: string;
            /** @description The name that contacts know. */
            name: string;
            price?: components["schemas"]["Money"] | null;
            /** @description Who or what can do it. */
            providerIds?: string[];
        };
        /** @description What a tenant offers. */
        Services: {
            /** @description In the order of the context pack. There are at most 300, so this list has no further page. */
            items: components["schemas"]["OfferedService"][];
            /** @description Always `null`. */
            nextCursor?: string | null;
        };
        /** @description A session that was opened. */
        SessionAnswer: {
            /** @description Says that no person answers. */
            aiDisclosure: string;
            /** @description How the assistant looks. */
            branding: components["schemas"]["BrandingAnswer"];
            /** @description What the visitor is to be asked. Nothing yet. */
            consent: Record<string, unknown>[];
            /** @description The conversation it writes to. */
            conversationId: components["schemas"]["ConversationId"];
            /**
             * Format: date-time
             * @description From when on it takes no message.
             */
            expiresAt: string;
            /** @description The first words. */
            greeting: string;
            /**
             * @description The languages that are spoken.
             * @example [
             *       "es",
             *       "en",
             *       "pt"
             *     ]
             */
            languages: components["schemas"]["Language"][];
            /**
             * @description The language of the session.
             * @example es-CO
             */
            locale: string;
            /** @description Its id. */
            sessionId: components["schemas"]["SessionId"];
            /** @description Questions to begin with. */
            suggestions: string[];
        };
        /**
         * @description The id of one Session.
         * @example ses_01k9z3v5d2m8q4x7c1b6n0f9gh
         */
        SessionId: string;
        /** @description A visit. */
        SessionRequest: {
            /** @description `web`, or `api` for a program. */
            channel: components["schemas"]["Channel"];
            /** @description Who the visitor is, signed by the tenant's own server. Not supported yet. */
            identity?: {
                [key: string]: unknown;
            } | null;
            locale?: components["schemas"]["Locale"] | null;
            /** @description What is known about the visit, at most 4 KiB. */
            metadata?: {
                [key: string]: unknown;
            } | null;
            resume?: components["schemas"]["SessionId"] | null;
        };
        /** @description Where a session stands. */
        SessionState: {
            /** @description The channel. */
            channel: components["schemas"]["Channel"];
            /** @description The conversation it writes to. */
            conversationId: components["schemas"]["ConversationId"];
            /**
             * Format: date-time
             * @description When it was opened.
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description From when on it takes no message.
             */
            expiresAt: string;
            /**
             * Format: int64
             * @description The sequence of the newest message; 0 before the first.
             */
            lastSequence: number;
            /** @description Its id. */
            sessionId: components["schemas"]["SessionId"];
            /** @description Where the conversation stands. */
            status: components["schemas"]["ConversationStatus"];
        };
        /**
         * @description How bad it is.
         *
         *     - `info`: Worth knowing.
         *     - `warning`: Worth a look today.
         *     - `critical`: Worth a look now.
         * @enum {string}
         */
        Severity: "info" | "warning" | "critical";
        /** @description What a sign-in comes to. */
        SignInAnswer: components["schemas"]["SecondFactorRequired"] | components["schemas"]["TenantRequired"] | components["schemas"]["SignedIn"];
        /**
         * @description The id of one SignIn.
         * @example sgn_01k9z3v5d2m8q4x7c1b6n0f9gh
         */
        SignInId: string;
        /** @description A provider of OpenID Connect to sign in with; its secret is not shown. */
        SignInProvider: {
            breakGlassUserId?: components["schemas"]["UserId"] | null;
            /** @description What this installation is called there. */
            clientId: string;
            /** @description The roles of people whom no group gives one. */
            defaultRoles: string[];
            /** @description Whose addresses introduce people who come for the first time. */
            emailDomains: string[];
            /** @description Whether this is the only way in. */
            exclusive: boolean;
            /** @description Whether it proves itself with a secret there. */
            hasClientSecret: boolean;
            /** @description The issuer. */
            issuer: string;
            /** @description Whether people without an account get one when they come. */
            provisioning: boolean;
            /**
             * @description To be allowed at the provider, to the letter.
             * @example https://api.example.com/api/meta-agent/auth/oidc/callback
             */
            redirectUri: string;
            roleClaim?: components["schemas"]["RoleClaim"] | null;
            /** @description What is asked for besides `openid`. */
            scopes: string[];
            /** @description What counts as a second factor. */
            secondFactor: components["schemas"]["TrustedFactor"];
            /**
             * @description Where people begin.
             * @example https://api.example.com/api/meta-agent/auth/oidc/andina/start
             */
            startUrl: string;
            /** @description Says whose the person is. */
            tenantClaim: components["schemas"]["TenantClaim"];
            /** @description Whether an address counts as verified when the provider does not say whether it is. */
            trustEmail: boolean;
            /**
             * Format: date-time
             * @description When it was changed last.
             */
            updatedAt: string;
            /**
             * Format: int64
             * @description Grows with each change; the `ETag`.
             */
            version: number;
        };
        /** @description A provider of OpenID Connect to sign in with. */
        SignInProviderRequest: {
            breakGlassUserId?: components["schemas"]["UserId"] | null;
            /**
             * @description What this installation is called there.
             * @example 4example0client
             */
            clientId: string;
            /**
             * @description What it proves itself with there. Never shown again. Absent: the one before, if the issuer is the one before; `null`:
             *     none.
             */
            clientSecret?: string | null;
            /** @description The roles of people whom no group gives one. */
            defaultRoles?: string[];
            /**
             * @description Whose addresses introduce people who come for the first time: domains that the tenant has proved. Without one, only
             *     people come in who are linked already.
             * @example [
             *       "business.example"
             *     ]
             */
            emailDomains?: string[];
            /** @description Whether this is the only way in: no passwords and no passkeys any more, but for one account. */
            exclusive?: boolean;
            /**
             * @description The issuer, exactly as it names itself.
             * @example https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Example
             */
            issuer: string;
            /** @description Whether people without an account get one when they come. */
            provisioning?: boolean;
            roleClaim?: components["schemas"]["RoleClaim"] | null;
            /** @description What is asked for besides `openid`; `email` and `profile` unless given. */
            scopes?: string[] | null;
            /** @description What counts as a second factor; nothing unless given. */
            secondFactor?: components["schemas"]["TrustedFactor"];
            /** @description Says whose the person is. Whoever has another value, or none, is refused. */
            tenantClaim: components["schemas"]["TenantClaim"];
            /** @description Whether an address counts as verified when the provider does not say whether it is. */
            trustEmail?: boolean;
        };
        /** @description Who wants to sign in. */
        SignInRequest: {
            /**
             * @description The address of the account.
             * @example ana@business.example
             */
            email: string;
            /** @description Its password. */
            password: string;
            tenantId?: components["schemas"]["TenantId"] | null;
        };
        /** @description Where a session stands. */
        SignedIn: {
            /** @description To be sent as `X-Misy-Csrf` with every call that changes something. */
            csrfToken: string;
            /**
             * Format: date-time
             * @description When the session ends whatever happens.
             */
            expiresAt: string;
            /**
             * Format: int32
             * @description How long it lasts without a call.
             */
            idleSeconds: number;
            /**
             * Format: int64
             * @description How long ago that was.
             */
            secondFactorAgeSeconds?: number | null;
            /**
             * Format: date-time
             * @description When the second factor was proved last.
             */
            secondFactorAt?: string | null;
            /** @description A second factor must be enrolled before anything else can be done. */
            secondFactorEnrollmentRequired: boolean;
            /** @description The session. */
            sessionId: components["schemas"]["SignInId"];
            /** @description That somebody is in. */
            status: components["schemas"]["SignedInStatus"];
            /** @description The tenant. */
            tenantId: components["schemas"]["TenantId"];
            /** @description The user. */
            user: components["schemas"]["SignedInUser"];
        };
        /**
         * @description Whether somebody is in.
         *
         *     - `signed_in`: They are.
         * @enum {string}
         */
        SignedInStatus: "signed_in";
        /** @description Who is signed in. */
        SignedInUser: {
            /** @description Its address. */
            email: string;
            /** @description The language it prefers. */
            locale?: string | null;
            /** @description What it is called. */
            name: string;
            /** @description Names of its roles. */
            roles: string[];
            /** @description Its id. */
            userId: components["schemas"]["UserId"];
        };
        /**
         * @description Which key signs the requests that a token comes with.
         *
         *     - `token`: One that is bound to this very token.
         *     - `tenant`: The tenant secret.
         * @enum {string}
         */
        SigningKeyKind: "token" | "tenant";
        /** @description A time without entries. */
        Silence: {
            /**
             * Format: date-time
             * @description The last entry before.
             */
            from: string;
            /**
             * Format: date-time
             * @description The first entry after.
             */
            until: string;
        };
        /** @description A site. */
        Site: {
            /**
             * Format: date-time
             * @description When it was made.
             */
            createdAt: string;
            /** @description What people call it. */
            name: string;
            /**
             * @description Where it may be used from.
             * @example [
             *       "https://andina.example"
             *     ]
             */
            origins: string[];
            /** @description What a token of it may hold at most. */
            permissions: components["schemas"]["Permissions"];
            /** @description Its slug. */
            siteId: components["schemas"]["SiteId"];
            /**
             * Format: date-time
             * @description When it was changed last.
             */
            updatedAt: string;
            /**
             * Format: int64
             * @description Grows with each change; the `ETag`.
             */
            version: number;
        };
        /**
         * @description The slug of a site within its tenant.
         * @example main
         */
        SiteId: string;
        /** @description What of a site is to be changed. */
        SitePatch: {
            /** @description What people call it. */
            name?: string | null;
            /** @description Where it may be used from: 1 to 20 origins, in the place of those before. */
            origins?: string[] | null;
            /** @description What a token of it may hold at most. */
            permissions?: components["schemas"]["Permission"][] | null;
        };
        /** @description Where an answer comes from. */
        Source: {
            /** @description The id within the context pack. */
            id: string;
            /** @description `faq`, `service`, `hours`, `policy`, `contact`, … */
            kind: string;
            /** @description What to show to the reader. */
            title: string;
        };
        /**
         * @description A stage of a turn.
         *
         *     - `load`: What waits and what was said before is read.
         *     - `understand`: What the contact wants is understood.
         *     - `route`: The agent is chosen.
         *     - `draft`: What the built-in agents say is drawn up.
         *     - `permit`: Permission, limits and quotas are checked, and what the agent may cost is reserved.
         *     - `run`: The agent runs.
         *     - `settle`: What it did cost is written down.
         *     - `commit`: The answer is stored.
         * @enum {string}
         */
        Stage: "load" | "understand" | "route" | "draft" | "permit" | "run" | "settle" | "commit";
        /** @description A stage of a turn with its time. */
        StageTime: {
            /**
             * Format: int64
             * @description How long it took, in microseconds. Not there for the commit, which this record is part of.
             */
            micros?: number | null;
            /** @description The stage. */
            stage: components["schemas"]["Stage"];
        };
        /** @description The second factor, again. */
        StepUpRequest: {
            /**
             * @description The code.
             * @example 123456
             */
            code: string;
            /** @description Which factor: `totp` or `recovery_code`. */
            factor: components["schemas"]["CodeKind"];
        };
        /**
         * @description The form of a table.
         *
         *     - `json`: JSON.
         *     - `csv`: Comma-separated values.
         * @enum {string}
         */
        TableFormat: "json" | "csv";
        /** @description A tenant. */
        Tenant: {
            /** @description What it does. */
            businessIndustry: string;
            /**
             * Format: date-time
             * @description When it was closed.
             */
            closedAt?: string | null;
            /** @description Whom to write to. */
            contactEmail: string;
            /**
             * Format: date-time
             * @description When it was registered.
             */
            createdAt: string;
            /** @description Whether it is the owner of the platform. */
            isOwner: boolean;
            /**
             * @description Its language tag.
             * @example es-CL
             */
            locale: string;
            /** @description What it pays for. */
            plan: components["schemas"]["Plan"];
            /**
             * Format: date-time
             * @description When all of it goes but its audit trail, if it is not activated before.
             */
            purgeAt?: string | null;
            /**
             * Format: int32
             * @description How long a session lives.
             */
            sessionTtlSeconds: number;
            /** @description Where it stands in its life. */
            status: components["schemas"]["TenantStatus"];
            /**
             * Format: date-time
             * @description Since when the owner of the platform holds it, closed or not.
             */
            suspendedAt?: string | null;
            /** @description Its slug. */
            tenantId: components["schemas"]["TenantId"];
            /**
             * @description The name of the business.
             * @example Clínica Andina
             */
            tenantName: string;
            /** @description The kind of tenant. */
            tenantType: components["schemas"]["TenantType"];
            /**
             * @description Its IANA time zone.
             * @example America/Santiago
             */
            timezone: string;
            /**
             * Format: date-time
             * @description When it was changed last.
             */
            updatedAt: string;
            /**
             * Format: int64
             * @description Grows with each change; the `ETag`.
             */
            version: number;
            /** @description Its main web page. */
            websiteUrl: string;
        };
        /** @description A tenant that the caller has an account in. */
        TenantChoice: {
            /** @description Its slug. */
            tenantId: components["schemas"]["TenantId"];
            /**
             * @description The name of the business.
             * @example Clínica Andina
             */
            tenantName: string;
        };
        /** @description A claim and what it must say. */
        TenantClaim: {
            /**
             * @description Its name in the ID token.
             * @example custom:tenantId
             */
            name: string;
            /**
             * @description What it must say, to the letter.
             * @example andina
             */
            value: string;
        };
        /** @description Something that happened to a tenant in its life. */
        TenantEvent: {
            /** @description Who: the id of a user or key; `tenant/key` when it was somebody of another tenant. */
            actor: string;
            /**
             * Format: date-time
             * @description When.
             */
            at: string;
            /** @description What happened. */
            event: components["schemas"]["TenantEventKind"];
            /**
             * Format: int64
             * @description Its place in the life of the tenant, from 1.
             */
            number: number;
            /**
             * Format: date-time
             * @description Of `closed`: when the data go.
             */
            purgeAt?: string | null;
            /** @description Why, if somebody said so. */
            reason?: string | null;
        };
        /**
         * @description What happens in the life of a tenant.
         *
         *     - `registered`: It was registered.
         *     - `suspended`: It was suspended.
         *     - `activated`: It was activated, or its own administrator took the closing back.
         *     - `closed`: It was closed.
         *     - `tokens_revoked`: All of its tokens were revoked.
         * @enum {string}
         */
        TenantEventKind: "registered" | "suspended" | "activated" | "closed" | "tokens_revoked";
        /**
         * @description The slug of a tenant: chosen once, never changed, never used again.
         * @example andina
         */
        TenantId: string;
        /** @description What of a tenant is to be changed. */
        TenantPatch: {
            /** @description What it does. */
            businessIndustry?: string | null;
            /** @description Whom to write to. */
            contactEmail?: string | null;
            /** @description Its language tag. */
            locale?: string | null;
            plan?: components["schemas"]["Plan"] | null;
            /**
             * Format: int32
             * @description How long a session lives: a minute to a year.
             */
            sessionTtlSeconds?: number | null;
            /** @description The name of the business. */
            tenantName?: string | null;
            /** @description Its IANA time zone. */
            timezone?: string | null;
            /** @description Its main web page. */
            websiteUrl?: string | null;
        };
        /** @description The password is right in several tenants: the call is to be made again with one of them. */
        TenantRequired: {
            /** @description What is to be done. */
            status: components["schemas"]["TenantRequiredStatus"];
            /** @description The tenants. */
            tenants: components["schemas"]["TenantChoice"][];
        };
        /**
         * @description The password was right in more than one tenant.
         *
         *     - `tenant_required`: Sign in once more with `tenantId`.
         * @enum {string}
         */
        TenantRequiredStatus: "tenant_required";
        /**
         * @description Where a tenant stands in its life.
         *
         *     - `active`: In use.
         *     - `suspended`: Answers `403 tenant_suspended` everywhere until it is activated again.
         *     - `closed`: Closed; its data goes when the grace period is over.
         * @enum {string}
         */
        TenantStatus: "active" | "suspended" | "closed";
        /**
         * @description The kind of tenant.
         *
         *     - `owner`: The company that runs the platform; exactly one.
         *     - `standard`: A business that uses it.
         * @enum {string}
         */
        TenantType: "owner" | "standard";
        /** @description A token. */
        TokenAnswer: {
            /**
             * Format: date-time
             * @description From when on it is refused.
             */
            expiresAt: string;
            /**
             * Format: date-time
             * @description The server's time, to correct the caller's clock by.
             */
            serverTime: string;
            /** @description The key that signs requests, 32 bytes in base64url, with `sig: token`. */
            signingKey?: string | null;
            /** @description The token. */
            token: string;
            /** @description The kind of token. */
            tokenType: components["schemas"]["TokenType"];
        };
        /**
         * @description The id of one Token.
         * @example tat_01k9z3v5d2m8q4x7c1b6n0f9gh
         */
        TokenId: string;
        /** @description What kind of token is asked for. */
        TokenRequest: {
            origin?: components["schemas"]["Origin"] | null;
            /**
             * @description What it should allow; the answer may allow less. Anonymous chat unless given.
             * @example [
             *       "chat:read",
             *       "chat:write"
             *     ]
             */
            permissions?: components["schemas"]["Permission"][] | null;
            sig?: components["schemas"]["SigningKeyKind"] | null;
            /** @description The site. */
            siteId: components["schemas"]["SiteId"];
            /**
             * Format: int64
             * @description How long it should live, 60 to 86400; a day unless given.
             */
            ttlSeconds?: number | null;
        };
        /**
         * @description The kind of a token.
         *
         *     - `TAT`: A tenant access token.
         * @enum {string}
         */
        TokenType: "TAT";
        /**
         * @description What becomes of the tokens that were given for a key.
         * @enum {string}
         */
        TokensOfKey: "keep" | "revoke";
        /** @description A code of the app. */
        TotpConfirmation: {
            /**
             * @description What the app shows.
             * @example 123456
             */
            code: string;
        };
        /** @description What an authenticator app needs, shown once. */
        TotpProposal: {
            /**
             * @description The QR code itself, as an address of an image.
             * @example data:image/svg+xml;base64,…
             */
            qrCode: string;
            /**
             * @description The secret in base 32, to be typed.
             * @example GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ
             */
            secret: string;
            /**
             * @description The same as an address, for a QR code.
             * @example otpauth://totp/…
             */
            uri: string;
        };
        /** @description What the provider must say for its sign-in to count as both factors. */
        TrustedFactor: {
            /** @description Values of `acr`. */
            acr?: string[];
            /**
             * @description Values in `amr` (RFC 8176).
             * @example [
             *       "mfa"
             *     ]
             */
            amr?: string[];
        };
        /** @description What a turn waited for. */
        TurnOutcome: {
            /** @description The result of the tool, or the person's decision. 16 KiB as JSON at most. */
            outcome: unknown;
            /**
             * Format: int64
             * @description The number of the wait.
             */
            wait: number;
        };
        /** @description Whether a person writes. */
        TypingRequest: {
            /** @description `true`: said again every few seconds, as long as they do. */
            active: boolean;
        };
        /** @description What was used by one day, key, site or channel. */
        Usage: {
            /**
             * Format: int64
             * @description How much.
             * @example 1204
             */
            amount: number;
            /**
             * Format: int64
             * @description How many single events that is the sum of.
             * @example 1204
             */
            events: number;
            /**
             * @description The day, key, site or channel; empty when that is not known.
             * @example 2026-11-22
             */
            group: string;
            /** @description What was used. */
            kind: components["schemas"]["Metered"];
        };
        /**
         * @description What usage is added up by.
         *
         *     - `day`: The day in UTC.
         *     - `key`: The publishable key or tenant secret.
         *     - `site`: The site.
         *     - `channel`: The channel.
         * @enum {string}
         */
        UsageGrouping: "day" | "key" | "site" | "channel";
        /** @description A person of a tenant. */
        User: {
            /**
             * Format: date-time
             * @description When it was invited or enrolled.
             */
            createdAt: string;
            /**
             * @description Its address.
             * @example ana@business.example
             */
            email: string;
            /** @description Whether it has a second factor. */
            hasSecondFactor: boolean;
            /**
             * Format: date-time
             * @description When it signed in last.
             */
            lastSignInAt?: string | null;
            /** @description The language it prefers. */
            locale?: string | null;
            /** @description What it is called. */
            name: string;
            /**
             * @description Names of its roles.
             * @example [
             *       "manager"
             *     ]
             */
            roles: string[];
            /** @description Whether they may come in. */
            status: components["schemas"]["UserStatus"];
            /**
             * Format: date-time
             * @description When it was changed last.
             */
            updatedAt: string;
            /** @description Its id. */
            userId: components["schemas"]["UserId"];
            /**
             * Format: int64
             * @description Grows with each change; the `ETag`.
             */
            version: number;
        };
        /**
         * @description The id of one User.
         * @example usr_01k9z3v5d2m8q4x7c1b6n0f9gh
         */
        UserId: string;
        /** @description What of a person is to be changed. */
        UserPatch: {
            /** @description Whether it may neither sign in nor call. */
            disabled?: boolean | null;
            /** @description The language it prefers. */
            locale?: string | null;
            /** @description What it is called. */
            name?: string | null;
            /** @description Names of its roles. */
            roles?: string[] | null;
        };
        /** @description A browser that is signed in. */
        UserSession: {
            /**
             * @description Roughly where from.
             * @example 192.0.2.0/24
             */
            addressPrefix?: string | null;
            /**
             * Format: date-time
             * @description When the user signed in.
             */
            createdAt: string;
            /** @description Whether it is the one that asks. */
            current: boolean;
            /**
             * Format: date-time
             * @description When it ends whatever happens.
             */
            expiresAt: string;
            /**
             * Format: date-time
             * @description When it was used last, to the minute.
             */
            lastSeenAt: string;
            /** @description How the user proved itself. */
            methods: string[];
            /** @description Its id. */
            sessionId: components["schemas"]["SignInId"];
            /** @description What the browser says it is. */
            userAgent?: string | null;
        };
        /**
         * @description Whether somebody may come in.
         *
         *     - `invited`: Was asked to join and has not come in yet.
         *     - `active`: May sign in.
         *     - `disabled`: May neither sign in nor call.
         * @enum {string}
         */
        UserStatus: "invited" | "active" | "disabled";
        /** @description A turn that waits. */
        WaitingTurn: {
            /**
             * @description The agent that waits.
             * @example support
             */
            agentName: string;
            /** @description The conversation. */
            conversationId: components["schemas"]["ConversationId"];
            /**
             * Format: int64
             * @description The number of the wait, which waking it names: a conversation may wait again for something else.
             * @example 17
             */
            wait: number;
            /** @description What it waits for. */
            waitsFor: components["schemas"]["WaitsFor"];
            /**
             * Format: date-time
             * @description Since when.
             */
            waitsSince: string;
            /**
             * Format: date-time
             * @description When it goes on at the latest, with or without an outcome.
             */
            waitsUntil: string;
        };
        /**
         * @description What a turn waits for.
         *
         *     - `tool`: The result of a tool.
         *     - `person`: Somebody's word.
         *     - `timer`: A time.
         * @enum {string}
         */
        WaitsFor: "tool" | "person" | "timer";
        /** @description The intervals of each day of the week; an empty day is closed. */
        WeeklyHours: {
            /** @description Friday. */
            fri?: components["schemas"]["Interval"][];
            /** @description Monday. */
            mon?: components["schemas"]["Interval"][];
            /** @description Saturday. */
            sat?: components["schemas"]["Interval"][];
            /** @description Sunday. */
            sun?: components["schemas"]["Interval"][];
            /** @description Thursday. */
            thu?: components["schemas"]["Interval"][];
            /** @description Tuesday. */
            tue?: components["schemas"]["Interval"][];
            /** @description Wednesday. */
            wed?: components["schemas"]["Interval"][];
        };
        /** @description What a number has of its own. */
        WhatsappNumber: {
            /**
             * @description The id of the business account that it belongs to.
             * @example 100000000000001
             */
            businessAccountId?: string | null;
            /**
             * @description The id of the number.
             * @example 200000000000002
             */
            phoneNumberId: string;
            /** @description What the vendor is to say when it asks whether the address is the right one. Shown once. */
            verifyToken?: string | null;
            /**
             * @description The address that the app has to call: give it to the vendor as callback.
             * @example https://api.example.com/api/meta-agent/channels/whatsapp/cha_01k9z3v5d2m8q4x7c1b6n0f9gh/webhook
             */
            webhookUrl: string;
        };
        /** @description What of a number is to be changed. */
        WhatsappNumberPatch: {
            /** @description What calls carry from now on. */
            accessToken?: string | null;
            /** @description What the vendor signs with from now on; the one before counts for another day. */
            appSecret?: string | null;
            reopening?: components["schemas"]["WhatsappReopening"] | null;
        };
        /** @description A template that asks a contact to write again. */
        WhatsappReopening: {
            /**
             * @description Its language there.
             * @example es_CO
             */
            language: string;
            /**
             * @description Its name with the vendor, which has approved it. It takes no parameters.
             * @example we_have_an_answer
             */
            name: string;
        };
        /** @description A template of WhatsApp. */
        WhatsappTemplate: {
            /**
             * @description What the vendor takes it for: `MARKETING`, `UTILITY` or `AUTHENTICATION`.
             * @example UTILITY
             */
            category: string;
            /** @description What it is made of, as the vendor has it. */
            components: Record<string, unknown>[];
            /**
             * @description Its language.
             * @example es_CO
             */
            language: string;
            /**
             * @description Its name.
             * @example we_have_an_answer
             */
            name: string;
            /**
             * @description How it stands with the vendor, for example `APPROVED`, `PENDING` or `REJECTED`.
             * @example APPROVED
             */
            status: string;
        };
        /** @description Templates of a number. */
        WhatsappTemplates: {
            /** @description The first hundred, as the vendor orders them. */
            items: components["schemas"]["WhatsappTemplate"][];
        };
        /** @description Why something is done. */
        Why: {
            /** @description Why; stands in the events and the audit trail of the tenant. */
            reason?: string | null;
        };
        /** @description Work that was given up. */
        Work: {
            /**
             * Format: int32
             * @description How often it was tried.
             * @example 8
             */
            attempts: number;
            /**
             * Format: date-time
             * @description When it was given up.
             */
            deadAt: string;
            /**
             * @description What it is: `conversation`, `delivery`, `mail` or `key_rotation`.
             * @example conversation
             */
            kind: string;
            /**
             * @description The code of the last failure.
             * @example context_pack_invalid
             */
            lastError?: string | null;
            /**
             * @description What that means, and what to do.
             * @example The context pack cannot be used. Put a valid one, then revive it.
             */
            meaning: string;
            /**
             * @description The id of the conversation, delivery, mail or rotation.
             * @example cnv_01k9z3v5d2m8q4x7c1b6n0f9gh
             */
            workId: string;
        };
        /**
         * @description An IANA time zone.
         * @example America/Bogota
         */
        ZoneName: string;
    };
    responses: {
        /** @description `bad_request`, `malformed_json` */
        BadRequest: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `body_too_large` */
        BodyTooLarge: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `conflict`, `owner_already_registered`, `idempotency_mismatch` */
        Conflict: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `origin_not_allowed`, `tenant_suspended`, `permission_denied`, `envelope_mismatch` */
        Forbidden: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `validation_failed`, `not_supported`, `envelope_mismatch`, with JSON pointers */
        InvalidBody: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `validation_failed`: a parameter of the query; `not_supported` */
        InvalidQuery: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `not_found`: what is not there and what is somebody else's alike */
        NotFound: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `rate_limited`, with Retry-After */
        RateLimited: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `request_timeout`: the body took too long to arrive */
        RequestTimeout: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `token_missing`, `token_invalid`, `token_expired`, `token_revoked`, `signature_missing`, `signature_invalid`, `timestamp_out_of_window`, `replay_detected`, `key_invalid`, `bootstrap_secret_invalid`, `certificate_required`, `certificate_invalid` */
        Unauthorized: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `unavailable`, with Retry-After */
        Unavailable: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `unsupported_media_type`: JSON in UTF-8, not compressed */
        UnsupportedMediaType: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export interface operations {
    readPublicKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A JSON Web Key Set */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeySet"];
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    readAuditKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All keys */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditKeys"];
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    readMyAccess: {
        parameters: {
            query?: {
                /** @description The tenant; the caller's own unless given */
                tenantId?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What may be done, and what it takes */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MyAccess"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    enroll: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "token": "adm_…",
                 *       "email": "ana@business.example",
                 *       "name": "Ana Rojas",
                 *       "password": "…"
                 *     }
                 */
                "application/json": components["schemas"]["EnrollRequest"];
            };
        };
        responses: {
            /** @description In; a second factor is to be enrolled next */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignedIn"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description `token_invalid` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `csrf_refused`, `tenant_suspended` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `enrollment_finished`: the token has enrolled somebody */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            /** @description `rate_limited`, with Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    acceptInvitation: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "token": "inv_…",
                 *       "password": "…"
                 *     }
                 */
                "application/json": components["schemas"]["Acceptance"];
            };
        };
        responses: {
            /** @description In, or on the way */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignInAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description `link_invalid` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    readMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The user, the tenant and the session */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignedIn"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    finishProviderSignIn: {
        parameters: {
            query?: {
                /** @description What the ID token is given for */
                code?: string;
                /** @description As it was sent out */
                state?: string;
                /** @description The issuer (RFC 9207) */
                iss?: string;
                /** @description Why the provider refuses */
                error?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Signed in; the session is in a cookie */
            303: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            /** @description `sign_in_refused` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `tenant_claim_mismatch`, `email_not_verified`, `account_unknown`, `link_not_proved`, … */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    startInstallationSignIn: {
        parameters: {
            query?: {
                /** @description Path of this installation to end at */
                returnTo?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description To the provider */
            303: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    startProviderSignIn: {
        parameters: {
            query?: {
                /** @description Path of this installation to end at */
                returnTo?: string;
            };
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description To the provider */
            303: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    listPasskeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Passkeys from the oldest */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PasskeyList"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    beginPasskeyRegistration: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What to hand to the authenticator */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RegistrationCeremony"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    finishPasskeyRegistration: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "ceremony": "…",
                 *       "name": "Telephone",
                 *       "credential": {}
                 *     }
                 */
                "application/json": components["schemas"]["NewPasskeyRequest"];
            };
        };
        responses: {
            /** @description It is there; with a new CSRF token */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PasskeyAdded"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    beginPasskeySecondFactor: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "challenge": "chl_…"
                 *     }
                 */
                "application/json": components["schemas"]["PasskeySecondFactorRequest"];
            };
        };
        responses: {
            /** @description What to hand to the authenticator */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProofCeremony"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    finishPasskeySecondFactor: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "challenge": "chl_…",
                 *       "ceremony": "…",
                 *       "credential": {}
                 *     }
                 */
                "application/json": components["schemas"]["SecondFactorAssertion"];
            };
        };
        responses: {
            /** @description Signed in; the session is in a cookie */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignedIn"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    beginPasskeySignIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What to hand to the authenticator */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProofCeremony"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    finishPasskeySignIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "ceremony": "…",
                 *       "credential": {}
                 *     }
                 */
                "application/json": components["schemas"]["Assertion"];
            };
        };
        responses: {
            /** @description Signed in; the session is in a cookie */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignedIn"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    beginPasskeyStepUp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What to hand to the authenticator */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProofCeremony"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    finishPasskeyStepUp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "ceremony": "…",
                 *       "credential": {}
                 *     }
                 */
                "application/json": components["schemas"]["Assertion"];
            };
        };
        responses: {
            /** @description Proved; the session is in a new cookie */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignedIn"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    removePasskey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The passkey */
                passkeyId: components["schemas"]["PasskeyId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            /** @description `last_second_factor`, `last_way_in` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    renamePasskey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The passkey */
                passkeyId: components["schemas"]["PasskeyId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "Laptop"
                 *     }
                 */
                "application/json": components["schemas"]["PasskeyPatch"];
            };
        };
        responses: {
            /** @description It is called that now */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    changePassword: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "currentPassword": "…",
                 *       "newPassword": "…"
                 *     }
                 */
                "application/json": components["schemas"]["PasswordChange"];
            };
        };
        responses: {
            /** @description Changed; with a new CSRF token */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignedIn"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    forgetPassword: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "email": "ana@business.example"
                 *     }
                 */
                "application/json": components["schemas"]["PasswordForgotten"];
            };
        };
        responses: {
            /** @description If there is such an account, a mail is on its way */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    resetPassword: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "token": "rst_…",
                 *       "password": "…"
                 *     }
                 */
                "application/json": components["schemas"]["PasswordReset"];
            };
        };
        responses: {
            /** @description Set; sign in with it */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            /** @description `link_invalid` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    renewRecoveryCodes: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description New codes, shown once */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecoveryCodes"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    readProviderChallenge: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Who says so, and of which account */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProviderChallenge"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description `challenge_invalid`: this browser did not come back from a provider, or too long ago */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    proveSecondFactor: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "challenge": "chl_…",
                 *       "factor": "totp",
                 *       "code": "123456"
                 *     }
                 */
                "application/json": components["schemas"]["SecondFactorRequest"];
            };
        };
        responses: {
            /** @description In */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignedIn"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description `challenge_invalid`, `code_invalid` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `csrf_refused`, `tenant_suspended` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            /** @description `rate_limited`, with Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    listMySessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Where the user is signed in, from the newest */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_UserSession"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    endMyOtherSessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description This one is the only one left */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    endMySession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The session, `sgn_…` */
                sessionId: components["schemas"]["SignInId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is over */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    signIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "email": "ana@business.example",
                 *       "password": "…"
                 *     }
                 */
                "application/json": components["schemas"]["SignInRequest"];
            };
        };
        responses: {
            /** @description In, or on the way */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignInAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description `credentials_invalid` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `csrf_refused`, `tenant_suspended` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            /** @description `rate_limited`, with Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    signOut: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Out */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    stepUp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "factor": "totp",
                 *       "code": "123456"
                 *     }
                 */
                "application/json": components["schemas"]["StepUpRequest"];
            };
        };
        responses: {
            /** @description Proved; with a new CSRF token */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignedIn"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    listMyTokens: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description At most so many: 1 to 200, usually 50. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Tokens from the newest */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_PersonalToken"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    createMyToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "nightly report",
                 *       "scopes": [
                 *         "usage:read"
                 *       ],
                 *       "expiresAt": "2026-12-31T00:00:00Z"
                 *     }
                 */
                "application/json": components["schemas"]["PersonalTokenRequest"];
            };
        };
        responses: {
            /** @description The token, shown once */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PersonalToken"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    revokeMyToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the token, `key_…` */
                keyId: components["schemas"]["KeyId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is refused from now on */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    proposeTotp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The secret, shown once */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TotpProposal"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    confirmTotp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "code": "123456"
                 *     }
                 */
                "application/json": components["schemas"]["TotpConfirmation"];
            };
        };
        responses: {
            /** @description It is the second factor; with recovery codes, shown once, and a new CSRF token */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AppConfirmed"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    passOnMessage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The account */
                accountId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "contactId": "customer-4711",
                 *       "messageId": "ticket-9-reply-3",
                 *       "text": "¿Tienen hora mañana?"
                 *     }
                 */
                "application/json": components["schemas"]["NewChannelMessage"];
            };
        };
        responses: {
            /** @description The message is durable */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageReceipt"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            /** @description `quota_exceeded`: the month's messages are used up; says when they are there again */
            402: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `idempotency_mismatch`: another message has this `messageId`, of another contact or with other words; `conflict`: the account is disabled */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    confirmChannelWebhook: {
        parameters: {
            query?: {
                /** @description `subscribe` */
                "hub.mode"?: string;
                /** @description The account's token */
                "hub.verify_token"?: string;
                /** @description What is to be answered */
                "hub.challenge"?: string;
            };
            header?: never;
            path: {
                /** @description The channel */
                channel: string;
                /** @description The account */
                accountId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The challenge */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    takeChannelEvents: {
        parameters: {
            query?: never;
            header?: {
                /** @description The vendor's signature over the body */
                "X-Hub-Signature-256"?: string | null;
            };
            path: {
                /** @description The channel */
                channel: string;
                /** @description The account */
                accountId: string;
            };
            cookie?: never;
        };
        /** @description As the vendor has it */
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "object": "whatsapp_business_account",
                 *       "entry": []
                 *     }
                 */
                "application/json": Record<string, unknown>;
            };
        };
        responses: {
            /** @description Everything is durable */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            /** @description `quota_exceeded`: the month's messages are used up; the vendor sends it again */
            402: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            /** @description `rate_limited`: the calls of the tenant or the messages of the channel are too many; what was stored is known when the vendor sends it again */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: not everything is durable yet; the vendor sends it again, and the rest is stored then */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    uploadFile: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated call have its effect once */
                "Idempotency-Key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "multipart/form-data": components["schemas"]["NewFileForm"];
            };
        };
        responses: {
            /** @description The file is durable */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FileAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            /** @description `quota_exceeded`: the tenant has no room for more files */
            402: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            /** @description `rate_limited`: the visitor, or where they are, has brought as many files or bytes as a day allows */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    readFile: {
        parameters: {
            query?: {
                /** @description Whose file it is. */
                tenantId?: components["schemas"]["TenantId"];
                /** @description From when on the link opens nothing, in Unix seconds. */
                expires?: number;
                /** @description The signature. */
                signature?: string;
            };
            header?: {
                /** @description One range of bytes, such as `bytes=0-1023` */
                Range?: string | null;
            };
            path: {
                /** @description The file */
                fileId: components["schemas"]["FileId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The bytes */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": number[];
                };
            };
            /** @description Those of the range */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": number[];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            /** @description `link_invalid`: the link is too old; `permission_denied`, `tenant_suspended` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            /** @description `bad_request`: there are no such bytes */
            416: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    takeBackFile: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The file */
                fileId: components["schemas"]["FileId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            /** @description `conflict`: a message carries it */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    writeMessage: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "tenantId": "andina",
                 *       "siteId": "main",
                 *       "sessionId": "ses_01k9z3v5d2m8q4x7c1b6n0f9gh",
                 *       "channel": "web",
                 *       "clientMessageId": "7f6b3a52",
                 *       "text": "¿Tienen hora mañana?"
                 *     }
                 */
                "application/json": components["schemas"]["MessageRequest"];
            };
        };
        responses: {
            /** @description The message is durable */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageReceipt"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            /** @description `quota_exceeded`: the month's messages are used up; says when they are there again */
            402: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    openSession: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated call have its effect once */
                "Idempotency-Key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "channel": "web",
                 *       "locale": "es-CO"
                 *     }
                 */
                "application/json": components["schemas"]["SessionRequest"];
            };
        };
        responses: {
            /** @description The session */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    readSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The session */
                sessionId: components["schemas"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Where it stands */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionState"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    listMyBookings: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The session */
                sessionId: components["schemas"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Bookings in the order of their starts */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_Booking"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    createMyBooking: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated call have its effect once */
                "Idempotency-Key"?: string | null;
            };
            path: {
                /** @description The session */
                sessionId: components["schemas"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "serviceId": "limpieza-dental",
                 *       "startsAt": "2026-12-03T19:30:00Z",
                 *       "details": {
                 *         "name": "Camilo Henríquez"
                 *       }
                 *     }
                 */
                "application/json": components["schemas"]["NewBookingBody"];
            };
        };
        responses: {
            /** @description The booking */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Booking"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            /** @description `quota_exceeded`: the tenant's bookings of the month are used up */
            402: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    changeMyBooking: {
        parameters: {
            query?: {
                /** @description `true`: although it is later than the business lets bookings be changed for nothing. */
                late?: boolean;
            };
            header?: {
                /** @description The ETag that was read */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The session */
                sessionId: components["schemas"]["SessionId"];
                /** @description The booking */
                bookingId: components["schemas"]["BookingId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "startsAt": "2026-12-03T20:00:00Z"
                 *     }
                 */
                "application/json": components["schemas"]["BookingPatch"];
            };
        };
        responses: {
            /** @description The booking as it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Booking"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            /** @description `stale`: it was changed meanwhile */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    readMyBookingCalendar: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The session */
                sessionId: components["schemas"]["SessionId"];
                /** @description The booking */
                bookingId: components["schemas"]["BookingId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One event (RFC 5545) */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/calendar": string;
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    cancelMyBooking: {
        parameters: {
            query?: {
                /** @description `true`: although it is later than the business lets bookings be changed for nothing. */
                late?: boolean;
            };
            header?: {
                /** @description The ETag that was read */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The session */
                sessionId: components["schemas"]["SessionId"];
                /** @description The booking */
                bookingId: components["schemas"]["BookingId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The booking as it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Booking"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            /** @description `stale`: it was changed meanwhile */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    followSession: {
        parameters: {
            query?: never;
            header?: {
                /** @description The sequence of the last message that was seen */
                "Last-Event-ID"?: string | null;
            };
            path: {
                /** @description The session */
                sessionId: components["schemas"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Events */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example id: 2
                     *     event: message
                     *     data: {"sequence":2,"role":"agent"}
                     */
                    "text/event-stream": string;
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    listMessages: {
        parameters: {
            query?: {
                /** @description Only those with a higher sequence. */
                after?: number;
                /** @description `nextCursor` of the page before; the same as `after`. */
                cursor?: number;
                /** @description At most so many: 1 to 100, usually 50. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description The session */
                sessionId: components["schemas"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Messages by sequence */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessagePage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    listMyFreeTimes: {
        parameters: {
            query?: {
                /** @description Starts from here on; now unless given. */
                from?: string;
                /** @description Starts before this, 31 days later at most; a week later unless given. */
                until?: string;
                /** @description With this provider; with anybody who does the service unless given. */
                providerId?: string;
            };
            header?: never;
            path: {
                /** @description The session */
                sessionId: components["schemas"]["SessionId"];
                /** @description The service, by its id in the context pack */
                serviceId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Free times, in order */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FreeTimes"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    listTenants: {
        parameters: {
            query?: {
                /** @description `active`, `suspended` or `closed`. */
                status?: components["schemas"]["TenantStatus"];
                /** @description `owner` or `standard`. */
                type?: components["schemas"]["TenantType"];
                /** @description `FREE`, `PRO` or `ENTERPRISE`. */
                plan?: components["schemas"]["Plan"];
                /** @description With this text in the id or the name. */
                q?: string;
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description At most so many: 1 to 200, usually 50. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Tenants by id */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_Tenant"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    createTenant: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated call have its effect once */
                "Idempotency-Key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "tenantName": "Verde Café",
                 *       "contactEmail": "hola@verdecafe.example",
                 *       "websiteUrl": "https://verdecafe.example",
                 *       "businessIndustry": "Coffee shop",
                 *       "plan": "PRO"
                 *     }
                 */
                "application/json": components["schemas"]["Registration"];
            };
        };
        responses: {
            /** @description The tenant, with credentials shown once */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RegistrationAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    registerTenant: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated call have its effect once */
                "Idempotency-Key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "tenantName": "Clínica Andina",
                 *       "contactEmail": "contacto@clinicaandina.example",
                 *       "websiteUrl": "https://clinicaandina.example",
                 *       "businessIndustry": "Dental clinic",
                 *       "tenantId": "andina"
                 *     }
                 */
                "application/json": components["schemas"]["Registration"];
            };
        };
        responses: {
            /** @description The tenant, with credentials shown once */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RegistrationAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    registerOwner: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated call have its effect once */
                "Idempotency-Key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "tenantName": "ColombiaTIC",
                 *       "contactEmail": "hola@colombiatic.example",
                 *       "websiteUrl": "https://colombiatic.example",
                 *       "businessIndustry": "Technology"
                 *     }
                 */
                "application/json": components["schemas"]["Registration"];
            };
        };
        responses: {
            /** @description The owner, with credentials shown once */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RegistrationAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    readTenant: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The tenant, with its version as ETag */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tenant"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    deleteTenant: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag that was read */
                "If-Match"?: string | null;
                /** @description Why, when a person of the owner does this to another tenant, where the body has no `reason`: 10 to 500 characters, percent-encoded UTF-8. Stands in both trails. Without it `422 reason_required`; it also needs a second factor not older than five minutes, else `401 step_up_required`. */
                "X-Misy-Reason"?: string;
            };
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is closed, and goes at its `purgeAt` */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            /** @description `stale`: it was changed meanwhile */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    changeTenant: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag that was read */
                "If-Match"?: string | null;
                /** @description Why, when a person of the owner does this to another tenant, where the body has no `reason`: 10 to 500 characters, percent-encoded UTF-8. Stands in both trails. Without it `422 reason_required`; it also needs a second factor not older than five minutes, else `401 step_up_required`. */
                "X-Misy-Reason"?: string;
            };
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "tenantName": "Clínica Andina Centro"
                 *     }
                 */
                "application/json": components["schemas"]["TenantPatch"];
            };
        };
        responses: {
            /** @description The tenant as it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tenant"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            /** @description `stale`: it was changed meanwhile */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    activateTenant: {
        parameters: {
            query?: never;
            header?: {
                /** @description Why, when a person of the owner does this to another tenant, where the body has no `reason`: 10 to 500 characters, percent-encoded UTF-8. Stands in both trails. Without it `422 reason_required`; it also needs a second factor not older than five minutes, else `401 step_up_required`. */
                "X-Misy-Reason"?: string;
            };
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "reason": "paid on 3 May"
                 *     }
                 */
                "application/json": components["schemas"]["Why"];
            };
        };
        responses: {
            /** @description The tenant as it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tenant"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    listAlerts: {
        parameters: {
            query?: {
                /** @description `true`: only those that nobody took note of. */
                open?: boolean;
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description At most so many: 1 to 200, usually 50. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Alerts from the newest */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_Alert"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    acknowledgeAlert: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The alert */
                alertId: components["schemas"]["AlertId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The alert as it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Alert"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    listAudit: {
        parameters: {
            query?: {
                /** @description Of this kind. */
                kind?: components["schemas"]["AuditKind"];
                /** @description The id of an operation, such as `createSite`. */
                action?: string;
                /** @description The id of a token or key. */
                actor?: string;
                /** @description `ok`, or the code of a refusal. */
                outcome?: string;
                /** @description Of this session. */
                sessionId?: string;
                /** @description Of this site. */
                siteId?: components["schemas"]["SiteId"];
                /** @description Done to this. */
                subject?: string;
                /** @description Not before this time. */
                from?: string;
                /** @description Before this time. */
                until?: string;
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description At most so many: 1 to 200, usually 50. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Entries from the newest */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_AuditEntry"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    readAuditCheckpoint: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A signed note (C2SP tlog-checkpoint) */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain; charset=utf-8": string;
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    listAuditCheckpoints: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description At most so many: 1 to 200, usually 50. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Checkpoints from the newest */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_AuditCheckpoint"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    proveAuditConsistency: {
        parameters: {
            query?: {
                /** @description Entries of the earlier tree. */
                from?: number;
                /** @description Entries of the later tree; usually that of the latest checkpoint. */
                to?: number;
            };
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A consistency proof */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConsistencyProof"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    proveAuditEntry: {
        parameters: {
            query?: {
                /** @description The tree of so many entries; usually that of the latest checkpoint. */
                treeSize?: number;
            };
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The entry */
                auditId: components["schemas"]["AuditId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description An inclusion proof */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InclusionProof"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    exportAudit: {
        parameters: {
            query?: {
                /** @description `ndjson` (usual), `ocsf` or `rfc5424`. */
                format?: components["schemas"]["ExportFormat"];
                /** @description Not before this time. */
                from?: string;
                /** @description Before this time. */
                to?: string;
            };
            header?: {
                /** @description Why, when a person of the owner does this to another tenant, where the body has no `reason`: 10 to 500 characters, percent-encoded UTF-8. Stands in both trails. Without it `422 reason_required`; it also needs a second factor not older than five minutes, else `401 step_up_required`. */
                "X-Misy-Reason"?: string;
            };
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Lines, as they are read */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": string;
                    "text/plain": string;
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    readAuditReport: {
        parameters: {
            query?: {
                /** @description Not before this time; usually 30 days before `to`. */
                from?: string;
                /** @description Before this time; usually now. */
                to?: string;
                /** @description `json` (usual), `html` or `markdown`. */
                format?: components["schemas"]["ReportFormat"];
                /** @description `es`, `en` (usual) or `pt`, for `html` and `markdown`. */
                lang?: components["schemas"]["Language"];
            };
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The report, as JSON or for people */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditReport"];
                    "text/html": string;
                    "text/markdown": string;
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    listBookings: {
        parameters: {
            query?: {
                /** @description That begin at this time or later; now unless given. */
                from?: string;
                /** @description That begin before this time. */
                until?: string;
                /** @description With this provider. */
                providerId?: string;
                /** @description Of this contact. */
                contactId?: components["schemas"]["ContactId"];
                /** @description In this state. */
                state?: components["schemas"]["BookingState"];
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description At most so many: 1 to 200, usually 50. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Bookings in the order of their starts */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_Booking"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    createBooking: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated call have its effect once */
                "Idempotency-Key"?: string | null;
            };
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "booking": {
                 *         "serviceId": "limpieza-dental",
                 *         "startsAt": "2026-12-03T19:30:00Z",
                 *         "details": {
                 *           "name": "Camilo Henríquez"
                 *         }
                 *       }
                 *     }
                 */
                "application/json": components["schemas"]["BookingOfContact"];
            };
        };
        responses: {
            /** @description The booking */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Booking"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            /** @description `quota_exceeded`: the month's bookings are used up */
            402: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    readBooking: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The booking */
                bookingId: components["schemas"]["BookingId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The booking, with its version as ETag */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Booking"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    changeBooking: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag that was read */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The booking */
                bookingId: components["schemas"]["BookingId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "startsAt": "2026-12-03T20:00:00Z"
                 *     }
                 */
                "application/json": components["schemas"]["BookingPatch"];
            };
        };
        responses: {
            /** @description The booking as it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Booking"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            /** @description `stale`: it was changed meanwhile */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    readBookingCalendar: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The booking */
                bookingId: components["schemas"]["BookingId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One event (RFC 5545) */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/calendar": string;
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    cancelBooking: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag that was read */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The booking */
                bookingId: components["schemas"]["BookingId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The booking as it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Booking"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            /** @description `stale`: it was changed meanwhile */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    listCertificates: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description At most so many: 1 to 200, usually 50. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Certificates from the newest */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_Certificate"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    bindCertificate: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated call have its effect once */
                "Idempotency-Key"?: string | null;
            };
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "shop backend",
                 *       "fingerprint": "4a1c1f1f9be0d5c0a3a9d1b45f7b54a3f2a1e2b0c6d7e8f90123456789abcdef"
                 *     }
                 */
                "application/json": components["schemas"]["NewCertificate"];
            };
        };
        responses: {
            /** @description The certificate as it is bound */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Certificate"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `certificate_bound`: revoke the present binding first */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    revokeCertificate: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The certificate's id */
                certificateId: components["schemas"]["CertificateId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is revoked */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    listChannelAccounts: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description At most so many: 1 to 200, usually 50. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Accounts from the newest */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_ChannelAccount"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    createChannelAccount: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated call have its effect once */
                "Idempotency-Key"?: string | null;
            };
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "channel": "api",
                 *       "name": "CRM",
                 *       "callbackUrl": "https://crm.andina.example/misy"
                 *     }
                 */
                "application/json": components["schemas"]["NewChannelAccount"];
            };
        };
        responses: {
            /** @description The account, with its secret */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChannelAccount"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    readChannelAccount: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The account */
                accountId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The account, with its version as ETag */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChannelAccount"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    changeChannelAccount: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag that was read */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The account */
                accountId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "status": "disabled"
                 *     }
                 */
                "application/json": components["schemas"]["ChannelAccountPatch"];
            };
        };
        responses: {
            /** @description The account as it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChannelAccount"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            /** @description `stale`: it was changed meanwhile */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    listDeliveries: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description At most so many: 1 to 200, usually 50. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The account */
                accountId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deliveries from the newest */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_Delivery"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    rotateChannelSecret: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated call have its effect once */
                "Idempotency-Key"?: string | null;
            };
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The account */
                accountId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "overlapSeconds": 3600
                 *     }
                 */
                "application/json": components["schemas"]["ChannelSecretRotation"];
            };
        };
        responses: {
            /** @description The secret, shown once */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChannelSecret"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    listChannelTemplates: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The account */
                accountId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The templates */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WhatsappTemplates"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            /** @description The account is no number of WhatsApp, or the vendor refused */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    createChannelTemplate: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The account */
                accountId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "we_have_an_answer",
                 *       "language": "es_CO",
                 *       "category": "UTILITY",
                 *       "components": [
                 *         {
                 *           "type": "BODY",
                 *           "text": "Tenemos una respuesta para usted."
                 *         }
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["NewWhatsappTemplate"];
            };
        };
        responses: {
            /** @description How it stands */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WhatsappTemplate"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description The account is no number of WhatsApp, or the vendor refused */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    testChannelAccount: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The account */
                accountId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What the vendor says */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChannelTest"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            /** @description `not_supported`: the account has no vendor */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    closeTenant: {
        parameters: {
            query?: never;
            header?: {
                /** @description Why, when a person of the owner does this to another tenant, where the body has no `reason`: 10 to 500 characters, percent-encoded UTF-8. Stands in both trails. Without it `422 reason_required`; it also needs a second factor not older than five minutes, else `401 step_up_required`. */
                "X-Misy-Reason"?: string;
            };
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "reason": "the business moved on"
                 *     }
                 */
                "application/json": components["schemas"]["Closing"];
            };
        };
        responses: {
            /** @description The tenant as it is now, and what goes when */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClosedTenant"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    readContextPack: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The pack, with its version as ETag */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ContextPack"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    replaceContextPack: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag that was read */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "displayName": "Clínica Andina",
                 *       "industry": "Dental clinic",
                 *       "locale": "es-CL",
                 *       "timezone": "America/Santiago",
                 *       "currency": "CLP",
                 *       "contact": {
                 *         "email": "contacto@clinicaandina.example"
                 *       },
                 *       "faq": [
                 *         {
                 *           "id": "horario",
                 *           "question": "¿Cuál es el horario?",
                 *           "answer": "De lunes a viernes de 9 a 19."
                 *         }
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["ContextPack"];
            };
        };
        responses: {
            /** @description It is in force */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ContextPackVersion"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            /** @description `stale`: it was changed meanwhile */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    listConversations: {
        parameters: {
            query?: {
                /** @description Those in which these answer. */
                state?: components["schemas"]["HandlingState"];
                /** @description `true`: those that the caller holds. */
                mine?: boolean;
                /** @description Those of this channel. */
                channel?: components["schemas"]["Channel"];
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description At most so many: 1 to 200, usually 50. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The newest activity comes first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_Conversation"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    readConversation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The conversation */
                conversationId: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The conversation, with its version as `ETag` */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationDetail"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    assignConversation: {
        parameters: {
            query?: never;
            header?: {
                /** @description The version that was read */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The conversation */
                conversationId: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "userId": "usr_01k9z3v5d2m8q4x7c1b6n0f9gh"
                 *     }
                 */
                "application/json": components["schemas"]["AssignRequest"];
            };
        };
        responses: {
            /** @description The conversation as it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationDetail"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    closeConversation: {
        parameters: {
            query?: never;
            header?: {
                /** @description The version that was read */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The conversation */
                conversationId: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "seen": 12
                 *     }
                 */
                "application/json": components["schemas"]["SeenRequest"] | null;
            };
        };
        responses: {
            /** @description The conversation as it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationDetail"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `conversation_moved`: the contact wrote meanwhile */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    handBackConversation: {
        parameters: {
            query?: never;
            header?: {
                /** @description The version that was read */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The conversation */
                conversationId: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "seen": 12
                 *     }
                 */
                "application/json": components["schemas"]["SeenRequest"] | null;
            };
        };
        responses: {
            /** @description The conversation as it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationDetail"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `conversation_moved`: the contact wrote meanwhile */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    listConversationMessages: {
        parameters: {
            query?: {
                /** @description Only those with a higher sequence, oldest first. Without it the newest are read. */
                after?: number;
                /** @description `nextCursor` of the page before: those that were said before it. */
                cursor?: string;
                /** @description At most so many: 1 to 200, usually 50. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The conversation */
                conversationId: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Messages by sequence */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SaidPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    answerConversation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The conversation */
                conversationId: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "clientMessageId": "7f6b3a52",
                 *       "text": "Hola, soy Ana."
                 *     }
                 */
                "application/json": components["schemas"]["AnswerRequest"];
            };
        };
        responses: {
            /** @description The message is durable */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageReceipt"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    listNotes: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The conversation */
                conversationId: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Notes, oldest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_Note"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    addNote: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The conversation */
                conversationId: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "text": "Called twice about the same invoice."
                 *     }
                 */
                "application/json": components["schemas"]["NoteRequest"];
            };
        };
        responses: {
            /** @description All notes as they are now, oldest first */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_Note"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    takeConversation: {
        parameters: {
            query?: never;
            header?: {
                /** @description The version that was read */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The conversation */
                conversationId: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The conversation as it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationDetail"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    showTyping: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The conversation */
                conversationId: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "active": true
                 *     }
                 */
                "application/json": components["schemas"]["TypingRequest"];
            };
        };
        responses: {
            /** @description The contact sees it */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    readDecision: {
        parameters: {
            query: {
                /** @description A message that was asked or answered in the turn. */
                messageId: components["schemas"]["MessageId"];
            };
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The decision */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Decision"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    listDomains: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Domains by name: at most 50, on one page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_EmailDomain"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    createDomain: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated call have its effect once */
                "Idempotency-Key"?: string | null;
            };
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "domain": "business.example"
                 *     }
                 */
                "application/json": components["schemas"]["NewDomain"];
            };
        };
        responses: {
            /** @description The domain, with what to publish */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EmailDomain"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `conflict`: it is named already, or 50 are */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    deleteDomain: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The domain */
                domain: components["schemas"]["DomainName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            /** @description `domain_in_use` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    verifyDomain: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The domain */
                domain: components["schemas"]["DomainName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is proved */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EmailDomain"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            /** @description `domain_not_proved`: the file is not there or has another line; `conflict`: it is another tenant's */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    readEncryption: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Keys, what is under them, and rotations */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Encryption"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    rotateDataKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description Why, when a person of the owner does this to another tenant, where the body has no `reason`: 10 to 500 characters, percent-encoded UTF-8. Stands in both trails. Without it `422 reason_required`; it also needs a second factor not older than five minutes, else `401 step_up_required`. */
                "X-Misy-Reason"?: string;
            };
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The rotation has begun */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyRotation"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            /** @description Another rotation goes on */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    listTenantEvents: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description At most so many: 1 to 200, usually 50. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Events from the newest */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_TenantEvent"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    removeFile: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The file */
                fileId: components["schemas"]["FileId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    followConversations: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Events */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example event: changed
                     *     data: {"conversationIds":["cnv_01k9z3v5d2m8q4x7c1b6n0f9gh"]}
                     */
                    "text/event-stream": string;
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    listKeys: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description At most so many: 1 to 200, usually 50. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Keys from the newest */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_Key"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    createKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated call have its effect once */
                "Idempotency-Key"?: string | null;
            };
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "siteId": "main",
                 *       "name": "shop page"
                 *     }
                 */
                "application/json": components["schemas"]["NewKey"];
            };
        };
        responses: {
            /** @description The key, shown once */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Key"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    revokeKey: {
        parameters: {
            query?: {
                /** @description What becomes of the tokens that were given for it: `keep` (unless given) or `revoke`. */
                tokens?: components["schemas"]["TokensOfKey"];
            };
            header?: {
                /** @description Why, when a person of the owner does this to another tenant, where the body has no `reason`: 10 to 500 characters, percent-encoded UTF-8. Stands in both trails. Without it `422 reason_required`; it also needs a second factor not older than five minutes, else `401 step_up_required`. */
                "X-Misy-Reason"?: string;
            };
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The key */
                keyId: components["schemas"]["KeyId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is revoked */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    readLimits: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The limits */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Limits"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    replaceLimits: {
        parameters: {
            query?: never;
            header?: {
                /** @description Why, when a person of the owner does this to another tenant, where the body has no `reason`: 10 to 500 characters, percent-encoded UTF-8. Stands in both trails. Without it `422 reason_required`; it also needs a second factor not older than five minutes, else `401 step_up_required`. */
                "X-Misy-Reason"?: string;
            };
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "limits": [
                 *         {
                 *           "scope": "session",
                 *           "requests": 60,
                 *           "periodSeconds": 60
                 *         }
                 *       ],
                 *       "quotas": [
                 *         {
                 *           "kind": "messages",
                 *           "monthly": 200000
                 *         }
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["NewLimits"];
            };
        };
        responses: {
            /** @description The limits as they are now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Limits"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    listPrivilege: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description At most so many: 1 to 200, usually 50. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Operations from the newest */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_PrivilegeUse"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    usePrivilege: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant that is touched; the owner for what is about all */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "operation": "system_access",
                 *       "resource": "all_agents",
                 *       "reason": "Ticket 4711: the agent quotes old prices"
                 *     }
                 */
                "application/json": components["schemas"]["PrivilegeRequest"];
            };
        };
        responses: {
            /** @description It is done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PrivilegeUse"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `conflict`: not with this tenant */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    listPrivilegedOperations: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What can be done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PrivilegeCatalogue"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    endPrivilege: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The operation that gave it */
                grantId: components["schemas"]["GrantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It has ended */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    listProviders: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Providers with their weeks and exceptions */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Providers"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    reopenTenant: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "reason": "it was a mistake"
                 *     }
                 */
                "application/json": components["schemas"]["Why"];
            };
        };
        responses: {
            /** @description The tenant as it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tenant"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `conflict`: it is not closed, or its clean-up has begun */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    listRoles: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Built-in roles, then the tenant's own by id */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Roles"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    createRole: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated call have its effect once */
                "Idempotency-Key"?: string | null;
            };
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "roleId": "reception",
                 *       "actions": [
                 *         "context-pack:read",
                 *         "decisions:read"
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["NewRole"];
            };
        };
        responses: {
            /** @description The role */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Role"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    readRole: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The role */
                roleId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The role, with its version as ETag */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Role"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    deleteRole: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The role */
                roleId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    changeRole: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag that was read */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The role */
                roleId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "actions": [
                 *         "context-pack:read"
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["RolePatch"];
            };
        };
        responses: {
            /** @description The role as it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Role"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            /** @description `stale`: it was changed meanwhile */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    listSecrets: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description At most so many: 1 to 200, usually 50. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Secrets from the newest */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_Secret"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    rotateSecret: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated call have its effect once */
                "Idempotency-Key"?: string | null;
            };
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "overlapSeconds": 3600
                 *     }
                 */
                "application/json": components["schemas"]["NewSecret"];
            };
        };
        responses: {
            /** @description The secret, shown once */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Secret"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    revokeSecret: {
        parameters: {
            query?: {
                /** @description What becomes of the tokens that were given for it: `keep` (unless given) or `revoke`. */
                tokens?: components["schemas"]["TokensOfKey"];
            };
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The secret's id */
                keyId: components["schemas"]["KeyId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is revoked */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    changeSecret: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The secret's id */
                keyId: components["schemas"]["KeyId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "actions": [
                 *         "context-pack:read"
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["SecretPatch"];
            };
        };
        responses: {
            /** @description It is so now */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    listServices: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Services with prices and lengths */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Services"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    listFreeTimes: {
        parameters: {
            query?: {
                /** @description Starts from here on; now unless given. */
                from?: string;
                /** @description Starts before this, 31 days later at most; a week later unless given. */
                until?: string;
                /** @description With this provider; with anybody who does the service unless given. */
                providerId?: string;
            };
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The service, by its id in the context pack */
                serviceId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Free times, in order */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FreeTimes"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    readSignIn: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The provider; 404 if people sign in here */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignInProvider"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    replaceSignIn: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag that was read */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "issuer": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Example",
                 *       "clientId": "4example0client",
                 *       "clientSecret": "…",
                 *       "tenantClaim": {
                 *         "name": "custom:tenantId",
                 *         "value": "andina"
                 *       },
                 *       "roleClaim": {
                 *         "name": "cognito:groups",
                 *         "roles": {
                 *           "clinic-admins": [
                 *             "admin"
                 *           ]
                 *         }
                 *       },
                 *       "provisioning": true,
                 *       "emailDomains": [
                 *         "andina.example"
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["SignInProviderRequest"];
            };
        };
        responses: {
            /** @description The provider as it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignInProvider"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            /** @description `role_above_own`: it stands, or stood, for more than you may do */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            /** @description `stale`: it was changed meanwhile */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    deleteSignIn: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    listSites: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description At most so many: 1 to 200, usually 50. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Sites by id */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_Site"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    createSite: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated call have its effect once */
                "Idempotency-Key"?: string | null;
            };
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "siteId": "shop",
                 *       "origins": [
                 *         "https://shop.andina.example"
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["NewSite"];
            };
        };
        responses: {
            /** @description The site */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Site"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    readSite: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The site */
                siteId: components["schemas"]["SiteId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The site, with its version as ETag */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Site"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    deleteSite: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The site */
                siteId: components["schemas"]["SiteId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    changeSite: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag that was read */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The site */
                siteId: components["schemas"]["SiteId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "origins": [
                 *         "https://andina.example",
                 *         "https://www.andina.example"
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["SitePatch"];
            };
        };
        responses: {
            /** @description The site as it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Site"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            /** @description `stale`: it was changed meanwhile */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    suspendTenant: {
        parameters: {
            query?: never;
            header?: {
                /** @description Why, when a person of the owner does this to another tenant, where the body has no `reason`: 10 to 500 characters, percent-encoded UTF-8. Stands in both trails. Without it `422 reason_required`; it also needs a second factor not older than five minutes, else `401 step_up_required`. */
                "X-Misy-Reason"?: string;
            };
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "reason": "unpaid since May"
                 *     }
                 */
                "application/json": components["schemas"]["Why"];
            };
        };
        responses: {
            /** @description The tenant as it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tenant"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    revokeAllTokens: {
        parameters: {
            query?: never;
            header?: {
                /** @description Why, when a person of the owner does this to another tenant, where the body has no `reason`: 10 to 500 characters, percent-encoded UTF-8. Stands in both trails. Without it `422 reason_required`; it also needs a second factor not older than five minutes, else `401 step_up_required`. */
                "X-Misy-Reason"?: string;
            };
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "reason": "a laptop was stolen"
                 *     }
                 */
                "application/json": components["schemas"]["Why"];
            };
        };
        responses: {
            /** @description They are revoked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Epoch"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    listWaitingTurns: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description At most so many: 1 to 200, usually 50. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What has waited longest comes first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_WaitingTurn"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    wakeTurn: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The conversation */
                conversationId: components["schemas"]["ConversationId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "wait": 17,
                 *       "outcome": {
                 *         "approved": true
                 *       }
                 *     }
                 */
                "application/json": components["schemas"]["TurnOutcome"];
            };
        };
        responses: {
            /** @description It goes on, or was woken before */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    readUsage: {
        parameters: {
            query?: {
                /**
                 * @description From this day or time on; the first of this month unless given.
                 * @example 2026-10-01
                 */
                from?: string;
                /**
                 * @description Before this day or time; the end of this month unless given.
                 * @example 2026-11-01
                 */
                to?: string;
                /** @description `day` (usually), `key`, `site` or `channel`. */
                groupBy?: components["schemas"]["UsageGrouping"];
                /** @description `json` (usually) or `csv`, which `Accept: text/csv` asks for too. */
                format?: components["schemas"]["TableFormat"];
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description At most so many: 1 to 1000, usually 200. */
                limit?: number;
            };
            header?: {
                /** @description `text/csv` for CSV */
                Accept?: string | null;
            };
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The usage */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_Usage"];
                    "text/csv": string;
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    readInvoice: {
        parameters: {
            query?: {
                /**
                 * @description The month in UTC; this one unless given.
                 * @example 2026-11
                 */
                month?: string;
                /** @description `json` (usually) or `csv`, which `Accept: text/csv` asks for too. */
                format?: components["schemas"]["TableFormat"];
            };
            header?: {
                /** @description `text/csv` for CSV */
                Accept?: string | null;
            };
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The invoice */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Invoice"];
                    "text/csv": string;
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    readRefusals: {
        parameters: {
            query?: {
                /** @description From this day on; the first of this month unless given. */
                from?: string;
                /** @description Until this day; the end of this month unless given. */
                to?: string;
            };
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The refusals */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RefusalsAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    listUsers: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description At most so many: 1 to 200, usually 50. */
                limit?: number;
                /** @description Of whom this is so. */
                status?: components["schemas"]["UserStatus"];
                /** @description Those with this role. */
                role?: string;
                /** @description The one with this address. */
                email?: string;
            };
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description People from the newest */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_User"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    inviteUser: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated call have its effect once */
                "Idempotency-Key"?: string | null;
            };
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "email": "luz@business.example",
                 *       "name": "Luz Díaz",
                 *       "roles": [
                 *         "manager"
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["Invitation"];
            };
        };
        responses: {
            /** @description Invited, with the link, shown once */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvitedUser"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    readUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The user */
                userId: components["schemas"]["UserId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The user, with its version as ETag */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    removeUser: {
        parameters: {
            query?: {
                /**
                 * @description What becomes of the secrets, keys, certificates and channel accounts that the person made, and of those that were made with such a secret:
                 *     `keep` (unless given) or `revoke`. Personal tokens end in any case.
                 */
                made?: components["schemas"]["OfMade"];
            };
            header?: {
                /** @description The ETag that was read */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The user */
                userId: components["schemas"]["UserId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description They are gone; with what they made */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LeftBehind"];
                };
            };
            /** @description They are gone, and had made nothing that was in force */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            /** @description `last_administrator` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `stale`: it was changed meanwhile */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    changeUser: {
        parameters: {
            query?: {
                /**
                 * @description What becomes of the secrets, keys, certificates and channel accounts that the person made, and of those that were made with such a secret:
                 *     `keep` (unless given) or `revoke`. Personal tokens end in any case.
                 */
                made?: components["schemas"]["OfMade"];
            };
            header?: {
                /** @description The ETag that was read */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The user */
                userId: components["schemas"]["UserId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "roles": [
                 *         "agent"
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["UserPatch"];
            };
        };
        responses: {
            /** @description The user as it is now, and what who was disabled made */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangedUser"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `last_administrator` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `stale`: it was changed meanwhile */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    renewInvitation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The user */
                userId: components["schemas"]["UserId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The link, shown once */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneTimeLink"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            /** @description `not_invited`: the user has come in */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    makePasswordLink: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The user */
                userId: components["schemas"]["UserId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The link, shown once */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneTimeLink"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            /** @description `not_active` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    resetSecondFactor: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The user */
                userId: components["schemas"]["UserId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It has none now */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            /** @description `conflict`: it is your own */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    listUserSessions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The user */
                userId: components["schemas"]["UserId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Where the user is signed in, from the newest */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_UserSession"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    endUserSessions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The user */
                userId: components["schemas"]["UserId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description They are over */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    endUserSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description The user */
                userId: components["schemas"]["UserId"];
                /** @description The session, `sgn_…` */
                sessionId: components["schemas"]["SignInId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is over */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    listWork: {
        parameters: {
            query?: {
                /** @description In which state: `dead`, also unless given. */
                status?: string;
                /** @description Of one kind only. */
                kind?: string;
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description At most so many: 1 to 200, usually 50. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was given up last comes first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_Work"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    dropWork: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description What it is */
                kind: string;
                /** @description Its id */
                workId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is dropped */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    reviveWork: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant */
                tenantId: components["schemas"]["TenantId"];
                /** @description What it is */
                kind: string;
                /** @description Its id */
                workId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is due again */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    mintToken: {
        parameters: {
            query?: never;
            header?: {
                /** @description Publishable key of the site (browsers) */
                "X-Api-Key"?: string | null;
                /** @description Id of the tenant secret (servers) */
                "X-Misy-Key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "siteId": "main"
                 *     }
                 */
                "application/json": components["schemas"]["TokenRequest"];
            };
        };
        responses: {
            /** @description A token */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    revokeToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "tokenId": "tat_01k9z3v5d2m8q4x7c1b6n0f9gh"
                 *     }
                 */
                "application/json": components["schemas"]["RevokeRequest"];
            };
        };
        responses: {
            /** @description It is revoked */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidBody"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
    readLiveness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It runs */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    readReadiness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It can */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description It cannot, and which part */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
        };
    };
    readMetrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Metrics */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["InvalidQuery"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
        };
    };
}
