-- The registry, version 7: when each person was trained in data protection. Rows are added, never changed; the latest day counts.
create table training (
  site bytea not null,
  account bytea not null,
  trained_on bigint not null,
  recorded_at bigint not null,
  primary key (site, account, trained_on),
  foreign key (site, account) references account (site, account)
);
