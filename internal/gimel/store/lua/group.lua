-- Makes the group of a log's readers where there is none, also in a Redis that is full, which who
-- reads it empties; see note.lua.
-- KEYS: log      ARGV: group
-- Answers 1, or 0 where there is no log, or something else in its place.
if redis.call('TYPE', KEYS[1]).ok ~= 'stream' then return 0 end
redis.call('XDEL', KEYS[1], '0-1')
local made = redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0')
if made.err and not string.find(made.err, 'BUSYGROUP', 1, true) then return made end
return 1
