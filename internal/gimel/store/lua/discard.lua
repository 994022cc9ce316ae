-- Takes an experiment away under its readers, in one step.
-- KEYS: experiment, its place among the discarded
-- ARGV: id, then anything where it is to make room, as long as nobody has declared it
-- Answers 1, 0 where that life has gone, or -1 where it is declared.
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return 0 end
if ARGV[2] and redis.call('HEXISTS', KEYS[1], 'planned') == 1 then return -1 end
redis.call('RENAME', KEYS[1], KEYS[2])
if ARGV[2] then redis.call('HSET', KEYS[2], 'evicted', 1) end
return 1
