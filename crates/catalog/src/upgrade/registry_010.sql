-- The registry, version 10: sign-in by a provider. Both columns are sealed by the keeper: a row that was edited, or copied to
-- another account, does not open.
create table provider_keys (
  site bytea not null references site (site),
  issuer text not null,
  keys bytea not null,
  confirmed bigint not null,
  primary key (site, issuer)
);
create table binding (
  site bytea not null,
  account bytea not null,
  -- issuer and subject
  identity bytea not null,
  bound bigint not null,
  primary key (site, account),
  foreign key (site, account) references account (site, account)
);
