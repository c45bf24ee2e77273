-- Privileged operations outlive the tenant that they touched, like its audit: they tell what the owner's people did. A table
-- says so in its comment; the clean-up leaves it, and everybody can read why.
comment on table misy.privilege_uses is 'outlives its tenant';
