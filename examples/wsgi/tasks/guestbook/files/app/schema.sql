create table if not exists entries (id bigint generated always as identity primary key, said text not null);
