-- The registry, version 6: passkeys. Public keys only: nothing here signs anybody in.
create table passkey (
  site bytea not null,
  credential bytea not null,
  account bytea not null,
  label text not null,
  -- JSON of webauthn-rs: public key, counter, flags.
  data text not null,
  added bigint not null,
  last_used bigint,
  primary key (site, credential),
  foreign key (site, account) references account (site, account)
);
