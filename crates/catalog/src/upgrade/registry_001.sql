-- The registry, version 1: site, accounts, setup links, sessions, dated versions of cameras. Times: UTC, microseconds.
create table upgrade (kind text not null, version bigint not null, primary key (kind, version));

create table site (
  site bytea primary key,
  name text not null,
  created bigint not null
);

create table account (
  site bytea not null references site (site),
  account bytea not null,
  name text not null,
  role text not null,
  password_hash text,
  disabled boolean not null,
  created bigint not null,
  primary key (site, account),
  unique (site, name)
);

-- Only the hash of a one-time token is here; a token works once, before its end.
create table setup_token (
  site bytea not null,
  token_hash bytea not null,
  account bytea not null,
  expires_at bigint not null,
  used_at bigint,
  primary key (site, token_hash),
  foreign key (site, account) references account (site, account)
);

-- Only the hash of a session's secret is here.
create table session (
  site bytea not null,
  secret_hash bytea not null,
  account bytea not null,
  created bigint not null,
  last_used bigint not null,
  expires_at bigint not null,
  ended_at bigint,
  primary key (site, secret_hash),
  foreign key (site, account) references account (site, account)
);

-- Facts hold from valid_from on and were known from recorded_at on; rows are added, never changed.
create table camera (
  site bytea not null references site (site),
  camera bytea not null,
  version bigint not null,
  valid_from bigint not null,
  recorded_at bigint not null,
  removed boolean not null,
  name text not null,
  place text not null,
  url text not null,
  credential bytea,
  delay_days bigint not null,
  purposes text not null,
  fingerprint text,
  primary key (site, camera, version)
);
