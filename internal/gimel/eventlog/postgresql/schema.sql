-- What gimel eventlog keeps in PostgreSQL; docs/eventlog.md explains it. All of it may be run again.
create schema if not exists gimel;

-- A counter of one life of an experiment: what rows would else repeat.
create table if not exists gimel.counter (
  id         integer generated always as identity primary key,
  namespace  text not null,
  experiment text not null,
  life       text not null,
  event      text not null,
  variant    text not null,
  began      timestamptz not null,
  month      date not null,
  digest     text not null unique -- SHA-256 of the names: an index takes no long ones
);
create index if not exists counter_life on gimel.counter (life);

-- How many rows it has, and how many of these have no time: kept by the triggers below, so that
-- nobody has to count them. They were counted one by one when it was checked; null: never, for the
-- rows are older than these columns.
alter table gimel.counter
  add column if not exists rows bigint not null default 0,
  add column if not exists untimed bigint not null default 0,
  add column if not exists checked timestamptz;
alter table gimel.counter alter column checked set default now();

-- An event. Its partition is the month in which the experiment began, which an event keeps
-- whenever it is sent again: so the key, which has to hold the partition's, is one for all.
create table if not exists gimel.counted (
  counter     integer not null,
  fingerprint bigint not null,
  month       date not null,
  at          timestamptz,
  value       double precision,
  primary key (counter, fingerprint, month)
) partition by range (month);
create index if not exists counted_at on gimel.counted using brin (at);

create or replace view gimel.events as
  select namespace, experiment, life, began, event, variant, fingerprint, at, value
  from gimel.counted join gimel.counter on counter.id = counted.counter and counter.month = counted.month;

create or replace view gimel.totals as
  select namespace, experiment, life, began, event, variant, count(*) as events,
    count(*) filter (where at is null) as untimed, min(at) as first, max(at) as last,
    sum(value) as value
  from gimel.events group by namespace, experiment, life, began, event, variant;

create or replace view gimel.daily as
  select namespace, experiment, life, event, variant, (at at time zone 'UTC')::date as day,
    count(*) as events, sum(value) as value
  from gimel.events where at is not null
  group by namespace, experiment, life, event, variant, day;

-- As the owner, for who may insert or delete rows may not change counters by himself. The locks are
-- in one order, so that two processes do not wait for each other.
create or replace function gimel.count_rows() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  sign integer := case tg_op when 'INSERT' then 1 else -1 end;
begin
  perform 1 from gimel.counter where id in (select counter from changed) order by id for update;
  update gimel.counter set rows = counter.rows + sign * sum.rows, untimed = counter.untimed + sign * sum.untimed
  from (select counter, count(*) as rows, count(*) - count(at) as untimed from changed group by counter) as sum
  where id = sum.counter;
  return null;
end $$;
drop trigger if exists rows_added on gimel.counted;
create trigger rows_added after insert on gimel.counted
  referencing new table as changed for each statement execute function gimel.count_rows();
drop trigger if exists rows_removed on gimel.counted;
create trigger rows_removed after delete on gimel.counted
  referencing old table as changed for each statement execute function gimel.count_rows();
