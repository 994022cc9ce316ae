-- Replaces an experiment's declaration, and leaves its counters.
-- KEYS: experiment      ARGV: id and unix time (for a new one), then fields and values
-- Answers 1 for a new experiment, 0 for one that was there.
local meta = KEYS[1]
local fresh = redis.call('EXISTS', meta) == 0
if fresh then
  redis.call('HSET', meta, 'id', ARGV[1], 'state', 'running', 'created', ARGV[2])
end
for _, field in ipairs(redis.call('HKEYS', meta)) do
  local kind = string.sub(field, 1, 2)
  if kind == 'v:' or kind == 'g:' or field == 'variants' or field == 'goals' then
    redis.call('HDEL', meta, field)
  end
end
for i = 3, #ARGV, 2 do
  redis.call('HSET', meta, ARGV[i], ARGV[i + 1])
end
return fresh and 1 or 0
