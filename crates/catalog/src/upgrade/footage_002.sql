-- Footage, version 2: whether the keeper heard that a reel is closed. What an earlier version closed lately may not have been heard.
alter table reel add column told bigint not null default 1;
update reel set told = 0 where closed_at >= (select max(closed_at) from reel) - 10800000000;
