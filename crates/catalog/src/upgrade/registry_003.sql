-- The registry, version 3: second factors. Seeds are sealed under the keyring's config key; of recovery codes only hashes are here.
create table second_factor (
  site bytea not null,
  account bytea not null,
  seed bytea not null,
  -- The newest step of time whose code counted: a code counts once.
  last_step bigint not null,
  primary key (site, account),
  foreign key (site, account) references account (site, account)
);

create table recovery_code (
  site bytea not null,
  code_hash bytea not null,
  account bytea not null,
  used_at bigint,
  primary key (site, account, code_hash),
  foreign key (site, account) references account (site, account)
);
