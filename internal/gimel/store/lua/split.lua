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
-- remainder of both parts. 10^15 is a multiple of every modulus up to 2^15, for
-- which the last digits are enough.
local step = 1e15 % modulus
local staying, moving = {}, {}
for _, member in ipairs(redis.call('SMEMBERS', from)) do
  local rest = tonumber(string.sub(member, -15))
  if step > 0 then
    rest = rest + (tonumber(string.sub(member, 1, -16)) or 0) % modulus * step
  end
  local half = staying
  if rest % modulus == target then half = moving end
  half[#half + 1] = member
end

-- unpack() is bounded by Lua's stack (LUAI_MAXCSTACK 8000).
local function each(command, key, members)
  for first = 1, #members, 1000 do
    redis.call(command, key, unpack(members, first, math.min(first + 999, #members)))
  end
end
if redis.call('OBJECT', 'ENCODING', from) == 'intset' then
  each('SREM', from, moving)
else
  -- It grew past set-max-intset-entries; only a new set is an intset again.
  redis.call('DEL', from)
  each('SADD', from, staying)
end
each('SADD', to, moving)
redis.call('HSET', meta, 'n:' .. ARGV[2], target + 1)
return 1
