-- Enters an undeclared experiment in the list, as far as the cap allows: of its
-- namespace, and ten times that of all.
-- KEYS: declared, undeclared      ARGV: member, its namespace and a colon, cap
-- Answers 1, 0 when the namespace is full, -1 when the list is.
local member, namespace, cap = ARGV[1], ARGV[2], tonumber(ARGV[3])
if redis.call('SISMEMBER', KEYS[1], member) == 1 then return 1 end
if redis.call('SISMEMBER', KEYS[2], member) == 1 then return 1 end
local all = redis.call('SCARD', KEYS[2])
if all >= 10 * cap then return -1 end
if all >= cap then -- else the namespace cannot have that many either
  local own = 0
  for _, other in ipairs(redis.call('SMEMBERS', KEYS[2])) do
    if string.sub(other, 1, #namespace) == namespace then own = own + 1 end
  end
  if own >= cap then return 0 end
end
redis.call('SADD', KEYS[2], member)
return 1
