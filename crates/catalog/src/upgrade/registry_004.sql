-- The registry, version 4: which law pack and which rules of the town were proposed, by whom approved, from when in force.
create table law (
  site bytea not null,
  -- The digest of the text: SHA-256, as the ledger names it.
  digest bytea not null,
  -- `pack` or `town`.
  kind text not null,
  content text not null,
  proposed_at bigint not null,
  -- Null for what came with the installation.
  proposed_by bytea,
  approved_at bigint,
  approved_by bytea,
  primary key (site, kind, digest, proposed_at)
);
