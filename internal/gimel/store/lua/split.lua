-- Splits one bucket of a counter in two: one step of linear hashing
-- (W. Litwin, "Linear hashing", VLDB 1980).
-- KEYS: experiment, bucket to split, new bucket
-- ARGV: id, counter, number of buckets before, modulus, number of the new bucket
-- Answers 1, or 0 when somebody else has split since.
local meta, from, to = KEYS[1], KEYS[2], KEYS[3]
local modulus, target = tonumber(ARGV[4]), tonumber(ARGV[5])
if redis.call('HGET', meta, 'id') ~= ARGV[1] then return 0 end
if (redis.call('HGET', meta, 'n:' .. ARGV[2]) or '1') ~= ARGV[3] then return 0 end

-- A fingerprint has up to 19 digits, a Lua number holds 15 exactly: take the
-- remainder of both halves.
local step = 1000000000 % modulus
local moving = {}
for _, member in ipairs(redis.call('SMEMBERS', from)) do
  local high = tonumber(string.sub(member, 1, -10)) or 0
  local low = tonumber(string.sub(member, -9))
  if ((high % modulus) * step + low) % modulus == target then
    moving[#moving + 1] = member
  end
end
-- unpack() is bounded by Lua's stack (LUAI_MAXCSTACK 8000).
for first = 1, #moving, 1000 do
  local last = math.min(first + 999, #moving)
  redis.call('SREM', from, unpack(moving, first, last))
  redis.call('SADD', to, unpack(moving, first, last))
end
redis.call('HSET', meta, 'n:' .. ARGV[2], target + 1)
return 1
