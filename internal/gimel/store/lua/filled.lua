-- Notes that the events which were missed in the log have their rows after all.
-- KEYS: experiment      ARGV: id, how many there were, the Unix time of that
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return 0 end
local left = redis.call('HINCRBY', KEYS[1], 'missed', -tonumber(ARGV[2]))
if left > 0 then
  redis.call('HSET', KEYS[1], 'gap', ARGV[3])
else
  redis.call('HDEL', KEYS[1], 'gap', 'missed')
end
return 1
