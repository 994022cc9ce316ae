-- Writes down what people say of an experiment: of this life of it only.
-- KEYS: experiment, its notes, its log
-- ARGV: id, an entry of the log or '', how many the log keeps, then fields and texts
-- Answers 1, or 0 where the experiment has gone.
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return 0 end
for i = 4, #ARGV, 2 do
  if ARGV[i + 1] == '' then
    redis.call('HDEL', KEYS[2], ARGV[i])
  else
    redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
  end
end
if ARGV[2] ~= '' then
  redis.call('RPUSH', KEYS[3], ARGV[2])
  redis.call('LTRIM', KEYS[3], -tonumber(ARGV[3]), -1)
end
return 1
