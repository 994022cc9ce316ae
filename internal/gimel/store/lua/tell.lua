-- Notes that something was told of this life of an experiment.
-- KEYS: experiment, what was told of it      ARGV: id, what, unix time
-- Answers 1, or 0 where the experiment has gone.
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return 0 end
redis.call('HSETNX', KEYS[2], ARGV[2], ARGV[3])
return 1
