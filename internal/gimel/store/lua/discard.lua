-- Takes an experiment away under its readers, in one step.
-- KEYS: experiment, its place among the discarded      ARGV: id
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return 0 end
redis.call('RENAME', KEYS[1], KEYS[2])
return 1
